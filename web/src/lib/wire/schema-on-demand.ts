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

/** How far the nearest large cluster in favour is, against how deep the protective one goes. */
export interface Asymmetry {
  /** Distance in favour over distance against, a ratio; below 1 the plan is against you. */
  ratio: number;
  /** Distance from the entry to the nearest large opposing cluster, quote currency. */
  inFavour: number;
  /** Distance from the entry to the far edge of the protective cluster, quote currency. */
  against: number;
  /** Win rate at which that ratio earns nothing, a fraction. */
  breakEven: number;
}
export const Asymmetry: Schema<Asymmetry> = record({
  ratio: 'n',
  in_favour: 'n',
  against: 'n',
  break_even: 'n',
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

/** How often episodes like it had an outcome. */
export interface BaseRate {
  /** The question in words. */
  words: string;
  /** Number of episodes counted. */
  n: number;
  /** Shrunk frequency, a fraction; null without a placebo and an episode. */
  frequency: number | null;
  /** Low end of the 90 % interval, a fraction. */
  low: number | null;
  /** High end of the 90 % interval, a fraction. */
  high: number | null;
  /** Frequency of levels without a cluster, a fraction; null before any. */
  placebo: number | null;
  /** Number of such levels counted. */
  placeboN: number;
  /** Whether the interval and that of the placebo lie apart; under 30 episodes it says nothing. */
  verdict: 'differs' | 'no edge shown' | 'not enough yet';
}
export const BaseRate: Schema<BaseRate> = record({
  words: 's',
  n: 'n',
  frequency: { maybe: 'n' },
  low: { maybe: 'n' },
  high: { maybe: 'n' },
  placebo: { maybe: 'n' },
  placebo_n: 'n',
  verdict: '|differs|no edge shown|not enough yet',
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

/** One cluster of a chain. */
export interface ChainLink {
  /** Edge that price meets first, quote currency. */
  near: number;
  /** Other edge, quote currency. */
  far: number;
  /** Dollars inside, estimated. */
  notional: number;
  /** Dollars of all clusters up to it. */
  cumulative: number;
  /** Dollars that rest in the gap before it, less the share of walls pulled. */
  resting: number;
  /** What is traded at once before the gap over what rests in it, a ratio; null where price is there already or nothing rests. */
  coefficient: number | null;
  /** Whether it and all links before it carry: each coefficient is at least 1. */
  carried: boolean;
}
export const ChainLink: Schema<ChainLink> = record({
  near: 'n',
  far: 'n',
  notional: 'n',
  cumulative: 'n',
  resting: 'n',
  coefficient: { maybe: 'n' },
  carried: 'b',
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

/** Costs of one trade, all fractions of notional. */
export interface Costs {
  /** Fee of the venue on the entry, a fraction of notional. */
  entryFee: number;
  /** Fee of the venue on the exit, a fraction of notional. */
  exitFee: number;
  /** Price given up on each side, a fraction of notional. */
  slippage: number;
  /** Rate of one funding payment, a fraction of notional; positive: longs pay shorts. */
  funding: number;
  /** Number of payments until the target. */
  fundings: number;
}
export const Costs: Schema<Costs> = record({
  entry_fee: 'n',
  exit_fee: 'n',
  slippage: 'n',
  funding: 'n',
  fundings: 'n',
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

/** The cluster of an episode as it stood when price came near. */
export interface Place {
  /** Of the cluster that is followed. */
  id: string;
  /** Whose positions. */
  side: 'long' | 'short';
  /** Lowest price, quote currency. */
  floor: number;
  /** Highest price, quote currency. */
  top: number;
  /** Estimated dollars inside. */
  notional: number;
  /** Percentile of the notional among the clusters of the coin; null where not known. */
  rank: number | null;
}
export const Place: Schema<Place> = record({
  id: 's',
  side: '|long|short',
  floor: 'n',
  top: 'n',
  notional: 'n',
  rank: { maybe: 'n' },
});

/** One number beside what it needs. */
export interface Evidence {
  /** What was read. */
  name: string;
  /** The number, in `unit`; null where it is not known. */
  value: number | null;
  /** Threshold in `unit`; null where the number only informs. */
  need: number | null;
  /** Unit of the number and of the threshold. */
  unit: 'coins' | 'count' | 'dollars' | 'fraction' | 'fraction of price' | 'multiple' | 'percentile' | 'price' | 'ratio' | 'seconds';
  /** Whether the number reaches its threshold. */
  met: boolean;
  /** Seconds since the data it rests on. */
  age: number;
  /** Whether the threshold is an upper limit. */
  atMost: boolean;
}
export const Evidence: Schema<Evidence> = record({
  name: 's',
  value: { maybe: 'n' },
  need: { maybe: 'n' },
  unit: '|coins|count|dollars|fraction|fraction of price|multiple|percentile|price|ratio|seconds',
  met: 'b',
  age: 'n',
  at_most: 'b',
});

/** An episode entered a state. */
export interface TransitionRow {
  /** Its name. */
  state: string;
  /** Event time, µs UTC. */
  time: number;
  /** Last price, quote currency. */
  price: number;
  /** What led to it. */
  evidence: Evidence[];
}
export const TransitionRow: Schema<TransitionRow> = record({
  state: 's',
  time: 'n',
  price: 'n',
  evidence: [Evidence],
});

/** Prices of a trade that an episode describes: geometry, not advice. */
export interface PlanRow {
  /** Side of the position. */
  side: 'long' | 'short';
  /** Quote currency. */
  entry: number;
  /** Quote currency, beyond the far edge of the cluster. */
  stop: number;
  /** Quote currency, in the next opposing cluster; null where there is none. */
  target: number | null;
  /** Gross reward over risk, a ratio; null without a target. */
  reward: number | null;
}
export const PlanRow: Schema<PlanRow> = record({
  side: '|long|short',
  entry: 'n',
  stop: 'n',
  target: { maybe: 'n' },
  reward: { maybe: 'n' },
});

/** One episode. */
export interface EpisodeRow {
  /** Its identity: the same in every replay. */
  id: string;
  /** Which signal. */
  type: 'absorbed' | 'approach' | 'cascade_chain' | 'confluence' | 'crowded' | 'feed_stale' | 'funding_extreme' | 'growth' | 'hunt_trap' | 'large_print' | 'stall_short' | 'sweep_reclaim' | 'volume_spike' | 'whale_bid' | 'wick';
  /** State now, or its last. */
  state: string;
  /** Whether it has not ended. */
  open: boolean;
  /** Whether it ended otherwise than it set out. */
  failed: boolean;
  /** States left on its usual way, in order; none once it has ended. */
  ahead: string[];
  /** Time of its first state, µs UTC. */
  begun: number;
  /** Time of its state now, µs UTC. */
  since: number;
  /** Time at which it ends by itself, µs UTC. */
  expires: number;
  /** The cluster as it stood when price came near; null for signals of the whole coin. */
  cluster: Place | null;
  /** The clusters of a chain, nearest first. */
  links: Place[];
  /** Its states, in order of time. */
  transitions: TransitionRow[];
  /** Of the last reading. */
  evidence: Evidence[];
  /** Seconds since that reading. */
  age: number;
  /** Weighted evidence that is met, a number up to 100: a ranking, not a probability. */
  score: number | null;
  /** The trade it describes; null where it describes none. */
  plan: PlanRow | null;
  /** What became of others like it; null where it asks no question. */
  baseRate: BaseRate | null;
}
export const EpisodeRow: Schema<EpisodeRow> = record({
  id: 's',
  type: '|absorbed|approach|cascade_chain|confluence|crowded|feed_stale|funding_extreme|growth|hunt_trap|large_print|stall_short|sweep_reclaim|volume_spike|whale_bid|wick',
  state: 's',
  open: 'b',
  failed: 'b',
  ahead: ['s'],
  begun: 'n',
  since: 'n',
  expires: 'n',
  cluster: { maybe: Place },
  links: [Place],
  transitions: [TransitionRow],
  evidence: [Evidence],
  age: 'n',
  score: { maybe: 'n' },
  plan: { maybe: PlanRow },
  base_rate: { maybe: BaseRate },
});

/** Why a request was refused. */
export interface ErrorAnswer {
  /** What was expected, and what was found. */
  error: string;
}
export const ErrorAnswer: Schema<ErrorAnswer> = record({
  error: 's',
});

/** One long wick. */
export interface WickRow {
  /** What explains it. */
  type: 'LIQUIDATION' | 'MAP_ONLY' | 'PRINTS_ONLY' | 'UNEXPLAINED';
  /** Whose liquidations it would be: longs for the lower wick. */
  side: 'long' | 'short';
  /** Where it ended, quote currency. */
  extreme: number;
  /** Lowest price of the cluster that it ended at, quote currency; null where it ended at none. */
  floor: number | null;
  /** Highest price of that cluster, quote currency. */
  top: number | null;
  /** Estimated dollars inside before the candle. */
  notional: number | null;
  /** Fraction of the cluster's dollars that price passed, estimated; 0 without one. */
  fired: number;
  /** Whether a cluster lay as far away on the other side of the open: how often it happens by chance. */
  mirror: boolean;
  /** What was read, beside what it needs. */
  evidence: Evidence[];
}
export const WickRow: Schema<WickRow> = record({
  type: '|LIQUIDATION|MAP_ONLY|PRINTS_ONLY|UNEXPLAINED',
  side: '|long|short',
  extreme: 'n',
  floor: { maybe: 'n' },
  top: { maybe: 'n' },
  notional: { maybe: 'n' },
  fired: 'n',
  mirror: 'b',
  evidence: [Evidence],
});

/** The wicks of one candle, and what they ended at. */
export interface ExplanationAnswer {
  /** What this is. */
  kind: 'wick';
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
  /** Start of the candle, µs UTC. */
  start: number;
  /** End of the candle, µs UTC. */
  end: number;
  /** First price, quote currency. */
  open: number;
  /** Highest price, quote currency. */
  high: number;
  /** Lowest price, quote currency. */
  low: number;
  /** Last price, quote currency. */
  close: number;
  /** Length of the lower wick over the average true range, a ratio; null where that is unknown. */
  lower: number | null;
  /** Length of the upper wick over the average true range, a ratio; null where that is unknown. */
  upper: number | null;
  /** Ratio from which a wick is long. */
  need: number;
  /** Number of clusters of the map before the candle. */
  clusters: number;
  /** The long ones; none means that there is nothing to explain. */
  wicks: WickRow[];
}
export const ExplanationAnswer: Schema<ExplanationAnswer> = record({
  kind: '|wick',
  coin: 's',
  source: '|live|replay|simulated',
  note: 's',
  as_of: 'n',
  now: 'n',
  price: { maybe: 'n' },
  seq: 'n',
  start: 'n',
  end: 'n',
  open: 'n',
  high: 'n',
  low: 'n',
  close: 'n',
  lower: { maybe: 'n' },
  upper: { maybe: 'n' },
  need: 'n',
  clusters: 'n',
  wicks: [WickRow],
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
  /** Time of the oldest message still stored, µs UTC: books and the reads that rest on them can be played again from then on. The oldest are deleted first; null where nothing is stored. */
  recordedSince: number | null;
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
  recorded_since: { maybe: 'n' },
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

/** Coins that move together, on one side. */
export interface GroupRisk {
  /** Their names, in order. */
  coins: string[];
  /** Long or short. */
  side: 'long' | 'short';
  /** Open risk, a ratio to the amount risked a trade. */
  r: number;
  /** Whether that is more than the cap. */
  exceeded: boolean;
}
export const GroupRisk: Schema<GroupRisk> = record({
  coins: ['s'],
  side: '|long|short',
  r: 'n',
  exceeded: 'b',
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

/** Episodes of one signal that ended in one month. */
export interface MonthCount {
  /** Which signal. */
  type: 'absorbed' | 'approach' | 'cascade_chain' | 'confluence' | 'crowded' | 'feed_stale' | 'funding_extreme' | 'growth' | 'hunt_trap' | 'large_print' | 'stall_short' | 'sweep_reclaim' | 'volume_spike' | 'whale_bid' | 'wick';
  /** Such as 2026-06, UTC. */
  month: string;
  /** Number of episodes that ask the question. */
  n: number;
  /** Number of them with the outcome. */
  hits: number;
  /** Number of levels without a cluster. */
  placeboN: number;
  /** Number of those with the outcome. */
  placeboHits: number;
}
export const MonthCount: Schema<MonthCount> = record({
  type: '|absorbed|approach|cascade_chain|confluence|crowded|feed_stale|funding_extreme|growth|hunt_trap|large_print|stall_short|sweep_reclaim|volume_spike|whale_bid|wick',
  month: 's',
  n: 'n',
  hits: 'n',
  placebo_n: 'n',
  placebo_hits: 'n',
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

/** What a trade that ends at one price brings. */
export interface Outcome {
  /** Price of the exit, quote currency. */
  price: number;
  /** Gain before costs, quote currency; negative for a loss. */
  gross: number;
  /** Fees, slippage and funding paid, quote currency. */
  costs: number;
  /** Gain after costs, quote currency. */
  net: number;
  /** Gain before costs as a ratio to the amount risked. */
  grossR: number;
  /** Gain after costs as a ratio to the amount risked. */
  netR: number;
}
export const Outcome: Schema<Outcome> = record({
  price: 'n',
  gross: 'n',
  costs: 'n',
  net: 'n',
  gross_r: 'n',
  net_r: 'n',
});

/** The side as arrays, outward from the mark. */
export interface Outward {
  /** Price, quote currency. */
  price: Float64Array;
  /** Dollars liquidated between the mark and there, estimated. */
  forced: Float64Array;
  /** Low end of its 80 % band, dollars. */
  low: Float64Array;
  /** High end of its 80 % band, dollars. */
  high: Float64Array;
  /** Dollars displayed between the mark and there, continued beyond what is displayed. */
  depth: Float64Array;
  /** What the step from there outward liquidates over the surviving depth it uses up, a ratio; above 1 the move feeds itself; null where nothing rests. */
  acceleration: Float64Array;
  /** Chance to pass that price after the touch, a fraction. */
  passing: Float64Array;
}
export const Outward: Schema<Outward> = record({
  price: 'float64',
  forced: 'float64',
  low: 'float64',
  high: 'float64',
  depth: 'float64',
  acceleration: 'float64',
  passing: 'float64',
});

/** What may follow one touch. */
export interface TouchForecast {
  /** Price touched, quote currency. */
  level: number;
  /** From the mark to it, a signed fraction. */
  distance: number;
  /** Whose positions are liquidated on the way. */
  side: 'long' | 'short';
  /** Lowest and highest price of the cluster at the level; null where there is none. */
  cluster: [number, number] | null;
  /** Price at which it ends: half of the cases go beyond the middle one, a tenth beyond the last and nine tenths beyond the first. */
  end: [number, number, number];
  /** Dollars liquidated on the way: 10, 50 and 90 percentile. */
  forced: [number, number, number];
  /** Chance to end more than 0.5 % beyond the level, a fraction. */
  beyond: number;
  /** Fraction of cases that end beyond the displayed books. */
  unseen: number;
  /** How far the deepest book is displayed, fraction of the mark. */
  visible: number;
  /** Clusters from the level outward, in the order price meets them. */
  chain: ChainLink[];
  /** Number of clusters that would be reached in a row. */
  chainLength: number;
  /** The side as arrays. */
  outward: Outward;
}
export const TouchForecast: Schema<TouchForecast> = record({
  level: 'n',
  distance: 'n',
  side: '|long|short',
  cluster: { maybe: ['n', 'n'] },
  end: ['n', 'n', 'n'],
  forced: ['n', 'n', 'n'],
  beyond: 'n',
  unseen: 'n',
  visible: 'n',
  chain: [ChainLink],
  chain_length: 'n',
  outward: Outward,
});

/** The share of the displayed depth that survives a sweep, as it is believed. */
export interface SurvivalState {
  /** Half of all sweeps leave more, a fraction. */
  median: number;
  /** Standard deviation of its natural log. */
  spread: number;
  /** Number of realised sweeps of this coin it was learned from; 0: the prior alone. */
  sweeps: number;
}
export const SurvivalState: Schema<SurvivalState> = record({
  median: 'n',
  spread: 'n',
  sweeps: 'n',
});

/** How far one book is displayed. */
export interface Reach {
  /** Venue and symbol, such as ``binance:BTCUSDT``. */
  market: string;
  /** Distance of its last bid, fraction of its mid. */
  bids: number;
  /** Distance of its last ask, fraction of its mid. */
  asks: number;
}
export const Reach: Schema<Reach> = record({
  market: 's',
  bids: 'n',
  asks: 'n',
});

/** What may follow a touch of a level, or of the nearest cluster on each side. */
export interface OvershootAnswer {
  /** What this is. */
  kind: 'overshoot';
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
  /** Mark that distances are measured from, quote currency. */
  mark: number | null;
  /** One for the level that was asked for; else the nearest cluster below, then above. */
  touches: TouchForecast[];
  /** What of the displayed depth is expected to stay. */
  survival: SurvivalState;
  /** Standard deviation of what price moves by itself meanwhile, natural log of price. */
  movement: number | null;
  /** Fraction of the last walls that were pulled: what rests in the gaps of a chain is reduced by it; null while fewer than ten walls ended. */
  pulled: number | null;
  /** How far each book is displayed. */
  books: Reach[];
  /** What is not known, in words. */
  unknown: string[];
}
export const OvershootAnswer: Schema<OvershootAnswer> = record({
  kind: '|overshoot',
  coin: 's',
  source: '|live|replay|simulated',
  note: 's',
  as_of: 'n',
  now: 'n',
  price: { maybe: 'n' },
  seq: 'n',
  mark: { maybe: 'n' },
  touches: [TouchForecast],
  survival: SurvivalState,
  movement: { maybe: 'n' },
  pulled: { maybe: 'n' },
  books: [Reach],
  unknown: ['s'],
});

/** Correlation of the hourly returns of two coins. */
export interface Pair {
  /** Their names. */
  coins: [string, string];
  /** A number from -1 to 1; null where too few hours of both are known. */
  correlation: number | null;
}
export const Pair: Schema<Pair> = record({
  coins: ['s', 's'],
  correlation: { maybe: 'n' },
});

/** Prices at which many positions of one side would be liquidated. */
export interface PriceCluster {
  /** Whose positions. */
  side: 'long' | 'short';
  /** Lowest price, quote currency. */
  floor: number;
  /** Highest price, quote currency. */
  top: number;
  /** Notional inside, quote currency. */
  notional: number;
}
export const PriceCluster: Schema<PriceCluster> = record({
  side: '|long|short',
  floor: 'n',
  top: 'n',
  notional: 'n',
});

/** Where the position would be liquidated. */
export interface PlannedLiquidation {
  /** Notional at entry over margin, a ratio. */
  leverage: number;
  /** Mark at which it is liquidated, quote currency; null where no price does. */
  price: number | null;
  /** Distance from entry to liquidation over that from entry to stop, a ratio. */
  stopsAway: number | null;
  /** Distance from stop to liquidation over that from entry to stop, a ratio; at least 1.5 is asked for, negative where the liquidation comes first. */
  beyondStop: number | null;
  /** Greatest whole leverage at which it would be 1.5, a ratio; null where it is already. */
  safeLeverage: number | null;
  /** Where the margin tiers are from. */
  source: string;
  /** Why there is no price; empty where there is one. */
  why: string;
}
export const PlannedLiquidation: Schema<PlannedLiquidation> = record({
  leverage: 'n',
  price: { maybe: 'n' },
  stops_away: { maybe: 'n' },
  beyond_stop: { maybe: 'n' },
  safe_leverage: { maybe: 'n' },
  source: 's',
  why: 's',
});

/** One opposing cluster as a target, at the edge that price meets first. */
export interface Target {
  /** Price, quote currency. */
  price: number;
  /** Notional of the cluster, quote currency. */
  notional: number;
  /** Reward-to-risk ratio before costs. */
  gross: number;
  /** Reward-to-risk ratio after costs. */
  net: number;
  /** Win rate at which it earns nothing after costs, a fraction. */
  breakEven: number;
  /** Expected net gain at the given win rate, a ratio to the loss at the stop; null without a win rate. */
  expected: number | null;
  /** Opposing positions that would be liquidated on the way, quote currency. */
  fuel: number;
}
export const Target: Schema<Target> = record({
  price: 'n',
  notional: 'n',
  gross: 'n',
  net: 'n',
  break_even: 'n',
  expected: { maybe: 'n' },
  fuel: 'n',
});

/** What the trade brings if it ends at a cluster, or at its stop. */
export interface Scenario {
  /** Stop, or the side of the cluster. */
  at: string;
  /** Gain or loss there. */
  outcome: Outcome;
}
export const Scenario: Schema<Scenario> = record({
  at: 's',
  outcome: Outcome,
});

/** A plan with all that follows from it. */
export interface Plan {
  /** Long or short. */
  side: 'long' | 'short';
  /** Price, quote currency. */
  entry: number;
  /** Price, quote currency. */
  stop: number;
  /** Distance of the stop beyond the protective cluster, fraction of its edge; null where there is no such cluster. */
  buffer: number | null;
  /** The cluster behind whose far edge the stop lies; null where there is none. */
  protective: PriceCluster | null;
  /** Base coin: the amount risked over the distance to the stop, costs not counted. */
  size: number;
  /** At the entry, quote currency. */
  notional: number;
  /** Notional over equity, a ratio. */
  accountLeverage: number;
  /** Amount risked, quote currency: 1 R. */
  risk: number;
  /** What is lost at the stop, costs included. */
  loss: Outcome;
  /** Where it would be liquidated; null without leverage or margin tiers. */
  liquidation: PlannedLiquidation | null;
  /** Opposing clusters beyond the entry, nearest first. */
  targets: Target[];
  /** Null without a protective or a large opposing cluster. */
  asymmetry: Asymmetry | null;
  /** Positions of the same side that would be liquidated between entry and stop, quote currency. */
  fuelAgainst: number;
  /** Opposing positions up to the nearest target, quote currency; 0 without one. */
  fuelWith: number;
  /** The stop, then every cluster from the lowest price up. */
  scenarios: Scenario[];
  /** What speaks against the plan, in words. */
  warnings: string[];
}
export const Plan: Schema<Plan> = record({
  side: '|long|short',
  entry: 'n',
  stop: 'n',
  buffer: { maybe: 'n' },
  protective: { maybe: PriceCluster },
  size: 'n',
  notional: 'n',
  account_leverage: 'n',
  risk: 'n',
  loss: Outcome,
  liquidation: { maybe: PlannedLiquidation },
  targets: [Target],
  asymmetry: { maybe: Asymmetry },
  fuel_against: 'n',
  fuel_with: 'n',
  scenarios: [Scenario],
  warnings: ['s'],
});

/** A plan with a resting order, and one after a reclaim. Evidence, and no advice. */
export interface PlanAnswer {
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
  /** Average true range of fifteen minutes, quote currency; null where it is not known. */
  atr: number | null;
  /** Spread of the tightest live book, quote currency; null without one. */
  spread: number | null;
  /** Number of clusters of the map that the plan knows. */
  clusters: number;
  /** Win rate drawn to its base rate, a fraction; null where no base rate was given. */
  probability: number | null;
  /** Costs that the plan counts. */
  costs: Costs;
  /** Plan A: a limit order rests at the entry, and fills when price trades through it. */
  rest: Plan;
  /** Plan B: an entry 0.5 % beyond the near edge of the protective cluster, once it was swept and reclaimed; null where no cluster protects the entry, or a given stop does not lie beyond that price. */
  wait: Plan | null;
}
export const PlanAnswer: Schema<PlanAnswer> = record({
  coin: 's',
  source: '|live|replay|simulated',
  note: 's',
  as_of: 'n',
  now: 'n',
  price: { maybe: 'n' },
  atr: { maybe: 'n' },
  spread: { maybe: 'n' },
  clusters: 'n',
  probability: { maybe: 'n' },
  costs: Costs,
  rest: Plan,
  wait: { maybe: Plan },
});

/** Open risk of all positions. Opposite sides are not set off: correlations fail when needed. */
export interface PortfolioAnswer {
  /** Open risk in all, a ratio to the amount risked a trade. */
  total: number;
  /** Cap of the total, a ratio to the amount risked a trade. */
  most: number;
  /** Whether the total is more than its cap. */
  exceeded: boolean;
  /** Coins that move together, by side, most risk first. */
  groups: GroupRisk[];
  /** Cap of each group and side, a ratio to the amount risked a trade. */
  mostCorrelated: number;
  /** Correlation from which two coins move together, a number up to 1. */
  together: number;
  /** Every two of the coins. */
  pairs: Pair[];
  /** Number of hourly returns that were correlated. */
  hours: number;
}
export const PortfolioAnswer: Schema<PortfolioAnswer> = record({
  total: 'n',
  most: 'n',
  exceeded: 'b',
  groups: [GroupRisk],
  most_correlated: 'n',
  together: 'n',
  pairs: [Pair],
  hours: 'n',
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

/** Episodes whose base rate, as it was said before they ended, lay in one tenth. */
export interface ReliabilityBin {
  /** Number of episodes. */
  n: number;
  /** Mean base rate before each of them ended, a fraction. */
  said: number;
  /** Fraction of them that had the outcome. */
  came: number;
}
export const ReliabilityBin: Schema<ReliabilityBin> = record({
  n: 'n',
  said: 'n',
  came: 'n',
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

/** What became of all episodes of one signal. */
export interface Statistic {
  /** Which signal. */
  type: 'absorbed' | 'approach' | 'cascade_chain' | 'confluence' | 'crowded' | 'feed_stale' | 'funding_extreme' | 'growth' | 'hunt_trap' | 'large_print' | 'stall_short' | 'sweep_reclaim' | 'volume_spike' | 'whale_bid' | 'wick';
  /** Its base rate. */
  rate: BaseRate;
}
export const Statistic: Schema<Statistic> = record({
  type: '|absorbed|approach|cascade_chain|confluence|crowded|feed_stale|funding_extreme|growth|hunt_trap|large_print|stall_short|sweep_reclaim|volume_spike|whale_bid|wick',
  rate: BaseRate,
});

/** One time that price came to a large cluster, or to a level without one. */
export interface Touch {
  /** Of the cluster that is followed. */
  cluster: string;
  /** Whose positions. */
  side: 'long' | 'short';
  /** Lowest price of the cluster, quote currency. */
  floor: number;
  /** Highest price of the cluster, quote currency. */
  top: number;
  /** Estimated dollars inside when price came near. */
  notional: number;
  /** Time at which price came near, µs UTC. */
  begun: number;
  /** Time at which price had left again, µs UTC. */
  ended: number;
  /** Least distance of price to the near edge, fraction of it; 0 where price went in. */
  missed: number;
  /** Fraction of its dollars that price passed, estimated. */
  swept: number;
  /** What followed. */
  outcome: 'absorbed' | 'cascaded' | 'ignored' | 'stalled short' | 'swept and reclaimed';
  /** Whether it is a level without a cluster, followed for comparison. */
  placebo: boolean;
}
export const Touch: Schema<Touch> = record({
  cluster: 's',
  side: '|long|short',
  floor: 'n',
  top: 'n',
  notional: 'n',
  begun: 'n',
  ended: 'n',
  missed: 'n',
  swept: 'n',
  outcome: '|absorbed|cascaded|ignored|stalled short|swept and reclaimed',
  placebo: 'b',
});

/** Touches with one outcome. */
export interface TouchCount {
  /** What followed. */
  outcome: 'absorbed' | 'cascaded' | 'ignored' | 'stalled short' | 'swept and reclaimed';
  /** Number of large clusters. */
  n: number;
  /** Number of levels without a cluster. */
  placeboN: number;
}
export const TouchCount: Schema<TouchCount> = record({
  outcome: '|absorbed|cascaded|ignored|stalled short|swept and reclaimed',
  n: 'n',
  placebo_n: 'n',
});

/** Episodes of a coin: open ones, then ended ones, each newest first. */
export interface SignalsAnswer {
  /** What this is. */
  kind: 'signals';
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
  /** Quality of the map that the answer rests on; null before there is one, and for a past time that is not played back. */
  grade: Grade | null;
  /** Failed and expired ones stay. */
  episodes: EpisodeRow[];
  /** Base rates of the signals that ask a question. */
  statistics: Statistic[];
  /** The same by month. */
  months: MonthCount[];
  /** Whether base rates came true that were said beforehand, all signals together. */
  reliability: ReliabilityBin[];
  /** What became of large clusters that price came to, newest first. */
  touches: Touch[];
  /** How many of them had each outcome, beside levels without a cluster. */
  touched: TouchCount[];
  /** Number of clusters that are followed; those of now unless a past time is played back. */
  followed: number;
  /** Version of the thresholds. */
  version: number;
}
export const SignalsAnswer: Schema<SignalsAnswer> = record({
  kind: '|signals',
  coin: 's',
  source: '|live|replay|simulated',
  note: 's',
  as_of: 'n',
  now: 'n',
  price: { maybe: 'n' },
  seq: 'n',
  grade: { maybe: Grade },
  episodes: [EpisodeRow],
  statistics: [Statistic],
  months: [MonthCount],
  reliability: [ReliabilityBin],
  touches: [Touch],
  touched: [TouchCount],
  followed: 'n',
  version: 'n',
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
