/** Open alerts, most severe first. Many are grouped by place and category, closed at first. */

import { el, replace } from "../base/dom.js";
import { minute, number } from "../base/format.js";
import { known, t } from "../base/words.js";
import { badge } from "../map/marks.js";
import { alertWord, button, categoryName, frame, properName, subject } from "./context.js";

/** @typedef {import("./context.js").Context} Context */
/** @typedef {import("../types.d.ts").Alert} Alert */

const GROUPED_FROM = 12;
const MOST_SHOWN = 50;

/** @param {Context} context @param {{title?: string, most?: number}} [options] */
export function alertList(context, { title = t("alerts"), most = MOST_SHOWN } = {}) {
  const { model } = context;
  const counts = el("p", { class: "counts" });
  const list = el("div", { class: "alerts" });
  /** @type {boolean | null} */ let grouped = null;
  /** @type {Set<string>} */ const open = new Set();
  const toggle = button(t("grouped"), () => { grouped = !isGrouped(); told = ""; show(); }, { "aria-pressed": "false" });
  const node = frame("alert-panel", title, el("div", { class: "controls" }, counts, toggle), list);
  let told = "";
  const shown = () => model.alerts.filter((one) => (!model.view.cat || one.category === model.view.cat) && (!model.view.area || one.area.startsWith(model.view.area) || model.view.area.startsWith(one.area)));
  const isGrouped = () => grouped ?? shown().length > GROUPED_FROM;
  const show = () => {
    const alerts = shown();
    const key = JSON.stringify([model.view.alert, model.view.cat, model.view.area, isGrouped(), model.alertTotal, model.alertsKnown, alerts.map((one) => [one.id, one.version])]);
    if (key === told) return;
    told = key;
    toggle.setAttribute("aria-pressed", String(isGrouped()));
    if (!model.alertsKnown) {
      replace(list, el("p", {}, t("loading")));
      return;
    }
    replace(counts, ...[1, 2, 3, 4].map((level) => el("span", {}, badge(level), ` ${alertWord(model, level)} ${alerts.filter((one) => one.level === level).length} `)), t("of_total", { n: number(model.alertTotal) }));
    if (!alerts.length) replace(list, el("p", {}, t("no_alerts")));
    else if (isGrouped()) replace(list, ...groups(context, alerts, open));
    else replace(list, el("ul", {}, ...alerts.slice(0, most).map((one) => row(context, one))), rest(alerts.length, most));
  };
  show();
  return { node, show };
}

/** @param {number} all @param {number} most */
const rest = (all, most) => (all > most ? el("p", { class: "hint" }, t("more", { n: all - most })) : null);

/** @param {Context} context @param {Alert[]} alerts @param {Set<string>} open groups that the reader has opened */
function groups(context, alerts, open) {
  const { model } = context;
  /** @type {Map<string, Alert[]>} */
  const found = new Map();
  for (const alert of alerts) {
    const key = `${alert.area.slice(0, 9)} ${alert.category}`;
    found.set(key, [...(found.get(key) ?? []), alert]);
  }
  return [...found].slice(0, MOST_SHOWN).map(([key, members]) => {
    const [area = "", category = ""] = key.split(" ");
    const worst = members[0]?.level ?? 4;
    const body = el("ul");
    const fill = () => replace(body, ...members.slice(0, MOST_SHOWN).map((one) => row(context, one)), el("li", {}, rest(members.length, MOST_SHOWN)));
    const node = el("details", {
      open: open.has(key),
      toggle: () => {
        if (node.open) open.add(key);
        else open.delete(key);
        if (node.open && !body.childElementCount) fill();
      },
    }, el("summary", {}, badge(worst), ` ${alertWord(model, worst)} `, properName(model.city?.name(area) ?? area), ` ${categoryName(model, category)} · ${members.length}`), body);
    if (open.has(key)) fill();
    return node;
  });
}

/** @param {Context} context @param {Alert} alert */
function row(context, alert) {
  const { model, go } = context;
  const numbers = alert.masked ? t("masked_alert") : t("obs_exp", { obs: number(alert.observed ?? 0, 1), exp: number(alert.expected ?? 0, 1) });
  const chance = alert.q ?? alert.p;
  return el("li", { class: "alert", "data-alert": alert.level, "data-id": alert.id, "aria-current": alert.id === model.view.alert ? "true" : null },
    badge(alert.level), el("div", {}, el("strong", {}, `${alertWord(model, alert.level)} `, properName(model.city?.place(alert.area) ?? alert.area, alert.area)),
      el("span", {}, `${subject(model, alert)} · ${numbers}${chance === null ? "" : ` · ${alert.q === null ? "p" : "q"}=${chance < 0.001 ? chance.toExponential(1) : number(chance, 3)}`}`),
      el("span", { class: "hint" }, `${t("since", { time: minute(alert.at) })} · ${known(`state_${alert.state}`)}`)),
    button(t("evidence"), () => go({ alert: alert.id }), { class: "evidence" }));
}
