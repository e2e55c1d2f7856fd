/** The head of a page: its name, how old the data is, the period, language, colours, who is signed in. */

import { serverNow } from "../base/api.js";
import { freshness } from "../base/age.js";
import { el, replace, say, set } from "../base/dom.js";
import { clock, isoDay } from "../base/format.js";
import { known, language, t } from "../base/words.js";
import { token } from "../base/token.js";
import { ageText, button } from "./context.js";

/** @typedef {import("./context.js").Context} Context */

/** How old the data is, seconds; null: nothing came yet. @param {Context["model"]} model */
export const ageOf = (model) => (model.link.asOf === null ? null : Math.max(0, (serverNow() - model.link.asOf) / 1000));

/** How long the light is dim when the store has said something, milliseconds. */
const BEAT_MS = 300;

/** The light that says how old the data is; it is no live region, as it changes each second.
 * It beats when data comes, in two paints: an animation without end would have the browser draw sixty times a second all night.
 * @param {Context} context */
export function ageLight({ model }) {
  const text = el("span");
  const lamp = el("span", { class: "lamp", "aria-hidden": "true" });
  const node = el("span", { class: "age" }, lamp, text);
  let said = model.link.asOf;
  const show = () => {
    if (model.link.asOf !== said) {
      lamp.classList.add("beat");
      setTimeout(() => lamp.classList.remove("beat"), BEAT_MS);
      said = model.link.asOf;
    }
    const age = ageOf(model);
    const state = freshness(age);
    set(node, { "data-age": state, "data-link": model.link.open ? "open" : "closed" });
    const word = state === "waiting" ? t("waiting") : state === "live" ? t("live") : model.link.open ? t("stale") : t("offline");
    say(text, age === null ? word : `${word} ${ageText(age)}`);
    if (model.link.asOf !== null) set(node, { title: t("as_of", { time: clock(new Date(model.link.asOf)) }) });
  };
  show();
  return { node, show };
}

/** @param {Context} context */
function period({ model, go }) {
  const { duty, meta, view } = model;
  const windows = duty === false ? ["day"] : (meta?.windows ?? []);
  const chosen = duty === false ? "day" : view.window || "24h";
  const select = el("select", { "aria-label": t("time_window"), change: (/** @type {Event} */ event) => go({ window: /** @type {HTMLSelectElement} */ (event.target).value, at: "" }) },
    ...windows.map((one) => el("option", { value: one, selected: one === chosen }, known(`win_${one}`))));
  const date = el("input", {
    type: "date", "aria-label": t("day"), value: view.at ? isoDay(view.at) : model.state?.window.day ?? isoDay(serverNow()), max: isoDay(serverNow()),
    change: (/** @type {Event} */ event) => go({ at: /** @type {HTMLInputElement} */ (event.target).value, window: "day" }),
  });
  const now = button(t("now"), () => go({ at: "", window: "" }), { disabled: !view.at });
  return [select, date, now];
}

/** @param {Context} context @param {string} title */
export function header(context, title) {
  const { model, go } = context;
  const light = ageLight(context);
  const times = el("span", { class: "period" });
  const themes = /** @type {const} */ (["", "light", "dark"]);
  const theme = el("select", { "aria-label": t("theme_auto"), change: (/** @type {Event} */ event) => go({ theme: /** @type {any} */ (/** @type {HTMLSelectElement} */ (event.target).value) }) },
    ...themes.map((one) => el("option", { value: one, selected: one === model.view.theme }, known(`theme_${one || "auto"}`))));
  const other = button(t("language"), () => go({ lang: language() === "zh" ? "en" : "zh" }), { class: "language", lang: language() === "zh" ? "en" : "zh-CN" });
  const who = button(token() ? t("sign_out") : t("sign_in"), async () => (await import("./sign_in.js")).signIn(context), { class: "who" });
  const links = el("nav", { "aria-label": t("title") }, ...["desk", "scenarios", "handover"].map((page) => el("a", { href: `/${page}?lang=${language()}`, "aria-current": location.pathname === `/${page}` ? "page" : null }, known(page))),
    el("a", { href: `/desk?mode=wall&lang=${language()}` }, t("wall")), el("a", { href: `/m?lang=${language()}` }, t("phone")));
  const node = el("header", {}, el("h1", {}, title), light.node, times, links, el("span", { class: "choices" }, other, theme, who));
  let told = "";
  const show = () => {
    light.show();
    const key = JSON.stringify([model.duty, model.view.window, model.view.at, model.state?.window.day]);
    if (model.meta && key !== told) replace(times, ...period(context));
    told = key;
  };
  show();
  return { node, show };
}
