/** Reads answers fetched on demand: evaluation, comparison, observed positions, row bands. */
import { check } from '../wire/check';
import { readLevels, sized } from '../wire/decode';
import {
  ComparisonAnswer,
  type MarketScores,
  ObservedLevelsAnswer,
  type Published,
  type PublishedHours,
  ScoresAnswer,
  type TierSize,
} from '../wire/schema-on-demand';
import type { Side } from '../wire/types';

export const readScores = (raw: unknown): ScoresAnswer => check(ScoresAnswer, raw);
export const readComparison = (raw: unknown): ComparisonAnswer => check(ComparisonAnswer, raw);

/** Tiers of a market in dollars rather than base coin. */
export function tiersInDollars({
  tiers,
  price,
}: Pick<MarketScores, 'tiers' | 'price'>): TierSize[] {
  const usd = price ?? NaN;
  return tiers.map((t) => ({ ...t, size: t.size * usd, low: t.low * usd, high: t.high * usd }));
}

export const publishedHours = (scores: Published['scores']): PublishedHours[] =>
  scores.filter((s) => s.kind === 'hours');

/** Observed positions by their reported liquidation price, on their own rows. */
export type Observed = Omit<ObservedLevelsAnswer, 'kind'>;

export function readObserved(raw: unknown): Observed {
  const seen = check(ObservedLevelsAnswer, raw);
  sized(seen.long, seen.rows, '$.long');
  sized(seen.short, seen.rows, '$.short');
  return seen;
}

interface Ends {
  low: Float32Array;
  high: Float32Array;
}

/** 80 % band of every row, dollars, with its grid. */
export interface RowBands {
  p0: number;
  rows: number;
  ends: Record<Side, Ends>;
}

/** Null for playback and for the static map, which have no bands. */
export function readRowBands(raw: unknown): RowBands | null {
  const { p0, rows, bands } = readLevels(raw);
  if (!('long' in bands && 'short' in bands)) return null;
  const side = (name: Side): Ends => {
    const [low, high] = bands[name];
    sized(low, rows, `$.bands.${name}`);
    sized(high, rows, `$.bands.${name}`);
    return { low, high };
  };
  return { p0, rows, ends: { long: side('long'), short: side('short') } };
}
