/** The words of the page in the chosen language. */

import { EN } from "./words_en.js";
import { ZH } from "./words_zh.js";

/** @typedef {import("../types.d.ts").Lang} Lang */
/** @typedef {keyof typeof ZH} Word */

/** @type {Lang} */
let chosen = "zh";

export const language = () => chosen;

/** @param {Lang} lang */
export function speak(lang) {
  chosen = lang;
  document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
}

/** @param {Word} word @param {Record<string, string | number>} [values] */
export function t(word, values = {}) {
  return (chosen === "zh" ? ZH : EN)[word].replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** A word whose key is put together, as a state of the API; its own name when the page has no word for it. @param {string} key @param {string} [otherwise] */
export function known(key, otherwise = key) {
  return key in ZH ? t(/** @type {Word} */ (key)) : otherwise;
}

/** @param {{zh: string, en: string} | undefined} pair @param {string} [otherwise] */
export const both = (pair, otherwise = "") => (pair ? pair[chosen] : otherwise);
