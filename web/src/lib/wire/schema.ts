// Generated from the server's records: run `make types`.
import { record, type Schema } from './check';

/** Where weights were learned that a market did not learn itself. */
export interface Pretrained {
  /** Market they were learned on, in words. */
  market: string;
  /** Start of the data, µs UTC. */
  since: number;
  /** End of the data, µs UTC, exclusive. */
  until: number;
  /** Effective number of liquidations learned from. */
  reports: number;
  /** Version of the model they belong to. */
  version: number;
}
export const Pretrained: Schema<Pretrained> = record({
  market: 's',
  since: 'n',
  until: 'n',
  reports: 'n',
  version: 'n',
});

/** What the weights of a map rest on. */
export interface Fit {
  /** Version of the model. */
  version: number;
  /** Time of the last fit, µs UTC; null before the first. */
  at: number | null;
  /** Number of liquidations that were new to it. */
  newLiquidations: number;
  /** Why the weights were fitted, in words. */
  why: string;
  /** Number of markets that have been fitted. */
  markets: number;
  /** Effective number of liquidations learned from, over the chosen markets. */
  reports: number;
  /** Where the weights come from while all chosen markets rest on pretrained ones. */
  pretrained: Pretrained | null;
  /** Venues of which no volume is known: their map is of the path alone. */
  pathOnly: string[];
}
export const Fit: Schema<Fit> = record({
  version: 'n',
  at: { maybe: 'n' },
  new_liquidations: 'n',
  why: 's',
  markets: 'n',
  reports: 'n',
  pretrained: { maybe: Pretrained },
  path_only: ['s'],
});

/** A letter, what each of the four gave, and why in words. */
export interface Grade {
  /** The worst of its parts. */
  letter: 'A' | 'B' | 'C' | 'D';
  /** Letters of interest, coverage, feed and fit. */
  parts: Record<string, 'A' | 'B' | 'C' | 'D'>;
  /** What keeps it from A, in words; empty for A. */
  why: string;
}
export const Grade: Schema<Grade> = record({
  letter: '|A|B|C|D',
  parts: { each: '|A|B|C|D' },
  why: 's',
});

/** One venue of a coin. */
export interface VenueStatus {
  /** Name of the venue. */
  name: string;
  /** Its market, as venue:SYMBOL. */
  market: string;
  /** Whether it was asked for. */
  on: boolean;
  /** Seconds since its newest data; null where there is none. */
  age: number | null;
  /** State of its feed; joining while its history is requested or played. */
  state: 'down' | 'joining' | 'stale' | 'up';
  /** Open interest, base coin; 0 where it is not known, null of the past. */
  oi: number | null;
  /** Fraction of the open interest of all venues; null of the past. */
  share: number | null;
}
export const VenueStatus: Schema<VenueStatus> = record({
  name: 's',
  market: 's',
  on: 'b',
  age: { maybe: 'n' },
  state: '|down|joining|stale|up',
  oi: { maybe: 'n' },
  share: { maybe: 'n' },
});

/** Of every answer about a coin. */
export const envelope = {
  coin: 's',
  source: '|live|replay|simulated',
  note: 's',
  as_of: { maybe: 'n' },
  now: 'n',
  age: { maybe: 'n' },
  model: 's',
  mode: '|calibrated|static',
  prior_only: { maybe: 'b' },
  fit: { maybe: Fit },
  grade: { maybe: Grade },
  coverage: 'n',
  price: { maybe: 'n' },
  mark: { maybe: 'n' },
  tick: 'n',
  venues: [VenueStatus],
};

