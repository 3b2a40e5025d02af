// Generated from the server's records: run `make types`.
import { record, type Schema } from './check';
import { envelope, Fit, Grade, Pretrained, Sides, VenueStatus } from './schema';

/** A stretch of price, over the span. */
export interface Zone {
  /** Whose positions. */
  side: 'long' | 'short';
  /** Lowest price, quote currency. */
  floor: number;
  /** Highest price, quote currency. */
  top: number;
  /** Price of its densest row, quote currency. */
  peak: number;
  /** Dollars inside on average. */
  mean: number;
  /** Dollars inside on average, times the hours that were drawn. */
  dollarHours: number;
  /** Dollars inside at the end less those at the start. */
  change: number;
  /** Signed fraction of the mark from it to the nearest edge. */
  distance: number;
}
export const Zone: Schema<Zone> = record({
  side: '|long|short',
  floor: 'n',
  top: 'n',
  peak: 'n',
  mean: 'n',
  dollar_hours: 'n',
  change: 'n',
  distance: 'n',
});

/** The map over a span, by price, on the rows of its heatmap. */
export interface AccumulatedAnswer {
  /** What this is. */
  kind: 'accumulated';
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
  /** Natural log of the price at the lower edge of row 0. */
  p0: number;
  /** Height of a row in natural log of price. */
  dp: number;
  /** Number of rows. */
  rows: number;
  /** Name of the span. */
  span: string;
  /** Start of the first column, µs UTC. */
  t0: number;
  /** Width of a column, µs. */
  step: number;
  /** Number of columns. */
  cols: number;
  /** Number of columns that were drawn; the mean is over them. */
  drawn: number;
  /** Mean dollars of longs by row, shape (rows,). */
  long: Float32Array;
  /** Mean dollars of shorts by row, shape (rows,). */
  short: Float32Array;
  /** Dollars of longs by row in the last column drawn less those in the first, shape (rows,). */
  changeLong: Float32Array;
  /** Dollars of shorts by row in the last column drawn less those in the first, shape (rows,). */
  changeShort: Float32Array;
  /** Of each side those that held most, most first. */
  zones: Zone[];
}
export const AccumulatedAnswer: Schema<AccumulatedAnswer> = record({
  ...envelope,
  kind: '|accumulated',
  stream: 's',
  seq: 'n',
  p0: 'n',
  dp: 'n',
  rows: 'n',
  span: 's',
  t0: 'n',
  step: 'n',
  cols: 'n',
  drawn: 'n',
  long: 'float32',
  short: 'float32',
  change_long: 'float32',
  change_short: 'float32',
  zones: [Zone],
});

/** How often the 80 % band held what was liquidated. */
export interface BandCoverage {
  /** Fraction of hours and sides inside their band; null where there are none. */
  value: number | null;
  /** Number of hours and sides. */
  n: number;
}
export const BandCoverage: Schema<BandCoverage> = record({
  value: { maybe: 'n' },
  n: 'n',
});

/** One book of the ladder. */
export interface BookState {
  /** Venue and symbol, such as ``binance:BTCUSDT``. */
  market: string;
  /** Whether it is exact, has not begun, or has lost changes and is requested again. */
  state: 'gap' | 'live' | 'waiting';
  /** Seconds since its last change; null before the first. */
  age: number | null;
  /** Best ask less best bid, quote currency; null where a side is empty. */
  spread: number | null;
}
export const BookState: Schema<BookState> = record({
  market: 's',
  state: '|gap|live|waiting',
  age: { maybe: 'n' },
  spread: { maybe: 'n' },
});

/** One channel of one market. */
export interface ChannelHealth {
  /** The market, as venue:SYMBOL. */
  market: string;
  /** What it carries. */
  channel: 'book' | 'clock' | 'funding' | 'instruments' | 'liquidations' | 'mark' | 'oi' | 'ratio' | 'trades';
  /** Number of events so far. */
  count: number;
  /** Events per second over the last minute. */
  rate: number;
  /** Seconds from the venue's time of the last event to ours. */
  lag: number;
  /** Seconds since the last event; null where there was none. */
  age: number | null;
  /** Seconds between two events at most while all is well; 0 where they are irregular. */
  expectedInterval: number;
  /** Whether its link is up, and whether it has been silent for twice the expected interval. */
  state: 'down' | 'stale' | 'up' | 'waiting';
}
export const ChannelHealth: Schema<ChannelHealth> = record({
  market: 's',
  channel: '|book|clock|funding|instruments|liquidations|mark|oi|ratio|trades',
  count: 'n',
  rate: 'n',
  lag: 'n',
  age: { maybe: 'n' },
  expected_interval: 'n',
  state: '|down|stale|up|waiting',
});

/** Counts of events so far. */
export interface Counts {
  /** Number of events. */
  events: number;
  /** Number of trades. */
  trades: number;
  /** Number of bars. */
  bars: number;
  /** Number of liquidations. */
  liquidations: number;
  /** Number of gaps. */
  gaps: number;
  /** Number of bars whose volume was assumed. */
  assumed: number;
}
export const Counts: Schema<Counts> = record({
  events: 'n',
  trades: 'n',
  bars: 'n',
  liquidations: 'n',
  gaps: 'n',
  assumed: 'n',
});

/** One coin's envelope, and what it has counted. */
export interface CoinHealth {
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
  /** Events so far. */
  counts: Counts;
}
export const CoinHealth: Schema<CoinHealth> = record({
  ...envelope,
  counts: Counts,
});

/** An amount of each model. */
export interface ModelTotals {
  /** Dollars of the calibrated map. */
  calibrated: number;
  /** Dollars of the static map. */
  static: number;
}
export const ModelTotals: Schema<ModelTotals> = record({
  calibrated: 'n',
  static: 'n',
});

/** The map now under two models, on the rows of a span's heatmap. */
export interface ComparisonAnswer {
  /** What this is. */
  kind: 'compare';
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
  /** Natural log of the price at the lower edge of row 0. */
  p0: number;
  /** Height of a row in natural log of price. */
  dp: number;
  /** Number of rows. */
  rows: number;
  /** Dollars by row of the calibrated map, both sides, shape (rows,). */
  ours: Float32Array;
  /** Dollars by row of the static map: each trade at 100x, 50x, 25x and 10x, never closed, its scale learned. */
  theirs: Float32Array;
  /** Dollars of each within 10 % of the mark. */
  totals: ModelTotals;
  /** Fraction the two have in common within 10 %, both scaled to one; null where one is empty. */
  overlap: number | null;
  /** Earth mover's distance within 10 %, % of price; null where one is empty. */
  distance: number | null;
  /** What makes them differ, a sentence each. */
  why: string[];
}
export const ComparisonAnswer: Schema<ComparisonAnswer> = record({
  ...envelope,
  kind: '|compare',
  stream: 's',
  seq: 'n',
  p0: 'n',
  dp: 'n',
  rows: 'n',
  ours: 'float32',
  theirs: 'float32',
  totals: ModelTotals,
  overlap: { maybe: 'n' },
  distance: { maybe: 'n' },
  why: ['s'],
});

