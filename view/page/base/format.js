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

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** @type {Map<string, number>} by zone and hour: asking the browser costs milliseconds, and clocks ask each second */
const offsets = new Map();

/** How far the city's clock is ahead of UTC, milliseconds. @param {number} at */
function offset(at) {
  const key = `${zone} ${Math.floor(at / HOUR_MS)}`;
  let found = offsets.get(key);
  if (found === undefined) {
    const name = `offset ${locale()} ${zone}`; // the reader's locale: the data of a second one takes the browser as long again
    const format = /** @type {Intl.DateTimeFormat} */ (kept.get(name) ?? new Intl.DateTimeFormat(locale(), { timeZone: zone, timeZoneName: "longOffset" }));
    kept.set(name, format);
    const shown = format.formatToParts(at).find((part) => part.type === "timeZoneName");
    const [, sign, hours, minutes] = /GMT([+-])(\d\d):(\d\d)/.exec(shown?.value ?? "") ?? [];
    found = hours ? (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * MINUTE_MS : 0;
    offsets.set(key, found);
  }
  return found;
}

/** The date in the city, as 2026-11-25. @param {string | number | Date} at */
export function isoDay(at) {
  const time = new Date(at).getTime();
  return new Date(time + offset(time)).toISOString().slice(0, 10);
}

/** The first instant of the city's day. @param {string} isoDate as 2026-11-25 @returns {Date} */
export function midnight(isoDate) {
  const guess = Date.parse(`${isoDate}T00:00:00Z`);
  return new Date(guess - offset(guess));
}

/** @param {number} value @param {number} [digits] decimals at most */
export function number(value, digits = 0) {
  if (value >= 0 && value < 1000 && Number.isInteger(value)) return String(value); // thousands of cells, written alike in both languages
  const key = `number ${locale()} ${digits}`;
  const format = kept.get(key) ?? new Intl.NumberFormat(locale(), { maximumFractionDigits: digits });
  kept.set(key, format);
  return /** @type {Intl.NumberFormat} */ (format).format(value);
}

/** A chance: three digits, or how small it is. @param {number} p */
export const chance = (p) => (p < 0.001 ? p.toExponential(1) : number(p, 3));

/** @param {number} share 0 to 1 */
export const percent = (share) => `${number(share * 100)}%`;