/** The time-price heatmap. */
export interface HeatmapAnswer {
  /** What this is. */
  kind: 'heatmap';
  /** The coin. */
  coin: string;
  /** Where the data comes from. */
  source: 'live' | 'replay' | 'simulated';
  /** Why the source is what it is, such as which venues did not answer. */
  note: string;
  /** Time of the map, µs UTC; null where there is none yet. */
  asOf: number | null;
  /** Time of the server, µs UTC; a replay stands at its own. */
  now: number;
  /** Seconds between both; null where there is no map yet. */
  age: number | null;
  /** What the weights rest on, in words. */
  model: string;
  /** The model asked for. */
  mode: 'calibrated' | 'static';
  /** Whether nothing has been learned yet; null of the past. */
  priorOnly: boolean | null;
  /** The last fit; null of a time before it. */
  fit: Fit | null;
  /** How good the map is; null of the past. */
  grade: Grade | null;
  /** Fraction of the chosen venues that were heard in the last 10 seconds. */
  coverage: number;
  /** Price of the last trade, quote currency; of the past the close of its column. */
  price: number | null;
  /** Mark price of the leading market, quote currency. */
  mark: number | null;
  /** Step of price worth showing, quote currency. */
  tick: number;
  /** One object per venue. */
  venues: VenueStatus[];
  /** Name of the stream; empty where nothing is streamed. */
  stream: string;
  /** Sequence number of its last message that the answer contains. */
  seq: number;
  /** Layout of `cells` in MessagePack, absent in JSON: row by row, shape (rows, cols) or (5, rows, cols), as differences along time modulo 256, the first column from 0. */
  coding?: 'rows-delta';
  /** Natural log of the price at the lower edge of row 0. */
  p0: number;
  /** Height of a row in natural log of price. */
  dp: number;
  /** Number of rows. */
  rows: number;
  /** Name of the span shown. */
  span: string;
  /** Start of the first column, µs UTC. */
  t0: number;
  /** Width of a column, µs. */
  step: number;
  /** Number of columns. */
  cols: number;
  /** Dollars of byte 1; 0 means less. Byte v > 0 is vmin * (vmax / vmin) ** ((v - 1) / 254). */
  vmin: number;
  /** Dollars of byte 255. */
  vmax: number;
  /** Bytes of dollars by shape (cols, rows), row 0 lowest; (5, cols, rows) where planes are asked for by tier. In MessagePack in the layout of `coding`. */
  cells: Uint8Array;
  /** Price by shape (cols, 5): open, high, low, close, and volume in base coin; null where nothing traded. */
  ohlc: Float32Array;
  /** Index of columns [first, last) in which nothing was known. */
  gaps: [number, number][];
  /** Index of columns [first, last) in which some of the venues were missing. */
  partial: [number, number][];
  /** Names of the tiers: effective leverage, a number. */
  tiers: number[];
  /** Names of the spans that have data. */
  spans: string[];
}
export const HeatmapAnswer: Schema<HeatmapAnswer> = record({
  ...envelope,
  kind: '|heatmap',
  stream: 's',
  seq: 'n',
  'coding?': '|rows-delta',
  p0: 'n',
  dp: 'n',
  rows: 'n',
  span: 's',
  t0: 'n',
  step: 'n',
  cols: 'n',
  vmin: 'n',
  vmax: 'n',
  cells: 'uint8',
  ohlc: 'float32',
  gaps: [['n', 'n']],
  partial: [['n', 'n']],
  tiers: ['n'],
  spans: ['s'],
});

/** An amount of each side. */
export interface Sides {
  /** Dollars of longs. */
  long: number;
  /** Dollars of shorts. */
  short: number;
}
export const Sides: Schema<Sides> = record({
  long: 'n',
  short: 'n',
});