/** How positioning stands against its last 90 days. */
export interface Crowd {
  /** Fraction of notional in 8 hours, weighted by open interest; null where not known. */
  funding: number | null;
  /** Its percentile, 0 to 100; null where not known. */
  fundingPercentile: number | null;
  /** Mark over index less 1, a fraction, weighted by open interest; null where not known. */
  basis: number | null;
  /** Its percentile, 0 to 100; null where not known. */
  basisPercentile: number | null;
  /** Long shares as published, fractions: of accounts, of top accounts, of their positions. */
  shares: Record<string, number>;
  /** Mean percentile of what is known, 0 to 100; null with fewer than three inputs. */
  index: number | null;
  /** Percentile of each input that is known. */
  inputs: Record<string, number>;
  /** Number of hours with a funding rate, of the last 90 days. */
  hours: number;
  /** Time of the newest funding rate, µs UTC; null before any. */
  fundingAt: number | null;
}
export const Crowd: Schema<Crowd> = record({
  funding: { maybe: 'n' },
  funding_percentile: { maybe: 'n' },
  basis: { maybe: 'n' },
  basis_percentile: { maybe: 'n' },
  shares: { each: 'n' },
  index: { maybe: 'n' },
  inputs: { each: 'n' },
  hours: 'n',
  funding_at: { maybe: 'n' },
});

/** Volume bought by takers less volume sold, of one kind of market. */
export interface DeltaSeries {
  /** Perpetuals or spot. */
  kind: 'perp' | 'spot';
  /** Venue and symbol of those that are summed. */
  markets: string[];
  /** Quote currency by minute. */
  delta: Float32Array;
  /** Its running sum from the first minute shown, quote currency. */
  cvd: Float64Array;
  /** Time of the first print, µs UTC: before it nothing is known; null before any. */
  since: number | null;
}
export const DeltaSeries: Schema<DeltaSeries> = record({
  kind: '|perp|spot',
  markets: ['s'],
  delta: 'float32',
  cvd: 'float64',
  since: { maybe: 'n' },
});

/** Notional resting within a distance of each book's own mid. */
export interface DepthWithin {
  /** Fraction of the mid. */
  distance: number;
  /** Notional of bids, quote currency. */
  bids: number;
  /** Notional of asks, quote currency. */
  asks: number;
  /** Whether all books reach so far on both sides; else the notional is a lower bound. */
  complete: boolean;
}
export const DepthWithin: Schema<DepthWithin> = record({
  distance: 'n',
  bids: 'n',
  asks: 'n',
  complete: 'b',
});

/** Mean Poisson deviance of an hour and side over the mean volume; 0 is perfect. */
export interface Deviances {
  /** Ratio for our map; null where nothing was reported. */
  ours: number | null;
  /** Ratio for the map of the path alone; null where it is not known for every hour. */
  pathOnly: number | null;
  /** Ratio for no map; null where it is not known for every hour. */
  noMap: number | null;
  /** Ratio for the static map; null where it is not known for every hour. */
  static: number | null;
}
export const Deviances: Schema<Deviances> = record({
  ours: { maybe: 'n' },
  path_only: { maybe: 'n' },
  no_map: { maybe: 'n' },
  static: { maybe: 'n' },
});

/** Why a request was refused. */
export interface ErrorAnswer {
  /** What was expected, and what was found. */
  error: string;
}
export const ErrorAnswer: Schema<ErrorAnswer> = record({
  error: 's',
});

/** One venue's clock, request budget and completeness. */
export interface VenueHealth {
  /** Seconds by which the venue's clock is ahead of ours; null until known. */
  skew: number | null;
  /** Seconds that an event takes from there to here; null until known. */
  delay: number | null;
  /** Number of request weights used in the window. */
  weightUsed: number;
  /** Number of request weights allowed in the window. */
  weightLimit: number;
  /** Length of the window, seconds. */
  window: number;
  /** How much of its liquidations the venue reports. */
  liquidations: 'all' | 'none' | 'sample';
  /** Number of messages left out, by reason. */
  skipped: Record<string, number>;
}
export const VenueHealth: Schema<VenueHealth> = record({
  skew: { maybe: 'n' },
  delay: { maybe: 'n' },
  weight_used: 'n',
  weight_limit: 'n',
  window: 'n',
  liquidations: '|all|none|sample',
  skipped: { each: 'n' },
});

/** How late the event loop was. */
export interface LoopLag {
  /** Greatest lag of the last minute, seconds. */
  recent: number;
  /** Greatest lag since the start, seconds. */
  worst: number;
}
export const LoopLag: Schema<LoopLag> = record({
  recent: 'n',
  worst: 'n',
});

/** State of everything that is collected. */
export interface FeedHealth {
  /** Time of this report, µs UTC. */
  at: number;
  /** State of each market's link. */
  markets: Record<string, 'down' | 'stale' | 'up'>;
  /** State of each channel. */
  channels: ChannelHealth[];
  /** State of each venue. */
  venues: Record<string, VenueHealth>;
  /** Number of incidents by venue and kind. */
  incidents: Record<string, Record<string, number>>;
  /** What is wrong, in words, by venue or component. */
  problems: Record<string, string>;
  /** Number of messages that could not be read. */
  unreadFrames: number;
  /** Number of messages that could not be read, by venue. */
  unread: Record<string, number>;
  /** Why the last of them could not be read. */
  lastUnread: string;
  /** Hosts used instead of a venue's own. */
  hosts: Record<string, string>;
  /** Of the event loop. */
  lag: LoopLag;
  /** Number of messages received and not yet applied. */
  waitingFrames: number;
  /** Number of messages stored. */
  recordedFrames: number;
  /** Whether messages are being stored. */
  recording: boolean;
}
export const FeedHealth: Schema<FeedHealth> = record({
  at: 'n',
  markets: { each: '|down|stale|up' },
  channels: [ChannelHealth],
  venues: { each: VenueHealth },
  incidents: { each: { each: 'n' } },
  problems: { each: 's' },
  unread_frames: 'n',
  unread: { each: 'n' },
  last_unread: 's',
  hosts: { each: 's' },
  lag: LoopLag,
  waiting_frames: 'n',
  recorded_frames: 'n',
  recording: 'b',
});

/** CVD of one market. */
export interface MarketSeries {
  /** Venue and symbol. */
  market: string;
  /** Perpetual or spot. */
  kind: 'perp' | 'spot';
  /** Quote currency by minute, from the first minute shown. */
  cvd: Float64Array;
}
export const MarketSeries: Schema<MarketSeries> = record({
  market: 's',
  kind: '|perp|spot',
  cvd: 'float64',
});

