/** Numbers and times as a reader of the language writes them, in the city's time zone. */

import { language } from "./words.js";

let zone = "Asia/Shanghai";

/** @param {string} name IANA time zone of the deployment */
export function setZone(name) {
  zone = name;
}

const locale = () => (language() === "zh" ? "zh-CN" : "en-GB");

/** @type {Map<string, Intl.DateTimeFormat | Intl.NumberFormat>} */
const kept = new Map();

/** @param {string} name @param {Intl.DateTimeFormatOptions} options @param {string | Date} at */
function told(name, options, at) {
  const key = `${name} ${locale()} ${zone}`;
  const format = kept.get(key) ?? new Intl.DateTimeFormat(locale(), { timeZone: zone, hour12: false, ...options });
  kept.set(key, format);
  return /** @type {Intl.DateTimeFormat} */ (format).format(new Date(at));
}

/** @param {string | Date} at */
export const clock = (at) => told("clock", { hour: "2-digit", minute: "2-digit", second: "2-digit" }, at);
/** @param {string | Date} at */
export const minute = (at) => told("minute", { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" }, at);
/** @param {string | Date} at */
export const day = (at) => told("day", { year: "numeric", month: "2-digit", day: "2-digit", weekday: "short" }, at);

/** The date in the city, as 2026-11-25. @param {string | number | Date} at */
export function isoDay(at) {
  return new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date(at));
}

/** The first instant of the city's day. @param {string} isoDate as 2026-11-25 @returns {Date} */
export function midnight(isoDate) {
  const guess = Date.parse(`${isoDate}T00:00:00Z`);
  const shown = new Intl.DateTimeFormat("en-CA", { timeZone: zone, timeZoneName: "longOffset" }).formatToParts(guess).find((part) => part.type === "timeZoneName");
  const [, sign, hours, minutes] = /GMT([+-])(\d\d):(\d\d)/.exec(shown?.value ?? "") ?? [];
  const offset = hours ? (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) : 0;
  return new Date(guess - offset * 60_000);
}

/** @param {number} value @param {number} [digits] decimals at most */
export function number(value, digits = 0) {
  const key = `number ${locale()} ${digits}`;
  const format = kept.get(key) ?? new Intl.NumberFormat(locale(), { maximumFractionDigits: digits });
  kept.set(key, format);
  return /** @type {Intl.NumberFormat} */ (format).format(value);
}

/** A chance: three digits, or how small it is. @param {number} p */
export const chance = (p) => (p < 0.001 ? p.toExponential(1) : number(p, 3));

/** @param {number} share 0 to 1 */
export const percent = (share) => `${number(share * 100)}%`;
