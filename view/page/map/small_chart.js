/** A day of one line beside what was expected, as SVG without axes; the numbers stand beside it. Pure but for the elements. */

import { svg } from "../base/dom.js";

export const WIDE = 240;
export const HIGH = 60;

/** @typedef {(number | null)[]} Column */

/** Points of a line; what is not known is a gap and no zero. @param {Column} values @param {number} most @returns {string} */
export function path(values, most) {
  const step = WIDE / Math.max(1, values.length - 1);
  return values.map((value, at) => (value === null ? "" : `${at && values[at - 1] !== null ? "L" : "M"}${(at * step).toFixed(1)} ${height(value, most)}`)).join("");
}

/** @param {number} value @param {number} most */
const height = (value, most) => (HIGH - (HIGH * value) / most).toFixed(1);

/** What lies between two columns, a surface for each run in which both are known. @param {Column} low @param {Column} high @param {number} most @returns {string} */
export function band(low, high, most) {
  const step = WIDE / Math.max(1, low.length - 1);
  let drawn = "";
  for (let from = 0; from < low.length; from += 1) {
    let to = from;
    while (to < low.length && low[to] !== null && high[to] !== null) to += 1;
    if (to === from) continue;
    const steps = Array.from({ length: to - from }, (_, at) => from + at);
    /** @param {Column} of @param {number} at */
    const point = (of, at) => `${(at * step).toFixed(1)} ${height(of[at] ?? 0, most)}`;
    drawn += `M${[...steps.map((at) => point(high, at)), ...steps.reverse().map((at) => point(low, at))].join("L")}Z`;
    from = to;
  }
  return drawn;
}

/** The top of the chart: never so low that one incident looks like many. @param {Column[]} columns */
export const top = (columns) => Math.max(5, ...columns.flat().map((one) => one ?? 0));

/** @param {Column} observed @param {Column} expected @param {Column} upper @param {string} label what it shows, in words */
export function smallChart(observed, expected, upper, label) {
  const most = top([observed, upper]);
  return svg("svg", { class: "small-chart", viewBox: `0 -2 ${WIDE} ${HIGH + 4}`, role: "img", "aria-label": label, preserveAspectRatio: "none", "data-top": most },
    svg("path", { class: "band", d: band(expected, upper, most) }), svg("path", { class: "expected", d: path(expected, most) }), svg("path", { class: "observed", d: path(observed, most) }));
}