/** Order flow by minute, and in figures. */
export interface FlowSeriesAnswer {
  /** What this is. */
  kind: 'flow';
  /** The coin. */
  coin: string;
  /** Where the data comes from. */
  source: 'live' | 'replay' | 'simulated';
  /** Why the source is what it is, such as which venues did not answer. */
  note: string;
  /** Time of the newest event, µs UTC. */
  asOf: number;
  /** Time of the server, µs UTC; a replay stands at its own. */
  now: number;
  /** Price of the last trade of the leading market, quote currency; null before any. */
  price: number | null;
  /** Sequence number on the stream, one more than that of the message before; 0 elsewhere. */
  seq: number;
  /** Start of the first minute, µs UTC. */
  t0: number;
  /** Length of a column, µs. */
  step: number;
  /** Number of columns. */
  cols: number;
  /** Perpetuals and spot apart; kinds without a market are left out. */
  delta: DeltaSeries[];
  /** CVD of each market. */
  byMarket: MarketSeries[];
  /** Open interest at the end of each minute, base coin; null before the first reading. */
  oi: Float64Array;
  /** Funding as a fraction of notional in 8 hours, weighted by open interest; null if unknown. */
  funding: Float64Array;
  /** Mark over index less 1, a fraction; null where not known. */
  basis: Float64Array;
  /** Change of open interest in base coin over the last hour, a fraction; null if unknown. */
  oiChange: number | null;
  /** What open interest, in coins, and price did together over the last hour; null if unknown. */
  regime: 'long unwinding' | 'neutral' | 'new positions, price down' | 'new positions, price up' | 'short covering' | null;
  /** Bought less sold as a fraction of both, last five minutes, -1 to 1; null: nothing traded. */
  imbalance: number | null;
  /** Whether price made a new 20-minute high that CVD of perpetuals did not. */
  divergenceHigh: boolean;
  /** Whether price made a new 20-minute low that CVD of perpetuals did not. */
  divergenceLow: boolean;
  /** Funding, basis and long shares against their past. */
  crowd: Crowd;
}
export const FlowSeriesAnswer: Schema<FlowSeriesAnswer> = record({
  kind: '|flow',
  coin: 's',
  source: '|live|replay|simulated',
  note: 's',
  as_of: 'n',
  now: 'n',
  price: { maybe: 'n' },
  seq: 'n',
  t0: 'n',
  step: 'n',
  cols: 'n',
  delta: [DeltaSeries],
  by_market: [MarketSeries],
  oi: 'float64',
  funding: 'float64',
  basis: 'float64',
  oi_change: { maybe: 'n' },
  regime: { maybe: '|long unwinding|neutral|new positions, price down|new positions, price up|short covering' },
  imbalance: { maybe: 'n' },
  divergence_high: 'b',
  divergence_low: 'b',
  crowd: Crowd,
});

/** State of the server, of its coins and of the feed. */
export interface Health {
  /** Where the data comes from. */
  source: 'live' | 'replay' | 'simulated';
  /** Why the source is what it is. */
  note: string;
  /** Whether every coin has its history. */
  ready: boolean;
  /** State of each coin. */
  coins: Record<string, CoinHealth>;
  /** State of the feed; null where nothing is collected. */
  feed: FeedHealth | null;
}
export const Health: Schema<Health> = record({
  source: '|live|replay|simulated',
  note: 's',
  ready: 'b',
  coins: { each: CoinHealth },
  feed: { maybe: FeedHealth },
});

/** How far price went within an hour. */
export interface Move {
  /** Start, µs UTC. */
  at: number;
  /** Price at the start, quote currency. */
  start: number;
  /** Price at the end, quote currency. */
  end: number;
  /** Change of price, a fraction of the start. */
  change: number;
  /** Lowest price, quote currency. */
  low: number;
  /** Highest price, quote currency. */
  high: number;
}
export const Move: Schema<Move> = record({
  at: 'n',
  start: 'n',
  end: 'n',
  change: 'n',
  low: 'n',
  high: 'n',
});

/** The range of `at`, and the largest moves in it. */
export interface HistoryAnswer {
  /** What this is. */
  kind: 'history';
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
  /** First time, µs UTC. */
  since: number;
  /** Last time, µs UTC. */
  until: number;
  /** Resolution of `at`, µs. */
  stride: number;
  /** Steps of the columns that are kept, µs. */
  steps: number[];
  /** Largest first; they do not overlap. */
  moves: Move[];
  /** True where the map of a past time is replayed; false where it is read from stored columns. */
  exact: boolean;
}
export const HistoryAnswer: Schema<HistoryAnswer> = record({
  ...envelope,
  kind: '|history',
  since: 'n',
  until: 'n',
  stride: 'n',
  steps: ['n'],
  moves: [Move],
  exact: 'b',
});

/** A wall: far more than what usually rests at its distance from the best price. */
export interface WallRow {
  /** Venue and symbol. */
  market: string;
  /** Side of the book. */
  side: 'ask' | 'bid';
  /** Its price, quote currency. */
  price: number;
  /** Size now, base coin; of one that ended its greatest. */
  size: number;
  /** Time it appeared, µs UTC. */
  since: number;
  /** Base coin taken from it. */
  traded: number;
  /** Base coin added within a second of a trade against it, as a fraction of what traded. */
  refill: number;
  /** Pulled: cancelled after price had come near. Why cannot be seen. */
  state: 'cancelled' | 'pulled' | 'standing' | 'traded';
  /** Time it ended, µs UTC; null while it stands. */
  ended: number | null;
}
export const WallRow: Schema<WallRow> = record({
  market: 's',
  side: '|ask|bid',
  price: 'n',
  size: 'n',
  since: 'n',
  traded: 'n',
  refill: 'n',
  state: '|cancelled|pulled|standing|traded',
  ended: { maybe: 'n' },
});

