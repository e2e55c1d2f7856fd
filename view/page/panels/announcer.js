/** Words for who listens: politely at most once in ten seconds, at once only for a new red alert. Focus stays where it is. */

import { el, say } from "../base/dom.js";
import { t } from "../base/words.js";

const PAUSE_MS = 10_000;

export function announcer() {
  const polite = el("p", { role: "status", class: "unseen", "data-live": "polite" });
  const loud = el("p", { role: "alert", class: "unseen", "data-live": "loud" });
  let waiting = 0;
  let timer = 0;
  let last = -PAUSE_MS;
  const speak = () => {
    timer = 0;
    last = performance.now();
    say(polite, t("news", { n: waiting }));
    polite.dataset.times = String(Number(polite.dataset.times ?? 0) + 1);
    waiting = 0;
  };
  return {
    node: el("div", {}, polite, loud),
    /** @param {string} text @param {boolean} [now] */
    announce(text, now = false) {
      if (now) {
        loud.textContent = text;
        loud.dataset.times = String(Number(loud.dataset.times ?? 0) + 1);
        return;
      }
      waiting += 1;
      timer ||= setTimeout(speak, Math.max(0, last + PAUSE_MS - performance.now()));
    },
  };
}
