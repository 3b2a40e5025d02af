/** Reads the cumulative curve: dollars at a distance, and its slope in dollars per percent. */
import type { Cluster, Cumulative, Side } from '../wire/types';

const PERCENT = 0.01;

/** Cumulative dollars at a distance, interpolated. */
export function cumulativeAt(curve: Cumulative, distance: number): number {
  const { distance: d, notional: n } = curve;
  if (!d.length) return NaN;
  let i = 0;
  while (i < d.length - 1 && d[i + 1] < distance) i++;
  const j = Math.min(d.length - 1, i + 1);
  const share = d[j] === d[i] ? 0 : Math.min(1, Math.max(0, (distance - d[i]) / (d[j] - d[i])));
  return n[i] + (n[j] - n[i]) * share;
}

/** Dollars per percent around each point of the curve, measured over one percent. */
export function slopes(curve: Cumulative): Float64Array {
  return Float64Array.from(curve.distance, (d) => slopeAt(curve, d));
}

/**
 * Dollars per percent at a distance. The window never crosses the price: a fall meets no shorts.
 */
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
  /** Signed fractions of the price, nearer first, and the dollars between them. */
  from: number;
  to: number;
  usd: number;
}

/** The steepest percent of one side, or null if the curve is shorter than one percent there. */
export function steepest(curve: Cumulative, side: Side): Stretch | null {
  const sign = side === 'long' ? -1 : 1;
  const end = Math.max(0, ...curve.distance.map((d) => d * sign));
  let best: Stretch | null = null;
  for (const d of curve.distance) {
    const near = d * sign;
    if (near < 0 || near + PERCENT > end + 1e-9) continue;
    const usd = cumulativeAt(curve, sign * (near + PERCENT)) - cumulativeAt(curve, sign * near);
    if (!best || usd > best.usd) best = { from: sign * near, to: sign * (near + PERCENT), usd };
  }
  return best;
}

export interface Step {
  cluster: Cluster;
  /** Signed fraction to the cluster's far edge, and dollars liquidated up to there. */
  distance: number;
  total: number;
}

/** Running total at the far edge of every cluster of a side within the curve, nearest first. */
export function steps(
  curve: Cumulative,
  clusters: readonly Cluster[],
  side: Side,
  mark: number,
): Step[] {
  const ends = [curve.distance[0], curve.distance[curve.distance.length - 1]];
  return clusters
    .filter((c) => c.side === side)
    .map((cluster) => ({
      cluster,
      distance: (side === 'long' ? cluster.floor : cluster.top) / mark - 1,
    }))
    .filter(({ distance }) => distance >= ends[0] && distance <= ends[1])
    .sort((a, b) => Math.abs(a.distance) - Math.abs(b.distance))
    .map((s) => ({ ...s, total: cumulativeAt(curve, s.distance) }));
}
