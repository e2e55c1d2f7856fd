/** Questions to the API. Every answer also tells the server's clock, by which ages are computed. */

import { bearer } from "./token.js";

const ROOT = "/api/v1";
const PATIENCE_MS = 20_000;

/** An answer that is a problem (RFC 9457), or none at all: status 0. */
export class Problem extends Error {
  /** @param {number} status @param {string} kind @param {string} detail */
  constructor(status, kind, detail) {
    super(detail);
    this.status = status;
    this.kind = kind;
  }
}

let ahead = 0;

/** Now by the server's clock, milliseconds. The header has whole seconds, so small differences are not believed. */
export const serverNow = () => Date.now() + ahead;

/** An answer that a cache may keep tells the time of when it was kept, so it is not asked. @param {Response} answer */
export function noteClock(answer) {
  if (answer.headers.get("cache-control")?.includes("max-age")) return;
  const said = Date.parse(answer.headers.get("date") ?? "");
  if (Number.isNaN(said)) return;
  const difference = said + 500 - Date.now();
  ahead = Math.abs(difference) > 2000 ? difference : 0;
}

/**
 * @param {string} path below /api/v1
 * @param {Record<string, string | number | null | undefined>} [query] empty values are left out
 */
export function address(path, query = {}) {
  const wanted = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== null && value !== undefined && value !== "") wanted.set(name, String(value));
  const text = wanted.toString();
  return `${ROOT}${path}${text ? `?${text}` : ""}`;
}

/** @param {string} url @param {RequestInit} [request] @returns {Promise<Response>} Problem unless it went well */
export async function ask(url, request = {}) {
  let answer;
  try {
    answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS), ...request, headers: { ...bearer(), ...request.headers } });
  } catch (error) {
    throw new Problem(0, "unreachable", String(error));
  }
  noteClock(answer);
  if (!answer.ok) throw await problemOf(answer);
  return answer;
}

/** @param {Response} answer */
async function problemOf(answer) {
  const body = await answer.json().catch(() => ({}));
  return new Problem(answer.status, String(body.type ?? "").split(":").pop() ?? "", String(body.detail ?? answer.statusText));
}

/** @type {Map<string, Promise<any>>} answers that were asked for ahead, each for one taker */
const begun = new Map();

/** Ask ahead: who first wants this address gets the answer. @param {string} url */
export function begin(url) {
  const answer = ask(url).then((one) => one.json());
  answer.catch(() => {}); // told to who takes it
  begun.set(url, answer);
}

/**
 * @template Body
 * @param {string} path @param {Record<string, string | number | null | undefined>} [query]
 * @returns {Promise<Body>}
 */
export async function get(path, query) {
  const url = address(path, query);
  const answer = begun.get(url);
  begun.delete(url);
  return answer ?? (await ask(url)).json();
}

/**
 * Act on an alert. The same key again changes nothing.
 * @param {string} alert @param {string} kind @param {number} version as it was seen @param {string} key @param {string} [note]
 */
export async function act(alert, kind, version, key, note) {
  const body = JSON.stringify(note ? { kind, note } : { kind });
  const headers = { "Content-Type": "application/json", "If-Match": `"${version}"`, "Idempotency-Key": key };
  return (await ask(`${ROOT}/alerts/${alert}/actions`, { method: "POST", body, headers })).json();
}
