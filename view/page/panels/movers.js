/** Where the change against the week before is largest, up and down. */

import { el, replace } from "../base/dom.js";
import { number } from "../base/format.js";
import { t } from "../base/words.js";
import { button, categoryName, frame, properName } from "./context.js";

const MOST = 10;

/** @param {import("./context.js").Context} context @param {number} [most] up, and as many down */
export function movers({ model, go }, most = MOST) {
  const body = el("tbody");
  const note = el("p", { class: "hint" });
  const head = [t("area"), t("category"), t("now"), t("week_before"), t("score")].map((one, at) => el("th", { scope: "col", class: at > 1 ? "n" : null }, one));
  const node = frame("movers-panel", t("movers"), el("div", { class: "scroll" }, el("table", {}, el("caption", { class: "unseen" }, t("movers_about")), el("thead", {}, el("tr", {}, ...head)), body)), note);
  /** @type {unknown} */ let told = null;
  const show = () => {
    const { movers: found } = model;
    const key = `${model.view.cat} ${found?.seq} ${found?.window.end}`;
    if (!found || key === told) return;
    told = key;
    const items = found.items.filter((one) => !model.view.cat || one.cat === model.view.cat);
    const shown = [...items.filter((one) => one.score > 0).slice(0, most), ...items.filter((one) => one.score < 0).slice(0, most)];
    replace(body, ...shown.map((one) => el("tr", { class: one.flag ? "flag" : null },
      el("th", { scope: "row" }, button("", () => go({ area: one.area }), { class: "link", "data-code": one.area })), el("td", {}, categoryName(model, one.cat)),
      el("td", { class: "n" }, number(one.obs)), el("td", { class: "n" }, number(one.base)),
      el("td", { class: "n" }, `${one.score > 0 ? "↑" : "↓"}${number(Math.abs(one.score), 1)}`, one.flag ? " !" : "", el("span", { class: "unseen" }, one.score > 0 ? t("up") : t("down"))))));
    body.querySelectorAll("button").forEach((one) => one.append(properName(model.city?.place(one.dataset.code ?? "") ?? "")));
    replace(note, shown.length ? `${t("movers_about")} · ${t("compared", { n: number(found.compared) })}` : t("no_movers"));
  };
  show();
  return { node, show };
}
