/** What may be done about an alert. Each action asks once more, and names the version that was seen. */

import { act, Problem } from "../base/api.js";
import { freshness } from "../base/age.js";
import { el, replace, say, set } from "../base/dom.js";
import { known, t } from "../base/words.js";
import { loadDetail } from "../model/load.js";
import { later } from "../model/waiting.js";
import { button, properName } from "./context.js";
import { ageOf } from "./header.js";

/** @typedef {import("./context.js").Context} Context */

export const KINDS = /** @type {const} */ (["ack", "dispatch", "escalate", "resolve", "false_alarm"]);

/** Why nothing may be done now; empty: it may. @param {Context["model"]} model */
export function barred(model) {
  if (!model.duty) return t("needs_duty");
  return freshness(ageOf(model)) === "grey" ? t("action_old") : "";
}

/** @param {Context} context */
export function actions(context) {
  const { model } = context;
  const told = el("p", { role: "status", class: "told" });
  const reason = el("p", { class: "hint", id: "barred" });
  const buttons = KINDS.map((kind) => button(t(kind), () => confirm(context, kind, told), { "data-kind": kind, class: "act", "aria-describedby": "barred" }));
  const node = el("div", { class: "actions" }, ...buttons, reason, told);
  const show = () => {
    const { detail } = model;
    const why = barred(model) || (detail && !detail.is_open ? known(`state_${detail.state}`) : "");
    say(reason, why);
    for (const one of buttons) set(one, { disabled: Boolean(why) || !detail });
  };
  show();
  return { node, show };
}

/** @param {Context} context @param {typeof KINDS[number]} kind @param {HTMLElement} told */
function confirm(context, kind, told) {
  const { detail } = context.model;
  if (!detail) return;
  const key = crypto.randomUUID();
  const note = el("textarea", { id: "reason", maxlength: 2000, rows: 2 });
  const area = properName(context.model.city?.place(detail.area) ?? detail.area);
  const [before = "", after = ""] = t("confirm_about", { area: "\u0000" }).split("\u0000");
  const dialog = el("dialog", { class: "confirm", "aria-labelledby": "confirm-title" },
    el("form", { method: "dialog", submit: (/** @type {Event} */ event) => { event.preventDefault(); dialog.close(); void send(context, detail, kind, key, note.value.trim(), told); } },
      el("h2", { id: "confirm-title" }, t("confirm", { what: t(kind) })), el("p", {}, before, area, after), el("label", { for: "reason" }, t("reason")), note,
      el("div", { class: "buttons" }, el("button", { type: "submit", class: "yes" }, t(kind)), button(t("cancel"), () => dialog.close()))));
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  document.body.append(dialog);
  dialog.showModal();
}

/** @param {Context} context @param {import("../types.d.ts").AlertDetail} detail @param {typeof KINDS[number]} kind @param {string} key @param {string} note @param {HTMLElement} told */
async function send({ model }, detail, kind, key, note, told) {
  try {
    await act(detail.id, kind, detail.version, key, note);
    replace(told, t("done", { what: t(kind) }));
  } catch (error) {
    const away = error instanceof Problem && error.status === 0;
    if (away) later(model, { key, alert: detail.id, kind, version: detail.version });
    replace(told, away ? t("queue", { n: 1 }) : t("changed", { why: error instanceof Problem ? error.message : String(error) }));
    if (away) return;
  }
  await loadDetail(model);
}