/** Rows of price, rising; each array has one element a row. */
export interface LadderAnswer {
  /** What this is. */
  kind: 'ladder';
  /** The coin. */
  coin: string;
  /** Where the data comes from. */
  source: 'live' | 'replay' | 'simulated';
  /** Why the source is what it is, such as which venues did not answer. */
  note: string;
  /** Time of the newest event, µs UTC. */
  asOf: number;
  /** Time of the server, µs UTC; a replay stands at its own. */
  now: number;
  /** Price of the last trade of the leading market, quote currency; null before any. */
  price: number | null;
  /** Sequence number on the stream, one more than that of the message before; 0 elsewhere. */
  seq: number;
  /** Height of a row, quote currency. */
  step: number;
  /** Number of the lowest row: its price is ``first * step``. */
  first: number;
  /** Number of rows. */
  rows: number;
  /** Price of the last trade of the leading market, quote currency. */
  last: number | null;
  /** Resting bids, base coin. */
  bid: Float32Array;
  /** Resting asks, base coin. */
  ask: Float32Array;
  /** Base coin bought by takers within the window. */
  bought: Float32Array;
  /** Base coin sold by takers within the window. */
  sold: Float32Array;
  /** Largest print within the window, base coin. */
  largest: Float32Array;
  /** Base coin added less base coin cancelled over the last minute, without what traded. */
  stacked: Float32Array;
  /** Longs that would be liquidated, estimated, dollars; empty where the map was left out. */
  fuelLong: Float32Array;
  /** Shorts that would be liquidated, estimated, dollars; empty where the map was left out. */
  fuelShort: Float32Array;
  /** The most of the last hour, dollars, at prices traded since; empty as the fuel, or unknown. */
  firedLong: Float32Array;
  /** The same of shorts, dollars; empty as the fuel, or unknown. */
  firedShort: Float32Array;
  /** Seconds over which traded volume is summed. */
  window: number;
  /** Time of the first print counted, µs UTC; null before any. */
  tradedSince: number | null;
  /** Highest bid of all books, quote currency; null without one. */
  bestBid: number | null;
  /** Lowest ask of all books, quote currency; at or below the highest bid where books cross. */
  bestAsk: number | null;
  /** Spread of the tightest book, quote currency; null without one. */
  spread: number | null;
  /** Depth within 0.1, 0.5, 1 and 2 % of the mid. */
  depth: DepthWithin[];
  /** Walls that stand, longest first, then those of the last ten minutes that ended, newest first. */
  walls: WallRow[];
  /** The books that are added up. */
  books: BookState[];
}
export const LadderAnswer: Schema<LadderAnswer> = record({
  kind: '|ladder',
  coin: 's',
  source: '|live|replay|simulated',
  note: 's',
  as_of: 'n',
  now: 'n',
  price: { maybe: 'n' },
  seq: 'n',
  step: 'n',
  first: 'n',
  rows: 'n',
  last: { maybe: 'n' },
  bid: 'float32',
  ask: 'float32',
  bought: 'float32',
  sold: 'float32',
  largest: 'float32',
  stacked: 'float32',
  fuel_long: 'float32',
  fuel_short: 'float32',
  fired_long: 'float32',
  fired_short: 'float32',
  window: 'n',
  traded_since: { maybe: 'n' },
  best_bid: { maybe: 'n' },
  best_ask: { maybe: 'n' },
  spread: { maybe: 'n' },
  depth: [DepthWithin],
  walls: [WallRow],
  books: [BookState],
});

/** Where a position is force-closed on one venue, all at the mark price. */
export interface LiquidationPrice {
  /** Name of the venue. */
  venue: string;
  /** Its symbol of the market. */
  symbol: string;
  /** Mark at which it is liquidated; none where no price does or nothing is known. */
  price: number | null;
  /** From the entry, as a signed fraction. */
  distance: number | null;
  /** Price at which its margin is lost. */
  bankruptcy: number | null;
  /** Maintenance rate at the liquidation price, a fraction of notional. */
  rate: number | null;
  /** Greatest leverage that can be set for its notional at entry, a ratio. */
  leverageLimit: number | null;
  /** Where the brackets are from. */
  source: string;
  /** Time the brackets are known to hold from, µs. */
  validFrom: number | null;
  /** Why there is no price; empty where there is one. */
  why: string;
}
export const LiquidationPrice: Schema<LiquidationPrice> = record({
  venue: 's',
  symbol: 's',
  price: { maybe: 'n' },
  distance: { maybe: 'n' },
  bankruptcy: { maybe: 'n' },
  rate: { maybe: 'n' },
  leverage_limit: { maybe: 'n' },
  source: 's',
  valid_from: { maybe: 'n' },
  why: 's',
});

/** Where a position is force-closed on each venue of a coin. */
export interface LiquidationPrices {
  /** Name of the coin. */
  coin: string;
  /** One entry a market, in the order of the venues. */
  prices: LiquidationPrice[];
}
export const LiquidationPrices: Schema<LiquidationPrices> = record({
  coin: 's',
  prices: [LiquidationPrice],
});

/** Skill over a null model, with its 95 % interval by resampling whole days. */
export interface SkillScore {
  /** Fraction: one minus our deviance over the null model's; null where nothing was reported. */
  value: number | null;
  /** Low end of the 95 % interval, a fraction; null below three days. */
  low: number | null;
  /** High end of the 95 % interval, a fraction; null below three days. */
  high: number | null;
  /** Number of hours compared. */
  n: number;
}
export const SkillScore: Schema<SkillScore> = record({
  value: { maybe: 'n' },
  low: { maybe: 'n' },
  high: { maybe: 'n' },
  n: 'n',
});

/** One of ten groups of hours and sides of like prediction. */
export interface ReliabilityGroup {
  /** Mean dollars an hour and side that were predicted. */
  predicted: number;
  /** Mean dollars an hour and side that were liquidated. */
  actual: number;
  /** Number of hours and sides. */
  n: number;
}
export const ReliabilityGroup: Schema<ReliabilityGroup> = record({
  predicted: 'n',
  actual: 'n',
  n: 'n',
});

/** How much of what is liquidated a market's feed reports. */
export interface Reporting {
  /** Fraction of liquidations reported. */
  share: number;
  /** Low end of its 80 % band, a fraction. */
  low: number;
  /** High end of its 80 % band, a fraction. */
  high: number;
  /** Whether it was measured against complete feeds. */
  measured: boolean;
  /** Whether the feed is a sample. */
  sampled: boolean;
}
export const Reporting: Schema<Reporting> = record({
  share: 'n',
  low: 'n',
  high: 'n',
  measured: 'b',
  sampled: 'b',
});

/** What stands in one tier of one side now. */
export interface TierSize {
  /** Whose positions. */
  side: 'long' | 'short';
  /** Effective leverage, a number. */
  tier: number;
  /** Base coin. */
  size: number;
  /** Low end of the 80 % band, base coin. */
  low: number;
  /** High end of the 80 % band, base coin. */
  high: number;
  /** Fraction that is measured rather than prior; null where nothing stands. */
  measured: number | null;
}
export const TierSize: Schema<TierSize> = record({
  side: '|long|short',
  tier: 'n',
  size: 'n',
  low: 'n',
  high: 'n',
  measured: { maybe: 'n' },
});

