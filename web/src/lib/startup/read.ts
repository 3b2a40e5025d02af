/** Reads /v1/starting: what a starting server is doing, and its progress. */
import { type Fields, fields, list, numberOr, oneOf, text, textOr } from '../wire/read';
import type { Source } from '../wire/types';

export const STREAMS = ['trades', 'book', 'interest', 'funding', 'liquidations'] as const;
export type StreamName = (typeof STREAMS)[number];
/** `none`: the venue does not offer this stream. */
export type StreamState = 'up' | 'waiting' | 'down' | 'none';
export type CoinState = 'waiting' | 'price' | 'map' | 'ready';
export type MarketState =
  | 'waiting'
  | 'asking'
  | 'fetching'
  | 'playing'
  | 'ready'
  | 'failed'
  | 'refused';

export interface StartingCoin {
  coin: string;
  state: CoinState;
  /** 0 to 1. */
  share: number;
  /** Seconds left; null while unknown. */
  left: number | null;
}

export interface StartingMarket {
  coin: string;
  market: string;
  venue: string;
  state: MarketState;
  /** History requests sent and answered. */
  requests: number;
  answered: number;
  /** 0 to 1. */
  share: number;
  /** Seconds left; null while unknown. */
  left: number | null;
  /** What failed, and what happens next. */
  problem: string;
  next: string;
  tries: number;
  streams: Record<StreamName, StreamState>;
}

export interface Starting {
  ready: boolean;
  source: Source;
  note: string;
  /** µs: server start, and server time of this answer. */
  since: number;
  now: number;
  doing: string;
  share: number;
  left: number | null;
  coins: StartingCoin[];
  markets: StartingMarket[];
}

const SOURCES: readonly Source[] = ['live', 'replay', 'simulated'];
const COINS: readonly CoinState[] = ['waiting', 'price', 'map', 'ready'];
const MARKETS: readonly MarketState[] = [
  'waiting',
  'asking',
  'fetching',
  'playing',
  'ready',
  'failed',
  'refused',
];
const STATES: readonly StreamState[] = ['up', 'waiting', 'down', 'none'];

const fraction = (o: Fields, key: string): number => Math.min(1, Math.max(0, numberOr(o, key, 0)));

function seconds(o: Fields): number | null {
  const left = numberOr(o, 'left', null);
  return left === null ? null : Math.max(0, left);
}

function readCoin(value: unknown, i: number): StartingCoin {
  const o = fields(value, `$.coins[${i}]`);
  return {
    coin: text(o, 'coin'),
    state: oneOf(o, 'state', COINS),
    share: fraction(o, 'share'),
    left: seconds(o),
  };
}

function readStreams(value: unknown): Record<StreamName, StreamState> {
  const o = fields(value ?? {}, '$.streams');
  return Object.fromEntries(
    STREAMS.map((name) => [name, name in o ? oneOf(o, name, STATES) : 'waiting']),
  ) as Record<StreamName, StreamState>;
}

function readMarket(value: unknown, i: number): StartingMarket {
  const o = fields(value, `$.markets[${i}]`);
  return {
    coin: text(o, 'coin'),
    market: text(o, 'market'),
    venue: text(o, 'venue'),
    state: oneOf(o, 'state', MARKETS),
    requests: numberOr(o, 'requests', 0),
    answered: numberOr(o, 'answered', 0),
    share: fraction(o, 'share'),
    left: seconds(o),
    problem: textOr(o, 'problem'),
    next: textOr(o, 'next'),
    tries: numberOr(o, 'tries', 1),
    streams: readStreams(o['streams']),
  };
}

/** Parse an answer. Throws a WireError that names the invalid field. */
export function readStarting(value: unknown): Starting {
  const o = fields(value);
  return {
    ready: o['ready'] === true,
    source: oneOf(o, 'source', SOURCES),
    note: textOr(o, 'note'),
    since: numberOr(o, 'since', 0),
    now: numberOr(o, 'now', 0),
    doing: textOr(o, 'doing'),
    share: fraction(o, 'share'),
    left: seconds(o),
    coins: list(o, 'coins').map(readCoin),
    markets: list(o, 'markets').map(readMarket),
  };
}
