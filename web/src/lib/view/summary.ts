/** A text summary of the nearest clusters for screen readers. */
import { age as ageText, dollars, percent, price } from '../format';
import type { Cluster, Levels, Side } from '../wire/types';

/** Price move, as a fraction, that is worth an announcement. */
const NOTABLE_MOVE = 0.005;
const SIDES: readonly Side[] = ['short', 'long'];

export interface ClusterSummary {
  price: number;
  mark: number;
  /** Shorts, then longs, nearest first. */
  clusters: readonly Cluster[];
  /** Data problem: "connection lost", "stale"; empty if none. */
  problem: string;
  /** Seconds. */
  age: number;
}

/** Up to `each` clusters of a side, nearest first. */
export function nearest(
  levels: Pick<Levels, 'clusters' | 'mark'>,
  side: Side,
  each: number,
): Cluster[] {
  const own = levels.clusters.filter((c) => c.side === side);
  return own
    .sort((a, b) => Math.abs(a.peak - levels.mark) - Math.abs(b.peak - levels.mark))
    .slice(0, each);
}

export function bothSides(levels: Pick<Levels, 'clusters' | 'mark'>, each: number): Cluster[] {
  return SIDES.flatMap((side) => nearest(levels, side, each));
}

/** For a map without clusters: "Within 16 % the map is flat: $41M, all of it ground." */
export function emptyText({ reach, within }: Pick<Levels, 'reach' | 'within'>): string {
  const near = `Within ${Math.round(reach * 100)} %`;
  const notional = within.long + within.short;
  if (!(notional > 0)) return `${near} nothing matches these filters.`;
  return `${near} the map is flat: ${dollars(notional)}, all of it ground.`;
}

/**
 * "Price 73,362; estimated nearest shorts: $269M at 75,868, +3.6%; nearest longs: none; data 2.1 s
 * old."
 */
export function summaryText(near: ClusterSummary, digits: number): string {
  const sides = SIDES.map((side) => {
    const c = near.clusters.find((one) => one.side === side);
    return `nearest ${side}s: ${c ? `${dollars(c.notional)} at ${price(c.peak, digits)}, ${percent(c.peak / near.mark - 1)}` : 'none'}`;
  });
  const old = Number.isFinite(near.age) ? `data ${ageText(near.age)} old` : 'data age unknown';
  return `Price ${price(near.price, digits)}; estimated ${sides.join('; ')}; ${near.problem ? `${near.problem}, ` : ''}${old}.`;
}

/**
 * Whether a change is worth announcing: a data problem, a new nearest cluster, or a move of half a
 * percent.
 */
export function isNotable(before: ClusterSummary | null, now: ClusterSummary): boolean {
  if (
    !before ||
    before.problem !== now.problem ||
    Math.abs(now.price / before.price - 1) > NOTABLE_MOVE
  )
    return true;
  return SIDES.some((side) => {
    const [a, b] = [before, now].map((n) => n.clusters.find((c) => c.side === side));
    // A cluster that changed its edges is the same if it still covers the previous peak.
    return a && b ? a.peak > b.top || a.peak < b.floor : a !== b;
  });
}