/** Scores of one market, and the model behind its map. */
export interface MarketScores {
  /** Number of hours scored. */
  hours: number;
  /** Start of the first hour, µs UTC; null where there is none. */
  since: number | null;
  /** End of the last hour, µs UTC; null where there is none. */
  until: number | null;
  /** Of our map and of each null model. */
  deviance: Deviances;
  /** Over a map of the path alone. */
  skillOverPathOnly: SkillScore;
  /** Over no map. */
  skillOverNoMap: SkillScore;
  /** Over the static map. */
  skillOverStatic: SkillScore;
  /** An edge is shown where all three intervals lie above zero. */
  verdict: 'edge shown' | 'no edge shown' | 'too few hours';
  /** Ratio of the volume predicted to the volume reported; null where nothing was reported. */
  predictedOverReported: number | null;
  /** Of the 80 % band. */
  coverage80: BandCoverage;
  /** Up to ten groups of rising prediction. */
  reliability: ReliabilityGroup[];
  /** The coin. */
  coin: string;
  /** The market, as venue:SYMBOL. */
  market: string;
  /** Its venue. */
  venue: string;
  /** Mark price, quote currency, at which `reliability` is in dollars; null where not known. */
  price: number | null;
  /** Time of the last fit, µs UTC; null before the first. */
  fitted: number | null;
  /** Number of liquidation reports that were new to the last fit. */
  newLiquidations: number;
  /** Number of liquidation reports so far. */
  events: number;
  /** Whether nothing has been learned yet. */
  priorOnly: boolean;
  /** Version of the model. */
  version: number;
  /** Name of its classes. */
  basis: string;
  /** Number of days it learns from. */
  windowDays: number;
  /** Effective number of liquidations learned from. */
  reports: number;
  /** Where its weights come from; null once it has its own. */
  pretrained: Pretrained | null;
  /** Standard deviation of the log of the model error, a ratio. */
  modelError: number;
  /** Factor of longs and of shorts that holds the map within open interest. */
  oiCapFactor: number[];
  /** How much its feed reports; null where the venue reports none. */
  reporting: Reporting | null;
  /** What stands now, by side and tier. */
  tiers: TierSize[];
}
export const MarketScores: Schema<MarketScores> = record({
  hours: 'n',
  since: { maybe: 'n' },
  until: { maybe: 'n' },
  deviance: Deviances,
  skill_over_path_only: SkillScore,
  skill_over_no_map: SkillScore,
  skill_over_static: SkillScore,
  verdict: '|edge shown|no edge shown|too few hours',
  predicted_over_reported: { maybe: 'n' },
  coverage_80: BandCoverage,
  reliability: [ReliabilityGroup],
  coin: 's',
  market: 's',
  venue: 's',
  price: { maybe: 'n' },
  fitted: { maybe: 'n' },
  new_liquidations: 'n',
  events: 'n',
  prior_only: 'b',
  version: 'n',
  basis: 's',
  window_days: 'n',
  reports: 'n',
  pretrained: { maybe: Pretrained },
  model_error: 'n',
  oi_cap_factor: ['n'],
  reporting: { maybe: Reporting },
  tiers: [TierSize],
});

/** The nearest cluster of one side. */
export interface Near {
  /** Lowest price, quote currency. */
  floor: number;
  /** Highest price, quote currency. */
  top: number;
  /** Signed fraction of the mark from it to its nearest edge. */
  distance: number;
  /** Dollars inside. */
  usd: number;
  /** Low end of the 80 % band, dollars. */
  low: number | null;
  /** High end of the 80 % band, dollars. */
  high: number | null;
}
export const Near: Schema<Near> = record({
  floor: 'n',
  top: 'n',
  distance: 'n',
  usd: 'n',
  low: { maybe: 'n' },
  high: { maybe: 'n' },
});

/** What each null model is, in words. */
export interface NullModels {
  /** The map of the path alone. */
  pathOnly: string;
  /** No map. */
  noMap: string;
  /** The static map. */
  static: string;
}
export const NullModels: Schema<NullModels> = record({
  path_only: 's',
  no_map: 's',
  static: 's',
});

/** A fraction of each side. */
export interface SideShares {
  /** Fraction of longs; null where it is not known. */
  long: number | null;
  /** Fraction of shorts; null where it is not known. */
  short: number | null;
}
export const SideShares: Schema<SideShares> = record({
  long: { maybe: 'n' },
  short: { maybe: 'n' },
});

/** Real positions by the venue's own liquidation price, on the rows of a span's heatmap. */
export interface ObservedLevelsAnswer {
  /** What this is. */
  kind: 'observed';
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
  /** Natural log of the price at the lower edge of row 0. */
  p0: number;
  /** Height of a row in natural log of price. */
  dp: number;
  /** Number of rows. */
  rows: number;
  /** Dollars by row that watched longs would lose there, shape (rows,). */
  long: Float32Array;
  /** Dollars by row that watched shorts would lose there, shape (rows,). */
  short: Float32Array;
  /** Dollars by side, of all that has a price, on these rows or beyond them. */
  dollars: Sides;
  /** Fraction by side of the open interest that is seen: the coverage. */
  share: SideShares;
  /** Seconds since the newest snapshot; null where there was none. */
  snapshotAge: number | null;
  /** Number of holders seen. */
  accounts: number;
  /** Number of positions without a liquidation price: in no row, but in the share. */
  unplaced: number;
  /** Number of positions whose price the mark has passed since: in no row either. */
  passed: number;
  /** Whose positions these are; empty where nobody is watched. */
  origin: string;
}
export const ObservedLevelsAnswer: Schema<ObservedLevelsAnswer> = record({
  ...envelope,
  kind: '|observed',
  stream: 's',
  seq: 'n',
  p0: 'n',
  dp: 'n',
  rows: 'n',
  long: 'float32',
  short: 'float32',
  dollars: Sides,
  share: SideShares,
  snapshot_age: { maybe: 'n' },
  accounts: 'n',
  unplaced: 'n',
  passed: 'n',
  origin: 's',
});

/** Volume by price, rising; each array has one element a row. */
export interface ProfileAnswer {
  /** What this is. */
  kind: 'profile';
  /** The coin. */
  coin: string;
  /** Where the data comes from. */
  source: 'live' | 'replay' | 'simulated';
  /** Why the source is what it is, such as which venues did not answer. */
  note: string;
  /** Time of the newest event, µs UTC. */
  asOf: number;
  /** Time of the server, µs UTC; a replay stands at its own. */
  now: number;
  /** Price of the last trade of the leading market, quote currency; null before any. */
  price: number | null;
  /** Sequence number on the stream, one more than that of the message before; 0 elsewhere. */
  seq: number;
  /** Height of a row, quote currency. */
  step: number;
  /** Number of the lowest row: it holds the prices from ``first * step`` up. */
  first: number;
  /** Base coin taken by buyers. */
  bought: Float32Array;
  /** Base coin taken by sellers. */
  sold: Float32Array;
  /** Price of the row with the most volume, quote currency; null where nothing traded. */
  poc: number | null;
  /** Lower edge of the value area, quote currency. */
  valueLow: number | null;
  /** Upper edge of the value area, quote currency. */
  valueHigh: number | null;
  /** Fraction of the volume inside it. */
  share: number | null;
  /** Points of control of past half hours not traded at since, quote currency, newest first. */
  naked: number[];
  /** Seconds over which volume is summed. */
  window: number;
}
export const ProfileAnswer: Schema<ProfileAnswer> = record({
  kind: '|profile',
  coin: 's',
  source: '|live|replay|simulated',
  note: 's',
  as_of: 'n',
  now: 'n',
  price: { maybe: 'n' },
  seq: 'n',
  step: 'n',
  first: 'n',
  bought: 'float32',
  sold: 'float32',
  poc: { maybe: 'n' },
  value_low: { maybe: 'n' },
  value_high: { maybe: 'n' },
  share: { maybe: 'n' },
  naked: ['n'],
  window: 'n',
});

