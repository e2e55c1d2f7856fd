/** One line with what was expected and the bound. uPlot draws; the same numbers stand in a table for who does not see it. */

import { el, replace } from "../base/dom.js";
import { minute, number } from "../base/format.js";
import { t } from "../base/words.js";

/** @typedef {import("../types.d.ts").Series} Series */

/** @type {Promise<typeof import("uplot")> | null} */
let library = null;

/** The library comes from our own origin, when a chart is first shown. Throws when it was not installed. */
async function uplot() {
  if (!library) {
    library = /** @type {any} */ (import(/** @type {any} */ ("../lib/uplot.js")));
    document.head.append(el("link", { rel: "stylesheet", href: `${document.body.dataset.root}/lib/uplot.css` }));
  }
  return /** @type {any} */ (await library).default;
}

/** @param {string} at a time, or the date of a day */
const seconds = (at) => Date.parse(at.length === 10 ? `${at}T00:00:00Z` : at) / 1000;

export class Chart {
  /** As tall as the style makes its drawing. @param {string} label */
  constructor(label) {
    this.drawing = el("div", { class: "chart", role: "img", "aria-label": label });
    this.table = el("div", { class: "scroll" });
    this.details = el("details", { class: "numbers", toggle: () => this.#fill() }, el("summary", {}, t("as_table"), el("span", { class: "unseen" }, ` ${label}`)), this.table);
    this.node = el("div", { class: "chart-box" }, this.drawing, this.details);
    /** @type {any} */ this.plot = null;
    /** @type {Series | null} */ this.series = null;
    this.size = "";
    /** Drawn when it comes into view: until then the library is not asked for. @type {Promise<void>} */
    this.seen = new Promise((done) => {
      this.watcher = new IntersectionObserver((entries) => {
        if (!entries.some((one) => one.isIntersecting)) return;
        this.watcher?.disconnect();
        done();
      });
      this.watcher.observe(this.drawing);
    });
    this.sizer = new ResizeObserver(() => this.#resize());
    this.sizer.observe(this.drawing);
  }

  /** The library listens to the window as long as a plot lives: one that is not shown any more has to be told. */
  destroy() {
    this.series = null;
    this.watcher?.disconnect();
    this.sizer.disconnect();
    this.plot?.destroy();
    this.plot = null;
  }

  /** @param {Series} series */
  async show(series) {
    if (this.series === series) return;
    this.series = series;
    this.#fill();
    this.drawing.dataset.points = String(series.t.length);
    await this.seen;
    if (this.series !== series) return;
    let UPlot;
    try {
      UPlot = await uplot();
    } catch {
      this.details.open = true; // the numbers are there without the library
      return;
    }
    if (this.series !== series) return;
    const data = [series.t.map(seconds), series.obs, series.expected, series.upper];
    if (this.plot) this.plot.setData(data);
    else this.plot = new UPlot(options(this.drawing, series.step === "day"), data, this.drawing);
  }

  #resize() {
    const { width, height } = room(this.drawing);
    if (!this.plot || !this.drawing.clientWidth || this.size === `${width} ${height}`) return;
    this.size = `${width} ${height}`;
    this.plot.setSize({ width, height });
  }

  /** Rows only while somebody reads them. */
  #fill() {
    const { series } = this;
    if (!series || !this.details.open) return;
    const head = [t("at"), t("observed"), t("expected"), t("upper")].map((one) => el("th", { scope: "col" }, one));
    const rows = series.t.map((at, index) => el("tr", {}, el("th", { scope: "row" }, at.length === 10 ? at : minute(at)),
      ...[series.obs, series.expected, series.upper].map((column) => el("td", {}, text(column[index] ?? null, series.masked.includes(index))))));
    replace(this.table, el("table", {}, el("caption", { class: "unseen" }, this.drawing.getAttribute("aria-label") ?? ""), el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows)));
  }
}

/** @param {number | null} value @param {boolean} masked */
const text = (value, masked) => (value === null ? (masked ? t("masked") : t("level_none")) : number(value, 1));

/** @param {HTMLElement} node */
const room = (node) => ({ width: Math.max(120, Math.floor(node.clientWidth)), height: Math.max(48, Math.floor(node.clientHeight)) });

/** @param {HTMLElement} node @param {boolean} days */
function options(node, days) {
  const style = getComputedStyle(node);
  /** @param {string} name */
  const colour = (name) => style.getPropertyValue(name).trim();
  const axis = { stroke: colour("--ink-2"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "11px sans-serif" };
  return {
    ...room(node), padding: [6, 8, 0, 0], legend: { show: false }, cursor: { points: { show: false }, drag: { x: false, y: false } },
    ...(days ? { tzDate: (/** @type {number} */ at) => new Date(new Date(at * 1000).getTime() + new Date(at * 1000).getTimezoneOffset() * 60_000) } : {}),
    scales: { y: { range: (/** @type {any} */ _plot, /** @type {number} */ _least, /** @type {number} */ most) => [0, Math.max(5, most * 1.1)] } },
    axes: [{ ...axis, size: 22, values: (/** @type {any} */ _plot, /** @type {number[]} */ at) => at.map((one) => minute(new Date(one * 1000)).slice(0, 5)) }, { ...axis, size: 34 }],
    series: [{}, { stroke: colour("--series"), width: 1.6, points: { show: false } }, { stroke: colour("--ink-2"), width: 1, dash: [4, 3], points: { show: false } }, { stroke: colour("--line-2"), width: 1, points: { show: false } }],
    bands: [{ series: [3, 2], fill: colour("--band") }],
  };
}