/** Contiguous prices that hold at least 1.5 times their ground. */
export interface Cluster {
  /** Whose positions. */
  side: 'long' | 'short';
  /** Lowest price, quote currency. */
  floor: number;
  /** Highest price, quote currency. */
  top: number;
  /** Price of the densest bin, quote currency. */
  peak: number;
  /** Dollars inside. */
  notional: number;
  /** Of them, what its surroundings alone would hold there: dollars, at most notional / 1.5. */
  ground: number;
  /** Signed fraction of the mark from it to the nearest edge; negative below. */
  distance: number;
  /** The tier, effective leverage as a number, that holds most of the notional. */
  tier: number;
  /** Dollars by tier. */
  tiers: Record<string, number>;
  /** Seconds for which its peak has held at least half of what it holds now; null: unknown. */
  age: number | null;
  /** Herfindahl-Hirschman index of its openings: 1 for a single one, near 0 for many small; null where most prints are unknown. */
  concentration: number | null;
  /** Least and most fraction of the notional expected to fill: an assumption of ours. */
  expectedFill: [number, number];
  /** Low end of the 80 % band of the notional, dollars; null of the past. */
  low: number | null;
  /** High end of the 80 % band of the notional, dollars; null of the past. */
  high: number | null;
  /** Fraction of the notional that is measured rather than prior; null of the past. */
  measured: number | null;
}
export const Cluster: Schema<Cluster> = record({
  side: '|long|short',
  floor: 'n',
  top: 'n',
  peak: 'n',
  notional: 'n',
  ground: 'n',
  distance: 'n',
  tier: 'n',
  tiers: { each: 'n' },
  age: { maybe: 'n' },
  concentration: { maybe: 'n' },
  expected_fill: ['n', 'n'],
  low: { maybe: 'n' },
  high: { maybe: 'n' },
  measured: { maybe: 'n' },
});

/** The map at one moment by price, on the rows of a span's heatmap. */
export interface LevelsAnswer {
  /** What this is. */
  kind: 'levels';
  /** The coin. */
  coin: string;
  /** Where the data comes from. */
  source: 'live' | 'replay' | 'simulated';
  /** Why the source is what it is, such as which venues did not answer. */
  note: string;
  /** Time of the map, µs UTC; null where there is none yet. */
  asOf: number | null;
  /** Time of the server, µs UTC; a replay stands at its own. */
  now: number;
  /** Seconds between both; null where there is no map yet. */
  age: number | null;
  /** What the weights rest on, in words. */
  model: string;
  /** The model asked for. */
  mode: 'calibrated' | 'static';
  /** Whether nothing has been learned yet; null of the past. */
  priorOnly: boolean | null;
  /** The last fit; null of a time before it. */
  fit: Fit | null;
  /** How good the map is; null of the past. */
  grade: Grade | null;
  /** Fraction of the chosen venues that were heard in the last 10 seconds. */
  coverage: number;
  /** Price of the last trade, quote currency; of the past the close of its column. */
  price: number | null;
  /** Mark price of the leading market, quote currency. */
  mark: number | null;
  /** Step of price worth showing, quote currency. */
  tick: number;
  /** One object per venue. */
  venues: Record<string, Sides>;
  /** Name of the stream; empty where nothing is streamed. */
  stream: string;
  /** Sequence number of its last message that the answer contains. */
  seq: number;
  /** Natural log of the price at the lower edge of row 0. */
  p0: number;
  /** Height of a row in natural log of price. */
  dp: number;
  /** Number of rows. */
  rows: number;
  /** Dollars by row that longs would lose there, shape (rows,). */
  long: Float32Array;
  /** Dollars by row that shorts would lose there, shape (rows,). */
  short: Float32Array;
  /** Dollars by tier and side over all prices. */
  tiers: Record<string, Sides>;
  /** Of each side, nearest first; empty where nothing stands out of its ground. */
  clusters: Cluster[];
  /** Fraction of the mark above it within which clusters are looked for. */
  reach: number;
  /** Dollars by side within that reach, whether clusters or ground. */
  within: Sides;
  /** Low and high end of the 80 % band by side, dollars by row; empty unless asked for, of the past and of the static map. */
  bands: Record<string, [Float32Array, Float32Array]>;
  /** Fraction of each row that is measured rather than prior, shape (rows,) or (0,). */
  measured: Float32Array;
}
export const LevelsAnswer: Schema<LevelsAnswer> = record({
  ...envelope,
  kind: '|levels',
  venues: { each: Sides },
  stream: 's',
  seq: 'n',
  p0: 'n',
  dp: 'n',
  rows: 'n',
  long: 'float32',
  short: 'float32',
  tiers: { each: Sides },
  clusters: [Cluster],
  reach: 'n',
  within: Sides,
  bands: { each: ['float32', 'float32'] },
  measured: 'float32',
});

