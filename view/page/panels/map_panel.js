/** The map with its controls, its legend and the line that tells of the area under the pointer or the keyboard. */

import { el, say } from "../base/dom.js";
import { nextTurn } from "../base/turns.js";
import { t } from "../base/words.js";
import { cell, shade } from "../model/cells.js";
import { DIGITS } from "../model/city.js";
import { geographic, tiles } from "../map/shapes.js";
import { SvgMap } from "../map/svg_map.js";
import { button, choice, concerns, countText, frame, levelText, press } from "./context.js";
import { legend } from "./legend.js";
import { replay } from "./replay.js";

/** @typedef {import("./context.js").Context} Context */

/** @typedef {{geo: ReturnType<typeof geographic>, tile: ReturnType<typeof tiles>}} Forms */

/** @type {WeakMap<import("../model/city.js").City, Forms>} */
const known = new WeakMap();

/** @param {Context} context */
export function mapPanel(context) {
  const { model, go } = context;
  const line = el("p", { class: "told" });
  const codes = model.city?.grids.map((grid) => grid.properties.code) ?? [];
  /** @param {number} at */
  const areaOf = (at) => (codes[at] ?? "").slice(0, DIGITS[model.view.level]);
  /** @type {import("../types.d.ts").MapView} */ const map = new SvgMap(t("map"));
  map.on("pick", (at) => go({ area: model.view.area === areaOf(at) ? "" : areaOf(at) }));
  map.on("point", (at) => say(line, map.painted[at]?.label ?? ""));
  const forms = choice(t("map"), [{ id: "geo", text: t("map_geo") }, { id: "tile", text: t("map_tile") }, { id: "core", text: t("map_core") }], model.view.map, (id) => go({ map: /** @type {any} */ (id) }));
  const zoom = el("div", { class: "choice zoom", role: "group", "aria-label": t("zoom_in") },
    button("+", map.closer, { "aria-label": t("zoom_in") }), button("−", map.farther, { "aria-label": t("zoom_out") }), button("⤢", map.whole, { "aria-label": t("zoom_reset") }));
  const colours = choice(t("paint"), [{ id: "", text: t("paint_level") }, { id: "count", text: t("paint_count") }], model.view.paint, (id) => go({ paint: /** @type {any} */ (id) }));
  const key = legend(context);
  const time = replay(context);
  const empty = el("p", { class: "empty", role: "status" });
  const note = el("p", { class: "hint", hidden: true }, t("base_map_absent"));
  const base = button(t("base_map"), () => { note.hidden = !note.hidden; }, { "aria-expanded": "false", class: "base-map" });
  const node = frame("map-panel", t("map"), el("div", { class: "controls" }, forms, colours, zoom, base), note, map.node, line, empty, time.node, key.node, el("p", { class: "hint" }, t("map_about")));
  let form = "";
  /** @type {Forms | undefined} */ let shapes = model.city ? known.get(model.city) : undefined;

  /** @param {Set<import("./context.js").Topic>} [topics] */
  const show = (topics) => {
    time.show();
    if (concerns(topics, "state", "view", "alerts")) repaint();
    if (shapes) map.points(model.view.map === "tile" ? [] : livePoints(context, shapes.geo.project)); // they grow old by themselves
  };
  const repaint = () => {
    const { view, state } = model;
    key.show();
    press(forms, view.map);
    press(colours, view.paint);
    colours.hidden = model.duty === false;
    if (!shapes) return;
    if (form !== view.map) {
      map.load(view.map === "tile" ? shapes.tile : shapes.geo, codes, view.map === "core" ? "core" : "whole");
      map.name(view.map === "tile" ? [] : townNames(context, shapes.geo));
    }
    form = view.map;
    if (state) paint(map, context, codes);
    map.select(view.area ? codes.flatMap((code, at) => (code.startsWith(view.area) || view.area.startsWith(code) ? [at] : [])) : []);
    map.mark(marks(context, view.map === "tile" ? shapes.tile : shapes.geo, codes));
    const nothing = state && state.sum.every((one) => !one) && !state.masked.length;
    say(empty, !state ? t("loading") : nothing ? t("empty", { ok: state.sources.filter((one) => one.ok).length, all: state.sources.length }) : "");
  };
  const compute = () => {
    const { city } = model;
    if (!city) return;
    shapes = { geo: geographic(city.grids), tile: tiles(city.grids) };
    known.set(city, shapes);
    show();
  };
  show();
  if (!shapes) void nextTurn().then(compute); // the page around it is there before
  return { node, show };
}

