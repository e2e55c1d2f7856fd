/** The words of the page in the chosen language; those of the other one are asked for when it is chosen. */

/** @typedef {import("../types.d.ts").Lang} Lang */
/** @typedef {keyof typeof import("./words_zh.js").ZH} Word */

/** @type {Lang} */
let chosen = "zh";
/** @type {Partial<Record<Word, string>>} */
let words = {};

export const language = () => chosen;

/** @param {Lang} lang */
export async function speak(lang) {
  words = lang === "zh" ? (await import("./words_zh.js")).ZH : (await import("./words_en.js")).EN;
  chosen = lang;
  document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
}

/** @param {Word} word @param {Record<string, string | number>} [values] */
export function t(word, values = {}) {
  return (words[word] ?? "").replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** A word whose key is put together, as a state of the API; its own name when the page has no word for it. @param {string} key @param {string} [otherwise] */
export function known(key, otherwise = key) {
  return key in words ? t(/** @type {Word} */ (key)) : otherwise;
}

/** @param {{zh: string, en: string} | undefined} pair @param {string} [otherwise] */
export const both = (pair, otherwise = "") => (pair ? pair[chosen] : otherwise);
