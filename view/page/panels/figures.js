/** The numbers on top. Each says in its tooltip what it counts. */

import { el, say, set } from "../base/dom.js";
import { number, percent } from "../base/format.js";
import { t } from "../base/words.js";
import { spread, total } from "../model/cells.js";

/** @typedef {import("./context.js").Context} Context */
/** @typedef {{label: string, about: string, text: string, more?: string, tone?: "bad" | "warn" | ""}} Said `more` stands small beside the number */

/** @param {Context} context */
export function figures({ model }) {
  /** @param {string} name @param {() => Said} say_ */
  const figure = (name, say_) => ({ name, say: say_, label: el("span", { class: "label" }), value: el("strong", { "data-figure": name }), more: el("span", { class: "more" }), about: el("p", { class: "hint", role: "tooltip", id: `about-${name}` }) });
  const shown = [
    figure("incidents", () => incidents(model)),
    figure("levels", () => levels(model)),
    figure("open", () => ({ label: t("open_cases"), about: t("about_open"), text: later(model.open?.open, model) })),
    figure("overdue", () => ({ label: t("overdue"), about: t("about_overdue"), text: later(model.open?.overdue, model), tone: model.open?.overdue ? "warn" : "" })),
    figure("alerts", () => ({ label: t("open_alerts"), about: t("state_open"), text: model.alertsKnown ? number(model.alertTotal) : t("loading"), tone: model.alerts.some((one) => one.level === 1) ? "bad" : "" })),
    figure("sources", () => sources(model)),
    figure("met", () => met(model)),
  ];
  const node = el("div", { class: "figures" }, ...shown.map((one) => el("div", { tabindex: 0, "aria-describedby": `about-${one.name}`, role: "group" }, one.label, el("span", { class: "value" }, one.value, one.more), one.about)));
  const show = () => {
    for (const one of shown) {
      const { label, about, text, more = "", tone = "" } = one.say();
      say(one.label, label);
      say(one.value, text);
      say(one.more, more);
      set(one.value, { "data-tone": tone || null });
      say(one.about, about);
      set(one.about.parentElement ?? one.about, { "aria-label": label });
    }
  };
  show();
  return { node, show };
}

/** A number for duty tokens; what is not loaded yet is not none. @param {number | undefined} value @param {Context["model"]} model */
const later = (value, model) => (value !== undefined ? number(value) : t(model.duty === false ? "needs_duty" : "loading"));

/** Today's incidents; of a day or a past window those of the window. @param {Context["model"]} model */
function incidents(model) {
  const { state, today, view, duty } = model;
  if (duty && !view.at && !view.window) {
    const about = t("about_today", { minutes: today?.late_after_minutes ?? "–" });
    if (!today) return { label: t("today"), about, text: t("loading") };
    return { label: t("today"), about, text: today.incidents === null ? t("not_known") : number(today.incidents), more: today.late ? t("late_n", { n: number(today.late) }) : "" };
  }
  const sum = state ? total(state, model.column) : null;
  return { label: state?.window.day ? `${t("published_day")} ${state.window.day}` : t("shown_sum"), about: t("about_sum"), text: sum === null ? (state ? t("not_known") : t("loading")) : number(sum) };
}

/** @param {Context["model"]} model @returns {Said} */
function levels(model) {
  const counts = model.state?.level ? spread(model.state, model.column) : null;
  return { label: t("red_orange"), about: t("about_red_orange"), text: counts ? `${counts[4]} / ${counts[3]}` : t("not_known"), tone: counts?.[4] ? "bad" : "" };
}

/** @param {Context["model"]} model @returns {Said} */
function sources(model) {
  const all = model.state?.sources ?? [];
  const ok = all.filter((one) => one.ok).length;
  return { label: t("sources"), about: t("about_sources"), text: model.state ? `${ok}/${all.length}` : t("loading"), more: model.state ? t(ok === all.length ? "all_well" : "some_silent") : "", tone: ok < all.length ? "warn" : "" };
}

/** Arrivals of all tiers together, with Wilson's interval. @param {Context["model"]} model @returns {Said} */
function met(model) {
  if (!model.response) return { label: t("tier_share"), about: t("about_tier"), text: t("loading") };
  const rows = (model.response?.items ?? []).filter((row) => row.step === "arrive" && row.judged !== null && row.met !== null);
  const [judged, good, missing] = [sum(rows.map((row) => row.judged)), sum(rows.map((row) => row.met)), sum(rows.map((row) => row.missing))];
  if (!judged) return { label: t("tier_share"), about: t("about_tier"), text: t("not_known") };
  const { low, high } = wilson(good, judged);
  const more = t("interval", { lo: percent(low), hi: percent(high), n: number(judged), missing: number(missing) });
  return { label: t("tier_share"), about: t("about_tier"), text: percent(good / judged), more };
}

/** @param {(number | null)[]} values */
const sum = (values) => values.reduce((/** @type {number} */ all, one) => all + (one ?? 0), 0);

/** Wilson's 95 % interval of a share. @param {number} good @param {number} all */
export function wilson(good, all) {
  const z = 1.959964;
  const middle = (good + z ** 2 / 2) / (all + z ** 2);
  const half = (z / (all + z ** 2)) * Math.sqrt((good * (all - good)) / all + z ** 2 / 4);
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}
