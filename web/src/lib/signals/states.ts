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

/** States of an episode that goes all the way, in order, the last one its end. */
const USUAL: Record<Kind, readonly string[]> = {
  absorbed: ['TRADED', 'FOLLOWED'],
  approach: ['NEAR', 'AT_EDGE', 'IN_ZONE', 'THROUGH'],
  cascade_chain: ['STACKED', 'LIT', 'PROPAGATING', 'LINK_3', 'EXHAUSTED'],
  confluence: ['MATCH'],
  crowded: ['CROWDED', 'EASED'],
  feed_stale: ['STALE', 'BACK'],
  funding_extreme: ['EXTREME', 'EASED'],
  growth: ['GROWING'],
  hunt_trap: ['APPROACH', 'POKED', 'BLOCKED', 'TRAP_CONFIRMED'],
  large_print: ['SEEN'],
  stall_short: ['STALLED'],
  sweep_reclaim: ['APPROACH', 'IN_ZONE', 'SWEPT', 'ABSORBING', 'RECLAIMED'],
  volume_spike: ['HEAVY', 'CALM'],
  whale_bid: ['UNTESTED', 'TESTED', 'HELD'],
  wick: [],
};

/** Ends that are not what the signal asks about. */
const AGAINST: ReadonlySet<string> = new Set([
  'APART',
  'BROKEOUT',
  'EATEN',
  'EXPIRED',
  'FAILED',
  'GONE',
  'LEFT',
  'PULLED',
]);

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

/** States an episode has been in, then, while it is open, those that are left on the usual way. */
export function stepsOf({ type, open, transitions }: EpisodeRow): Step[] {
  const last = transitions.length - 1;
  const been = transitions.map(({ state, time, price }, i): Step => {
    const kind = i < last ? 'reached' : open ? 'now' : AGAINST.has(state) ? 'against' : 'reached';
    return { state, word: stateWord(state), kind, time, price };
  });
  if (!open) return been;
  const way = USUAL[type];
  const from = 1 + Math.max(-1, ...transitions.map(({ state }) => way.indexOf(state)));
  const ahead = way.slice(from).map(
    (state): Step => ({
      state,
      word: stateWord(state),
      kind: 'ahead',
      time: null,
      price: null,
    }),
  );
  return [...been, ...ahead];
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
