/**
 * The map of areas as SVG: one path a grid, painted by attributes. A paint touches only what differs from the last one.
 * Keyboard: one tab stop; arrows go by geography, Enter selects.
 */

import { set, svg } from "../base/dom.js";
import { isArrow, towards } from "./compass.js";
import { Frame } from "./frame.js";
import { mapMark } from "./marks.js";

/** @typedef {{shade: string, label: string}} Paint shade: 0 to 4, none, masked, outside */
/** @typedef {{level: number, at: [number, number], alert: string}} Mark */

export class SvgMap {
  /** @param {string} label @param {(index: number) => void} picked @param {(index: number) => void} pointed */
  constructor(label, picked, pointed) {
    this.picked = picked;
    this.pointed = pointed;
    /** @type {SVGPathElement[]} */ this.areas = [];
    /** @type {Paint[]} */ this.painted = [];
    /** @type {import("./shapes.js").Shapes | null} */ this.shapes = null;
    this.active = 0;
    this.repaints = 0;
    this.ground = svg("g");
    this.chosen = svg("path", { class: "chosen" });
    this.cursor = svg("path", { class: "cursor" });
    this.marks = svg("g", { class: "marks", "aria-hidden": "true" });
    this.node = svg("svg", { class: "map", role: "group", "aria-label": label, preserveAspectRatio: "xMidYMid meet" }, patterns(), this.ground, this.chosen, this.cursor, this.marks);
    this.frame = new Frame(this.node, () => this.#scaleMarks());
    this.node.addEventListener("click", (event) => this.#each(event, (at) => this.#pick(at)));
    this.node.addEventListener("pointerover", (event) => this.#each(event, this.pointed));
    this.node.addEventListener("focusin", (event) => this.#each(event, (at) => this.#focused(at)));
    this.node.addEventListener("focusout", () => set(this.cursor, { d: "" }));
    this.node.addEventListener("keydown", (event) => this.#key(event));
  }

  /** @param {import("./shapes.js").Shapes} shapes @param {string[]} codes @param {"whole" | "core"} shown */
  load(shapes, codes, shown) {
    this.shapes = shapes;
    this.painted = [];
    this.areas = shapes.paths.map((d, at) => svg("path", { d, role: "button", tabindex: at === this.active ? 0 : -1, "data-at": at, "data-code": codes[at], "aria-pressed": "false" }));
    this.ground.replaceChildren(...this.areas);
    /** @type {import("./frame.js").Box} */
    const whole = [-8, -8, shapes.width + 16, shapes.height + 16];
    const [x, y, width, height] = shapes.core;
    this.frame.reset(whole, shown === "core" ? [x - 10, y - 10, width + 20, height + 20] : whole);
    this.node.setAttribute("data-areas", String(this.areas.length));
  }

  /** @param {Paint[]} paints one for each area */
  paint(paints) {
    let changed = 0;
    paints.forEach((paint, at) => {
      const before = this.painted[at];
      const area = this.areas[at];
      if (!area || (before && before.shade === paint.shade && before.label === paint.label)) return;
      set(area, { "data-shade": paint.shade, "aria-label": paint.label });
      changed += 1;
    });
    this.painted = paints;
    if (!changed) return;
    this.repaints += changed;
    set(this.node, { "data-repaints": this.repaints, "data-last": changed });
  }

  /** @param {number[]} indexes areas of the selection */
  select(indexes) {
    const wanted = new Set(indexes);
    this.areas.forEach((area, at) => set(area, { "aria-pressed": wanted.has(at) ? "true" : "false" }));
    set(this.chosen, { d: indexes.map((at) => this.shapes?.paths[at] ?? "").join("") });
    const first = indexes[0];
    if (first !== undefined && !wanted.has(this.active)) this.#activate(first);
  }

  /** @param {Mark[]} marks least severe first */
  mark(marks) {
    this.marks.replaceChildren(...marks.map((one) => mapMark(one.level, one.at, this.#unit())));
  }

  /** Say again what the whole is called, in another language. @param {string} label */
  rename(label) {
    set(this.node, { "aria-label": label });
  }

  /** Give the keyboard to an area. @param {number} at */
  focus(at) {
    this.#activate(at);
    this.areas[at]?.focus();
  }

  /** A mark is as large on any zoom. */
  #unit() {
    return Math.max(0.4, this.frame.box[2] / 1100);
  }

  #scaleMarks() {
    for (const mark of this.marks.children) mark.setAttribute("transform", (mark.getAttribute("transform") ?? "").replace(/scale\(.*\)/, `scale(${this.#unit()})`));
    this.node.dispatchEvent(new CustomEvent("moved"));
  }

  /** @param {Event} event @param {(at: number) => void} then */
  #each(event, then) {
    const at = /** @type {Element | null} */ (event.target)?.getAttribute("data-at");
    if (at) then(Number(at));
  }

  /** @param {number} at */
  #pick(at) {
    this.#activate(at);
    this.picked(at);
  }

  /** @param {number} at */
  #activate(at) {
    const before = this.areas[this.active];
    if (before) set(before, { tabindex: -1 });
    this.active = at;
    const now = this.areas[at];
    if (now) set(now, { tabindex: 0 });
  }

  /** @param {number} at */
  #focused(at) {
    if (this.areas[at]?.matches(":focus-visible")) set(this.cursor, { d: this.shapes?.paths[at] ?? "" });
    this.pointed(at);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (isArrow(event.key) && this.shapes) {
      event.preventDefault();
      this.focus(towards(this.shapes.points, this.active, event.key));
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.picked(this.active);
    } else if (event.key === "+" || event.key === "=") this.frame.closer();
    else if (event.key === "-") this.frame.farther();
  }
}

/** Hatch: no data. Dots: not shown. */
function patterns() {
  const hatch = svg("pattern", { id: "hatch", width: 10, height: 10, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    svg("rect", { width: 10, height: 10, class: "hatch-ground" }), svg("rect", { width: 3, height: 10, class: "hatch-line" }));
  const dots = svg("pattern", { id: "dots", width: 9, height: 9, patternUnits: "userSpaceOnUse" },
    svg("rect", { width: 9, height: 9, class: "hatch-ground" }), svg("circle", { cx: 4, cy: 4, r: 1.6, class: "hatch-line" }));
  return svg("defs", {}, hatch, dots);
}
