/** What is to be done here: open alerts, then cases by the time their next step is due. */

import { serverNow } from "../base/api.js";
import { el, replace } from "../base/dom.js";
import { minute, number } from "../base/format.js";
import { known, t } from "../base/words.js";
import { badge } from "../map/marks.js";
import { alertWord, button, className, frame, properName, subject } from "./context.js";

const MOST = 30;

/** @param {number} minutes */
function lengthText(minutes) {
  if (minutes < 120) return t("minutes", { n: number(minutes) });
  return minutes < 2880 ? t("hours", { n: number(minutes / 60) }) : t("days", { n: number(minutes / 1440) });
}

/** @param {string | null} due */
function dueText(due) {
  if (!due) return "";
  const minutes = Math.round((Date.parse(due) - serverNow()) / 60_000);
  return t(minutes >= 0 ? "due_in" : "due_past", { n: lengthText(Math.abs(minutes)) });
}

/** @param {import("./context.js").Context} context */
export function todo({ model, go }) {
  const list = el("ul", { class: "rows" });
  const node = frame("todo", t("todo"), list);
  let told = "";
  const show = () => {
    const alerts = model.alerts.filter((one) => !model.view.area || one.area.startsWith(model.view.area) || model.view.area.startsWith(one.area));
    const open = model.open?.items ?? [];
    const key = JSON.stringify([alerts.map((one) => [one.id, one.version]), open.map((one) => [one.case, one.step]), Math.floor(serverNow() / 60_000), model.alertsKnown, model.open === null, model.duty]);
    if (key === told) return;
    told = key;
    const rows = [...alerts.map((one) => row([badge(one.level), ` ${alertWord(model, one.level)} `, properName(model.city?.place(one.area) ?? one.area)], `${subject(model, one)} · ${known(`state_${one.state}`)}`, () => go({ alert: one.id }), one.id)),
      ...open.map((one) => row([properName(model.city?.place(one.grid) ?? one.grid), ` ${className(model, one.incident_class)}`], `${known(`stage_${one.step}`)} · ${one.due_at ? `${minute(one.due_at)} ` : ""}${dueText(one.due_at)}`, () => go({ case: one.case })))];
    const coming = rows.length > 0 && model.duty !== false && model.open === null;
    replace(list, ...(rows.length ? rows.slice(0, MOST) : [el("li", {}, t(model.alertsKnown ? "nothing_due" : "loading"))]), rows.length > MOST ? el("li", { class: "hint" }, t("more", { n: rows.length - MOST })) : null, coming ? el("li", { class: "hint" }, t("loading")) : null);
  };
  show();
  return { node, show };
}

/** @param {import("../base/dom.js").Child[]} head @param {string} more @param {() => void} open @param {string} [id] */
function row(head, more, open, id) {
  const node = button("", open, { class: "row evidence" });
  node.append(el("strong", {}), el("span", { class: "hint" }, more));
  node.firstElementChild?.append(.../** @type {(Node | string)[]} */ (head));
  return el("li", { "data-id": id }, node);
}
