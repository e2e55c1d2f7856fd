/** What is wrong, in words: old data, silent sources, failed questions, no token. The last good data stays below. */

import { BANNER_S, freshness } from "../base/age.js";
import { el, replace } from "../base/dom.js";
import { clock } from "../base/format.js";
import { both, t } from "../base/words.js";
import { silentCategories } from "../model/cells.js";
import { triesNow } from "../model/load.js";
import { outcome, waiting } from "../model/waiting.js";
import { ageText, categoryName } from "./context.js";
import { ageOf } from "./header.js";

/** @param {import("./context.js").Context} context */
export function banner({ model }) {
  const node = el("div", { class: "banners" });
  let told = "";
  const show = () => {
    const lines = [...old(model), ...partial(model), ...failures(model), ...queue(), ...anonymous(model)];
    const age = freshness(ageOf(model));
    document.documentElement.dataset.age = age;
    const key = JSON.stringify(lines);
    if (key === told) return;
    // Only the first appearance is announced: a text that counts seconds must not be read each second.
    const quiet = told !== "" && lines.some((line) => line.kind === "old") && told.includes('"old"');
    told = key;
    replace(node, ...lines.map(({ kind, text }) => el("p", { class: `banner ${kind}`, role: kind === "old" && !quiet ? "alert" : null }, text)));
  };
  show();
  return { node, show };
}

/** @param {import("../model/model.js").Model} model */
function old(model) {
  const age = ageOf(model);
  if (age === null || age <= BANNER_S || model.link.asOf === null) return [];
  const values = { age: ageText(age).replace(/ ?前| ago/, ""), time: clock(new Date(model.link.asOf)), n: model.link.tries };
  return [{ kind: "old", text: t(freshness(age) === "grey" ? "banner_grey" : "banner_old", values) }];
}

/** @param {import("../model/model.js").Model} model */
function partial(model) {
  const { state, meta } = model;
  if (!state || !meta) return [];
  const silent = state.sources.filter((one) => !one.ok);
  if (!silent.length) return [];
  const sources = silent.map((one) => both(meta.sources.find((known) => known.id === one.id), one.id)).join(t("language") === "English" ? "、" : ", ");
  const without = silentCategories(state).map((id) => categoryName(model, id));
  if (!without.length) return [{ kind: "partial", text: t("source_silent", { sources }) }];
  return [{ kind: "partial", text: t("partial", { sources, categories: without.join(", ") }) }];
}

/** @param {import("../model/model.js").Model} model */
function failures(model) {
  const [first] = model.failed;
  if (!first) return [];
  const [name, why] = first;
  const words = /** @type {const} */ ({ state: "map", alerts: "alerts", series: "trend", movers: "movers", cases: "cases", detail: "evidence", history: "evidence", timeline: "case_timeline", response: "tier_share", today: "today", points: "events", open: "open_cases", scenarios: "scenarios" });
  const what = words[/** @type {keyof typeof words} */ (name.split(" ")[0])] ?? "map";
  return [{ kind: "failed", text: t("failed", { what: t(what), why, n: triesNow() }) }];
}

/** Actions that wait, and what came of those that did. */
function queue() {
  const lines = [];
  if (waiting().length) lines.push({ kind: "queue", text: t("queue", { n: waiting().length }) });
  if (outcome.sent) lines.push({ kind: "sent", text: t("queue_sent", { n: outcome.sent }) });
  if (outcome.refused.length) lines.push({ kind: "failed", text: t("queue_failed", { n: outcome.refused.length, why: outcome.refused.join("; ") }) });
  return lines;
}

/** @param {import("../model/model.js").Model} model */
const anonymous = (model) => (model.duty === false ? [{ kind: "note", text: t("anonymous") }] : []);
