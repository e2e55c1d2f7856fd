/** What colours, patterns and shapes mean, in words. Fixed: it is the same whatever is shown. */

import { el, replace, svg } from "../base/dom.js";
import { known, t } from "../base/words.js";
import { badge } from "../map/marks.js";
import { alertWord } from "./context.js";

const COUNTS = ["0", "1–9", "10–19", "20–49", "50+"];

/** @param {import("./context.js").Context} context */
export function legend({ model }) {
  const node = el("div", { class: "legend", role: "group", "aria-label": t("legend") });
  let told = "";
  const show = () => {
    const levels = model.state?.level !== null && model.view.paint !== "count";
    const duty = model.state?.level !== null;
    const key = `${levels} ${duty} ${model.state === null}`;
    if (key === told) return;
    told = key;
    const steps = [0, 1, 2, 3, 4].map((step) => entry(String(step), levels ? `${step} ${known(`level_${step}`)}` : COUNTS[step] ?? ""));
    const shapes = [1, 2, 3, 4].map((level) => el("li", {}, badge(level), alertWord(model, level)));
    replace(node, el("ul", {}, ...steps, entry("none", t("level_none")), duty ? null : entry("masked", t("masked"))), el("ul", { "aria-label": t("alerts_shape") }, ...shapes),
      el("p", { class: "hint" }, `${duty ? t("fixed") : t("by_count")} · ${t("points")} · ${t("approval")}`));
  };
  show();
  return { node, show };
}

/** @param {string} shade @param {string} text */
const entry = (shade, text) => el("li", {}, svg("svg", { viewBox: "0 0 24 24", class: "swatch", "aria-hidden": "true" }, svg("rect", { width: 24, height: 24, "data-shade": shade })), text);
