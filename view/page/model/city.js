/** The areas of the city: names, levels, what lies in what, and what is near what. */

/** @typedef {import("../types.d.ts").AreaLevel} AreaLevel */

/** Digits of the codes of a level. @type {Record<AreaLevel, number>} */
export const DIGITS = { banner: 6, town: 9, community: 12, grid: 15 };

/** @param {string} code @returns {AreaLevel} */
export function levelOf(code) {
  return /** @type {AreaLevel} */ (Object.keys(DIGITS).find((level) => DIGITS[/** @type {AreaLevel} */ (level)] === code.length) ?? "grid");
}

/** Areas of one city; grids in the order of the file, which is that of their codes. */
export class City {
  /** @param {import("../types.d.ts").Grids} grids @param {import("../types.d.ts").Area[]} areas */
  constructor(grids, areas) {
    this.grids = grids.features;
    this.names = new Map(areas.map((area) => [area.code, area.name]));
  }

  /** The name of an area, its code where it has none. @param {string} code */
  name(code) {
    return this.names.get(code) ?? code;
  }

  /** A name with the town in front, for places where the area stands alone. @param {string} code */
  place(code) {
    const town = code.length > DIGITS.town ? `${this.name(code.slice(0, DIGITS.town))}·` : "";
    return town + this.name(code);
  }

  /** Indexes of the grids inside an area. @param {string} code @returns {number[]} */
  inside(code) {
    return this.grids.flatMap((grid, at) => (grid.properties.code.startsWith(code) ? [at] : []));
  }

  /** The point for a mark of an area: of its grid, or of the grid nearest to its middle. @param {string} code @returns {[number, number] | null} */
  label(code) {
    const points = this.inside(code).flatMap((at) => (this.grids[at]?.properties.label ? [/** @type {[number, number]} */ (this.grids[at]?.properties.label)] : []));
    if (!points.length) return null;
    const middle = [0, 1].map((axis) => points.reduce((sum, point) => sum + (point[axis] ?? 0), 0) / points.length);
    /** @param {[number, number]} point */
    const away = (point) => (point[0] - (middle[0] ?? 0)) ** 2 + (point[1] - (middle[1] ?? 0)) ** 2;
    return points.reduce((best, point) => (away(point) < away(best) ? point : best));
  }
}

const LETTERS = "abcdefghjklmnopqrstwxyz";
/** The first character of each letter in the order of pinyin. */
const FIRST = "阿八嚓咑妸发旮哈丌咔垃妈拏噢妑七呥仨他穵夕丫帀";
/** @type {Intl.Collator | null} made when somebody searches */
let pinyin = null;

/** The first letters of a Chinese name's pinyin; other characters as they are. @param {string} text */
export function initials(text) {
  return [...text].map((one) => {
    if (!/\p{Script=Han}/u.test(one)) return one.toLowerCase();
    pinyin ??= new Intl.Collator("zh-CN-u-co-pinyin");
    let at = -1;
    for (const first of FIRST) if (pinyin.compare(first, one) <= 0) at += 1;
    return LETTERS[Math.max(0, at)];
  }).join("");
}

/** Areas that answer a search: by code, name or pinyin initials, best first. @param {City} city @param {string} wanted @param {number} most */
export function find(city, wanted, most) {
  const text = wanted.trim().toLowerCase();
  if (!text) return [];
  /** @param {string} code @param {string} name */
  const rank = (code, name) => {
    if (code === text || name.toLowerCase() === text) return 0;
    if (code.startsWith(text) || name.toLowerCase().startsWith(text)) return 1;
    if (name.toLowerCase().includes(text)) return 2;
    return initials(name).includes(text) ? 3 : 9;
  };
  return [...city.names].map(([code, name]) => ({ code, name, rank: rank(code, name) })).filter((one) => one.rank < 9)
    .sort((one, other) => one.rank - other.rank || one.code.length - other.code.length || (one.code < other.code ? -1 : 1)).slice(0, most);
}
