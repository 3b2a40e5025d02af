/** Where the cumulative map is steep: dollars force-closed per percent of price. */
import type { Cluster, Cumulative, Side } from '../wire/types';
import { cumulativeAt } from './curve';

const PERCENT = 0.01;

/** Dollars a percent around each point of the curve, read over one percent, cut where the curve ends. */
export function slopes(curve: Cumulative): Float64Array {
  return Float64Array.from(curve.distance, (d) => slopeAt(curve, d));
}

/** Dollars a percent at a distance; the price itself parts the sides, as a fall meets no shorts. */
export function slopeAt(curve: Cumulative, at: number): number {
  const { distance } = curve;
  if (distance.length < 2) return NaN;
  const side = at < 0 ? [distance[0], 0] : [0, distance[distance.length - 1]];
  const from = Math.max(side[0], Math.min(at - PERCENT / 2, side[1] - PERCENT));
  const to = Math.min(side[1], from + PERCENT);
  if (!(to > from)) return 0;
  return (Math.abs(cumulativeAt(curve, to) - cumulativeAt(curve, from)) / (to - from)) * PERCENT;
}

export interface Stretch {
  /** Signed fractions of the price, the nearer first, and the dollars between them. */
  from: number;
  to: number;
  usd: number;
}

/** The steepest percent of one side, or null where the curve does not reach a percent that way. */
export function steepest(curve: Cumulative, side: Side): Stretch | null {
  const way = side === 'long' ? -1 : 1;
  const far = Math.max(0, ...curve.distance.map((d) => d * way));
  let best: Stretch | null = null;
  for (const d of curve.distance) {
    const near = d * way;
    if (near < 0 || near + PERCENT > far + 1e-9) continue;
    const usd = cumulativeAt(curve, way * (near + PERCENT)) - cumulativeAt(curve, way * near);
    if (!best || usd > best.usd) best = { from: way * near, to: way * (near + PERCENT), usd };
  }
  return best;
}

export interface Step {
  cluster: Cluster;
  /** Signed fraction to the cluster's far edge, and all that is force-closed on the way there. */
  distance: number;
  total: number;
}

/** Running total at the far edge of every cluster of a side that the curve reaches, nearest first. */
export function steps(curve: Cumulative, clusters: readonly Cluster[], side: Side, mark: number): Step[] {
  const ends = [curve.distance[0], curve.distance[curve.distance.length - 1]];
  return clusters
    .filter((c) => c.side === side)
    .map((cluster) => ({ cluster, distance: (side === 'long' ? cluster.floor : cluster.top) / mark - 1 }))
    .filter(({ distance }) => distance >= ends[0] && distance <= ends[1])
    .sort((a, b) => Math.abs(a.distance) - Math.abs(b.distance))
    .map((s) => ({ ...s, total: cumulativeAt(curve, s.distance) }));
}
