/** Any time of a day: the slider puts it into the address, and playing walks through the day. */

import { serverNow } from "../base/api.js";
import { el, say, set } from "../base/dom.js";
import { isoDay, midnight, minute } from "../base/format.js";
import { t } from "../base/words.js";
import { button } from "./context.js";

const STEP_MS = 15 * 60_000;
const PACE_MS = 600;
const DAY_STEPS = 96;

/** @param {import("./context.js").Context} context */
export function replay({ model, go }) {
  let playing = 0;
  const day = () => midnight(model.view.at ? (model.view.at.length === 10 ? model.view.at : isoDay(model.view.at)) : isoDay(serverNow())).getTime();
  /** Steps of the day that are over. */
  const most = () => Math.max(0, Math.min(DAY_STEPS, Math.floor((serverNow() - day()) / STEP_MS)));
  const slider = el("input", { type: "range", min: 0, step: 1, "aria-label": t("replay"), title: t("replay_about"), input: () => to(Number(slider.value), playing > 0) });
  const told = el("output", { class: "at" });
  const play = button(t("play"), () => (playing ? stop() : begin()), { class: "play", "aria-pressed": "false" });
  const node = el("div", { class: "replay", role: "group", "aria-label": t("replay"), hidden: true }, play, slider, told);

  /** The first step away from now can be undone; those after it replace it. @param {number} step @param {boolean} [again] */
  const to = (step, again = false) => {
    const window = model.view.window === "day" ? "1h" : model.view.window;
    go({ at: `${new Date(day() + step * STEP_MS).toISOString().slice(0, 16)}Z`, window }, again || model.view.at.length > 10);
  };
  const stop = () => {
    clearInterval(playing);
    playing = 0;
    say(play, t("play"));
    set(play, { "aria-pressed": "false" });
  };
  const begin = () => {
    if (Number(slider.value) >= most()) to(0);
    playing = setInterval(() => {
      if (!node.isConnected || Number(slider.value) >= most()) stop();
      else if (model.state?.at === model.view.at) to(Number(slider.value) + 1, true);
    }, PACE_MS);
    say(play, t("pause"));
    set(play, { "aria-pressed": "true" });
  };
  const show = () => {
    const { at } = model.view;
    node.hidden = !model.duty;
    if (node.hidden) return;
    const steps = most();
    const step = at.length > 10 ? Math.round((Date.parse(at) - day()) / STEP_MS) : steps;
    set(slider, { max: steps, "aria-valuetext": at.length > 10 ? minute(at) : t("now") });
    if (Number(slider.value) !== step) slider.value = String(step);
    say(told, at.length > 10 ? t("at_time", { time: minute(at) }) : t("now"));
  };
  show();
  return { node, show };
}
