/** A line of few numbers, without axes; the numbers stand beside it. */

import { svg } from "../base/dom.js";

/** @param {number[]} values @param {string} label */
export function sparkline(values, label) {
  const most = Math.max(1, ...values);
  const step = 100 / Math.max(1, values.length - 1);
  const points = values.map((value, at) => `${(at * step).toFixed(1)},${(28 - (24 * value) / most).toFixed(1)}`);
  return svg("svg", { class: "spark", viewBox: "0 0 100 30", role: "img", "aria-label": `${label}: ${values.join(" ")}`, preserveAspectRatio: "none" }, svg("polyline", { points: points.join(" ") }));
}
