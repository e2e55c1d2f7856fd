/** Live points on a canvas over the map: events of the last minute, never more than it is told. */

import { el } from "../base/dom.js";

const RADIUS = 3;
const TURN = 2.4;
const FROM_MARK = 13;

export class Points {
  /** Drawn anew by the map that they lie over, when its size changes. @param {() => import("./frame.js").Box} box the part of it that is seen */
  constructor(box) {
    this.box = box;
    this.node = el("canvas", { class: "points", "aria-hidden": "true" });
    /** @type {[number, number][]} */ this.places = [];
    /** @type {Set<string>} */ this.marked = new Set();
    this.asked = 0;
  }

  /** @param {[number, number][]} places in the plane of the map @param {Set<string>} marked places that a mark covers */
  show(places, marked) {
    if (!places.length && !this.places.length) return;
    this.places = places;
    this.marked = marked;
    this.node.dataset.points = String(places.length);
    this.draw();
  }

  /** With the next frame, which measures the page anyway. */
  draw() {
    this.asked ||= requestAnimationFrame(() => {
      this.asked = 0;
      this.#draw();
    });
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.node;
    const density = devicePixelRatio;
    this.node.width = width * density;
    this.node.height = height * density;
    const pen = this.node.getContext("2d");
    if (!pen || !width) return;
    const [x, y, boxWidth, boxHeight] = this.box();
    const scale = Math.min(width / boxWidth, height / boxHeight);
    const [left, top] = [(width - boxWidth * scale) / 2, (height - boxHeight * scale) / 2];
    pen.scale(density, density);
    const style = getComputedStyle(this.node);
    pen.fillStyle = style.color;
    pen.strokeStyle = style.getPropertyValue("--ground");
    /** @type {Map<string, number>} */
    const before = new Map();
    for (const [px, py] of this.places) {
      // Many events are told of one place: they stand around it, so that each is seen and a mark stays readable.
      const key = String([px, py]);
      const nth = before.get(key) ?? 0;
      before.set(key, nth + 1);
      const away = (this.marked.has(key) ? FROM_MARK : 0) + 5 * Math.sqrt(nth);
      pen.beginPath();
      pen.arc(left + (px - x) * scale + away * Math.cos(nth * TURN), top + (py - y) * scale + away * Math.sin(nth * TURN), RADIUS, 0, 2 * Math.PI);
      pen.fill();
      pen.stroke();
    }
  }
}
