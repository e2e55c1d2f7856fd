/** Shapes of the areas in one plane: geographic, or one equal tile each. Pure. */

export const WIDTH = 1000;
/** Two numbers of corners are one number of an edge. */
const MOST_CORNERS = 2 ** 26;

/** @typedef {import("../types.d.ts").Shapes} Shapes */
/** @typedef {import("../types.d.ts").Grid} Grid */

/**
 * Plate carrée with true proportions in the middle of the city: a city is small enough for it.
 * @param {Grid[]} grids @returns {Shapes & {project: (lon: number, lat: number) => [number, number]}}
 */
export function geographic(grids) {
  const rings = grids.map((grid) => ringsOf(grid));
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [lon, lat] of rings.flat(2)) {
    west = Math.min(west, lon);
    east = Math.max(east, lon);
    south = Math.min(south, lat);
    north = Math.max(north, lat);
  }
  if (west > east) [west, south, east, north] = [0, 0, 1, 1];
  const squeeze = Math.cos(((south + north) / 2) * (Math.PI / 180));
  const scale = WIDTH / Math.max(1e-9, (east - west) * squeeze);
  /** @param {number} lon @param {number} lat @returns {[number, number]} */
  const project = (lon, lat) => [round((lon - west) * squeeze * scale), round((north - lat) * scale)];
  const corners = rings.map((of) => of.map((ring) => ring.map(([lon, lat]) => project(lon, lat).join(" "))));
  const paths = corners.map((of) => of.map((ring) => `M${ring.join("L")}Z`).join(""));
  const points = grids.map(({ properties: { label } }) => label && project(...label));
  return { paths, points, width: WIDTH, height: round((north - south) * scale), core: dense(rings, points, project), borders: borders(grids, corners), project };
}

/** @param {Grid} grid @returns {[number, number][][]} */
function ringsOf({ geometry }) {
  if (!geometry) return [];
  return geometry.type === "Polygon" ? geometry.coordinates : geometry.coordinates.flat(1);
}

/** @param {number} value */
const round = (value) => Math.round(value * 10) / 10;

/**
 * Where the small areas are: the box of the nearest two thirds of the smallest half to their median.
 * @param {[number, number][][][]} rings @param {([number, number] | null)[]} points @param {(lon: number, lat: number) => [number, number]} project
 * @returns {[number, number, number, number]} x, y, width, height
 */
function dense(rings, points, project) {
  const sized = points.flatMap((point, at) => (point ? [{ point, size: (rings[at] ?? []).reduce((sum, ring) => sum + surface(ring), 0), at }] : []));
  const small = sized.sort((one, other) => one.size - other.size).slice(0, Math.ceil(sized.length / 2));
  if (!small.length) return [0, 0, WIDTH, WIDTH];
  /** @param {number[]} values */
  const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
  const middle = [median(small.map((one) => one.point[0])), median(small.map((one) => one.point[1]))];
  /** @param {[number, number]} point */
  const away = (point) => (point[0] - (middle[0] ?? 0)) ** 2 + (point[1] - (middle[1] ?? 0)) ** 2;
  const near = small.sort((one, other) => away(one.point) - away(other.point)).slice(0, Math.ceil((small.length * 2) / 3));
  const corners = near.flatMap((one) => (rings[one.at] ?? []).flat(1).map(([lon, lat]) => project(lon, lat)));
  const xs = corners.map(([x]) => x);
  const ys = corners.map(([, y]) => y);
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return [x, y, Math.max(...xs) - x, Math.max(...ys) - y];
}

/**
 * Where towns end: edges that no two grids of one town share. Grids that share no corners give no borders, rather than all edges.
 * @param {Grid[]} grids @param {string[][][]} corners as they stand in paths
 */
function borders(grids, corners) {
  /** @type {Map<string, number>} */
  const numbers = new Map();
  /** @param {string} corner */
  const numberOf = (corner) => numbers.get(corner) ?? (numbers.set(corner, numbers.size), numbers.size - 1);
  /** @type {Map<number, string>} each edge's town; empty: inside of one */
  const edges = new Map();
  let all = 0;
  grids.forEach(({ properties: { code } }, at) => {
    const town = code.slice(0, 9);
    for (const ring of corners[at] ?? []) {
      let before = numberOf(ring.at(-1) ?? "");
      for (const corner of ring) {
        const here = numberOf(corner);
        if (here !== before) {
          const edge = Math.min(here, before) * MOST_CORNERS + Math.max(here, before);
          edges.set(edge, edges.get(edge) === town ? "" : edges.get(edge) ?? town);
          all += 1;
        }
        before = here;
      }
    }
  });
  const places = [...numbers.keys()];
  const lines = [...edges].flatMap(([edge, town]) => (town ? [`M${places[Math.floor(edge / MOST_CORNERS)]}L${places[edge % MOST_CORNERS]}`] : []));
  return lines.length > all / 2 ? "" : lines.join("");
}

/** Twice the surface in square degrees; only its order counts. @param {[number, number][]} ring */
function surface(ring) {
  let sum = 0;
  for (let at = 0; at < ring.length; at += 1) {
    const [x, y] = ring[at] ?? [0, 0];
    const [nextX, nextY] = ring[(at + 1) % ring.length] ?? [0, 0];
    sum += x * nextY - nextX * y;
  }
  return Math.abs(sum);
}

/** One tile an area, in the places that the server has computed. @param {Grid[]} grids @returns {Shapes} */
export function tiles(grids) {
  const places = grids.map((grid, at) => grid.properties.tile ?? /** @type {[number, number]} */ ([at % 16, Math.floor(at / 16)]));
  const columns = Math.max(1, ...places.map(([column]) => column + 1));
  const rows = Math.max(1, ...places.map(([, row]) => row + 1));
  const size = WIDTH / columns;
  const gap = size * 0.06;
  const paths = places.map(([column, row]) => {
    const [x, y, side] = [round(column * size + gap), round(row * size + gap), round(size - 2 * gap)];
    return `M${x} ${y}h${side}v${side}h${-side}Z`;
  });
  const points = places.map(([column, row]) => /** @type {[number, number]} */ ([round((column + 0.5) * size), round((row + 0.5) * size)]));
  const height = round(rows * size);
  return { paths, points, width: WIDTH, height, core: [0, 0, WIDTH, height], borders: "" };
}
