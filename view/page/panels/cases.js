/** The newest cases, and the steps of a chosen one: when, due when, by what role. */

import { el, replace } from "../base/dom.js";
import { minute } from "../base/format.js";
import { known, t } from "../base/words.js";
import { button, className, frame, properName } from "./context.js";

const MOST = 12;
/** The API's words for roles. @type {Record<string, "role_caller" | "role_desk" | "role_responder">} */
const ROLES = { "caller or grid worker": "role_caller", "duty desk": "role_desk", responder: "role_responder" };

/** @param {import("./context.js").Context} context */
export function cases({ model, go }) {
  const list = el("ul", { class: "case-list" });
  const steps = el("div", { class: "scroll" });
  const node = frame("case-panel", t("case_timeline"), list, steps);
  let told = "";
  const show = () => {
    const { timeline } = model;
    const shown = model.cases.slice(0, MOST);
    const key = JSON.stringify([shown.map((one) => [one.case, one.stage]), model.view.case, timeline?.case, timeline?.seq, model.duty]);
    if (key === told) return;
    told = key;
    if (!shown.length) replace(list, el("li", {}, model.duty === false ? t("needs_duty") : t("no_cases")));
    else replace(list, ...shown.map((one) => el("li", {}, button(`${minute(one.at)} ${className(model, one.incident_class)} · ${known(`stage_${one.stage}`)}`, () => go({ case: one.case }), { class: "link", "aria-pressed": String(one.case === model.view.case) }))));
    replace(steps, model.view.case && timeline ? table(model, timeline) : null);
  };
  show();
  return { node, show };
}

/** @param {import("../model/model.js").Model} model @param {import("../types.d.ts").Timeline} timeline */
export function table(model, timeline) {
  const head = [t("step"), t("at"), t("due"), t("role")].map((one) => el("th", { scope: "col" }, one));
  const rows = timeline.steps.map((one) => el("tr", { "data-met": one.met === null ? null : String(one.met) }, el("th", { scope: "row" }, known(`stage_${one.step}`)),
    el("td", {}, one.at ? minute(one.at) : t("pending")), el("td", {}, one.due_at ? `${minute(one.due_at)} ${one.met === null ? "" : t(one.met ? "met" : "not_met")}` : "—"),
    el("td", {}, t(ROLES[one.role] ?? "role_desk"))));
  return el("table", {}, el("caption", {}, `${className(model, timeline.incident_class)} · ${t("tier", { n: timeline.tier })} · `, properName(model.city?.place(timeline.grid) ?? timeline.grid)),
    el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows));
}
