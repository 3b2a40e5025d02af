/** Price range of the autoscaled axis, wide enough to show the next clusters of both sides. */
import type { Cluster, Side } from '../wire/types';

/** Clusters per side to show, and how many more if they are within NEAR. */
const MIN_CLUSTERS = 3;
const MAX_CLUSTERS = 6;
const NEAR = 0.055;
const MIN_RANGE = 0.008;
const MAX_RANGE = 0.12;
/** Range shown where fewer clusters exist. */
const SPARSE_RANGE = 0.04;
/** A cluster smaller than this fraction of its side's largest does not move the axis. */
const MIN_SIZE = 0.12;

function sideRange(clusters: readonly Cluster[], side: Side, mark: number): number {
  const own = clusters.filter((c) => c.side === side);
  const largest = Math.max(0, ...own.map((c) => c.notional));
  const distances = own
    .filter((c) => c.notional >= MIN_SIZE * largest)
    .map((c) => Math.max(Math.abs(c.top / mark - 1), Math.abs(c.floor / mark - 1)))
    .sort((a, b) => a - b)
    .filter((d) => d <= MAX_RANGE);
  const at = (n: number): number => distances[Math.min(n, distances.length) - 1] ?? 2 * MIN_RANGE;
  return Math.max(
    at(MIN_CLUSTERS),
    Math.min(at(MAX_CLUSTERS), NEAR),
    distances.length < MIN_CLUSTERS ? SPARSE_RANGE : 0,
  );
}

export interface AutoscaleRange {
  down: number;
  up: number;
}

/**
 * The range for these clusters. Small changes keep the present one, so that the axis does not
 * jitter.
 */
export function stableAutoscale(
  current: AutoscaleRange | null,
  clusters: readonly Cluster[],
  mark: number,
): AutoscaleRange {
  const side = (name: Side, present: number | undefined): number => {
    const wanted = Math.min(MAX_RANGE, Math.max(MIN_RANGE, sideRange(clusters, name, mark) * 1.06));
    if (present === undefined || wanted > present * 1.05 || wanted < present * 0.6) return wanted;
    return present;
  };
  return { down: side('long', current?.down), up: side('short', current?.up) };
}
