/** The nearest clusters in words: what the picture of the map says to somebody who does not see it. */
import { age as ageWords, dollars, percent, price } from '../format';
import type { Cluster, Levels, Side } from '../wire/types';

/** Fraction by which the price must move to be worth saying without being asked. */
const MOVED = 0.005;
const SIDES: readonly Side[] = ['short', 'long'];

export interface Near {
  price: number;
  mark: number;
  /** Shorts, then longs, each the nearest first. */
  clusters: readonly Cluster[];
  /** What is wrong with the data: "connection lost", "stale"; empty when nothing is. */
  wrong: string;
  /** Seconds. */
  age: number;
}

/** Up to `each` clusters of a side, the nearest to the price first. */
export function nearest(levels: Pick<Levels, 'clusters' | 'mark'>, side: Side, each: number): Cluster[] {
  const own = levels.clusters.filter((c) => c.side === side);
  return own.sort((a, b) => Math.abs(a.peak - levels.mark) - Math.abs(b.peak - levels.mark)).slice(0, each);
}

export function bothSides(levels: Pick<Levels, 'clusters' | 'mark'>, each: number): Cluster[] {
  return SIDES.flatMap((side) => nearest(levels, side, each));
}

/** Of a map without a cluster: "Within 16 % every level is like its surroundings; what there is, $41M, is the ground." */
export function emptyWords({ reach, within }: Pick<Levels, 'reach' | 'within'>): string {
  const near = `Within ${Math.round(reach * 100)} %`;
  if (!(within > 0)) return `${near} there is nothing in what these filters leave.`;
  return `${near} every level is like its surroundings; what there is, ${dollars(within)}, is the ground.`;
}

/** "73,362. Nearest shorts: $269M at 75,868, +3.6%. Nearest longs: none. Data 2.1 s old." */
export function nearWords(near: Near, digits: number): string {
  const said = SIDES.map((side) => {
    const c = near.clusters.find((one) => one.side === side);
    return `nearest ${side}s: ${c ? `${dollars(c.mass)} at ${price(c.peak, digits)}, ${percent(c.peak / near.mark - 1)}` : 'none'}`;
  });
  const old = Number.isFinite(near.age) ? `data ${ageWords(near.age)} old` : 'age of the data unknown';
  return `Price ${price(near.price, digits)}; estimated ${said.join('; ')}; ${near.wrong ? `${near.wrong}, ` : ''}${old}.`;
}

/** Whether something changed that is worth a word: trouble, a new nearest cluster, or a move of half a percent. */
export function isNews(before: Near | null, now: Near): boolean {
  if (!before || before.wrong !== now.wrong || Math.abs(now.price / before.price - 1) > MOVED) return true;
  return SIDES.some((side) => {
    const [a, b] = [before, now].map((n) => n.clusters.find((c) => c.side === side));
    // A cluster that grew or was shaved still covers the place where its peak was.
    return a && b ? a.peak > b.top || a.peak < b.floor : a !== b;
  });
}
