/** Loads what the page shows. What cannot be loaded is named, and the last good answer stays. */

import { get, Problem, serverNow } from "../base/api.js";
import { MOST_ALERTS } from "../base/first.js";
import { isoDay, midnight, setClock } from "../base/format.js";
import { City } from "./city.js";

/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("./model.js").Topic} Topic */

const HOUR = 3_600_000;
const RETRY_MS = 5000;

/** The words and areas: once. @param {Model} model */
export async function loadCity(model) {
  const told = /** @type {Promise<import("../types.d.ts").Meta>} */ (get("/meta"));
  const wanted = document.body.dataset.grids ?? "";
  const usual = /** @type {Promise<import("../types.d.ts").Grids>} */ (get(`/grids.${wanted}.geojson`));
  usual.catch(() => {}); // another set is asked for below, or `meta` failed, too
  const meta = await told;
  const grids = meta.grids === wanted ? await usual : /** @type {import("../types.d.ts").Grids} */ (await get(`/grids.${meta.grids}.geojson`));
  setClock(meta.clock);
  model.meta = meta;
  model.city = new City(grids, meta.areas);
}

/** @type {Map<string, {tries: number, timer: number}>} */
const retries = new Map();
/** @type {Map<string, Promise<void>>} the newest question of each name */
const asked = new Map();

/**
 * Ask and keep. Of two questions of one name only the later one's answer counts, and both wait for it; a failed one is asked again.
 * @template Body
 * @param {Model} model @param {Topic} topic @param {string} name @param {() => Promise<Body>} question @param {(body: Body) => void} keep
 * @param {(problem: Problem) => boolean} [settled] whether this problem is an answer, too
 */
export function load(model, topic, name, question, keep, settled = () => false) {
  /** @type {Promise<void>} */
  const mine = Promise.resolve().then(() => attempt(model, topic, name, question, keep, settled, () => asked.get(name) === mine)).then(() => (asked.get(name) === mine ? undefined : asked.get(name)));
  asked.set(name, mine);
  return mine;
}

/**
 * @template Body
 * @param {Model} model @param {Topic} topic @param {string} name @param {() => Promise<Body>} question @param {(body: Body) => void} keep
 * @param {(problem: Problem) => boolean} settled @param {() => boolean} wanted whether no later question was asked
 */
async function attempt(model, topic, name, question, keep, settled, wanted) {
  const before = retries.get(name);
  clearTimeout(before?.timer);
  try {
    const body = await question();
    if (!wanted()) return;
    keep(body);
    retries.delete(name);
    model.failed.delete(name);
  } catch (error) {
    if (!wanted()) return;
    const problem = error instanceof Problem ? error : new Problem(-1, "defect", String(error));
    if (problem.status === -1) console.error(error);
    if (settled(problem)) {
      model.failed.delete(name);
    } else {
      const tries = (before?.tries ?? 0) + 1;
      model.failed.set(name, `${problem.status > 0 ? `${problem.status} ` : ""}${problem.message}`);
      const timer = setTimeout(() => load(model, topic, name, question, keep, settled), Math.min(60_000, RETRY_MS * 2 ** Math.min(tries - 1, 4)));
      retries.set(name, { tries, timer });
    }
  }
  model.touch(topic);
}

/** How often loading has failed in a row, at most. */
export const triesNow = () => Math.max(0, ...[...retries.values()].map((one) => one.tries));

/** Windows are for duty tokens; the day is for everybody. @param {Model} model */
function windowOf(model) {
  const { window, at } = model.view;
  return { window: model.duty === false ? "day" : window, at: at.length === 10 ? midnight(at).toISOString() : at };
}

/** @param {Model} model */
export function loadState(model) {
  const { at } = model.view;
  const question = () => get("/state", { ...windowOf(model), level: model.view.level });
  return load(model, "state", "state", /** @type {() => Promise<import("../types.d.ts").State>} */ (question), (state) => {
    model.state = { ...state, at };
    model.duty = state.level !== null;
    noteAsOf(model, state.as_of);
  });
}

/** @param {Model} model @param {string} asOf */
export function noteAsOf(model, asOf) {
  const at = Date.parse(asOf);
  if (!Number.isNaN(at)) model.link.asOf = Math.max(model.link.asOf ?? 0, at);
}

/** @param {Model} model */
export function loadAlerts(model) {
  const question = () => get("/alerts", { state: "active", limit: MOST_ALERTS });
  return load(model, "alerts", "alerts", /** @type {() => Promise<import("../types.d.ts").AlertPage>} */ (question), (page) => {
    model.alerts = page.items;
    model.alertTotal = page.total;
    model.alertsKnown = true;
  });
}

