/** Reads /v1/starting: what a starting server is doing, and its progress. */
import { check } from '../wire/check';
import { type CoinProgress, type MarketProgress, Progress } from '../wire/schema';

export type Starting = Progress;
export type StartingCoin = CoinProgress;
export type StartingMarket = MarketProgress;
export type CoinState = CoinProgress['state'];
export type MarketState = MarketProgress['state'];
export type StreamName = keyof MarketProgress['streams'];
/** `none`: the venue does not offer this stream. */
export type StreamState = MarketProgress['streams'][StreamName];

/** In the order of display. */
export const STREAMS: readonly StreamName[] = [
  'trades',
  'book',
  'interest',
  'funding',
  'liquidations',
];

/** Parse an answer. Throws a WireError that names the invalid field. */
export const readStarting = (raw: unknown): Starting => check(Progress, raw);
