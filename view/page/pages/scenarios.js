/** The scenarios of the catalogue; one of them: its map, areas, classes, indicators, alerts, and for whom it is. */

import { el, replace } from "../base/dom.js";
import { number } from "../base/format.js";
import { both, t } from "../base/words.js";
import { alertList } from "../panels/alert_list.js";
import { banner } from "../panels/banner.js";
import { className, frame, levelText } from "../panels/context.js";
import { header } from "../panels/header.js";
import { mapPanel } from "../panels/map_panel.js";
import { scenarioGrid } from "../panels/scenario_grid.js";
import { sparkline } from "../map/sparkline.js";
import { why } from "../panels/why.js";
import { start } from "./start.js";

/** @typedef {import("../panels/context.js").Context} Context */

/** @param {Context["model"]} model */
const chosen = (model) => model.meta?.scenarios.find((one) => one.id === model.view.scenario);

/** @param {Context} context @returns {import("../panels/context.js").Panel} */
function page(context) {
  const { model } = context;
  const scenario = chosen(model);
  const head = header(context, scenario ? both(scenario) : t("scenarios"));
  const warn = banner(context);
  const drawer = why(context);
  const parts = scenario ? [facts(context, scenario), mapPanel(context), alertList(only(context, scenario)), drawer] : [scenarioGrid(context)];
  const main = el("main", { class: scenario ? "desk scenario" : "scenario-list" }, ...parts.filter((one) => one !== drawer).map((one) => one.node));
  return { node: el("div", { class: "page" }, head.node, warn.node, main, scenario ? drawer.node : null), show: () => { for (const part of [head, warn, ...parts]) part.show(); } };
}

/** The same context, with the alerts of a scenario alone. @param {Context} context @param {import("../types.d.ts").Scenario} scenario @returns {Context} */
function only(context, scenario) {
  const classes = new Set(scenario.classes);
  const model = new Proxy(context.model, {
    get(target, name) {
      if (name === "alerts") return target.alerts.filter((one) => one.incident_class === null || classes.has(one.incident_class));
      return Reflect.get(target, name, target);
    },
  });
  return { ...context, model };
}

/** @param {Context} context @param {import("../types.d.ts").Scenario} scenario */
function facts({ model }, scenario) {
  const numbers = el("p", { class: "numbers" });
  const levels = scenario.levels.map((level) => both(model.meta?.levels.find((one) => one.id === level))).join(" · ");
  const node = frame("facts", t("about"), el("p", {}, both(scenario.about)), numbers,
    el("dl", {}, el("dt", {}, t("audience")), el("dd", {}, both(scenario.audience)), el("dt", {}, t("scenario_areas")), el("dd", {}, levels),
      el("dt", {}, t("indicators")), el("dd", {}, scenario.indicators.map((one) => both(one)).join(" · ")),
      el("dt", {}, t("scenario_classes")), el("dd", {}, scenario.classes.map((code) => className(model, code)).join(" · "))));
  const show = () => {
    const found = model.scenarios?.items.find((one) => one.id === scenario.id);
    if (!found) replace(numbers, model.duty === false ? t("needs_duty") : t("loading"));
    else replace(numbers, `${t("today")} ${number(found.days.at(-1) ?? 0)} · ${t("level")} ${levelText(found.level)} · ${t("seven_days")} ${number(found.days.reduce((sum, one) => sum + one, 0))}`, sparkline(found.days, t("seven_days")));
  };
  show();
  return { node, show };
}

await start(page, { title: (model) => both(chosen(model), t("scenarios")), scenarios: true });
