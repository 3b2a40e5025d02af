/** What the answer of a starting server means, in words. */
import { venueName } from '../format';
import type { MarketState, Starting, StartingMarket } from './read';

/** "6 s", "2 min", "1 h": how long something still takes. */
export function duration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return '–';
  if (seconds < 90) return `${Math.max(1, Math.ceil(seconds))} s`;
  return seconds < 5_400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}

/** "0:14" of seconds since the server began; an hour reads 1:00:00. */
export function stopwatch(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '–';
  const two = (n: number): string => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export function leftWords(starting: Starting): string {
  return starting.left === null ? 'time left not known yet' : `all of it in about ${duration(starting.left)}`;
}

/** The markets of one coin, in the order of the server. */
export const ofCoin = (starting: Starting, coin: string): StartingMarket[] => starting.markets.filter((m) => m.coin === coin);

export const ready = (starting: Starting, coin: string): number => ofCoin(starting, coin).filter((m) => m.state === 'ready').length;

/** Markets that have answered something, or are complete: what "5 of 6 venues" counts. */
const ANSWERING: readonly MarketState[] = ['fetching', 'playing', 'ready'];
export const answers = (m: StartingMarket): boolean => ANSWERING.includes(m.state);
export const lost = (m: StartingMarket): boolean => m.state === 'failed' || m.state === 'refused';

export function venuesWords(markets: readonly StartingMarket[]): string {
  return `${markets.filter(answers).length} of ${markets.length} venue${markets.length === 1 ? '' : 's'}`;
}

/** What the reach of the network means for the map: nothing answers, some do not; empty where all do. */
export function networkWords(starting: Starting, coin: string): { what: string; next: string } | null {
  const own = ofCoin(starting, coin);
  const gone = own.filter(lost);
  if (!gone.length) return null;
  const next = [...new Set(gone.map((m) => m.next).filter(Boolean))].join('; ');
  if (gone.length === own.length) return { what: own.length > 1 ? `None of ${own.length} venues answers` : `${venueName(own[0].venue)} does not answer`, next };
  const well = own.filter((m) => !lost(m)).map((m) => venueName(m.venue));
  return { what: `${gone.length} of ${own.length} venues do not answer. The map is made of ${well.join(', ')}`, next };
}
