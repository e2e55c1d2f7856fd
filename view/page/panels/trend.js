/** One chart for each category of the chosen area. */

import { el } from "../base/dom.js";
import { t } from "../base/words.js";
import { Chart } from "./chart.js";
import { categoryName, frame, properName } from "./context.js";

/** @param {import("./context.js").Context} context */
export function trend({ model }) {
  const where = el("p", { class: "controls" });
  const ids = ["", ...(model.meta?.categories ?? []).map((one) => one.id).filter((id) => id !== "unclassified")];
  /** @param {string} id */
  const name = (id) => (id ? categoryName(model, id) : t("all"));
  const charts = new Map(ids.map((id) => [id, new Chart(`${t("trend")} ${name(id)}`)]));
  const grid = el("div", { class: "charts" }, ...[...charts].map(([id, chart]) => el("figure", { "data-cat": id }, el("figcaption", {}, name(id)), chart.node)));
  const node = frame("trend-panel", t("trend"), where, grid, el("p", { class: "hint" }, t("trend_about")));
  let told = "";
  const show = () => {
    const { area, cat } = model.view;
    const step = [...model.series.values()][0]?.step;
    const key = `${area} ${step}`;
    if (key !== told) where.replaceChildren(area ? properName(model.city?.place(area) ?? area) : t("whole_city"), step ? ` · ${t(step === "hour" ? "hourly" : "daily")}` : "");
    told = key;
    for (const [id, series] of model.series) {
      void charts.get(id)?.show(series);
    }
    for (const [id, chart] of charts) {
      const box = chart.node.parentElement;
      if (box) box.hidden = cat !== "" && cat !== "unclassified" && cat !== id;
    }
  };
  show();
  return { node, show };
}
