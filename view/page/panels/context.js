/** What a panel gets, and small parts that several panels draw. */

import { el } from "../base/dom.js";
import { number } from "../base/format.js";
import { both, known, t } from "../base/words.js";

/**
 * @typedef {object} Context
 * @property {import("../model/model.js").Model} model
 * @property {(changes: Partial<import("../types.d.ts").View>, replace?: boolean) => void} go change what is shown, and the address with it; `replace`: Back leaves it out
 * @property {() => Promise<void>} again load and draw everything, as after signing in
 * @property {(text: string, loud?: boolean) => void} announce for who listens
 */
/** @typedef {import("../model/model.js").Topic} Topic */
/** @typedef {{node: HTMLElement, show: (topics: Set<Topic>) => void}} Panel `show` draws anew what is different */

/** Whether a panel that shows these has anything to draw anew; without topics all is new. @param {Set<Topic> | undefined} topics @param {Topic[]} shown */
export const concerns = (topics, ...shown) => !topics || shown.some((one) => topics.has(one));

/** A count as it is shown. @param {import("../types.d.ts").Cell} cell */
export function countText(cell) {
  if (cell.state === "masked") return t("masked");
  return cell.n === null ? t("level_none") : number(cell.n);
}

/** @param {number | null} level @param {import("../types.d.ts").Cell["state"]} state */
export function levelText(level, state = "known") {
  if (state === "masked") return t("level_masked");
  return level === null ? t("level_none") : known(`level_${level}`);
}

/** The category's short name: what stands before a bracket. @param {import("../model/model.js").Model} model @param {string} id */
export function categoryName(model, id) {
  return both(model.meta?.categories.find((one) => one.id === id), t("not_known")).replace(/（.*）/, "");
}

/** @param {import("../model/model.js").Model} model @param {string} code */
export function className(model, code) {
  return both(model.meta?.classes.find((one) => one.code === code), t("not_known"));
}

/** What an alert is about. @param {import("../model/model.js").Model} model @param {import("../types.d.ts").Alert} alert */
export const subject = (model, alert) => (alert.incident_class ? className(model, alert.incident_class) : categoryName(model, alert.category));

/** A proper name of the city, which is Chinese in every language. @param {string} name @param {string} [title] */
export const properName = (name, title) => el("span", { lang: "zh-CN", class: "name", translate: "no", title }, name);

/** @param {import("../model/model.js").Model} model @param {number} level */
export const alertWord = (model, level) => both(model.meta?.alert_levels.find((one) => one.level === level), String(level));

/** @param {number} seconds */
export function ageText(seconds) {
  if (seconds < 90) return t("seconds_ago", { n: Math.max(0, Math.floor(seconds)) });
  return seconds < 5400 ? t("minutes_ago", { n: Math.floor(seconds / 60) }) : t("hours_ago", { n: Math.floor(seconds / 3600) });
}

/** A panel's frame. @param {string} name @param {string} title @param {import("../base/dom.js").Child[]} children */
export function frame(name, title, ...children) {
  return el("section", { class: `panel ${name}`, "aria-labelledby": `${name}-title` }, el("h2", { id: `${name}-title` }, title), ...children);
}

/** @param {string} text @param {(event: Event) => void} click @param {import("../base/dom.js").Attributes} [attributes] */
export const button = (text, click, attributes = {}) => el("button", { type: "button", click, ...attributes }, text);

/** A choice of few. @param {string} label @param {{id: string, text: string}[]} options @param {string} chosen @param {(id: string) => void} choose */
export function choice(label, options, chosen, choose) {
  const buttons = options.map(({ id, text }) => button(text, () => choose(id), { "data-id": id, "aria-pressed": String(id === chosen) }));
  return el("div", { class: "choice", role: "group", "aria-label": label }, ...buttons);
}

/** Press the chosen one, without drawing the choice anew. @param {HTMLElement} node @param {string} chosen */
export function press(node, chosen) {
  for (const one of node.querySelectorAll("button")) one.setAttribute("aria-pressed", String(one.dataset.id === chosen));
}