/** Each category's line, of the chosen area. @param {Model} model */
export async function loadSeries(model) {
  const { area, at } = model.view;
  const step = model.duty ? "hour" : "day";
  const end = at ? new Date(Math.min(midnight(isoDay(at.length === 10 ? midnight(at) : at)).getTime() + 24 * HOUR, serverNow())) : new Date(serverNow());
  const start = new Date(end.getTime() - (model.duty ? 168 : 28 * 24) * HOUR);
  const wanted = ["", ...(model.meta?.categories ?? []).map((one) => one.id).filter((id) => id !== "unclassified")];
  await Promise.all(wanted.map((cat) => {
    const question = () => get("/series", { area, cat, step, from: start.toISOString(), to: end.toISOString() });
    return load(model, "series", `series ${cat}`, /** @type {() => Promise<import("../types.d.ts").Series>} */ (question), (series) => model.series.set(cat, series));
  }));
}

/** Today's incidents, since the city's midnight. @param {Model} model */
export function loadToday(model) {
  if (!model.duty) return Promise.resolve();
  const question = () => get("/today", { area: model.view.area, cat: model.view.cat });
  return load(model, "state", "today", /** @type {() => Promise<import("../types.d.ts").Today>} */ (question), (today) => { model.today = today; });
}

/** @param {Model} model */
export function loadMovers(model) {
  const { window } = windowOf(model);
  const question = () => get("/movers", { window, level: model.view.level, limit: 100 });
  return load(model, "movers", "movers", /** @type {() => Promise<import("../types.d.ts").Movers>} */ (question), (movers) => { model.movers = movers; });
}

/** @param {Model} model */
export function loadResponse(model) {
  const question = () => get("/response", { by: "tier" });
  return load(model, "response", "response", /** @type {() => Promise<import("../types.d.ts").ResponseFigures>} */ (question),
    (figures) => { model.response = figures; }, (problem) => problem.status === 403);
}

/** The newest steps of cases, of the chosen area. @param {Model} model */
export function loadCases(model) {
  if (!model.duty) return Promise.resolve();
  const question = () => get("/events", { area: model.view.area, cat: model.view.cat, limit: 200 });
  return load(model, "cases", "cases", /** @type {() => Promise<import("../types.d.ts").EventPage>} */ (question), (page) => {
    const seen = new Set();
    model.cases = page.items.flatMap((event) => {
      if (!event.case_id || seen.has(event.case_id)) return [];
      seen.add(event.case_id);
      return [{ case: event.case_id, stage: event.stage, at: event.at, incident_class: event.incident_class, grid: event.grid }];
    });
  });
}

/** One alert, and the 28 days of its area and category. @param {Model} model */
export async function loadDetail(model) {
  const { alert } = model.view;
  model.detail = model.detail?.id === alert ? model.detail : null;
  if (!alert) return;
  const question = () => get(`/alerts/${alert}`);
  await load(model, "detail", "detail", /** @type {() => Promise<import("../types.d.ts").AlertDetail>} */ (question), (detail) => { model.detail = detail; });
  const detail = model.detail;
  if (!detail || model.failed.has("detail")) return;
  const end = new Date(Date.parse(detail.window_end ?? detail.at) + 24 * HOUR);
  const line = () => get("/series", { area: detail.area, cat: detail.incident_class ?? detail.category, step: "day", from: new Date(end.getTime() - 28 * 24 * HOUR).toISOString(), to: end.toISOString() });
  await load(model, "detail", "history", /** @type {() => Promise<import("../types.d.ts").Series>} */ (line), (series) => { model.history = series; });
}

/** @param {Model} model */
export function loadTimeline(model) {
  const name = model.view.case;
  if (!name) {
    model.timeline = null;
    return Promise.resolve();
  }
  const question = () => get(`/cases/${encodeURIComponent(name)}/timeline`);
  return load(model, "timeline", "timeline", /** @type {() => Promise<import("../types.d.ts").Timeline>} */ (question), (timeline) => { model.timeline = timeline; });
}

/** Events of the stream's last minute, as points. @param {Model} model */
export function loadPoints(model) {
  if (!model.duty || !model.state?.watermark) return Promise.resolve();
  const since = new Date(Date.parse(model.state.watermark) - 60_000).toISOString();
  const question = () => get("/events", { since, limit: 500 });
  return load(model, "points", "points", /** @type {() => Promise<import("../types.d.ts").EventPage>} */ (question), (page) => { model.points = page.items; });
}

/** Cases that are not ended, of the chosen area. @param {Model} model */
export function loadOpen(model) {
  if (!model.duty) return Promise.resolve();
  const question = () => get("/cases", { area: model.view.area, cat: model.view.cat, limit: 50 });
  return load(model, "open", "open", /** @type {() => Promise<import("../types.d.ts").OpenCases>} */ (question), (open) => { model.open = open; });
}

/** Figures of all scenarios. @param {Model} model */
export function loadScenarios(model) {
  if (!model.duty) return Promise.resolve();
  const question = () => get("/scenarios", { area: model.view.area });
  return load(model, "scenarios", "scenarios", /** @type {() => Promise<import("../types.d.ts").Scenarios>} */ (question), (found) => { model.scenarios = found; });
}
