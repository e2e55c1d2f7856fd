/** What the page knows, and who wants to hear of changes. One place; panels only read it. */

import { PLAIN } from "../base/permalink.js";

/** @typedef {import("../types.d.ts").Alert} Alert */
/** @typedef {"state" | "alerts" | "series" | "movers" | "response" | "cases" | "detail" | "timeline" | "link" | "view" | "points" | "queue" | "scenarios" | "open"} Topic */

export class Model {
  constructor() {
    /** @type {import("../types.d.ts").Meta | null} */ this.meta = null;
    /** @type {import("./city.js").City | null} */ this.city = null;
    /** @type {import("../types.d.ts").View} */ this.view = { ...PLAIN };
    /** @type {import("../types.d.ts").State | null} */ this.state = null;
    /** @type {Alert[]} */ this.alerts = [];
    this.alertTotal = 0;
    /** Whether alerts were loaded: none known is not none. */
    this.alertsKnown = false;
    /** @type {Map<string, import("../types.d.ts").Series>} by category, empty: all */ this.series = new Map();
    /** @type {import("../types.d.ts").Today | null} */ this.today = null;
    /** @type {import("../types.d.ts").Movers | null} */ this.movers = null;
    /** @type {import("../types.d.ts").ResponseFigures | null} */ this.response = null;
    /** @type {import("../types.d.ts").CaseNews[]} newest first */ this.cases = [];
    /** @type {import("../types.d.ts").OpenCases | null} */ this.open = null;
    /** @type {import("../types.d.ts").Scenarios | null} */ this.scenarios = null;
    /** @type {import("../types.d.ts").AlertDetail | null} */ this.detail = null;
    /** @type {import("../types.d.ts").Series | null} */ this.history = null;
    /** @type {import("../types.d.ts").Timeline | null} */ this.timeline = null;
    /** @type {import("../types.d.ts").CityEvent[]} */ this.points = [];
    /** The live stream. `asOf`: when the store last said something, milliseconds. */
    this.link = { asOf: /** @type {number | null} */ (null), open: false, tries: 0 };
    /** @type {Map<string, string>} what could not be loaded, and why */ this.failed = new Map();
    /** Whether this token may act and see numbers; null: not known yet. @type {boolean | null} */ this.duty = null;
    /** @type {Set<Topic>} */ this.pending = new Set();
    /** @type {Set<(topics: Set<Topic>) => void>} */ this.listeners = new Set();
  }

  /** @param {(topics: Set<Topic>) => void} listener */
  onChange(listener) {
    this.listeners.add(listener);
  }

  /** Tell, at most once a frame, what has changed. @param {Topic[]} topics */
  touch(...topics) {
    const idle = this.pending.size === 0;
    for (const topic of topics) this.pending.add(topic);
    if (idle) setTimeout(() => this.#tell(), 0);
  }

  #tell() {
    const topics = this.pending;
    this.pending = new Set();
    for (const listener of this.listeners) listener(topics);
  }

  /** The column that is shown; null: all categories. */
  get column() {
    const at = this.state?.categories.indexOf(this.view.cat) ?? -1;
    return at < 0 ? null : at;
  }

  /** Put an alert in its place: most severe first, then newest. @param {Alert} alert */
  keep(alert) {
    const known = this.alerts.findIndex((one) => one.id === alert.id);
    if (known >= 0 && (this.alerts[known]?.version ?? 0) > alert.version) return;
    if (known >= 0) this.alerts.splice(known, 1);
    if (known >= 0 !== alert.is_open) this.alertTotal += alert.is_open ? 1 : -1;
    if (!alert.is_open) return;
    const at = this.alerts.findIndex((one) => one.level > alert.level || (one.level === alert.level && one.at <= alert.at));
    this.alerts.splice(at < 0 ? this.alerts.length : at, 0, alert);
  }
}
