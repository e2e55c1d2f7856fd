/** What the API answers (docs/api.md) and what the page keeps. Times are ISO texts in UTC. */

export type Lang = "zh" | "en";
export type AreaLevel = "grid" | "community" | "town" | "banner";
export type MapForm = "geo" | "tile" | "core";

export interface Both { zh: string; en: string }
export interface Named extends Both { id: string }
export interface Category extends Named { letter: string }
export interface IncidentClass extends Both { code: string; category: string }
export interface Scenario extends Named { levels: AreaLevel[]; areas: string[]; classes: string[]; indicators: Named[]; about: Both; audience: Both }
export interface Area { code: string; name: string }

export interface Meta {
  levels: (Named & { areas: number })[];
  categories: Category[];
  classes: IncidentClass[];
  scenarios: Scenario[];
  departments: Named[];
  alert_levels: (Both & { level: number })[];
  sources: (Named & { silent_after_seconds: number })[];
  windows: string[];
  thresholds: { least_shown: number; stands_out: number };
  areas: Area[];
  grids: string;
  build: string;
  zone: string;
  /** Since when (Unix, seconds) the zone's clock is how far ahead of UTC (seconds). */
  clock: [number, number][];
}

export interface GridProperties { code: string; name: string; community: string; town: string; banner: string; label: [number, number] | null; tile?: [number, number] }
export interface Grid { id: number; geometry: { type: "Polygon" | "MultiPolygon"; coordinates: any } | null; properties: GridProperties }
export interface Grids { type: "FeatureCollection"; features: Grid[] }

export interface Stamp { seq: number; as_of: string; watermark: string | null }
export interface Span { name: string; start: string; end: string; day: string | null }
export interface Why { area: number; category: number; level: number; alert: string; detector: string }
export interface Source { id: string; last: string | null; ok: boolean }

export interface State extends Stamp {
  window: Span;
  grids: string;
  area_level: AreaLevel;
  areas: string[];
  categories: string[];
  n: (number | null)[][];
  masked: [number, number][];
  sum: (number | null)[];
  level: (number | null)[][] | null;
  why: Why[];
  sources: Source[];
  /** The time that was asked for; empty: now. Noted by the page. */
  at?: string;
}

export interface Delta { seq: number; as_of: string; window: Span; d: [number, number, number | null, number | null][] }

export interface Alert {
  id: string; at: string; level: number; area_level: AreaLevel; area: string; category: string; incident_class: string | null;
  detector: string; params_hash: string | null; window_start: string | null; window_end: string | null; observed: number | null;
  expected: number | null; upper: number | null; p: number | null; q: number | null; state: string; is_open: boolean;
  version: number; acknowledged_at: string | null; dispatched_at: string | null; escalated_at: string | null;
  ended_at: string | null; masked: boolean;
}
export interface AlertPage extends Stamp { items: Alert[]; next: string | null; total: number }
export interface Neighbour { area: string; observed: number; expected: number }
export interface Evidence { parameters: Record<string, unknown>; baseline: number[]; neighbours: Neighbour[]; event_ids: string[] }
export interface ActionDone { action_id: string; kind: string; at: string; role: string; version: number }
export interface AlertDetail extends Stamp, Alert { evidence: Evidence | null; actions: ActionDone[] }

export interface Series extends Stamp {
  area: string; cat: string | null; step: "hour" | "day"; model: Record<string, unknown>; complete_until: string | null;
  t: string[]; obs: (number | null)[]; expected: (number | null)[]; upper: (number | null)[]; flag: (boolean | null)[]; masked: number[];
}
export interface Today extends Stamp { area: string; cat: string | null; day: string; incidents: number | null; late: number | null; late_as_of: string | null; late_after_minutes: number }
export interface Mover { area: string; cat: string; obs: number; base: number; score: number; q: number; flag: boolean }
export interface Movers extends Stamp { window: Span; base: string; compared: number; items: Mover[] }
export interface TimelineStep { step: string; at: string | null; recorded_at: string | null; role: string; due_at: string | null; met: boolean | null }
export interface Timeline extends Stamp { case: string; tier: string; incident_class: string; grid: string; department: string; steps: TimelineStep[] }
export interface ResponseRow { key: string; step: string; due: number | null; n: number | null; missing: number | null; judged: number | null; met: number | null; p50: number | null; p90: number | null; share: number | null; lo: number | null; hi: number | null; masked: boolean }
export interface ResponseFigures extends Stamp { by: string; month: string | null; months: string[]; items: ResponseRow[] }
export interface CityEvent { id: string; source: string; kind: string; incident_class: string; at: string; grid: string; lon: number | null; lat: number | null; stage: string; case_id: string; severity: number | null; department: string }
export interface EventPage extends Stamp { since: string; items: CityEvent[]; next: string | null }
export interface CaseNews { case: string; stage: string; at: string; incident_class: string; grid: string }

export interface OpenCase { case: string; tier: string; incident_class: string; grid: string; department: string; opened_at: string; step: string; due_at: string | null }
export interface OpenCases extends Stamp { open: number; overdue: number; items: OpenCase[] }
export interface ScenarioFigures { id: string; days: number[]; level: number; alerts: number }
export interface Scenarios extends Stamp { area: string; days: string[]; items: ScenarioFigures[] }
/** An action that waits for the network. */
export interface Waiting { key: string; alert: string; kind: string; version: number }

/** What the address holds: every choice of the reader, and nothing else. */
export interface View {
  lang: Lang; theme: "" | "light" | "dark"; cat: string; level: AreaLevel; window: string; at: string; area: string; alert: string;
  case: string; map: MapForm; paint: "" | "count"; sort: string; scenario: string;
}

export type Point = [number, number];
/** Shapes of the areas in one plane. `borders`: where towns end, in the geographic plane. */
export interface Shapes { paths: string[]; points: (Point | null)[]; width: number; height: number; core: [number, number, number, number]; borders: string }
/** shade: 0 to 4, none, masked, outside */
export interface Paint { shade: string; label: string }
export interface Mark { level: number; at: Point; alert: string }
export interface PlaceName { text: string; at: Point }

/** What a page asks of a map, whatever draws it. `SvgMap` is one; a street map would be another, under the same tests. */
export interface MapView {
  readonly node: Element;
  /** What each area is painted as now. */
  readonly painted: Paint[];
  /** Show these areas, whole or the dense core. */
  load(shapes: Shapes, codes: string[], shown: "whole" | "core"): void;
  /** Paint each area; touches only what differs. */
  paint(paints: Paint[]): void;
  /** Show which areas are chosen. */
  select(indexes: number[]): void;
  /** Marks of alerts, least severe first. */
  mark(marks: Mark[]): void;
  /** Names that stand on the map. */
  name(names: PlaceName[]): void;
  /** Live points in the plane of the areas. */
  points(places: Point[]): void;
  closer(): void;
  farther(): void;
  whole(): void;
  /** An area was picked, or pointed at by pointer or keyboard. */
  on(event: "pick" | "point", listener: (index: number) => void): void;
}

/** One cell as it is shown: what is known of it, how unusual it is. */
export interface Cell { n: number | null; level: number | null; state: "known" | "unknown" | "masked" }
