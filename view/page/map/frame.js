/** What part of the map is seen: a viewBox that buttons, wheel and dragging change. Data never does. */

/** @typedef {[number, number, number, number]} Box x, y, width, height */

const STEP = 1.4;
const MOST = 24;

export class Frame {
  /** @param {SVGSVGElement} node @param {() => void} moved */
  constructor(node, moved) {
    this.node = node;
    this.moved = moved;
    /** @type {Box} */ this.whole = [0, 0, 1000, 1000];
    /** @type {Box} */ this.box = this.whole;
    node.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.#drag();
  }

  /** @param {Box} whole @param {Box} [shown] */
  reset(whole, shown = whole) {
    this.whole = whole;
    this.show(shown);
  }

  /** @param {Box} box */
  show(box) {
    this.box = box;
    this.node.setAttribute("viewBox", box.map((one) => Math.round(one * 10) / 10).join(" "));
    this.moved();
  }

  /** Larger than 1: nearer. @param {number} times @param {number} [x] the point that stays @param {number} [y] */
  zoom(times, x = this.box[0] + this.box[2] / 2, y = this.box[1] + this.box[3] / 2) {
    const [left, top, width, height] = this.box;
    const wide = Math.min(this.whole[2], Math.max(this.whole[2] / MOST, width / times));
    const by = wide / width;
    this.show(this.#kept([x - (x - left) * by, y - (y - top) * by, wide, height * by]));
  }

  closer = () => this.zoom(STEP);
  farther = () => this.zoom(1 / STEP);

  /** Not past the edge. @param {Box} box @returns {Box} */
  #kept([x, y, width, height]) {
    const [left, top, wholeWidth, wholeHeight] = this.whole;
    /** @param {number} at @param {number} from @param {number} room */
    const within = (at, from, room) => (room <= 0 ? from + room / 2 : Math.min(Math.max(at, from), from + room));
    return [within(x, left, wholeWidth - width), within(y, top, wholeHeight - height), width, height];
  }

  /** A point of the screen on the map. @param {{clientX: number, clientY: number}} event */
  at({ clientX, clientY }) {
    const matrix = this.node.getScreenCTM();
    if (!matrix) return { x: 0, y: 0 };
    return new DOMPoint(clientX, clientY).matrixTransform(matrix.inverse());
  }

  /** Only with Ctrl, as scrolling a page with the mouse over the map must not zoom. @param {WheelEvent} event */
  #wheel(event) {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const { x, y } = this.at(event);
    this.zoom(event.deltaY < 0 ? STEP : 1 / STEP, x, y);
  }

  #drag() {
    /** @type {{x: number, y: number, id: number} | null} */
    let from = null;
    this.node.addEventListener("pointerdown", (event) => {
      if (event.button === 0 && this.box[2] < this.whole[2]) from = { ...pointOf(this.at(event)), id: event.pointerId };
    });
    this.node.addEventListener("pointermove", (event) => {
      if (!from || from.id !== event.pointerId) return;
      const { x, y } = this.at(event);
      if (Math.hypot(x - from.x, y - from.y) < this.box[2] / 200) return;
      this.node.setPointerCapture(event.pointerId);
      this.show(this.#kept([this.box[0] - (x - from.x), this.box[1] - (y - from.y), this.box[2], this.box[3]]));
    });
    for (const end of ["pointerup", "pointercancel"]) this.node.addEventListener(end, () => { from = null; });
  }
}

/** @param {{x: number, y: number}} point */
const pointOf = ({ x, y }) => ({ x, y });