/** Long against short within reach of the mark. */
export interface BarsAnswer {
  /** What this is. */
  kind: 'bars';
  /** The coin. */
  coin: string;
  /** Where the data comes from. */
  source: 'live' | 'replay' | 'simulated';
  /** Why the source is what it is, such as which venues did not answer. */
  note: string;
  /** Time of the map, µs UTC; null where there is none yet. */
  asOf: number | null;
  /** Time of the server, µs UTC; a replay stands at its own. */
  now: number;
  /** Seconds between both; null where there is no map yet. */
  age: number | null;
  /** What the weights rest on, in words. */
  model: string;
  /** The model asked for. */
  mode: 'calibrated' | 'static';
  /** Whether nothing has been learned yet; null of the past. */
  priorOnly: boolean | null;
  /** The last fit; null of a time before it. */
  fit: Fit | null;
  /** How good the map is; null of the past. */
  grade: Grade | null;
  /** Fraction of the chosen venues that were heard in the last 10 seconds. */
  coverage: number;
  /** Price of the last trade, quote currency; of the past the close of its column. */
  price: number | null;
  /** Mark price of the leading market, quote currency. */
  mark: number | null;
  /** Step of price worth showing, quote currency. */
  tick: number;
  /** One object per venue. */
  venues: VenueStatus[];
  /** How far from the mark, as a fraction of it. */
  reach: number;
  /** Dollars that would be sold by force if price fell through. */
  long: number;
  /** Dollars that would be bought by force if price rose through. */
  short: number;
  /** Ratio of long to short; null where there are no shorts. */
  ratio: number | null;
  /** Fraction of both that is long; null where there is nothing. */
  longShare: number | null;
  /** Low and high end of the 80 % band by side, dollars; empty of the past and static map. */
  bands: Record<string, [number, number]>;
  /** Fraction by side that is measured rather than prior; empty where `bands` are. */
  measured: Record<string, number>;
}
export const BarsAnswer: Schema<BarsAnswer> = record({
  ...envelope,
  kind: '|bars',
  reach: 'n',
  long: 'n',
  short: 'n',
  ratio: { maybe: 'n' },
  long_share: { maybe: 'n' },
  bands: { each: ['n', 'n'] },
  measured: { each: 'n' },
});

/** What has been liquidated once price has moved this far. */
export interface CumulativeAnswer {
  /** What this is. */
  kind: 'cumulative';
  /** The coin. */
  coin: string;
  /** Where the data comes from. */
  source: 'live' | 'replay' | 'simulated';
  /** Why the source is what it is, such as which venues did not answer. */
  note: string;
  /** Time of the map, µs UTC; null where there is none yet. */
  asOf: number | null;
  /** Time of the server, µs UTC; a replay stands at its own. */
  now: number;
  /** Seconds between both; null where there is no map yet. */
  age: number | null;
  /** What the weights rest on, in words. */
  model: string;
  /** The model asked for. */
  mode: 'calibrated' | 'static';
  /** Whether nothing has been learned yet; null of the past. */
  priorOnly: boolean | null;
  /** The last fit; null of a time before it. */
  fit: Fit | null;
  /** How good the map is; null of the past. */
  grade: Grade | null;
  /** Fraction of the chosen venues that were heard in the last 10 seconds. */
  coverage: number;
  /** Price of the last trade, quote currency; of the past the close of its column. */
  price: number | null;
  /** Mark price of the leading market, quote currency. */
  mark: number | null;
  /** Step of price worth showing, quote currency. */
  tick: number;
  /** One object per venue. */
  venues: VenueStatus[];
  /** Signed fractions of the mark, rising, shape (n,). */
  distance: Float64Array;
  /** Dollars between the mark and there, shape (n,). */
  notional: Float64Array;
  /** Low end of the 80 % band, dollars, shape (n,), or (0,) of the past and of the static map. */
  low: Float64Array;
  /** High end of the 80 % band, dollars, of the same shape. */
  high: Float64Array;
}
export const CumulativeAnswer: Schema<CumulativeAnswer> = record({
  ...envelope,
  kind: '|cumulative',
  distance: 'float64',
  notional: 'float64',
  low: 'float64',
  high: 'float64',
});

