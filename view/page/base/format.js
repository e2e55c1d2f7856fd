/** Numbers and times as a reader of the language writes them, in the city's time zone; why without Intl: docs/decisions/0058. */

import { t } from "./words.js";

const SECOND_MS = 1000;
/** @type {[number, number][]} */
let changes = [[0, 8 * 3600]];

/** @param {[number, number][]} clock since when (Unix, seconds) the city's clock is how far ahead of UTC (seconds), in order */
export function setClock(clock) {
  changes = clock;
}

/** How far the city's clock is ahead of UTC, milliseconds. @param {number} at */
function offset(at) {
  let nth = changes.length - 1;
  while (nth > 0 && (changes[nth]?.[0] ?? 0) * SECOND_MS > at) nth--;
  return (changes[nth]?.[1] ?? 0) * SECOND_MS;
}

/** What the city's clock and calendar show, as a date in UTC. @param {string | number | Date} at */
function shown(at) {
  const time = new Date(at).getTime();
  return new Date(time + offset(time));
}

/** As 14:05:30. @param {string | Date} at */
export const clock = (at) => shown(at).toISOString().slice(11, 19);

/** @param {string | Date} at */
export function minute(at) {
  const text = shown(at).toISOString();
  return t("minute_at", { month: text.slice(5, 7), day: text.slice(8, 10), time: text.slice(11, 16) });
}

/** @param {string | Date} at */
export function day(at) {
  const here = shown(at);
  const [year = "", month = "", date = ""] = here.toISOString().slice(0, 10).split("-");
  return t("day_at", { year, month, day: date, weekday: t("weekdays").split(" ")[here.getUTCDay()] ?? "" });
}

/** The date in the city, as 2026-11-25. @param {string | number | Date} at */
export const isoDay = (at) => shown(at).toISOString().slice(0, 10);

/** The first instant of the city's day. @param {string} isoDate as 2026-11-25 @returns {Date} */
export function midnight(isoDate) {
  const guess = Date.parse(`${isoDate}T00:00:00Z`);
  return new Date(guess - offset(guess - offset(guess))); // on a day whose clock changes, the offset that its midnight had
}

/** Written alike in both languages. @param {number} value @param {number} [digits] decimals at most */
export function number(value, digits = 0) {
  if (value >= 0 && value < 1000 && Number.isInteger(value)) return String(value); // thousands of cells
  const [whole = "", part = ""] = value.toFixed(digits).split(".");
  const rest = part.replace(/0+$/, "");
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (rest && `.${rest}`);
}

/** A chance: three digits, or how small it is. @param {number} p */
export const chance = (p) => (p < 0.001 ? p.toExponential(1) : number(p, 3));

/** @param {number} share 0 to 1 */
export const percent = (share) => `${number(share * 100)}%`;
