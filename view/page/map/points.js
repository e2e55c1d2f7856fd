/** Live points on a canvas over the map: events of the last minute, never more than it is told. */

import { el } from "../base/dom.js";

export class Points {
  /** @param {import("./svg_map.js").SvgMap} map */
  constructor(map) {
    this.map = map;
    this.node = el("canvas", { class: "points", "aria-hidden": "true" });
    /** @type {[number, number][]} */ this.places = [];
    map.node.addEventListener("moved", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.node);
  }

  /** @param {[number, number][]} places in the plane of the map */
  show(places) {
    this.places = places;
    this.node.dataset.points = String(places.length);
    this.draw();
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.node;
    const density = devicePixelRatio;
    this.node.width = width * density;
    this.node.height = height * density;
    const pen = this.node.getContext("2d");
    if (!pen || !width) return;
    const [x, y, boxWidth, boxHeight] = this.map.frame.box;
    const scale = Math.min(width / boxWidth, height / boxHeight);
    const [left, top] = [(width - boxWidth * scale) / 2, (height - boxHeight * scale) / 2];
    pen.scale(density, density);
    const style = getComputedStyle(this.node);
    pen.fillStyle = style.color;
    pen.strokeStyle = style.getPropertyValue("--ground");
    for (const [px, py] of this.places) {
      pen.beginPath();
      pen.arc(left + (px - x) * scale, top + (py - y) * scale, 3.5, 0, 2 * Math.PI);
      pen.fill();
      pen.stroke();
    }
  }
}
