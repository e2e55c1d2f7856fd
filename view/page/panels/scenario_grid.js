/** All scenarios of the catalogue in small: how many today, how unusual, the last seven days. */

import { el, replace } from "../base/dom.js";
import { number } from "../base/format.js";
import { both, known, language, t } from "../base/words.js";
import { sparkline } from "../map/sparkline.js";
import { frame } from "./context.js";

/** @param {import("./context.js").Context} context */
export function scenarioGrid({ model }) {
  const list = el("ul", { class: "scenario-grid" });
  const node = frame("scenarios-panel", t("scenarios"), list);
  let told = "";
  const show = () => {
    const key = `${model.scenarios?.seq} ${model.duty} ${language()}`;
    if (key === told) return;
    told = key;
    replace(list, ...(model.meta?.scenarios ?? []).map((one) => {
      const figures = model.scenarios?.items.find((found) => found.id === one.id);
      const today = figures?.days.at(-1);
      return el("li", { "data-scenario": one.id }, el("a", { href: `/scenarios?lang=${language()}&scenario=${one.id}` }, both(one)),
        figures ? el("span", {}, `${number(today ?? 0)} · `, el("span", { class: "step", "data-level": figures.level }, known(`level_${figures.level}`))) : el("span", {}, model.duty === false ? t("needs_duty") : t("loading")),
        figures ? sparkline(figures.days, t("seven_days")) : null);
    }));
  };
  show();
  return { node, show };
}
