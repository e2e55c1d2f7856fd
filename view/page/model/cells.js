/** What the cells of a state say: of one category or of all, at the level that is shown. Pure. */

/** @typedef {import("../types.d.ts").State} State */
/** @typedef {import("../types.d.ts").Cell} Cell */

/** Steps of counts where levels are not told: 0, then from 5, 10, 20, 50 on. Fixed, whatever is shown. */
const STEPS = [1, 10, 20, 50];

/** @param {(number | null)[]} values @param {number | null} column null: all */
function picked(values, column) {
  return column === null ? values : [values[column] ?? null];
}

/** @type {WeakMap<State, Map<number, Set<number>>>} */
const masks = new WeakMap();

/** Columns that are hidden, by row. @param {State} state */
function hidden(state) {
  let found = masks.get(state);
  if (!found) {
    found = new Map();
    for (const [row, column] of state.masked) found.set(row, (found.get(row) ?? new Set()).add(column));
    masks.set(state, found);
  }
  return found;
}

/**
 * One area. A hidden part hides the sum over all: what is left out must not be computed here either.
 * @param {State} state @param {number} row @param {number | null} column null: all categories @returns {Cell}
 */
export function cell(state, row, column) {
  const counts = picked(state.n[row] ?? [], column);
  const levels = state.level ? picked(state.level[row] ?? [], column) : [];
  const known = counts.filter((one) => one !== null);
  const raised = levels.filter((one) => one !== null);
  const level = raised.length ? Math.max(...raised) : null;
  const dark = hidden(state).get(row);
  if (dark && (column === null ? dark.size > 0 : dark.has(column))) return { n: null, level: null, state: "masked" };
  if (!known.length) return { n: null, level, state: "unknown" };
  return { n: known.reduce((sum, one) => sum + one, 0), level, state: "known" };
}

/** The step of the colour: the level, else a fixed step of the count. @param {Cell} one @param {boolean} levels @returns {number | null} */
export function shade(one, levels) {
  if (one.state !== "known") return levels ? one.level : null;
  return levels ? one.level : STEPS.filter((least) => (one.n ?? 0) >= least).length;
}

/** Sums over the scope, as the API gives them. @param {State} state @param {number | null} column */
export const total = (state, column) => state.sum[column ?? state.categories.length] ?? null;

/** Column of a category in a state; null: all. @param {State} state @param {string} category */
export function columnOf(state, category) {
  const at = state.categories.indexOf(category);
  return at < 0 ? null : at;
}

/**
 * Put a change into a state. Gives a new state, so that what was shown before can still be compared; null: the state is newer.
 * @param {State} state of grids in the window of the stream @param {import("../types.d.ts").Delta} delta @returns {State | null}
 */
export function changed(state, delta) {
  if (delta.seq <= state.seq) return null;
  const n = [...state.n];
  const level = state.level ? [...state.level] : null;
  const sum = [...state.sum];
  for (const [row, column, raised, count] of delta.d) {
    const before = n[row]?.[column] ?? 0;
    n[row] = with_(n[row] ?? [], column, count);
    if (level) level[row] = with_(level[row] ?? [], column, raised);
    for (const at of [column, state.categories.length]) sum[at] = (sum[at] ?? 0) + (count ?? 0) - before;
  }
  return { ...state, seq: delta.seq, as_of: delta.as_of, window: delta.window, n, level, sum };
}

/** @param {(number | null)[]} row @param {number} at @param {number | null} value */
function with_(row, at, value) {
  const copy = [...row];
  copy[at] = value;
  return copy;
}

/** How many areas are at each level, 0 to 4. @param {State} state @param {number | null} column @returns {number[]} */
export function spread(state, column) {
  const found = [0, 0, 0, 0, 0];
  for (let row = 0; row < state.areas.length; row += 1) {
    const { level } = cell(state, row, column);
    if (level !== null) found[level] = (found[level] ?? 0) + 1;
  }
  return found;
}

/** Categories that no source speaks for. @param {State} state @returns {string[]} */
export function silentCategories(state) {
  const hiddenCells = hidden(state);
  return state.categories.filter((_, column) => state.n.length > 0 && state.n.every((row, at) => row[column] === null && !hiddenCells.get(at)?.has(column)));
}
