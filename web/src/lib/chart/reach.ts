/** How far from the price autoscale looks, so that the next clusters of both sides are in sight. */
import type { Cluster, Side } from '../wire/types';

/** Clusters wanted in sight, and those that may come along when they are no further than NEAR. */
const WANTED = 3;
const WELCOME = 6;
const NEAR = 0.055;
const LEAST = 0.008;
const MOST = 0.12;
/** Where fewer than wanted stand out, what is looked at instead. */
const FEW = 0.04;
/** A cluster lighter than this share of its side's heaviest does not move the axis. */
const HEAVY = 0.12;

function far(clusters: readonly Cluster[], side: Side, mark: number): number {
  const own = clusters.filter((c) => c.side === side);
  const heaviest = Math.max(0, ...own.map((c) => c.mass));
  const distances = own
    .filter((c) => c.mass >= HEAVY * heaviest)
    .map((c) => Math.max(Math.abs(c.top / mark - 1), Math.abs(c.floor / mark - 1)))
    .sort((a, b) => a - b)
    .filter((d) => d <= MOST);
  const at = (n: number): number => distances[Math.min(n, distances.length) - 1] ?? 2 * LEAST;
  return Math.max(at(WANTED), Math.min(at(WELCOME), NEAR), distances.length < WANTED ? FEW : 0);
}

export interface Reach {
  down: number;
  up: number;
}

/** The reach for today's clusters, kept as it was unless it is clearly wrong: an axis must not breathe. */
export function steadyReach(now: Reach | null, clusters: readonly Cluster[], mark: number): Reach {
  const side = (name: Side, held: number | undefined): number => {
    const wanted = Math.min(MOST, Math.max(LEAST, far(clusters, name, mark) * 1.06));
    if (held === undefined || wanted > held * 1.05 || wanted < held * 0.6) return wanted;
    return held;
  };
  return { down: side('long', now?.down), up: side('short', now?.up) };
}
