/** Signing in with a token, and out again. The token stays in this tab. */

import { ask, address } from "../base/api.js";
import { el, say } from "../base/dom.js";
import { keepToken, token } from "../base/token.js";
import { t } from "../base/words.js";
import { button } from "./context.js";

/** @param {import("./context.js").Context} context */
export async function signIn({ again }) {
  if (token()) {
    keepToken("");
    await again();
    return;
  }
  const field = el("input", { id: "token", type: "password", autocomplete: "off", required: true, spellcheck: "false" });
  const told = el("p", { role: "alert" });
  const dialog = el("dialog", { "aria-labelledby": "sign-in-title" },
    el("form", { method: "dialog", submit: (/** @type {Event} */ event) => { event.preventDefault(); void tryIt(); } },
      el("h2", { id: "sign-in-title" }, t("sign_in")), el("label", { for: "token" }, t("token")), field, el("p", { class: "hint" }, t("token_hint")), told,
      el("div", { class: "buttons" }, el("button", { type: "submit" }, t("sign_in")), button(t("cancel"), () => dialog.close()))));
  const tryIt = async () => {
    try {
      await ask(address("/meta"), { headers: { Authorization: `Bearer ${field.value.trim()}` }, cache: "no-store" });
    } catch {
      say(told, t("token_wrong"));
      return;
    }
    keepToken(field.value.trim());
    dialog.close();
    await again();
  };
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