/** One venue beside the others. */
export interface VenueShare {
  /** Name of the venue. */
  name: string;
  /** Dollars of its longs. */
  long: number;
  /** Dollars of its shorts. */
  short: number;
  /** Open interest, base coin; 0 where it is not known. */
  oi: number;
  /** Fraction of the open interest of all venues that report theirs. */
  share: number;
  /** Dollars by row, both sides, shape (rows,). */
  levels: Float32Array;
}
export const VenueShare: Schema<VenueShare> = record({
  name: 's',
  long: 'n',
  short: 'n',
  oi: 'n',
  share: 'n',
  levels: 'float32',
});

/** Per venue against aggregate, on the rows of a span's heatmap. */
export interface VenuesAnswer {
  /** What this is. */
  kind: 'venues';
  /** The coin. */
  coin: string;
  /** Where the data comes from. */
  source: 'live' | 'replay' | 'simulated';
  /** Why the source is what it is, such as which venues did not answer. */
  note: string;
  /** Time of the map, µs UTC; null where there is none yet. */
  asOf: number | null;
  /** Time of the server, µs UTC; a replay stands at its own. */
  now: number;
  /** Seconds between both; null where there is no map yet. */
  age: number | null;
  /** What the weights rest on, in words. */
  model: string;
  /** The model asked for. */
  mode: 'calibrated' | 'static';
  /** Whether nothing has been learned yet; null of the past. */
  priorOnly: boolean | null;
  /** The last fit; null of a time before it. */
  fit: Fit | null;
  /** How good the map is; null of the past. */
  grade: Grade | null;
  /** Fraction of the chosen venues that were heard in the last 10 seconds. */
  coverage: number;
  /** Price of the last trade, quote currency; of the past the close of its column. */
  price: number | null;
  /** Mark price of the leading market, quote currency. */
  mark: number | null;
  /** Step of price worth showing, quote currency. */
  tick: number;
  /** One object per venue. */
  venues: VenueShare[];
  /** Name of the stream; empty where nothing is streamed. */
  stream: string;
  /** Sequence number of its last message that the answer contains. */
  seq: number;
  /** Natural log of the price at the lower edge of row 0. */
  p0: number;
  /** Height of a row in natural log of price. */
  dp: number;
  /** Number of rows. */
  rows: number;
}
export const VenuesAnswer: Schema<VenuesAnswer> = record({
  ...envelope,
  kind: '|venues',
  venues: [VenueShare],
  stream: 's',
  seq: 'n',
  p0: 'n',
  dp: 'n',
  rows: 'n',
});

/** What stands at one price. */
export interface CellAnswer {
  /** What this is. */
  kind: 'cell';
  /** The coin. */
  coin: string;
  /** Where the data comes from. */
  source: 'live' | 'replay' | 'simulated';
  /** Why the source is what it is, such as which venues did not answer. */
  note: string;
  /** Time of the map, µs UTC; null where there is none yet. */
  asOf: number | null;
  /** Time of the server, µs UTC; a replay stands at its own. */
  now: number;
  /** Seconds between both; null where there is no map yet. */
  age: number | null;
  /** What the weights rest on, in words. */
  model: string;
  /** The model asked for. */
  mode: 'calibrated' | 'static';
  /** Whether nothing has been learned yet; null of the past. */
  priorOnly: boolean | null;
  /** The last fit; null of a time before it. */
  fit: Fit | null;
  /** How good the map is; null of the past. */
  grade: Grade | null;
  /** Fraction of the chosen venues that were heard in the last 10 seconds. */
  coverage: number;
  /** Price of the last trade, quote currency; of the past the close of its column. */
  price: number;
  /** Mark price of the leading market, quote currency. */
  mark: number | null;
  /** Step of price worth showing, quote currency. */
  tick: number;
  /** One object per venue. */
  venues: VenueStatus[];
  /** Fraction of the mark between it and the price, signed; null where there is no mark. */
  distance: number | null;
  /** False for the past, which is kept within 2.3 %. */
  exact: boolean;
  /** Dollars by venue and tier, in the 5 bp that hold the price. */
  dollars: Record<string, Record<string, number>>;
  /** Dollars within 0.1 % of it. */
  near: number;
}
export const CellAnswer: Schema<CellAnswer> = record({
  ...envelope,
  kind: '|cell',
  price: 'n',
  distance: { maybe: 'n' },
  exact: 'b',
  dollars: { each: { each: 'n' } },
  near: 'n',
});

