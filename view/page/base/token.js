/** The token of this tab. It comes by hand or in the address after #, which no server is sent, and leaves the address at once. */

const KEY = "citybrain.token";

/** Takes a token out of the address, if it holds one. */
export function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!given) return;
  sessionStorage.setItem(KEY, given);
  history.replaceState(history.state, "", location.pathname + location.search);
}

/** @returns {string} empty: none */
export const token = () => sessionStorage.getItem(KEY) ?? "";

/** @param {string} value empty: forget it */
export function keepToken(value) {
  if (value) sessionStorage.setItem(KEY, value);
  else sessionStorage.removeItem(KEY);
}

/** Headers of a question. @returns {Record<string, string>} */
export const bearer = () => (token() ? { Authorization: `Bearer ${token()}` } : {});
