/** Asks what may follow a touch of a level, and finds the levels there are. */
import { check } from '../wire/check';
import type { Filters } from '../wire/query';
import type { TouchForecast } from '../wire/schema-on-demand';
import { OvershootAnswer } from '../wire/schema-on-demand';
import type { Cluster } from '../wire/types';

/** Significant digits of a level that is asked for: a pinned price has many more. */
const DIGITS = 8;

/** `level` in quote currency; null asks for the nearest cluster on each side. */
export function overshootUrl(filters: Filters, level: number | null): string {
  const q = new URLSearchParams();
  if (level !== null) q.set('price', String(Number(level.toPrecision(DIGITS))));
  if (filters.venues) q.set('venues', filters.venues.join(','));
  if (filters.at) q.set('at', String(filters.at));
  return `/v1/${encodeURIComponent(filters.coin)}/overshoot?${q.toString().replaceAll('%2C', ',')}`;
}

export const readOvershoot = (raw: unknown): OvershootAnswer => check(OvershootAnswer, raw);

/**
 * The densest price of the next cluster above a chosen price, or below it; null where there is
 * none. A cluster that holds the chosen price counts as reached. Without a choice the next one is
 * that of the mark, which may lie in a cluster whose densest price is still ahead.
 */
export function nextLevel(
  clusters: readonly Cluster[],
  mark: number,
  chosen: number | null,
  direction: 1 | -1,
): number | null {
  const isAhead = ({ floor, top, peak }: Cluster): boolean => {
    if (chosen === null) return direction * (peak - mark) > 0;
    return direction > 0 ? floor > chosen : top < chosen;
  };
  const ahead = clusters.filter(isAhead).map((c) => c.peak * direction);
  return ahead.length ? Math.min(...ahead) * direction : null;
}

/** Chance to pass a price after the touch, a fraction; interpolated. */
export function passingAt({ outward, side }: TouchForecast, price: number): number {
  const { price: prices, passing } = outward;
  const beyond = (at: number): boolean => (side === 'long' ? at <= price : at >= price);
  const i = prices.findIndex(beyond);
  if (i <= 0) return i < 0 ? (passing[passing.length - 1] ?? NaN) : passing[0];
  const share = (price - prices[i - 1]) / (prices[i] - prices[i - 1]);
  return passing[i - 1] + (passing[i] - passing[i - 1]) * share;
}
