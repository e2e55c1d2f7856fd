/**
 * The map of areas as SVG: one path a grid, painted by attributes. A paint touches only what differs from the last one.
 * Keyboard: one tab stop; arrows go by geography, Enter selects.
 */

import { el, set, svg } from "../base/dom.js";
import { isArrow, towards } from "./compass.js";
import { Frame } from "./frame.js";
import { mapMark } from "./marks.js";
import { Points } from "./points.js";

/** @typedef {import("../types.d.ts").Paint} Paint */
/** @typedef {import("../types.d.ts").Mark} Mark */

/** @typedef {import("../types.d.ts").MapView} MapView */

/** @implements {MapView} */
export class SvgMap {
  /** @param {string} label */
  constructor(label) {
    /** @type {Record<"pick" | "point", ((index: number) => void)[]>} */ this.listeners = { pick: [], point: [] };
    /** @type {SVGPathElement[]} */ this.areas = [];
    /** @type {Paint[]} */ this.painted = [];
    /** @type {import("./shapes.js").Shapes | null} */ this.shapes = null;
    this.active = 0;
    this.repaints = 0;
    this.ground = svg("g");
    this.borders = svg("path", { class: "borders" });
    this.names = svg("g", { class: "names", "aria-hidden": "true", lang: "zh-CN" });
    this.chosen = svg("path", { class: "chosen" });
    this.cursor = svg("path", { class: "cursor" });
    this.marks = svg("g", { class: "marks", "aria-hidden": "true" });
    this.svg = svg("svg", { class: "map", role: "group", "aria-label": label, preserveAspectRatio: "xMidYMid meet" }, patterns(), this.ground, this.borders, this.names, this.chosen, this.cursor, this.marks);
    this.dots = new Points(() => this.frame.box);
    this.node = el("div", { class: "stage" }, this.svg, this.dots.node);
    /** @type {[number, number][]} */ this.marked = [];
    this.marksTold = "";
    /** Pixels. */ this.wide = 0;
    this.frame = new Frame(this.svg, () => this.#scaleMarks());
    new ResizeObserver(([seen]) => {
      this.wide = seen?.contentRect.width ?? 0;
      this.#scaleMarks();
    }).observe(this.svg);
    this.svg.addEventListener("click", (event) => this.#each(event, (at) => this.#pick(at)));
    this.svg.addEventListener("pointerover", (event) => this.#each(event, (at) => this.#tell("point", at)));
    this.svg.addEventListener("focusin", (event) => this.#each(event, (at) => this.#focused(at)));
    this.svg.addEventListener("focusout", () => set(this.cursor, { d: "" }));
    this.svg.addEventListener("keydown", (event) => this.#key(event));
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
    set(this.borders, { d: shapes.borders });
    this.svg.setAttribute("data-areas", String(this.areas.length));
  }

  /** @param {"pick" | "point"} event @param {(index: number) => void} listener */
  on(event, listener) {
    this.listeners[event].push(listener);
  }

  /** @param {"pick" | "point"} event @param {number} at */
  #tell(event, at) {
    for (const listener of this.listeners[event]) listener(at);
  }

  /** @param {[number, number][]} places */
  points(places) {
    this.dots.show(places, new Set([...this.marked].map(String)));
  }

  closer = () => this.frame.closer();
  farther = () => this.frame.farther();
  whole = () => this.frame.show(this.frame.whole);

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
    set(this.svg, { "data-repaints": this.repaints, "data-last": changed });
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
    const key = JSON.stringify(marks);
    if (key === this.marksTold) return;
    this.marksTold = key;
    this.marked = marks.map((one) => one.at);
    this.marks.replaceChildren(...marks.map((one) => mapMark(one.level, one.at, this.#unit())));
  }

  /** @param {import("../types.d.ts").PlaceName[]} names */
  name(names) {
    this.names.replaceChildren(...names.map(({ text, at: [x, y] }) => svg("text", { dy: "-0.8em", transform: `translate(${x} ${y}) scale(${this.#unit()})` }, text)));
  }

  /** Say again what the whole is called, in another language. @param {string} label */
  rename(label) {
    set(this.svg, { "aria-label": label });
  }

  /** Give the keyboard to an area. @param {number} at */
  focus(at) {
    this.#activate(at);
    this.areas[at]?.focus();
  }

  /** A mark is as large on any zoom, and can be seen on a phone. */
  #unit() {
    return Math.max(0.4, this.frame.box[2] / 1100, this.wide ? (0.6 * this.frame.box[2]) / this.wide : 0);
  }

  #scaleMarks() {
    for (const mark of [...this.marks.children, ...this.names.children]) mark.setAttribute("transform", (mark.getAttribute("transform") ?? "").replace(/scale\(.*\)/, `scale(${this.#unit()})`));
    this.dots.draw();
  }

  /** @param {Event} event @param {(at: number) => void} then */
  #each(event, then) {
    const at = /** @type {Element | null} */ (event.target)?.getAttribute("data-at");
    if (at) then(Number(at));
  }

  /** @param {number} at */
  #pick(at) {
    this.#activate(at);
    this.#tell("pick", at);
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
    this.#tell("point", at);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (isArrow(event.key) && this.shapes) {
      event.preventDefault();
      this.focus(towards(this.shapes.points, this.active, event.key));
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.#tell("pick", this.active);
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
