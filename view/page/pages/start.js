/** Starts a page: words, areas, data, the live stream, and the address that holds what is shown. */

import "../base/first.js";
import { bringFont } from "../base/font.js";
import { isoDay } from "../base/format.js";
import { read, write } from "../base/permalink.js";
import { nextTurn, painted } from "../base/turns.js";
import { language, speak, t } from "../base/words.js";
import { Live } from "../model/live.js";
import { loadAlerts, loadCases, loadCity, loadDetail, loadMovers, loadOpen, loadPoints, loadResponse, loadScenarios, loadSeries, loadState, loadTimeline, loadToday, load } from "../model/load.js";
import { Model } from "../model/model.js";
import { announcer } from "../panels/announcer.js";
import { alertWord, subject } from "../panels/context.js";

/** @typedef {import("../panels/context.js").Context} Context */
/** @typedef {import("../panels/context.js").Panel} Panel */
/** @typedef {import("../types.d.ts").View} View */

const MINUTE_MS = 60_000;
const HABITS = "citybrain.habits";

/** Language and colours as the reader had them last. @returns {Partial<View>} */
function habits() {
  const browser = navigator.language.startsWith("zh") ? "zh" : "en";
  try {
    return { lang: browser, ...JSON.parse(localStorage.getItem(HABITS) ?? "{}") };
  } catch {
    return { lang: browser };
  }
}

/** @param {View} view */
function dress(view) {
  document.documentElement.dataset.theme = view.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  localStorage.setItem(HABITS, JSON.stringify({ lang: view.lang, theme: view.theme }));
}

/**
 * @param {(context: Context) => Panel} build makes the page's content; called again when the language changes
 * @param {{title: (model: Model) => string, kept?: string[], scenarios?: boolean, before?: (model: Model) => void, news?: (alert: import("../types.d.ts").Alert) => void}} page
 */
export async function start(build, page) {
  const given = new URLSearchParams(location.search);
  const kept = new URLSearchParams((page.kept ?? []).flatMap((name) => (given.has(name) ? [[name, given.get(name) ?? ""]] : [])));
  const model = new Model();
  const speaker = announcer();
  /** @type {Panel | null} */ let content = null;

  const draw = () => {
    document.title = page.title(model);
    content = build(context);
    document.body.replaceChildren(content.node, speaker.node);
    document.body.dataset.ready = "yes";
  };
  /** @param {View} next @param {View} before */
  const turn = async (next, before) => {
    model.view = next;
    if (next.lang !== before.lang) await speak(next.lang);
    dress(next);
    if (next.lang !== before.lang || next.theme !== before.theme) draw();
    reload(model, next, before);
    model.touch("view");
  };
  /** @type {Context} */
  const context = {
    model,
    announce: speaker.announce,
    go(changes, replace = false) {
      const next = { ...model.view, ...changes };
      if (JSON.stringify(next) === JSON.stringify(model.view)) return;
      if (replace) history.replaceState(null, "", write(next, kept));
      else history.pushState(null, "", write(next, kept));
      void turn(next, model.view);
    },
    async again() {
      Object.assign(model, { state: null, alerts: [], alertsKnown: false, open: null, scenarios: null, movers: null, response: null, cases: [], detail: null, today: null, duty: null });
      model.series.clear();
      stream?.anew();
      draw();
      await everything(model, page.scenarios);
    },
  };
  /** @type {import("../model/live.js").Live | null} */ let stream = null;
  addEventListener("popstate", () => turn(read(location.search, { lang: language() }), model.view));

  model.view = read(location.search, habits());
  page.before?.(model);
  dress(model.view);
  document.body.dataset.ready = "no";
  const state = model.view.at.length === 10 ? null : loadState(model);
  const alerts = loadAlerts(model);
  await Promise.all([speak(model.view.lang), load(model, "view", "city", () => loadCity(model), () => {})]);
  if (!model.city) {
    document.body.textContent = t("loading");
    await new Promise((ready) => model.onChange(() => model.city && ready(null)));
  }
  await nextTurn();
  draw();
  model.onChange((topics) => content?.show(topics));
  setInterval(() => content?.show(new Set(["link"])), 1000);
  const first = state ?? loadState(model);
  const rest = everything(model, page.scenarios, first, alerts);
  await painted();
  bringFont();
  await first;
  stream = live(model, speaker.announce, page.news);
  await rest;
  setInterval(() => slow(model, page.scenarios), MINUTE_MS);
}

/**
 * The stream comes after the first state: what fell between the two, its number tells.
 * @param {Model} model @param {Context["announce"]} announce @param {(alert: import("../types.d.ts").Alert) => void} [news]
 */
function live(model, announce, news) {
  const stream = new Live(model, (alert) => {
    const what = `${alertWord(model, alert.level)} ${model.city?.place(alert.area)} ${subject(model, alert)}`;
    announce(t("new_red", { what }), alert.level === 1);
    news?.(alert);
  });
  void stream.run();
  return stream;
}

/** What is seen first comes first; a browser asks six questions at a time. @param {Model} model @param {boolean} [withScenarios] */
async function everything(model, withScenarios = false, state = loadState(model), alerts = loadAlerts(model)) {
  await state;
  await Promise.all([alerts, loadToday(model), loadOpen(model), loadMovers(model), loadResponse(model), loadDetail(model), ...(withScenarios ? [loadScenarios(model)] : [])]);
  await nextTurn();
  await Promise.all([loadPoints(model), loadSeries(model), loadCases(model), loadTimeline(model)]);
}

/** What the stream does not tell: loaded again each minute. @param {Model} model @param {boolean} [withScenarios] */
function slow(model, withScenarios) {
  if (document.hidden) return;
  if (withScenarios) void loadScenarios(model);
  for (const loading of [loadSeries, loadMovers, loadResponse, loadToday, loadOpen]) void loading(model);
  if (model.state?.window.name !== "24h") void loadState(model);
}

/** @param {string} at */
const dayOf = (at) => (at.length > 10 ? isoDay(at) : at);

/** Load again what depends on what was changed. @param {Model} model @param {View} next @param {View} before */
function reload(model, next, before) {
  /** @param {(keyof View)[]} names */
  const differs = (...names) => names.some((name) => next[name] !== before[name]);
  if (differs("window", "at", "level")) void loadState(model);
  if (differs("window", "level")) void loadMovers(model);
  if (differs("area") || dayOf(next.at) !== dayOf(before.at)) void loadSeries(model);
  if (differs("area", "cat")) void Promise.all([loadCases(model), loadToday(model), loadOpen(model)]);
  if (differs("alert")) void loadDetail(model);
  if (differs("case")) void loadTimeline(model);
}
