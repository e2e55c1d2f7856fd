/** Keeps the page up to date: deltas into the state, alerts into their list, and loading again where a delta does not tell enough. */

import { address, noteClock } from "../base/api.js";
import { readStream } from "../base/event_stream.js";
import { bearer } from "../base/token.js";
import { changed } from "./cells.js";
import { loadAlerts, loadDetail, loadPoints, loadState, loadToday, noteAsOf } from "./load.js";
import { flush } from "./waiting.js";

/** @typedef {import("./model.js").Model} Model */

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
const HIDDEN_MS = 300_000;
const CALM_MS = 2000;
const SILENT_MS = 45_000;
const MOST_CASES = 50;

/** @param {() => void} what @param {number} pauseMs @returns {() => void} does it soon, once, however often it is called */
export function soon(what, pauseMs) {
  let timer = 0;
  return () => {
    if (timer) return;
    timer = setTimeout(() => {
      timer = 0;
      what();
    }, pauseMs);
  };
}

/** The live stream of one page. */
export class Live {
  /** @param {Model} model @param {(alert: import("../types.d.ts").Alert) => void} news told of alerts that are new */
  constructor(model, news) {
    this.model = model;
    this.news = news;
    /** @type {string | null} */ this.lastId = null;
    /** @type {AbortController | null} */ this.reading = null;
    this.stateSoon = soon(() => loadState(model), CALM_MS);
    this.todaySoon = soon(() => loadToday(model), CALM_MS);
    this.pointsSoon = soon(() => loadPoints(model), CALM_MS);
    this.detailSoon = soon(() => loadDetail(model), 200);
    this.heardAt = 0;
    this.hiddenTimer = 0;
  }

  /** Read until the page ends; after each end read again, later each time it fails. */
  async run() {
    document.addEventListener("visibilitychange", () => this.#visible());
    // The stream of a network that went away may seem open for long.
    addEventListener("offline", () => this.reading?.abort());
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
      if (await this.#once()) pause = FIRST_PAUSE_MS;
      this.model.link.open = false;
      this.model.link.tries += 1;
      this.model.touch("link");
      while (document.hidden && this.hiddenTimer === -1) await new Promise((wake) => document.addEventListener("visibilitychange", wake, { once: true }));
      await Promise.race([new Promise((wake) => setTimeout(wake, pause)), new Promise((wake) => addEventListener("online", wake, { once: true }))]);
    }
  }

  /** Begin again, as for another reader. */
  anew() {
    this.lastId = null;
    this.reading?.abort();
  }

  /** @returns {Promise<boolean>} whether it was open */
  async #once() {
    this.reading = new AbortController();
    const { signal } = this.reading;
    const last = this.lastId ? { "Last-Event-ID": this.lastId } : {};
    let opened = false;
    this.heardAt = performance.now();
    // A server that vanished leaves a connection that says nothing: beats come every ten seconds.
    const watching = setInterval(() => {
      if (performance.now() - this.heardAt > SILENT_MS) this.reading?.abort();
    }, 5000);
    try {
      await readStream(address("/live"), { ...bearer(), .../** @type {Record<string, string>} */ (last) }, signal, (answer) => {
        opened = true;
        noteClock(answer);
        this.model.link = { ...this.model.link, open: true, tries: 0 };
        this.model.touch("link");
        void flush(this.model);
      }, (message) => this.take(message));
    } catch {
      // Ended, refused or cut off: the age of the data says it, and the next attempt comes.
    } finally {
      clearInterval(watching);
    }
    return opened;
  }

  /** @param {import("../base/event_stream.js").Message} message */
  take({ event, data, id }) {
    this.heardAt = performance.now();
    const first = this.lastId === null;
    if (id) this.lastId = id;
    if (data.as_of) noteAsOf(this.model, data.as_of);
    if (event === "hello") this.#hello(first ? data.seq : 0);
    else if (event === "delta") this.#delta(data);
    else if (event === "alert") this.#alert(data);
    else if (event === "case") this.#case(data);
    else if (event === "reset" && !(data.seq <= (this.model.state?.seq ?? -1))) this.#reset();
    this.model.touch("link");
  }

  /** The first state was loaded before: whether anything fell between the two, its number says. @param {number} seq */
  #hello(seq) {
    const { state, failed } = this.model;
    if (!state || failed.size || state.seq < seq) this.#reset();
  }

  #reset() {
    void loadState(this.model);
    void loadAlerts(this.model);
  }

  /** @param {import("../types.d.ts").Delta} delta */
  #delta(delta) {
    const { state, view } = this.model;
    if (!state || view.at) return;
    this.todaySoon();
    this.pointsSoon();
    if (state.area_level !== "grid" || state.window.name !== delta.window.name) {
      this.stateSoon();
      return;
    }
    const next = changed(state, delta);
    if (!next) return;
    this.model.state = next;
    this.model.touch("state");
  }

  /** @param {import("../types.d.ts").Alert} alert */
  #alert(alert) {
    const known = this.model.alerts.some((one) => one.id === alert.id);
    this.model.keep(alert);
    if (!known && alert.is_open) this.news(alert);
    if (this.model.view.alert === alert.id) this.detailSoon();
    this.model.touch("alerts");
  }

  /** @param {import("../types.d.ts").CaseNews} news */
  #case(news) {
    const { area } = this.model.view;
    if (area && !news.grid.startsWith(area)) return;
    this.model.cases = [news, ...this.model.cases.filter((one) => one.case !== news.case)].slice(0, MOST_CASES);
    this.model.touch("cases");
  }

  /** Nobody looks: after five minutes the stream is closed, and opened again where it stopped. */
  #visible() {
    clearTimeout(this.hiddenTimer);
    this.hiddenTimer = 0;
    if (!document.hidden) return;
    this.hiddenTimer = setTimeout(() => {
      this.hiddenTimer = -1;
      this.reading?.abort();
    }, HIDDEN_MS);
  }
}
