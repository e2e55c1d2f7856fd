/** Which area lies in the direction of an arrow key. Pure. */

/** @type {Record<string, [number, number]>} */
const WAYS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

/** @param {string} key */
export const isArrow = (key) => key in WAYS;

/**
 * The nearest point inside the quarter of the plane that the arrow shows; what lies aside counts as farther.
 * @param {([number, number] | null)[]} points @param {number} from @param {string} key @returns {number} the same when nothing lies there
 */
export function towards(points, from, key) {
  const here = points[from];
  const way = WAYS[key];
  if (!here || !way) return from;
  let best = from;
  let least = Infinity;
  points.forEach((point, at) => {
    if (!point || at === from) return;
    const [dx, dy] = [point[0] - here[0], point[1] - here[1]];
    const ahead = dx * way[0] + dy * way[1];
    const aside = Math.abs(dx * way[1] + dy * way[0]);
    if (ahead <= 0 || aside > ahead) return;
    const cost = ahead + 2 * aside;
    if (cost < least) [least, best] = [cost, at];
  });
  return best;
}
