/** The hand-over of a shift on one printed page: numbers, open alerts, changes, overdue cases, and two names to sign. */

import { el, replace } from "../base/dom.js";
import { day, minute, number } from "../base/format.js";
import { known, t } from "../base/words.js";
import { serverNow } from "../base/api.js";
import { alertWord, button, categoryName, className, frame, properName, subject } from "../panels/context.js";
import { banner } from "../panels/banner.js";
import { figures } from "../panels/figures.js";
import { header } from "../panels/header.js";
import { badge } from "../map/marks.js";
import { start } from "./start.js";

/** @typedef {import("../panels/context.js").Context} Context */

const MOST = 12;

/** @param {Context} context @returns {import("../panels/context.js").Panel} */
function page(context) {
  const head = header(context, t("handover"));
  const all = [head, banner(context), figures(context), alerts(context), notable(context), overdue(context)];
  const now = new Date(serverNow());
  const title = el("p", { class: "controls" }, t("handover_for", { time: `${day(now)} ${minute(now).slice(-5)}` }), button(t("print"), () => print(), { class: "print" }));
  const node = el("div", { class: "page" }, all[0]?.node, all[1]?.node, el("main", { class: "handover" }, title, ...all.slice(2).map((one) => one.node), el("p", { class: "signature" }, t("signature"))));
  return { node, show: () => { for (const one of all) one.show(); } };
}

/** A list that is drawn again when its key changes. @param {string} name @param {string} title @param {() => {key: string, items: HTMLElement[], none: string}} say */
function list(name, title, say) {
  const body = el("ul");
  const node = frame(name, title, body);
  let told = "";
  const show = () => {
    const { key, items, none } = say();
    if (key === told) return;
    told = key;
    replace(body, ...(items.length ? items : [el("li", {}, none)]));
  };
  show();
  return { node, show };
}

/** @param {Context} context */
const alerts = ({ model }) => list("handover-alerts", t("open_alerts"), () => ({
  key: `${model.alerts.map((one) => `${one.id} ${one.version}`)} `, none: t("no_alerts"),
  items: model.alerts.slice(0, MOST).map((one) => el("li", {}, badge(one.level), ` ${alertWord(model, one.level)} `, properName(model.city?.place(one.area) ?? one.area),
    ` ${subject(model, one)} ${one.masked ? "" : t("obs_exp", { obs: number(one.observed ?? 0, 1), exp: number(one.expected ?? 0, 1) })} · ${minute(one.at)} · ${known(`state_${one.state}`)}`)),
}));

/** @param {Context} context */
const notable = ({ model }) => list("handover-movers", t("notable"), () => ({
  key: `${model.movers?.seq} `, none: t("no_movers"),
  items: (model.movers?.items ?? []).filter((one) => one.flag).slice(0, MOST).map((one) => el("li", {}, properName(model.city?.place(one.area) ?? one.area), ` ${categoryName(model, one.cat)} ${number(one.base)} → ${number(one.obs)} (${one.score > 0 ? "↑" : "↓"}${number(Math.abs(one.score), 1)})`)),
}));

/** @param {Context} context */
const overdue = ({ model }) => list("handover-cases", t("overdue"), () => ({
  key: `${model.open?.seq} ${model.duty}`, none: model.duty === false ? t("needs_duty") : t("nothing_due"),
  items: (model.open?.items ?? []).slice(0, MOST).map((one) => el("li", {}, properName(model.city?.place(one.grid) ?? one.grid), ` ${className(model, one.incident_class)} · ${known(`stage_${one.step}`)} · ${one.due_at ? `${t("due")} ${minute(one.due_at)}` : "—"}`)),
}));

await start(page, { title: () => t("handover") });
