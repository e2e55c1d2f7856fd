/** The duty desk: map, alerts, trend, movers, cases, and the table that says the same as the map. */

import { el } from "../base/dom.js";
import { t } from "../base/words.js";
import { alertList } from "../panels/alert_list.js";
import { banner } from "../panels/banner.js";
import { figures } from "../panels/figures.js";
import { filters } from "../panels/filters.js";
import { header } from "../panels/header.js";
import { late, promised } from "../panels/late.js";
import { mapPanel } from "../panels/map_panel.js";
import { movers } from "../panels/movers.js";
import { start } from "./start.js";

/** @param {import("../panels/context.js").Context} context @returns {import("../panels/context.js").Panel} */
function desk(context) {
  const map = mapPanel(context);
  const panels = {
    head: header(context, t("title")), banner: banner(context), figures: figures(context), filters: filters(context), alerts: alertList(context),
    movers: movers(context),
    why: late(el("aside", { hidden: true }), async () => { const { why } = await import("../panels/why.js"); return () => why(context); }),
    trend: late(promised("trend-panel", t("trend")), async () => { const { trend } = await import("../panels/trend.js"); return () => trend(context); }),
    cases: late(promised("case-panel", t("case_timeline")), async () => { const { cases } = await import("../panels/cases.js"); return () => cases(context); }),
    table: late(promised("table-panel", t("table")), async () => { const { areaTable } = await import("../panels/area_table.js"); return () => areaTable(context); }),
  };
  const main = el("main", { class: "desk" }, panels.figures.node, panels.filters.node, map.node, panels.alerts.node, panels.movers.node, panels.trend.node, panels.cases.node, panels.table.node);
  const node = el("div", { class: "page" }, el("a", { class: "skip", href: "#areas" }, t("skip")), panels.head.node, panels.banner.node, main, panels.why.node);
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    context.go(context.model.view.alert ? { alert: "" } : { area: "" });
  });
  const all = [map, ...Object.values(panels)];
  return { node, show: (topics) => { for (const panel of all) panel.show(topics); } };
}

await start(desk, { title: () => `${t("title")} · ${t("desk")}` });