/** How much lies in the densest tenth of the range that was within reach. */
export interface RecallShare {
  /** Fraction of all. */
  share: number;
  /** 95 % interval, fractions. */
  interval: [number, number];
  /** 95 % interval of the difference to each other map, fractions. */
  above: Record<string, [number, number]>;
}
export const RecallShare: Schema<RecallShare> = record({
  share: 'n',
  interval: ['n', 'n'],
  above: { each: ['n', 'n'] },
});

/** Recall of liquidations by one map. */
export interface RecallMap {
  /** Of the volume liquidated. */
  volume: RecallShare;
  /** Of the number of liquidations. */
  events: RecallShare;
  /** Information gain, number of bits a liquidation. */
  bits: number;
}
export const RecallMap: Schema<RecallMap> = record({
  volume: RecallShare,
  events: RecallShare,
  bits: 'n',
});

/** Recall of single liquidations by each map. */
export interface Recall {
  /** What this is. */
  kind: 'recall';
  /** The coin. */
  coin: string;
  /** Market of the bars. */
  bars: string;
  /** Market of the liquidations. */
  list: string;
  /** Fraction of price from the bankruptcy price to the liquidation price. */
  bankruptcyGap: number;
  /** First liquidation, µs UTC. */
  from: number;
  /** Last liquidation, µs UTC. */
  to: number;
  /** Number of liquidations. */
  events: number;
  /** Number of them scored. */
  scored: number;
  /** Number of them outside of the range within reach. */
  outside: number;
  /** Fraction of the volume outside of that range. */
  outsideVolume: number;
  /** Number of blocks of time resampled. */
  blocks: number;
  /** Of each map by its name. */
  maps: Record<string, RecallMap>;
}
export const Recall: Schema<Recall> = record({
  kind: '|recall',
  coin: 's',
  bars: 's',
  list: 's',
  bankruptcy_gap: 'n',
  from: 'n',
  to: 'n',
  events: 'n',
  scored: 'n',
  outside: 'n',
  outside_volume: 'n',
  blocks: 'n',
  maps: { each: RecallMap },
});

/** Scores of hours on stored data, mean Poisson deviances over the mean volume. */
export interface PublishedHours {
  /** What this is. */
  kind: 'hours';
  /** Name of the source file. */
  source: string;
  /** The coin. */
  coin: string;
  /** Number of hours scored. */
  hours: number;
  /** First hour, ISO 8601, UTC. */
  since: string;
  /** Last hour, ISO 8601, UTC. */
  until: string;
  /** Ratio for our map. */
  poissonDeviance: number;
  /** Ratio for our map, volume known when the hour began; null where not computed. */
  poissonDevianceCausal: number | null;
  /** Ratio for our map, all known when the hour began; null where not computed. */
  poissonDevianceStrict: number | null;
  /** Ratio for the map of the path alone; null in older scorecards. */
  pathOnlyDeviance: number | null;
  /** Ratio for no map. */
  noMapDeviance: number;
  /** Ratio for the static map. */
  staticDeviance: number;
  /** Ratio of the volume predicted to the volume reported. */
  predictedOverReported: number | null;
  /** Whether an edge over the map of the path alone is shown. */
  verdictOverPathOnly: string;
  /** Number of blocks of days ahead of the path alone, and number of all blocks. */
  blocksAheadOfPathOnly: [number, number] | null;
  /** 95 % interval of the difference of both ratios. */
  pathOnlyMinusOurs: [number, number] | null;
  /** Recall of single liquidations by each map; null where there is no list of them. */
  recall: Recall | null;
}
export const PublishedHours: Schema<PublishedHours> = record({
  kind: '|hours',
  source: 's',
  coin: 's',
  hours: 'n',
  since: 's',
  until: 's',
  poisson_deviance: 'n',
  poisson_deviance_causal: { maybe: 'n' },
  poisson_deviance_strict: { maybe: 'n' },
  path_only_deviance: { maybe: 'n' },
  no_map_deviance: 'n',
  static_deviance: 'n',
  predicted_over_reported: { maybe: 'n' },
  verdict_over_path_only: 's',
  blocks_ahead_of_path_only: { maybe: ['n', 'n'] },
  path_only_minus_ours: { maybe: ['n', 'n'] },
  recall: { maybe: Recall },
});

/** Scores of a market's first days, mean Poisson deviances over the mean volume. */
export interface PublishedFirstDays {
  /** What this is. */
  kind: 'first_days';
  /** Name of the source file. */
  source: string;
  /** The coin. */
  coin: string;
  /** Ratio on the first day on pretrained weights. */
  firstDayPrior: number;
  /** Ratio on the first day, learning from the first hour. */
  firstDayLearning: number;
  /** Ratio on days four to seven, learning. */
  days47: number;
  /** End of the data that the weights were pretrained on, ISO 8601, UTC. */
  priorUntil: string;
}
export const PublishedFirstDays: Schema<PublishedFirstDays> = record({
  kind: '|first_days',
  source: 's',
  coin: 's',
  first_day_prior: 'n',
  first_day_learning: 'n',
  days_4_7: 'n',
  prior_until: 's',
});

/** Recall of single liquidations on stored data. */
export interface PublishedRecall {
  /** What this is. */
  kind: 'recall';
  /** Name of the source file. */
  source: string;
  /** The coin. */
  coin: string;
  /** Recall by each map. */
  recall: Recall;
}
export const PublishedRecall: Schema<PublishedRecall> = record({
  kind: '|recall',
  source: 's',
  coin: 's',
  recall: Recall,
});

/** Scores against all positions of a venue. */
export interface PublishedClosedWorld {
  /** What this is. */
  kind: 'closed_world';
  /** Name of the source file. */
  source: string;
  /** The coin; empty where several are pooled. */
  coin: string;
  /** Earth mover's distance to the truth, % of price. */
  emd: number;
  /** Earth mover's distance of the naive map to the truth, % of price. */
  emdNaive: number;
  /** Ratio of both. */
  emdRatioToNaive: number;
  /** 95 % interval of that ratio. */
  interval: [number, number];
  /** Fraction in common with the truth, both scaled to one. */
  overlap: number;
}
export const PublishedClosedWorld: Schema<PublishedClosedWorld> = record({
  kind: '|closed_world',
  source: 's',
  coin: 's',
  emd: 'n',
  emd_naive: 'n',
  emd_ratio_to_naive: 'n',
  interval: ['n', 'n'],
  overlap: 'n',
});

