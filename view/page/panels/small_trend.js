/** The last day of each category in small, for the wall: read from afar, drawn without the library of charts. Hours that go on are left out. */

import { el, replace } from "../base/dom.js";
import { clock, number } from "../base/format.js";
import { t } from "../base/words.js";
import { smallChart } from "../map/small_chart.js";
import { categoryName, frame } from "./context.js";

/** @typedef {import("../types.d.ts").Series} Series */

const STEPS = { hour: 24, day: 28 };

/** @param {import("./context.js").Context} context */
export function smallTrend({ model }) {
  const ids = ["", ...(model.meta?.categories ?? []).map((one) => one.id).filter((id) => id !== "unclassified")];
  const figures = new Map(ids.map((id) => [id, el("figure", { "data-cat": id }, el("figcaption", {}, id ? categoryName(model, id) : t("all")))]));
  const node = frame("trend-panel", t("trend"), el("p", { class: "controls" }, t("trend_about")), el("div", { class: "charts" }, ...figures.values()));
  /** @type {Map<string, Series>} */ const drawn = new Map();
  const show = () => {
    for (const [id, figure] of figures) {
      const series = model.series.get(id);
      if (!series || drawn.get(id) === series) continue;
      drawn.set(id, series);
      draw(figure, id ? categoryName(model, id) : t("all"), series);
    }
  };
  show();
  return { node, show };
}

/** @param {HTMLElement} figure @param {string} name @param {Series} series */
function draw(figure, name, series) {
  const complete = series.complete_until === null ? -Infinity : Date.parse(series.complete_until);
  const over = series.t.filter((at) => Date.parse(at) <= complete).length;
  const from = Math.max(0, over - STEPS[series.step]);
  const [observed, expected, upper] = [series.obs, series.expected, series.upper].map((one) => one.slice(from, over));
  const [first, last] = [series.t[from], series.t[over - 1]];
  if (!observed || !expected || !upper || !first || !last) return;
  /** @param {string} at */
  const when = (at) => (at.length === 10 ? at.slice(5) : clock(at).slice(0, 5));
  const [n, wanted] = [observed.at(-1) ?? null, expected.at(-1) ?? null];
  const told = n === null ? t("level_none") : wanted === null ? number(n) : t("obs_exp", { obs: number(n), exp: number(wanted, 1) });
  const label = `${name}, ${when(first)}–${when(last)}, ${t("observed")}: ${observed.map((one) => one ?? "–").join(" ")}`;
  replace(figure, el("figcaption", {}, el("strong", {}, name), el("span", {}, told)), smallChart(observed, expected, upper, label),
    el("p", { class: "ends" }, el("span", {}, when(first)), el("span", {}, when(last))));
}