/** Each grid in the colour of the area of the shown level that it lies in. @param {import("../types.d.ts").MapView} map @param {Context} context @param {string[]} codes */
function paint(map, { model }, codes) {
  const { state, city } = model;
  if (!state || !city) return;
  const digits = DIGITS[state.area_level];
  const row = new Map(state.areas.map((code, at) => [code, at]));
  map.paint(codes.map((code) => {
    const area = code.slice(0, digits);
    const at = row.get(area);
    if (at === undefined) return { shade: "outside", label: city.place(area) };
    const one = cell(state, at, model.column);
    const step = shade(one, state.level !== null && model.view.paint !== "count");
    const name = one.state === "masked" ? "masked" : one.state === "unknown" && step === null ? "none" : String(step);
    const n = one.state === "known" ? t("n_events", { n: countText(one) }) : countText(one);
    return { shade: name, label: state.level ? t("area_label", { name: city.place(area), level: levelText(one.level, one.state), n }) : `${city.place(area)}: ${n}` };
  }));
}

/** The most severe open alert of each area. @param {Context} context @param {import("../map/shapes.js").Shapes} shapes @param {string[]} codes */
function marks({ model }, shapes, codes) {
  /** @type {Map<string, import("../map/svg_map.js").Mark>} */
  const found = new Map();
  const at = new Map(codes.map((code, index) => [code, index]));
  const until = model.view.at.length > 10 ? Date.parse(model.view.at) : Infinity;
  for (const alert of model.alerts) {
    if (Date.parse(alert.at) > until || (model.view.cat && alert.category !== model.view.cat) || found.has(alert.area)) continue;
    const inside = at.get(alert.area) ?? middle(model, alert.area, shapes);
    const point = inside === undefined ? null : shapes.points[inside];
    if (point) found.set(alert.area, { level: alert.level, at: point, alert: alert.id });
  }
  return [...found.values()].reverse();
}

/** Each town's name in its middle. @param {Context} context @param {import("../map/shapes.js").Shapes} shapes @returns {import("../types.d.ts").PlaceName[]} */
function townNames({ model: { city } }, shapes) {
  const towns = [...new Set(city?.grids.map((grid) => grid.properties.code.slice(0, DIGITS.town)) ?? [])];
  return towns.flatMap((code) => {
    const points = (city?.inside(code) ?? []).flatMap((at) => (shapes.points[at] ? [/** @type {[number, number]} */ (shapes.points[at])] : []));
    if (!points.length) return [];
    /** @param {0 | 1} axis */
    const mean = (axis) => Math.round(points.reduce((sum, point) => sum + point[axis], 0) / points.length);
    return [{ text: city?.name(code) ?? "", at: [mean(0), mean(1)] }];
  });
}

/** The grid nearest to the middle of a larger area. @param {Context["model"]} model @param {string} area @param {import("../map/shapes.js").Shapes} shapes */
function middle(model, area, shapes) {
  const inside = (model.city?.inside(area) ?? []).filter((one) => shapes.points[one]);
  /** @param {0 | 1} axis */
  const mean = (axis) => inside.reduce((sum, one) => sum + (shapes.points[one]?.[axis] ?? 0), 0) / inside.length;
  const [x, y] = [mean(0), mean(1)];
  /** @param {number} one */
  const away = (one) => ((shapes.points[one]?.[0] ?? 0) - x) ** 2 + ((shapes.points[one]?.[1] ?? 0) - y) ** 2;
  return inside.length ? inside.reduce((best, one) => (away(one) < away(best) ? one : best)) : undefined;
}

/** @param {Context} context @param {(lon: number, lat: number) => [number, number]} project @returns {[number, number][]} */
function livePoints({ model }, project) {
  if (model.view.at) return [];
  const column = model.column;
  const letter = column === null ? "" : model.meta?.categories.find((one) => one.id === model.view.cat)?.letter ?? "";
  return model.points.flatMap((event) => {
    if (letter && !event.incident_class.startsWith(letter)) return [];
    const place = event.lon !== null && event.lat !== null ? [event.lon, event.lat] : model.city?.label(event.grid);
    return place ? [project(place[0] ?? 0, place[1] ?? 0)] : [];
  });
}
