/** One chart for each category of the chosen area. */

import { el } from "../base/dom.js";
import { t } from "../base/words.js";
import { Chart } from "./chart.js";
import { categoryName, frame, properName } from "./context.js";

/** @param {import("./context.js").Context} context @param {number} [height] */
export function trend({ model }, height = 92) {
  const where = el("p", { class: "controls" });
  /** @type {Map<string, Chart>} */ const charts = new Map();
  const grid = el("div", { class: "charts" });
  const node = frame("trend-panel", t("trend"), where, grid, el("p", { class: "hint" }, t("trend_about")));
  let told = "";
  const show = () => {
    const { area, cat } = model.view;
    const step = [...model.series.values()][0]?.step;
    const key = `${area} ${step}`;
    if (key !== told) where.replaceChildren(area ? properName(model.city?.place(area) ?? area) : t("whole_city"), step ? ` · ${t(step === "hour" ? "hourly" : "daily")}` : "");
    told = key;
    for (const [id, series] of model.series) {
      let chart = charts.get(id);
      if (!chart) {
        chart = new Chart(`${t("trend")} ${categoryName(model, id)}`, height);
        charts.set(id, chart);
        grid.append(el("figure", { "data-cat": id }, el("figcaption", {}, categoryName(model, id)), chart.node));
      }
      void chart.show(series);
      const box = chart.node.parentElement;
      if (box) box.hidden = cat !== "" && cat !== "unclassified" && cat !== id;
    }
  };
  show();
  return { node, show };
}