/** A hypothesis test on stored data, with its placebo. */
export interface PublishedAnswer {
  /** Name of the source file. */
  source: string;
  /** The coin. */
  coin: string;
  /** Name of the question. */
  question: string;
  /** Number of cases. */
  n: number;
  /** Value of the statistic, a ratio or a count as `note` says. */
  value: number | null;
  /** Value of the statistic for the placebo, a ratio or a count as well. */
  placebo: number | null;
  /** Low end of the 95 % interval of their difference, a ratio or a count as well. */
  low: number | null;
  /** High end of the 95 % interval of their difference, a ratio or a count as well. */
  high: number | null;
  /** Whether an edge is shown. */
  verdict: string;
  /** What the statistic is, and what else there is to know. */
  note: string;
}
export const PublishedAnswer: Schema<PublishedAnswer> = record({
  source: 's',
  coin: 's',
  question: 's',
  n: 'n',
  value: { maybe: 'n' },
  placebo: { maybe: 'n' },
  low: { maybe: 'n' },
  high: { maybe: 'n' },
  verdict: 's',
  note: 's',
});

/** What stored data said of this model, as shipped with it. */
export interface Published {
  /** Version of the model. */
  version: number;
  /** Scores by source. */
  scores: (PublishedHours | PublishedFirstDays | PublishedRecall | PublishedClosedWorld)[];
  /** Hypothesis tests. */
  answers: PublishedAnswer[];
}
export const Published: Schema<Published> = record({
  version: 'n',
  scores: [{ by: 'kind', kinds: { hours: PublishedHours, first_days: PublishedFirstDays, recall: PublishedRecall, closed_world: PublishedClosedWorld } }],
  answers: [PublishedAnswer],
});

/** What a US dollar was worth by day, by the fixings of the ECB. */
export interface Rates {
  /** What this is. */
  kind: 'rates';
  /** The currency. */
  ccy: string;
  /** All currencies there are rates of. */
  currencies: string[];
  /** Unit of the rates, in words. */
  unit: string;
  /** Start of the day of `rate`, µs UTC. */
  asOf: number;
  /** Latest rate: number of units of the currency a US dollar. */
  rate: number;
  /** Whether it is older than a week. */
  stale: boolean;
  /** Who published the rates. */
  source: string;
  /** Days of `values`, ISO 8601. */
  days: string[];
  /** Number of units of the currency a US dollar, by day. */
  values: Float64Array;
}
export const Rates: Schema<Rates> = record({
  kind: '|rates',
  ccy: 's',
  currencies: ['s'],
  unit: 's',
  as_of: 'n',
  rate: 'n',
  stale: 'b',
  source: 's',
  days: ['s'],
  values: 'float64',
});

/** One row of evidence. */
export interface ReadRow {
  /** Which question it answers. */
  name: 'crowd' | 'when' | 'where' | 'whether';
  /** Whether what it needs is met; waiting while it is under way. */
  state: 'met' | 'not met' | 'unknown' | 'waiting';
  /** The state in words. */
  word: string;
  /** Number in `unit`; null where it is not known. */
  figure: number | null;
  /** Unit of the figure and of the threshold. */
  unit: 'fraction of price' | 'multiple' | 'percentile' | 'ratio';
  /** Number that the figure needs to reach, in `unit`. */
  threshold: number;
  /** The threshold in words. */
  need: string;
  /** Number of observations that it rests on. */
  n: number;
  /** What was counted. */
  nOf: string;
  /** Seconds since the data it rests on; null where there is none yet. */
  age: number | null;
  /** What else belongs to it, in words and numbers. */
  detail: string;
}
export const ReadRow: Schema<ReadRow> = record({
  name: '|crowd|when|where|whether',
  state: '|met|not met|unknown|waiting',
  word: 's',
  figure: { maybe: 'n' },
  unit: '|fraction of price|multiple|percentile|ratio',
  threshold: 'n',
  need: 's',
  n: 'n',
  n_of: 's',
  age: { maybe: 'n' },
  detail: 's',
});

/** A cluster of the map, and what rests within its band on the side its orders take from. */
export interface ShieldedCluster {
  /** Side of the positions. */
  side: 'long' | 'short';
  /** Lower edge, quote currency. */
  floor: number;
  /** Upper edge, quote currency. */
  top: number;
  /** Positions that would be liquidated, estimated, dollars. */
  notional: number;
  /** Notional that rests within the band, quote currency. */
  resting: number;
  /** Whether every book reaches beyond the band; else what rests is a lower bound. */
  complete: boolean;
  /** Shielded from half the cluster on; unknown where less is seen and a book ends before. */
  state: 'exposed' | 'shielded' | 'unknown';
}
export const ShieldedCluster: Schema<ShieldedCluster> = record({
  side: '|long|short',
  floor: 'n',
  top: 'n',
  notional: 'n',
  resting: 'n',
  complete: 'b',
  state: '|exposed|shielded|unknown',
});

/** Evidence about this moment. */
export interface ReadAnswer {
  /** What this is. */
  kind: 'read';
  /** The coin. */
  coin: string;
  /** Where the data comes from. */
  source: 'live' | 'replay' | 'simulated';
  /** Why the source is what it is, such as which venues did not answer. */
  note: string;
  /** Time of the newest event, µs UTC. */
  asOf: number;
  /** Time of the server, µs UTC; a replay stands at its own. */
  now: number;
  /** Price of the last trade of the leading market, quote currency; null before any. */
  price: number | null;
  /** Sequence number on the stream, one more than that of the message before; 0 elsewhere. */
  seq: number;
  /** Where, whether, when, crowd. */
  rows: ReadRow[];
  /** Number of rows that are met. */
  met: number;
  /** Version of the thresholds. */
  version: number;
  /** Clusters of the map, the nearest first, and whether resting orders shield them. */
  clusters: ShieldedCluster[];
}
export const ReadAnswer: Schema<ReadAnswer> = record({
  kind: '|read',
  coin: 's',
  source: '|live|replay|simulated',
  note: 's',
  as_of: 'n',
  now: 'n',
  price: { maybe: 'n' },
  seq: 'n',
  rows: [ReadRow],
  met: 'n',
  version: 'n',
  clusters: [ShieldedCluster],
});

/** Accuracy of the maps of now so far. */
export interface ScoresAnswer {
  /** What a map is not. */
  caution: string;
  /** What the model cannot know, a sentence each. */
  blindSpots: string[];
  /** The null models. */
  nulls: NullModels;
  /** Scores on stored data. */
  published: Published;
  /** One object per market. */
  markets: MarketScores[];
  /** Where the data comes from. */
  source: 'live' | 'replay' | 'simulated';
  /** Why the source is what it is. */
  note: string;
}
export const ScoresAnswer: Schema<ScoresAnswer> = record({
  caution: 's',
  blind_spots: ['s'],
  nulls: NullModels,
  published: Published,
  markets: [MarketScores],
  source: '|live|replay|simulated',
  note: 's',
});

