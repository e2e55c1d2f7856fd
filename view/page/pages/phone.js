/** The community's phone: one column, what is to be done first, large targets, the map as equal tiles on demand. */

import { el, replace, say } from "../base/dom.js";
import { number } from "../base/format.js";
import { language, t } from "../base/words.js";
import { token } from "../base/token.js";
import { cell, spread, total } from "../model/cells.js";
import { banner } from "../panels/banner.js";
import { table as timeline } from "../panels/cases.js";
import { button, levelText } from "../panels/context.js";
import { ageLight } from "../panels/header.js";
import { mapPanel } from "../panels/map_panel.js";
import { todo } from "../panels/todo.js";
import { why } from "../panels/why.js";
import { start } from "./start.js";

/** @typedef {import("../panels/context.js").Context} Context */

/** Which area: all, or one of those that the token covers. @param {Context} context */
function place({ model, go }) {
  const codes = model.meta?.areas.filter((one) => one.code.length === 9 || one.code.length === 12) ?? [];
  return el("select", { "aria-label": t("my_area"), change: (/** @type {Event} */ event) => go({ area: /** @type {HTMLSelectElement} */ (event.target).value }) },
    el("option", { value: "" }, t("whole_city")), ...codes.map((one) => el("option", { value: one.code, lang: "zh-CN", selected: one.code === model.view.area }, model.city?.place(one.code) ?? one.code)));
}

/** The level and number of the place, in words. @param {Context} context */
function summary({ model }) {
  const node = el("p", { class: "summary" });
  const show = () => {
    const { state } = model;
    if (!state) return say(node, t("loading"));
    const inside = state.areas.flatMap((code, at) => (code.startsWith(model.view.area) ? [cell(state, at, null)] : []));
    const levels = spread(state, null);
    const worst = state.level ? Math.max(0, ...inside.map((one) => one.level ?? 0)) : null;
    const hidden = inside.some((one) => one.n === null);
    const n = model.view.area ? (hidden ? null : inside.reduce((sum, one) => sum + (one.n ?? 0), 0)) : total(state, null);
    const count = n === null ? t("masked") : t("n_events", { n: number(n) });
    say(node, `${worst === null ? "" : `${t("level")} ${worst} ${levelText(worst)} · `}${count}${worst === null || model.view.area ? "" : ` · ${t("red_orange")} ${levels[4]} / ${levels[3]}`}`);
    node.dataset.shade = worst === null ? "none" : String(worst);
    return undefined;
  };
  show();
  return { node, show };
}

/** @param {Context} context @returns {import("../panels/context.js").Panel} */
function phone(context) {
  const { model, go } = context;
  const light = ageLight(context);
  const head = el("header", {}, el("h1", { class: "unseen" }, `${t("title")} ${t("phone")}`), place(context), light.node, el("span", { class: "choices" },
    button(t("language"), () => go({ lang: language() === "zh" ? "en" : "zh" }), { lang: language() === "zh" ? "en" : "zh-CN" }), button(token() ? t("sign_out") : t("sign_in"), async () => (await import("../panels/sign_in.js")).signIn(context), { class: "who" })));
  const parts = { warn: banner(context), sum: summary(context), list: todo(context), drawer: why(context) };
  /** @type {ReturnType<typeof mapPanel> | null} */ let map = null;
  const holder = el("div");
  const toggle = button(t("map"), () => {
    map = map ? null : mapPanel(context);
    toggle.setAttribute("aria-expanded", String(map !== null));
    replace(holder, map?.node);
  }, { "aria-expanded": "false", class: "large" });
  const steps = el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("case_timeline"), hidden: true });
  const node = el("div", { class: "page" }, head, parts.warn.node, el("main", { class: "phone" }, parts.sum.node, parts.list.node, steps, holder), el("nav", { class: "bottom", "aria-label": t("title") }, toggle, el("a", { class: "large", href: `/desk?lang=${language()}` }, t("desk"))), parts.drawer.node);
  let told = "";
  const show = () => {
    light.show();
    for (const part of Object.values(parts)) part.show();
    map?.show();
    const key = `${model.view.case} ${model.timeline?.case} ${model.timeline?.seq}`;
    if (key === told) return;
    told = key;
    steps.hidden = !(model.view.case && model.timeline);
    replace(steps, model.view.case && model.timeline ? timeline(model, model.timeline) : null);
  };
  node.addEventListener("keydown", (event) => { if (event.key === "Escape") go({ alert: "", case: "" }); });
  return { node, show };
}

await start(phone, { title: () => `${t("title")} · ${t("phone")}`, before: (model) => { if (model.view.map === "geo") model.view.map = "tile"; } });
