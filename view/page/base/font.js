/** Our own Chinese font, for machines that have none: signs without a glyph all look alike. */

import { el } from "./dom.js";

const SIZE = 32;

/** @param {string} text */
function drawn(text) {
  const canvas = el("canvas", { width: SIZE, height: SIZE });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  if (!pen) return text;
  pen.font = `24px ${getComputedStyle(document.body).fontFamily}`;
  pen.fillText(text, 2, 26);
  return pen.getImageData(0, 0, SIZE, SIZE).data.join();
}

/** Ask for the font only where it is needed: its list of slices alone is as large as half of the page. */
export function bringFont() {
  if (new Set(["\ue123", "网", "格"].map(drawn)).size === 3) return;
  document.head.append(el("link", { rel: "stylesheet", href: `${document.body.dataset.root}/lib/noto.css` }));
}
