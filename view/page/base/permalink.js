/** The address holds every choice of the reader: a link shows another officer the same, and Back undoes. */

/** @typedef {import("../types.d.ts").View} View */

/** @type {View} */
export const PLAIN = {
  lang: "zh", theme: "", cat: "", level: "grid", window: "", at: "", area: "", alert: "", case: "", map: "geo", paint: "", sort: "", scenario: "",
};

/** What an address may hold; everything else is not taken over. @type {Partial<Record<keyof View, RegExp>>} */
const ALLOWED = {
  lang: /^(zh|en)$/, theme: /^(light|dark)$/, cat: /^[a-z_]{1,40}$/, level: /^(grid|community|town|banner)$/, window: /^(1h|6h|24h|7d|day)$/,
  at: /^20\d\d-\d\d-\d\d(T\d\d:\d\d(:\d\d)?Z)?$/, area: /^\d{6}(\d{3}){0,3}$/, alert: /^[0-9a-f]{32}$/, case: /^[^\x00-\x1f]{1,200}$/,
  map: /^(geo|tile|core)$/, paint: /^count$/, sort: /^-?[a-z_]{1,40}$/, scenario: /^[a-z_]{1,60}$/,
};

/** @param {string} search @param {Partial<View>} [habits] what holds where the address says nothing @returns {View} */
export function read(search, habits = {}) {
  const given = new URLSearchParams(search);
  /** @type {any} */
  const view = { ...PLAIN, ...habits };
  for (const [name, form] of Object.entries(ALLOWED)) {
    const value = given.get(name);
    if (value !== null && form.test(value)) view[name] = value;
  }
  return view;
}

/** @param {View} view @param {URLSearchParams} [kept] parameters of the page itself, as mode */
export function write(view, kept = new URLSearchParams()) {
  const search = new URLSearchParams(kept);
  for (const name of /** @type {(keyof View)[]} */ (Object.keys(ALLOWED))) {
    if (view[name] && (name === "lang" || view[name] !== PLAIN[name])) search.set(name, view[name]);
    else search.delete(name);
  }
  return `?${search}`;
}
