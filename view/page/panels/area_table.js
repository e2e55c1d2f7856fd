/** The table that says the same as the map, for every area. Rows stay where they are until the reader sorts. */

import { ask, address } from "../base/api.js";
import { el, replace, say, set } from "../base/dom.js";
import { nextTurn } from "../base/turns.js";
import { t } from "../base/words.js";
import { cell, shade } from "../model/cells.js";
import { button, categoryName, concerns, countText, frame, levelText, properName } from "./context.js";

/** @typedef {import("./context.js").Context} Context */
/** @typedef {{row: HTMLTableRowElement, cells: HTMLElement[], button: HTMLButtonElement}} Line */

/** Rows that are made before the page answers in between. */
const PIECE = 30;

/** @param {Context} context */
export function areaTable(context) {
  const { model } = context;
  const head = el("tr");
  const body = el("tbody");
  const table = el("table", { id: "areas", "aria-busy": "true" }, el("caption", { class: "unseen" }, t("table_about")), el("thead", {}, head), body);
  const file = button(t("download"), () => download(model), { class: "download" });
  const node = frame("table-panel", t("table"), el("div", { class: "controls" }, el("span", { class: "hint" }, t("table_about")), file),
    el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("table_about") }, table));
  /** @type {Map<string, Line>} */ let lines = new Map();
  let told = "";
  let sorted = "";

  /** @param {Set<import("./context.js").Topic>} [topics] */
  const show = (topics) => {
    const { state, view } = model;
    if (!state || !concerns(topics, "state", "view")) return;
    const layout = JSON.stringify([state.grids, state.area_level, state.areas.length, state.level === null]);
    if (layout !== told) {
      told = layout;
      lines = new Map();
      replace(body);
      replace(head, ...headers(context));
      sorted = "";
      void grow(layout);
    }
    state.areas.forEach((code, at) => update(model, state, lines.get(code), at));
    const sort = sorting(model);
    if (sorted !== sort && lines.size === state.areas.length) arrange(order(model));
    if (sorted !== sort) head.querySelectorAll("th").forEach((one) => set(one, { "aria-sort": direction(one.dataset.sort ?? "", view.sort) }));
    sorted = sort;
    for (const [code, line] of lines) set(line.row, { "aria-selected": code === view.area ? "true" : null });
  };
  /** Rows that stand so already stay: put in again, all of them are styled and laid out anew. @param {string[]} codes */
  const arrange = (codes) => {
    if (codes.some((code, at) => body.rows[at]?.dataset.code !== code)) replace(body, ...codes.flatMap((code) => lines.get(code)?.row ?? []));
  };
  /** Make the rows piece by piece, in the order that they will have. @param {string} layout */
  const grow = async (layout) => {
    set(table, { "aria-busy": "true" });
    const rows = document.createDocumentFragment(); // put in at once: a table is laid out anew for each row that comes later
    const [codes, sort] = [order(model), sorting(model)];
    for (let from = 0; from < codes.length; from += PIECE) {
      if (from) await nextTurn();
      const { state } = model;
      if (told !== layout || !state) return;
      const at = new Map(state.areas.map((code, index) => [code, index]));
      for (const code of codes.slice(from, from + PIECE)) {
        const made = line(context, code);
        lines.set(code, made);
        update(model, state, made, at.get(code) ?? -1);
        set(made.row, { "aria-selected": code === model.view.area ? "true" : null });
        rows.append(made.row);
      }
    }
    body.append(rows);
    set(table, { "aria-busy": null });
    if (sort === sorting(model)) return;
    sorted = "";
    show();
  };
  show();
  return { node, show };
}

/** What the reader changes sorts anew; what the stream changes moves no row. @param {Context["model"]} model */
const sorting = ({ view, state }) => JSON.stringify([view.sort || "code", view.cat, state?.window.name, state?.window.day]);

/** @param {string} column @param {string} sort */
function direction(column, sort) {
  if (sort.replace("-", "") !== column) return null;
  return sort.startsWith("-") ? "descending" : "ascending";
}

/** Columns after the area's name. @param {Context["model"]} model */
const columns = (model) => ["code", "level", "total", ...(model.meta?.categories.map((one) => one.id) ?? [])];

/** @param {Context} context */
function headers({ model, go }) {
  return ["area", ...columns(model)].map((id) => {
    const text = id === "area" ? t("area") : id === "code" ? t("code") : id === "level" ? t("level") : id === "total" ? t("total") : categoryName(model, id);
    const key = id === "area" ? "name" : id;
    return el("th", { scope: "col", "data-sort": key, class: ["area", "code", "level"].includes(id) ? null : "n" }, button(text, () => go({ sort: model.view.sort === `-${key}` ? key : `-${key}` }), { "aria-label": t("sort_by", { what: text }) }));
  });
}

/** @param {Context} context @param {string} code @returns {Line} */
function line({ model, go }, code) {
  const name = button("", () => go({ area: model.view.area === code ? "" : code }), { class: "link" });
  name.append(properName(model.city?.place(code) ?? code));
  const cells = columns(model).map((id) => el("td", { class: id === "level" || id === "code" ? null : "n" }));
  return { row: el("tr", { "data-code": code }, el("th", { scope: "row" }, name), ...cells), cells, button: name };
}

/** @param {Context["model"]} model @param {import("../types.d.ts").State} state @param {Line | undefined} line @param {number} at */
function update(model, state, line, at) {
  if (!line) return;
  const one = cell(state, at, model.column);
  const [code, level, total, ...rest] = line.cells;
  if (code) say(code, state.areas[at] ?? "");
  if (level) say(level, state.level ? `${one.level ?? ""} ${levelText(one.level, one.state)}`.trim() : t("not_known"));
  if (level) set(level, { "data-shade": state.level ? String(shade(one, true) ?? "none") : null });
  if (total) say(total, countText(one));
  rest.forEach((node, column) => say(node, countText(cell(state, at, column))));
}

/** Codes in the order that the reader chose. @param {Context["model"]} model */
export function order(model) {
  const { state, view, city } = model;
  if (!state) return [];
  const key = view.sort.replace("-", "");
  const way = view.sort.startsWith("-") ? -1 : 1;
  const category = state.categories.indexOf(key);
  /** @param {number} at @returns {number | string} */
  const value = (at) => {
    if (key === "name") return city?.name(state.areas[at] ?? "") ?? "";
    if (key === "level") return cell(state, at, model.column).level ?? -1;
    if (key === "total") return cell(state, at, model.column).n ?? -1;
    return category >= 0 ? cell(state, at, category).n ?? -1 : state.areas[at] ?? "";
  };
  const rows = state.areas.map((code, at) => ({ code, value: value(at) }));
  return rows.sort((one, other) => (one.value < other.value ? -way : one.value > other.value ? way : one.code < other.code ? -1 : 1)).map((one) => one.code);
}

/** The same filters as a file; the server hides what is hidden here. @param {Context["model"]} model */
async function download(model) {
  const { view, duty } = model;
  const answer = await ask(address("/export/grids.csv", { window: duty === false ? "day" : view.window, at: view.at.length > 10 ? view.at : "", level: view.level }));
  const url = URL.createObjectURL(await answer.blob());
  const link = el("a", { href: url, download: `${view.level}.csv` });
  link.click();
  URL.revokeObjectURL(url);
}
