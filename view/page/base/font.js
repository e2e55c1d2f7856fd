/** Our own Chinese font, for machines that have none: signs without a glyph all look alike. */

import { el } from "./dom.js";

const SIZE = 16;

/** Each sign as it is drawn. @param {string[]} signs */
function drawn(signs) {
  const pen = el("canvas", { width: SIZE * signs.length, height: SIZE }).getContext("2d", { willReadFrequently: true });
  if (!pen) return signs;
  pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  signs.forEach((sign, at) => pen.fillText(sign, SIZE * at + 1, 13));
  return signs.map((_, at) => pen.getImageData(SIZE * at, 0, SIZE, SIZE).data.join());
}

/** Ask for the font only where it is needed: its list of slices alone is as large as half of the page. */
export function bringFont() {
  if (new Set(drawn(["\ue123", "网", "格"])).size === 3) return;
  document.head.append(el("link", { rel: "stylesheet", href: `${document.body.dataset.root}/lib/noto.css` }));
}
