/** Why an alert was raised: what was counted, what was expected, by which rule, and what was done about it. */

import { el, replace } from "../base/dom.js";
import { chance, minute, number } from "../base/format.js";
import { known, language, t } from "../base/words.js";
import { badge } from "../map/marks.js";
import { actions } from "./actions.js";
import { Chart } from "./chart.js";
import { alertWord, button, frame, properName, subject } from "./context.js";

/** @typedef {import("./context.js").Context} Context */
/** @typedef {import("../types.d.ts").AlertDetail} AlertDetail */

/** @param {Context} context */
export function why(context) {
  const { model, go } = context;
  const body = el("div");
  const act = actions(context);
  const close = button(t("close"), () => go({ alert: "" }), { class: "close" });
  const node = el("aside", { class: "why", hidden: true, "aria-label": t("why"), tabindex: -1 }, close, body, act.node);
  let told = "";
  /** @type {Chart | null} */ let chart = null;
  let shown = "";
  const show = () => {
    const { alert } = model.view;
    node.hidden = !alert;
    if (!alert) {
      if (shown) give(shown);
      shown = "";
      told = "";
      chart?.destroy();
      chart = null;
      return;
    }
    const { detail } = model;
    if (shown !== alert) {
      shown = alert;
      chart?.destroy();
      chart = null;
      node.focus({ preventScroll: true });
    }
    const key = JSON.stringify([alert, detail?.id, detail?.version, model.failed.get("detail")]);
    if (key !== told) {
      chart?.destroy();
      if (detail) chart = new Chart(`${t("chart_28")} ${model.city?.place(detail.area)}`);
      replace(body, detail && detail.id === alert ? content(context, detail, chart) : el("p", {}, model.failed.get("detail") ?? t("loading")));
    }
    told = key;
    if (chart && model.history && detail?.evidence && model.history.area === detail.area) void chart.show(model.history);
    act.show();
  };
  show();
  return { node, show };
}

/** @param {Context} context @param {AlertDetail} detail @param {Chart | null} chart */
function content({ model, go }, detail, chart) {
  const { evidence } = detail;
  const title = el("h2", {}, badge(detail.level), ` ${alertWord(model, detail.level)} `, properName(model.city?.place(detail.area) ?? detail.area, detail.area), ` · ${subject(model, detail)}`);
  const facts = el("p", { class: "hint" }, `${t("since", { time: minute(detail.at) })} · ${known(`state_${detail.state}`)}`);
  if (!evidence) return el("div", {}, title, facts, el("p", {}, t("no_evidence")));
  return el("div", {}, title, facts, numbers(detail), rule(detail),
    frame("why-chart", t("chart_28"), chart?.node), frame("why-near", t("neighbours"), near(model, evidence.neighbours, go)),
    frame("why-events", t("events"), el("p", { class: "hint" }, t("event_count", { n: evidence.event_ids.length })), el("ul", { class: "ids" }, ...evidence.event_ids.map((id) => el("li", {}, el("code", {}, id))))),
    frame("why-done", t("history"), done(detail)), link());
}

/** @param {AlertDetail} detail */
function numbers(detail) {
  const { evidence } = detail;
  /** @param {string} name @param {string} label @param {number | null} value @param {boolean} [small] */
  const fact = (name, label, value, small) => (value === null ? null : el("div", {}, el("dt", {}, label), el("dd", { "data-fact": name }, small ? chance(value) : number(value, 2))));
  const { window_start: start, window_end: end } = detail;
  return el("dl", { class: "figures" }, fact("observed", t("observed"), detail.observed), fact("expected", t("expected"), detail.expected), fact("upper", t("upper"), detail.upper),
    fact("p", t("p_value"), detail.p, true), fact("q", t("q_value"), detail.q, true),
    start && end ? el("div", {}, el("dt", {}, t("window")), el("dd", {}, `${minute(start)} – ${minute(end)}`)) : null,
    evidence ? el("div", {}, el("dt", {}, t("baseline")), el("dd", { "data-fact": "baseline" }, evidence.baseline.slice(-14).map((one) => number(one, 1)).join(" "))) : null);
}

/** By which rule, with which parameters. @param {AlertDetail} detail */
function rule(detail) {
  const parameters = Object.entries(detail.evidence?.parameters ?? {}).map(([name, value]) => `${name}=${JSON.stringify(value)}`).join("  ");
  return el("dl", { class: "rule" }, el("dt", {}, t("detector")), el("dd", {}, known(`detector_${detail.detector}`, t("detector_other", { id: detail.detector }))),
    el("dt", {}, t("parameters")), el("dd", {}, el("code", {}, parameters)), el("dt", {}, t("params_hash")), el("dd", {}, el("code", { "data-fact": "params_hash" }, detail.params_hash ?? "")));
}

/** @param {Context["model"]} model @param {import("../types.d.ts").Neighbour[]} neighbours @param {Context["go"]} go */
function near(model, neighbours, go) {
  const head = [t("area"), t("observed"), t("expected")].map((one) => el("th", { scope: "col" }, one));
  const rows = neighbours.map((one) => {
    const name = button("", () => go({ area: one.area }), { class: "link" });
    name.append(properName(model.city?.place(one.area) ?? one.area));
    return el("tr", {}, el("th", { scope: "row" }, name), el("td", { class: "n" }, number(one.observed, 1)), el("td", { class: "n" }, number(one.expected, 1)));
  });
  return el("table", {}, el("caption", { class: "unseen" }, t("neighbours")), el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows));
}

/** @param {AlertDetail} detail */
function done(detail) {
  if (!detail.actions.length) return el("p", {}, t("no_history"));
  return el("ol", { class: "done" }, ...detail.actions.map((one) => el("li", {}, t("did", { time: minute(one.at), role: one.role, what: known(one.kind), version: one.version }))));
}

/** The address holds everything, so it is the link. */
function link() {
  const node = button(t("link"), async () => {
    await navigator.clipboard.writeText(location.href);
    node.textContent = t("copied");
  }, { class: "copy", lang: language() === "zh" ? "zh-CN" : "en" });
  return node;
}

/** The keyboard goes back to where the drawer was opened from. @param {string} alert */
function give(alert) {
  const from = document.querySelector(`[data-id="${CSS.escape(alert)}"] .evidence`);
  if (from instanceof HTMLElement) from.focus({ preventScroll: true });
}
