/** Texts of the start-up panel: markets, their streams, coins. */
import type { StartingCoin, StartingMarket, StreamName, StreamState } from './read';
import { duration, hasFailed } from './text';

const ORDINALS = ['', '1st', '2nd', '3rd'];

/** Progress of a market's history: "9 of 14" answers, "building map". */
export function historyText(m: StartingMarket): string {
  if (m.state === 'refused') return 'refused';
  if (m.state === 'failed') return 'no answer';
  if (m.state === 'ready') return m.requests ? `all ${m.requests}` : 'complete';
  if (m.state === 'playing') return 'building map';
  if (m.requests) return `${m.answered} of ${m.requests}`;
  return m.state === 'waiting' ? 'waiting' : 'requested';
}

/**
 * What failed at a market and what happens next, unless `shown` already; empty if nothing failed.
 */
export function problemText(m: StartingMarket, shown = ''): string {
  const retry =
    m.tries > 1 &&
    m.state === 'asking' &&
    `Retrying, ${ORDINALS[m.tries] ?? `${m.tries}th`} attempt`;
  return [retry, m.problem, m.next && m.next !== shown && `Next: ${m.next}`]
    .filter(Boolean)
    .join('. ');
}

export function readyText(m: StartingMarket): string {
  if (m.state === 'ready') return 'ready';
  return hasFailed(m) ? '–' : duration(m.left);
}

/** Checklist states, each with its own icon: tick, clock, ring, cross. */
export type CheckState = 'done' | 'pending' | 'todo' | 'failed';

export function marketState(m: StartingMarket): CheckState {
  if (m.state === 'ready') return 'done';
  if (hasFailed(m)) return 'failed';
  return m.state === 'waiting' ? 'todo' : 'pending';
}

export const LETTERS: Record<StreamName, [letter: string, name: string]> = {
  trades: ['T', 'trades'],
  book: ['B', 'book'],
  interest: ['O', 'open interest'],
  funding: ['F', 'funding'],
  liquidations: ['L', 'liquidations'],
};

const STREAM_LABELS: Record<StreamState, string> = {
  up: 'up',
  waiting: 'waiting',
  down: 'down',
  none: 'not offered',
};

/** "trades up, book waiting": the stream letters for screen readers. */
export function streamText(streams: StartingMarket['streams']): string {
  return Object.entries(LETTERS)
    .map(([name, [, label]]) => `${label} ${STREAM_LABELS[streams[name as StreamName]]}`)
    .join(', ');
}

/** A coin in the strip below the map. */
export function coinText(c: StartingCoin): string {
  if (c.state === 'ready') return 'complete';
  if (c.state === 'map') return `map, ${Math.round(c.share * 100)} %`;
  if (c.state === 'price') return 'price only';
  return c.share > 0 ? `${Math.round(c.share * 100)} %` : 'waiting';
}

/** "2 of 6 mapped": coins that have a map. */
export function mappedText(coins: readonly StartingCoin[]): string {
  return `${coins.filter((c) => c.state === 'map' || c.state === 'ready').length} of ${coins.length} mapped`;
}