/** The coins served, and where their data comes from. */
export interface Coins {
  /** Names of the coins. */
  coins: string[];
  /** Where the data comes from. */
  source: 'live' | 'replay' | 'simulated';
  /** Whether every coin has its history. */
  ready: boolean;
  /** Current step of the start; empty once ready. */
  progress: string;
  /** Why the source is what it is. */
  note: string;
  /** Version of the program. */
  version: string;
}
export const Coins: Schema<Coins> = record({
  coins: ['s'],
  source: '|live|replay|simulated',
  ready: 'b',
  progress: 's',
  note: 's',
  version: 's',
});

/** One coin. */
export interface CoinProgress {
  /** The coin. */
  coin: string;
  /** What is known of it: nothing, a price, a map, or all. */
  state: 'map' | 'price' | 'ready' | 'waiting';
  /** Fraction of its start that is done. */
  share: number;
  /** Seconds left; null while unknown. */
  left: number | null;
}
export const CoinProgress: Schema<CoinProgress> = record({
  coin: 's',
  state: '|map|price|ready|waiting',
  share: 'n',
  left: { maybe: 'n' },
});

/** State of each stream of a market; none where the venue has no such stream. */
export interface MarketStreams {
  /** Trades. */
  trades: 'down' | 'none' | 'up' | 'waiting';
  /** Order book. */
  book: 'down' | 'none' | 'up' | 'waiting';
  /** Open interest. */
  interest: 'down' | 'none' | 'up' | 'waiting';
  /** Funding. */
  funding: 'down' | 'none' | 'up' | 'waiting';
  /** Liquidations. */
  liquidations: 'down' | 'none' | 'up' | 'waiting';
}
export const MarketStreams: Schema<MarketStreams> = record({
  trades: '|down|none|up|waiting',
  book: '|down|none|up|waiting',
  interest: '|down|none|up|waiting',
  funding: '|down|none|up|waiting',
  liquidations: '|down|none|up|waiting',
});

/** One market. */
export interface MarketProgress {
  /** Its coin. */
  coin: string;
  /** The market, as venue:SYMBOL. */
  market: string;
  /** Its venue. */
  venue: string;
  /** What is being done. */
  state: 'asking' | 'failed' | 'fetching' | 'playing' | 'ready' | 'refused' | 'waiting';
  /** Number of requests for its history. */
  requests: number;
  /** Number of them answered. */
  answered: number;
  /** Fraction of its start that is done. */
  share: number;
  /** Seconds left; null while unknown. */
  left: number | null;
  /** What failed; empty where nothing did. */
  problem: string;
  /** What is tried next after a failure. */
  next: string;
  /** Number of attempts so far. */
  tries: number;
  /** State of its streams. */
  streams: MarketStreams;
}
export const MarketProgress: Schema<MarketProgress> = record({
  coin: 's',
  market: 's',
  venue: 's',
  state: '|asking|failed|fetching|playing|ready|refused|waiting',
  requests: 'n',
  answered: 'n',
  share: 'n',
  left: { maybe: 'n' },
  problem: 's',
  next: 's',
  tries: 'n',
  streams: MarketStreams,
});

