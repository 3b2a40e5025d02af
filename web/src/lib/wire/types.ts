/** The records of the wire. Times are µs UTC, prices and notional quote currency, rates fractions. */

export type Source = 'live' | 'replay' | 'simulated';
export type Side = 'long' | 'short';
/** `joining` is a market whose past is still on its way. */
export type LampState = 'up' | 'joining' | 'stale' | 'down';

export interface Coins {
  coins: string[];
  source: Source;
  /** True once every coin has its history; until then `progress` says what is being done. */
  ready: boolean;
  progress: string;
  /** Why the source is what it is: which venues did not answer. */
  note: string;
}

export interface Venue {
  name: string;
  market: string;
  on: boolean;
  /** Seconds since its newest datum; infinite for one that was never heard. */
  age: number;
  state: LampState;
  /** Open interest, base coin. */
  oi: number;
  /** Fraction of the open interest of all venues. */
  share: number;
}

/** Weights that were learned elsewhere; `until` is the end. */
export interface Borrowed {
  market: string;
  since: number;
  until: number;
  /** Effective number of liquidations. */
  reports: number;
}

export interface Fit {
  version: number;
  /** When the weights were last learned, or null before they ever were. */
  at: number | null;
  /** Liquidations that were new to them. */
  taught: number;
  /** Effective number of liquidations they rest on, over the markets chosen. */
  reports: number;
  /** Where they were learned while every market chosen borrows them. */
  borrowed: Borrowed | null;
  /** Venues of which no volume is known: their map is of the path alone. */
  pathOnly: string[];
  why: string;
}

export interface Grade {
  /** A to D: the worst of its parts. */
  letter: string;
  parts: Record<string, string>;
  why: string;
}

/** What every answer says of the model behind it. */
export interface Trust {
  model: string;
  priorOnly: boolean;
  fit: Fit | null;
  grade: Grade | null;
}

export interface MapSnapshot extends Trust {
  coin: string;
  source: Source;
  note: string;
  asOf: number;
  now: number;
  stream: string;
  seq: number;
  /** Start of the first column, and the width of one. */
  t0: number;
  step: number;
  cols: number;
  rows: number;
  /** ln of the bottom edge of row 0, and the ln height of a row. */
  p0: number;
  dp: number;
  vmin: number;
  vmax: number;
  /** Column-major: column i at [i*rows, (i+1)*rows), row 0 the lowest price. */
  cells: Uint8Array;
  /** Whether cells are a difference of two models, see `grid/difference.ts`, rather than dollars. */
  difference?: boolean;
  /** Five a column: open, high, low, close, volume; NaN where nothing was seen. */
  ohlc: Float32Array;
  /** Columns [first, last) in which nothing was known, and those in which some venues were missing. */
  gaps: [number, number][];
  partial: [number, number][];
  price: number;
  mark: number;
  tick: number;
  venues: Venue[];
  tiers: number[];
  span: string;
  spans: string[];
}

export interface Totals {
  long: number;
  short: number;
}

export interface Cluster {
  side: Side;
  floor: number;
  top: number;
  peak: number;
  /** Estimated notional, US dollars. */
  mass: number;
  /** Signed fraction from the mark to the nearest edge. */
  distance: number;
  /** The tier that holds most of it. */
  tier: number;
  tiers: Record<string, number>;
  /** Seconds since it formed. */
  age: number;
  /** 80 % band of the mass and its measured share; NaN where the model gives none. */
  low: number;
  high: number;
  measured: number;
  /** From 1, one large opening, to 0, many small; null where it is not known. */
  concentration: number | null;
  /** Share that is expected to fire, least and most: an assumption. */
  fired: [number, number] | null;
}

export interface Levels {
  coin: string;
  asOf: number;
  mark: number;
  price: number;
  p0: number;
  dp: number;
  rows: number;
  /** Dollars a row, aligned to the rows of the heatmap. */
  long: Float32Array;
  short: Float32Array;
  tiers: Record<string, Totals>;
  clusters: Cluster[];
  /** Fraction of the price within which clusters are looked for, and the dollars in it. */
  reach: number;
  within: number;
  venues: Record<string, Totals>;
}

export interface Bars {
  reach: number;
  long: number;
  short: number;
  ratio: number;
  longShare: number;
  /** Ends of the 80 % band by side, where there is one. */
  bands: Partial<Record<Side, [number, number]>>;
}

export interface Cumulative {
  /** Signed fractions of the mark, rising. */
  distance: Float64Array;
  /** Dollars between the mark and there. */
  notional: Float64Array;
  /** Ends of the 80 % band; empty where there is none. */
  low: Float64Array;
  high: Float64Array;
}

export interface VenueShare extends Totals {
  name: string;
  oi: number;
  share: number;
  /** Dollars a row, both sides. */
  usd: Float32Array;
}

export interface ByVenue {
  p0: number;
  dp: number;
  rows: number;
  venues: VenueShare[];
}

export interface Hello {
  kind: 'hello';
  stream: string;
  seq: number;
  /** ln of the bottom edge of the rows the stream speaks of. */
  p0: number;
  /** Floor of the money scale its cells are told in, dollars. */
  vmin: number;
  now: number;
  source: Source;
}

export interface Column {
  kind: 'column';
  stream: string;
  seq: number;
  /** Start of the column. */
  t: number;
  /** Open, high, low, close, volume. */
  k: number[];
  /** Changed rows; empty when `full`. */
  rows: Uint16Array;
  values: Uint8Array;
  full: boolean;
  /** Sent to one that may have missed others: it needs none before it. */
  again: boolean;
}

export interface Status extends Trust {
  kind: 'status';
  /** Where the server counts this message in its stream, else null. */
  seq: number | null;
  now: number;
  source: Source;
  note: string;
  venues: Venue[];
  eventsPerSecond: number;
}

export interface Rebase {
  kind: 'rebase';
}

export interface LevelsMessage {
  kind: 'levels';
  seq: number | null;
  levels: Levels;
}

export type Message = Hello | Column | Status | Rebase | LevelsMessage;
