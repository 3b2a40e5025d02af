/** The rows of the opening panel in words: each market, its streams, each coin. */
import type { StartingCoin, StartingMarket, StreamName, StreamState } from './read';
import { duration, lost } from './words';

const ORDINALS = ['', '1st', '2nd', '3rd'];

/** What has come of a market's past: "9 of 14" answers, "computing the map". */
export function pastWords(m: StartingMarket): string {
  if (m.state === 'refused') return 'refused';
  if (m.state === 'failed') return 'no answer';
  if (m.state === 'ready') return m.asked ? `all ${m.asked}` : 'complete';
  if (m.state === 'playing') return 'computing the map';
  if (m.asked) return `${m.answered} of ${m.asked}`;
  return m.state === 'waiting' ? 'waiting' : 'asked';
}

/** What failed at a market and what is tried next, but for what is said elsewhere; empty where nothing did. */
export function problemWords(m: StartingMarket, said = ''): string {
  const again = m.tries > 1 && m.state === 'asking' && `Asked again, ${ORDINALS[m.tries] ?? `${m.tries}th`} try`;
  return [again, m.problem, m.next && m.next !== said && `Next: ${m.next}`].filter(Boolean).join('. ');
}

export function readyWords(m: StartingMarket): string {
  if (m.state === 'ready') return 'ready';
  return lost(m) ? '–' : duration(m.left);
}

/** Shapes that say how far something is: tick met, clock waiting, ring open, cross against. */
export type Mark = 'met' | 'wait' | 'open' | 'against';

export function marketMark(m: StartingMarket): Mark {
  if (m.state === 'ready') return 'met';
  if (lost(m)) return 'against';
  return m.state === 'waiting' ? 'open' : 'wait';
}

export const LETTERS: Record<StreamName, [letter: string, words: string]> = {
  trades: ['T', 'trades'],
  book: ['B', 'book'],
  interest: ['O', 'open interest'],
  funding: ['F', 'funding'],
  liquidations: ['L', 'liquidations'],
};

const STREAM_WORDS: Record<StreamState, string> = { up: 'up', waiting: 'waiting', down: 'down', none: 'not offered' };

/** "trades up, book waiting": the row of letters for those who do not see it. */
export function streamWords(streams: StartingMarket['streams']): string {
  return Object.entries(LETTERS).map(([name, [, words]]) => `${words} ${STREAM_WORDS[streams[name as StreamName]]}`).join(', ');
}

/** A coin in the strip under the map. */
export function coinWords(c: StartingCoin): string {
  if (c.state === 'ready') return 'complete';
  if (c.state === 'map') return `map, ${Math.round(c.share * 100)} %`;
  if (c.state === 'price') return 'price only';
  return c.share > 0 ? `${Math.round(c.share * 100)} %` : 'waiting';
}

/** "2 of 6 drawn": coins that have a map. */
export function drawnWords(coins: readonly StartingCoin[]): string {
  return `${coins.filter((c) => c.state === 'map' || c.state === 'ready').length} of ${coins.length} drawn`;
}
