/** A panel below what is seen first. Its place and heading are there at once; its code comes when the first view is painted. */

import { el } from "../base/dom.js";
import { nextTurn, painted } from "../base/turns.js";
import { t } from "../base/words.js";
import { frame } from "./context.js";

/** @typedef {import("./context.js").Panel} Panel */

/** Panels come one after another, so that each is a short piece of work. @type {Promise<void>} */
let before = Promise.resolve();

/** @param {HTMLElement} place what stands there until then @param {() => Promise<() => Panel>} bring the code; what it gives makes the panel @returns {Panel} */
export function late(place, bring) {
  /** @type {Panel | null} */ let panel = null;
  const come = async () => {
    await painted();
    const make = await bring().catch(() => null); // the network went away: the browser keeps no module that did not come
    if (make) {
      panel = make();
      place.replaceWith(panel.node);
    } else place.append(el("p", { role: "alert" }, t("failed_part")));
    await nextTurn();
  };
  before = before.then(come, come);
  return { node: place, show: (topics) => panel?.show(topics) };
}

/** The frame that a late panel will take the place of. @param {string} name @param {string} title */
export const promised = (name, title) => frame(name, title, el("p", {}, t("loading")));