/** What the start is doing, and how far it has come. */
export interface Progress {
  /** What this is. */
  kind: 'starting';
  /** Whether every coin has its history. */
  ready: boolean;
  /** Where the data comes from. */
  source: 'live' | 'replay' | 'simulated';
  /** Why the source is what it is. */
  note: string;
  /** Time of the start, µs UTC. */
  since: number;
  /** Time of the server, µs UTC. */
  now: number;
  /** Seconds the whole start took; null before its end. */
  took: number | null;
  /** Current step, in words. */
  doing: string;
  /** Fraction of the start that is done. */
  share: number;
  /** Seconds left; null while unknown. */
  left: number | null;
  /** One object per coin. */
  coins: CoinProgress[];
  /** One object per market. */
  markets: MarketProgress[];
}
export const Progress: Schema<Progress> = record({
  kind: '|starting',
  ready: 'b',
  source: '|live|replay|simulated',
  note: 's',
  since: 'n',
  now: 'n',
  took: { maybe: 'n' },
  doing: 's',
  share: 'n',
  left: { maybe: 'n' },
  coins: [CoinProgress],
  markets: [MarketProgress],
});

/** The first message: which rows and scale the columns use. */
export interface Hello {
  /** What this is. */
  kind: 'hello';
  /** Name of the stream. */
  stream: string;
  /** Sequence number, one more than that of the message before. */
  seq: number;
  /** Natural log of the price at the lower edge of row 0. */
  p0: number;
  /** Dollars of byte 1. */
  vmin: number;
  /** Time of the server, µs UTC. */
  now: number;
  /** Where the data comes from. */
  source: 'live' | 'replay' | 'simulated';
}
export const Hello: Schema<Hello> = record({
  kind: '|hello',
  stream: 's',
  seq: 'n',
  p0: 'n',
  vmin: 'n',
  now: 'n',
  source: '|live|replay|simulated',
});

/** The newest column, or what has changed of it. */
export interface Column {
  /** What this is. */
  kind: 'column';
  /** Name of the stream. */
  stream: string;
  /** Sequence number, one more than that of the message before. */
  seq: number;
  /** Start of the column, µs UTC. */
  t: number;
  /** Open, high, low and close price, and volume in base coin; null where nothing traded. */
  k: (number | null)[];
  /** Whether `v` holds all rows. */
  full: boolean;
  /** Time of the map, µs UTC. */
  asOf: number;
  /** Index of the rows in `v`; empty where it holds all. */
  r: Uint16Array;
  /** Bytes of dollars by row, on the scale of the heatmap. */
  v: Uint8Array;
  /** True where messages may have been missed, else absent: the column is complete, and `seq` is that of the last message. */
  resync?: boolean;
}
export const Column: Schema<Column> = record({
  kind: '|column',
  stream: 's',
  seq: 'n',
  t: 'n',
  k: [{ maybe: 'n' }],
  full: 'b',
  as_of: 'n',
  r: 'uint16',
  v: 'uint8',
  'resync?': 'b',
});

/** Rows or scale have changed: the heatmap must be fetched again. */
export interface Rebase {
  /** What this is. */
  kind: 'rebase';
  /** Name of the stream. */
  stream: string;
  /** Sequence number, one more than that of the message before. */
  seq: number;
}
export const Rebase: Schema<Rebase> = record({
  kind: '|rebase',
  stream: 's',
  seq: 'n',
});

/** What the map rests on, every two seconds. */
export interface Status {
  /** What this is. */
  kind: 'status';
  /** Name of the stream. */
  stream: string;
  /** Sequence number, one more than that of the message before. */
  seq: number;
  /** Time of the server, µs UTC. */
  now: number;
  /** Where the data comes from. */
  source: 'live' | 'replay' | 'simulated';
  /** Why the source is what it is. */
  note: string;
  /** Fraction of the chosen venues that were heard in the last 10 seconds. */
  coverage: number;
  /** One object per venue. */
  venues: VenueStatus[];
  /** What the weights rest on, in words. */
  model: string;
  /** Whether nothing has been learned yet. */
  priorOnly: boolean | null;
  /** The last fit. */
  fit: Fit | null;
  /** How good the map is. */
  grade: Grade | null;
  /** Number of events so far. */
  events: number;
}
export const Status: Schema<Status> = record({
  kind: '|status',
  stream: 's',
  seq: 'n',
  now: 'n',
  source: '|live|replay|simulated',
  note: 's',
  coverage: 'n',
  venues: [VenueStatus],
  model: 's',
  prior_only: { maybe: 'b' },
  fit: { maybe: Fit },
  grade: { maybe: Grade },
  events: 'n',
});