/** One coin at a glance; null where nothing is known of it yet. */
export interface ScreenerCoin {
  /** Last price, quote currency. */
  price: number | null;
  /** Change of price over 24 hours, a fraction; null where it is not known. */
  change: number | null;
  /** The nearest cluster of longs; null where there is none. */
  below: Near | null;
  /** The nearest cluster of shorts; null where there is none. */
  above: Near | null;
  /** Dollars that would be liquidated within the next 1 % of each side. */
  steepness: Sides | null;
  /** Fraction of longs of all that would be liquidated within 5 %; null where nothing would. */
  longShare: number | null;
  /** 8-hour funding rate, a fraction, weighted by open interest; null where none reports it. */
  funding: number | null;
  /** Dollars of open interest. */
  oi: number | null;
  /** Closing price of the last 48 half hours; null where nothing traded. */
  closes: (number | null)[];
  /** The coin. */
  coin: string;
  /** Whether anything is known of it yet. */
  known: boolean;
  /** Why nothing is known, in words; empty where something is. */
  why: string;
  /** Step of price worth showing, quote currency. */
  tick: number | null;
  /** How good its map is. */
  grade: Grade | null;
  /** Seconds since the time of its map. */
  age: number | null;
  /** Time of its map, µs UTC. */
  asOf: number | null;
  /** Fraction of its venues that were heard in the last 10 seconds. */
  coverage: number | null;
  /** Whether some venue was not heard. */
  partial: boolean;
}
export const ScreenerCoin: Schema<ScreenerCoin> = record({
  price: { maybe: 'n' },
  change: { maybe: 'n' },
  below: { maybe: Near },
  above: { maybe: Near },
  steepness: { maybe: Sides },
  long_share: { maybe: 'n' },
  funding: { maybe: 'n' },
  oi: { maybe: 'n' },
  closes: [{ maybe: 'n' }],
  coin: 's',
  known: 'b',
  why: 's',
  tick: { maybe: 'n' },
  grade: { maybe: Grade },
  age: { maybe: 'n' },
  as_of: { maybe: 'n' },
  coverage: { maybe: 'n' },
  partial: 'b',
});

/** Every coin at a glance: the calibrated map of all venues and tiers. */
export interface ScreenerAnswer {
  /** What this is. */
  kind: 'screener';
  /** Where the data comes from. */
  source: 'live' | 'replay' | 'simulated';
  /** Why the source is what it is. */
  note: string;
  /** Time of the server, µs UTC. */
  now: number;
  /** One object per coin. */
  coins: ScreenerCoin[];
}
export const ScreenerAnswer: Schema<ScreenerAnswer> = record({
  kind: '|screener',
  source: '|live|replay|simulated',
  note: 's',
  now: 'n',
  coins: [ScreenerCoin],
});

/** Prints of one taker each, and liquidations; each array has one element a row. */
export interface TapeAnswer {
  /** What this is. */
  kind: 'tape';
  /** The coin. */
  coin: string;
  /** Where the data comes from. */
  source: 'live' | 'replay' | 'simulated';
  /** Why the source is what it is, such as which venues did not answer. */
  note: string;
  /** Time of the newest event, µs UTC. */
  asOf: number;
  /** Time of the server, µs UTC; a replay stands at its own. */
  now: number;
  /** Price of the last trade of the leading market, quote currency; null before any. */
  price: Float64Array;
  /** Sequence number on the stream, one more than that of the message before; 0 elsewhere. */
  seq: number;
  /** Venue and symbol of each market on the tape. */
  markets: string[];
  /** Time of the last print merged, µs UTC. */
  time: Float64Array;
  /** Index into `markets`. */
  market: Uint16Array;
  /** Base coin, negative where a seller took; 0 or more of liquidations. */
  size: Float32Array;
  /** Price times size, quote currency. */
  notional: Float32Array;
  /** Number of prints merged, up to 65535; 0 of a liquidation. */
  count: Uint16Array;
  /** Number: 0 a print, 1 a large one, 2 a liquidated long, 3 a liquidated short. */
  mark: Uint8Array;
  /** Notional from which a print is large, quote currency. */
  large: number;
  /** Number of merged prints of the last day that the limit of large ones rests on. */
  counted: number;
  /** Seconds within which prints of one market and side are merged. */
  mergedWithin: number;
}
export const TapeAnswer: Schema<TapeAnswer> = record({
  kind: '|tape',
  coin: 's',
  source: '|live|replay|simulated',
  note: 's',
  as_of: 'n',
  now: 'n',
  price: 'float64',
  seq: 'n',
  markets: ['s'],
  time: 'float64',
  market: 'uint16',
  size: 'float32',
  notional: 'float32',
  count: 'uint16',
  mark: 'uint8',
  large: 'n',
  counted: 'n',
  merged_within: 'n',
});

/** Runs of minutes in which what rested at a row stayed alike; largest sizes first kept.

    Bids are rounded down to a row and asks up. Each array of a run has one element a run, by start;
    rows in which nothing rested are in none. */
export interface ZonesAnswer {
  /** What this is. */
  kind: 'zones';
  /** The coin. */
  coin: string;
  /** Where the data comes from. */
  source: 'live' | 'replay' | 'simulated';
  /** Why the source is what it is, such as which venues did not answer. */
  note: string;
  /** Time of the newest event, µs UTC. */
  asOf: number;
  /** Time of the server, µs UTC; a replay stands at its own. */
  now: number;
  /** Price of the last trade of the leading market, quote currency; null before any. */
  price: number | null;
  /** Sequence number on the stream, one more than that of the message before; 0 elsewhere. */
  seq: number;
  /** Height of a row, quote currency: the height asked for, or a multiple of the one kept. */
  step: number;
  /** Number of the lowest row: its price is ``first * step``. */
  first: number;
  /** Number of rows. */
  rows: number;
  /** Start of the first column, µs UTC. */
  t0: number;
  /** Length of a column, µs. */
  column: number;
  /** Number of columns; of minutes without a book nothing is known. */
  cols: number;
  /** Venue and symbol of the books that are added up. */
  markets: string[];
  /** Number: 0 bids, 1 asks. */
  side: Uint8Array;
  /** Number of the row, counted from the lowest. */
  row: Uint16Array;
  /** Number of the run's first column. */
  start: Uint16Array;
  /** Number of its columns. */
  length: Uint16Array;
  /** Mean over the time in which the row was visible, base coin. */
  mean: Float32Array;
  /** No more than that rested at one time: the sum of the books' greatest, base coin. */
  peak: Float32Array;
  /** Price of the lowest visible row of each column, quote currency; null where none was. */
  lowest: Float64Array;
  /** Price of the highest visible row of each column, quote currency; null where none was. */
  highest: Float64Array;
  /** Number of the smallest runs that were left out, see `limit`. */
  leftOut: number;
}
export const ZonesAnswer: Schema<ZonesAnswer> = record({
  kind: '|zones',
  coin: 's',
  source: '|live|replay|simulated',
  note: 's',
  as_of: 'n',
  now: 'n',
  price: { maybe: 'n' },
  seq: 'n',
  step: 'n',
  first: 'n',
  rows: 'n',
  t0: 'n',
  column: 'n',
  cols: 'n',
  markets: ['s'],
  side: 'uint8',
  row: 'uint16',
  start: 'uint16',
  length: 'uint16',
  mean: 'float32',
  peak: 'float32',
  lowest: 'float64',
  highest: 'float64',
  left_out: 'n',
});
