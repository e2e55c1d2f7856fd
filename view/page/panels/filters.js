/** Category, level of areas, and the search for one. */

import { el, replace } from "../base/dom.js";
import { both, t } from "../base/words.js";
import { find } from "../model/city.js";
import { button, choice, press, properName } from "./context.js";

const MOST_FOUND = 8;

/** @param {import("./context.js").Context} context */
export function filters(context) {
  const { model, go } = context;
  const categories = [{ id: "", text: t("all") }, ...(model.meta?.categories ?? []).map((one) => ({ id: one.id, text: both(one).replace(/（.*）/, "") }))];
  const levels = [...(model.meta?.levels ?? [])].reverse().map((one) => ({ id: one.id, text: both(one) }));
  const category = choice(t("category"), categories, model.view.cat, (cat) => go({ cat }));
  const level = choice(t("view_level"), levels, model.view.level, (id) => go({ level: /** @type {any} */ (id), area: "" }));
  const node = el("div", { class: "filters" }, category, level, search(context), selection(context));
  const show = () => {
    press(category, model.view.cat);
    press(level, model.view.level);
    const chosen = node.querySelector(".selection");
    if (chosen) chosen.replaceWith(selection(context));
  };
  show();
  return { node, show };
}

/** @param {import("./context.js").Context} context */
function selection({ model, go }) {
  const { area } = model.view;
  const node = el("span", { class: "selection", hidden: !area });
  if (area) node.append(`${t("selected")} `, properName(model.city?.place(area) ?? area, area), " ", button(t("close"), () => go({ area: "" })));
  return node;
}

/** @param {import("./context.js").Context} context */
function search({ model, go }) {
  const list = el("ul", { id: "found" });
  const field = el("input", {
    type: "search", "aria-label": t("search"), placeholder: t("search_hint"), autocomplete: "off",
    input: () => {
      const found = model.city ? find(model.city, field.value, MOST_FOUND) : [];
      replace(list, ...found.map((one) => el("li", {}, button("", () => choose(one.code), { "data-code": one.code }))));
      list.querySelectorAll("button").forEach((one, at) => one.append(properName(model.city?.place(found[at]?.code ?? "") ?? ""), ` ${found[at]?.code}`));
      if (field.value && !found.length) replace(list, el("li", {}, t("none_found")));
    },
    keydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter") list.querySelector("button")?.click();
      if (event.key === "Escape") choose("");
    },
  });
  /** @param {string} code */
  const choose = (code) => {
    field.value = "";
    replace(list);
    if (code) go({ area: code });
  };
  return el("div", { class: "search", role: "search" }, field, list);
}
