/** Marks of alerts: shape, letter and colour each tell the level, so that none is needed alone. */

import { svg } from "../base/dom.js";

/** Corners around 0 0 within a circle of 10: triangle (red), square (orange), circle (yellow), diamond (blue). */
const FORMS = ["", "M0 -10L9.5 8H-9.5Z", "M-8 -8H8V8H-8Z", "M-9 0a9 9 0 1 0 18 0a9 9 0 1 0 -18 0Z", "M0 -10L10 0L0 10L-10 0Z"];

/** @param {number} level 1 red to 4 blue */
export const form = (level) => FORMS[level] ?? FORMS[4] ?? "";

/** A mark that stands in text. @param {number} level */
export function badge(level) {
  return svg("svg", { class: "badge", viewBox: "-12 -12 24 24", "data-alert": level, "aria-hidden": "true", focusable: "false" }, svg("path", { d: form(level) }));
}

/** A mark on the map. @param {number} level @param {[number, number]} at @param {number} scale */
export function mapMark(level, at, scale) {
  return svg("path", { class: "mark", d: form(level), "data-alert": level, transform: `translate(${at[0]} ${at[1]}) scale(${scale})` });
}
