/**
 * Types of server messages. Times are µs UTC, prices and notional in quote currency, rates
 * fractions.
 */

export type Source = 'live' | 'replay' | 'simulated';
export type Side = 'long' | 'short';
/** `joining`: the history of the market is still loading. */
export type FeedStatus = 'up' | 'joining' | 'stale' | 'down';

export interface Coins {
  coins: string[];
  source: Source;
  /** True once every coin has its history; until then `progress` describes the current step. */
  ready: boolean;
  progress: string;
  /** Reason for the source: which venues did not respond. */
  note: string;
}

export interface Venue {
  name: string;
  market: string;
  on: boolean;
  /** Seconds since its newest data; infinite if there was none. */
  age: number;
  state: FeedStatus;
  /** Open interest, base coin. */
  oi: number;
  /** Share of the open interest of all venues. */
  share: number;
}

/** Weights fitted on another market; `until` is exclusive. */
export interface Pretrained {
  market: string;
  since: number;
  until: number;
  /** Effective number of liquidations. */
  reports: number;
}

export interface Fit {
  version: number;
  /** Time of the last fit, or null before the first. */
  at: number | null;
  /** Liquidations that were new to the fit. */
  newLiquidations: number;
  /** Effective number of liquidations behind the weights, over the selected markets. */
  reports: number;
  /** Source of the weights while all selected markets rest on pretrained ones. */
  pretrained: Pretrained | null;
  /** Venues without volume data: their map is path-only. */
  pathOnly: string[];
  why: string;
}

export interface Grade {
  /** A to D: the worst of its parts. */
  letter: string;
  parts: Record<string, string>;
  why: string;
}

/** Model metadata, part of every answer. */
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
  /**
   * Whether cells are a difference of two models (see `grid/difference.ts`) rather than dollars.
   */
  difference?: boolean;
  /** Five per column: open, high, low, close, volume; NaN without data. */
  ohlc: Float32Array;
  /** Columns [first, last) without any data, and those without some venues. */
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
  notional: number;
  /** Signed fraction from the mark to the nearest edge. */
  distance: number;
  /** The tier with the largest part. */
  tier: number;
  tiers: Record<string, number>;
  /** Seconds since it formed. */
  age: number;
  /** 80 % band of the notional, and its measured share; NaN if the model gives none. */
  low: number;
  high: number;
  measured: number;
  /** From 1 (one large position) to 0 (many small ones); null if unknown. */
  concentration: number | null;
  /** Expected fill, lowest and highest share: an assumption. */
  expectedFill: [number, number] | null;
}

export interface Levels {
  coin: string;
  asOf: number;
  mark: number;
  price: number;
  p0: number;
  dp: number;
  rows: number;
  /** Dollars per row, aligned to the rows of the heatmap. */
  long: Float32Array;
  short: Float32Array;
  tiers: Record<string, Totals>;
  clusters: Cluster[];
  /**
   * Range in which clusters are searched, as a fraction of the price, and the dollars within it.
   */
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
  /** 80 % band by side, if any. */
  bands: Partial<Record<Side, [number, number]>>;
}

export interface Cumulative {
  /** Signed fractions of the mark, ascending. */
  distance: Float64Array;
  /** Dollars between the mark and there. */
  notional: Float64Array;
  /** 80 % band; empty if there is none. */
  low: Float64Array;
  high: Float64Array;
}

export interface VenueShare extends Totals {
  name: string;
  oi: number;
  share: number;
  /** Dollars per row, both sides. */
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
  /** ln of the bottom edge of row 0 of the stream. */
  p0: number;
  /** Floor of the money scale of its cells, dollars. */
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
  /** Complete column sent to a client that may have missed some. */
  resync: boolean;
}

export interface Status extends Trust {
  kind: 'status';
  /** Sequence number if the message is counted in the stream, else null. */
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
