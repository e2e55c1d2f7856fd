/** Actions that found no network. Kept in the browser, sent again under the same key, so that each happens once. */

import { act, Problem } from "../base/api.js";
import { token } from "../base/token.js";

/** @typedef {import("../types.d.ts").Waiting} Waiting */
/** @typedef {import("./model.js").Model} Model */

const KEY = "citybrain.waiting";

/** @returns {Waiting[]} */
export function waiting() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "[]");
  } catch {
    return [];
  }
}

/** @param {Waiting[]} list */
const keep = (list) => localStorage.setItem(KEY, JSON.stringify(list));

/** @param {Model} model @param {Waiting} action */
export function later(model, action) {
  keep([...waiting(), action]);
  model.touch("queue");
}

/** What came of the last sending. */
export const outcome = { sent: 0, refused: /** @type {string[]} */ ([]) };

let sending = false;

/** Send what waits, oldest first; stops where the network ends again. What is refused is told and not tried again. @param {Model} model */
export async function flush(model) {
  if (sending || !token() || !waiting().length) return;
  sending = true;
  try {
    for (const one of waiting()) {
      try {
        await act(one.alert, one.kind, one.version, one.key);
        outcome.sent += 1;
      } catch (error) {
        if (!(error instanceof Problem) || error.status === 0 || error.status === 503) break;
        outcome.refused.push(error.message);
      }
      keep(waiting().filter((other) => other.key !== one.key));
    }
  } finally {
    sending = false;
    model.touch("queue");
  }
}
