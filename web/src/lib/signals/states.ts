/** Names of the signals and the way of their states, as in docs/signals.md. */
import { stamp } from '../format';
import type { EpisodeRow } from '../wire/schema-on-demand';

export type Kind = EpisodeRow['type'];

export const TITLES: Record<Kind, string> = {
  absorbed: 'Absorbed, no follow-through',
  approach: 'Approach',
  cascade_chain: 'Cascade chain',
  confluence: 'Chart level and cluster',
  crowded: 'Crowded',
  feed_stale: 'Feed without data',
  funding_extreme: 'Extreme funding',
  growth: 'Cluster changed',
  hunt_trap: 'Hunt trap',
  large_print: 'Large print',
  stall_short: 'Stalled short of a cluster',
  sweep_reclaim: 'Sweep and reclaim',
  volume_spike: 'Heavy volume',
  whale_bid: 'Resting whale',
  wick: 'Wick explained',
};

export interface Step {
  state: string;
  /** In words. */
  word: string;
  /** `now` is the state of an open episode, `ahead` one that it has not reached. */
  kind: 'reached' | 'now' | 'against' | 'ahead';
  /** Event time, µs UTC; null of a state ahead. */
  time: number | null;
  /** Quote currency; null of a state ahead. */
  price: number | null;
}

/** TRAP_CONFIRMED is "trap confirmed". */
export const stateWord = (state: string): string => state.toLowerCase().replaceAll('_', ' ');

/** States an episode has been in, then those that it has left on its usual way. */
export function stepsOf({ ahead, open, failed, transitions }: EpisodeRow): Step[] {
  const last = transitions.length - 1;
  const end = open ? 'now' : failed ? 'against' : 'reached';
  const been = transitions.map(
    ({ state, time, price }, i): Step => ({
      state,
      word: stateWord(state),
      kind: i < last ? 'reached' : end,
      time,
      price,
    }),
  );
  const left = ahead.map(
    (state): Step => ({ state, word: stateWord(state), kind: 'ahead', time: null, price: null }),
  );
  return [...been, ...left];
}

/** Whose positions an episode is about, in words; empty of a whole coin. */
export const sideWord = ({ cluster }: EpisodeRow): string =>
  cluster === null ? '' : `${cluster.side}s`;

export interface Group {
  name: 'Now' | 'Today' | 'Earlier';
  episodes: EpisodeRow[];
}

/**
 * Open episodes, those that ended on the day of `now` (µs), and the others, without empty groups.
 * `zone`: seconds east of UTC.
 */
export function grouped(episodes: readonly EpisodeRow[], now: number, zone: number): Group[] {
  const day = (micros: number): string => stamp(micros + zone * 1e6).slice(0, 10);
  const today = day(now);
  const name = (each: EpisodeRow): Group['name'] =>
    each.open ? 'Now' : day(each.since) === today ? 'Today' : 'Earlier';
  return (['Now', 'Today', 'Earlier'] as const)
    .map((group) => ({ name: group, episodes: episodes.filter((each) => name(each) === group) }))
    .filter((group) => group.episodes.length > 0);
}
