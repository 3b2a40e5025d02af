/** Formats start-up progress. */
import { venueName } from '../format';
import type { MarketState, Starting, StartingMarket } from './read';

/** Remaining time: "6 s", "2 min", "1 h". */
export function duration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return '–';
  if (seconds < 90) return `${Math.max(1, Math.ceil(seconds))} s`;
  return seconds < 5_400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}

/** Elapsed time: "0:14", "1:00:00". */
export function stopwatch(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '–';
  const two = (n: number): string => String(n).padStart(2, '0');
  const [h, m, s] = [
    Math.floor(seconds / 3_600),
    Math.floor(seconds / 60) % 60,
    Math.floor(seconds) % 60,
  ];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export function leftText(starting: Starting): string {
  return starting.left === null ? 'time left unknown' : `ready in about ${duration(starting.left)}`;
}

/** The markets of one coin, in server order. */
export const marketsOf = (starting: Starting, coin: string): StartingMarket[] =>
  starting.markets.filter((m) => m.coin === coin);

export const readyCount = (starting: Starting, coin: string): number =>
  marketsOf(starting, coin).filter((m) => m.state === 'ready').length;

/** Markets that have responded: what "5 of 6 venues" counts. */
const RESPONDED: readonly MarketState[] = ['fetching', 'playing', 'ready'];
export const hasResponded = (m: StartingMarket): boolean => RESPONDED.includes(m.state);
export const hasFailed = (m: StartingMarket): boolean =>
  m.state === 'failed' || m.state === 'refused';

export function venuesText(markets: readonly StartingMarket[]): string {
  return `${markets.filter(hasResponded).length} of ${markets.length} venue${markets.length === 1 ? '' : 's'}`;
}

/** Venues that do not respond and what that means for the map; null if all respond. */
export function networkText(
  starting: Starting,
  coin: string,
): { problem: string; next: string } | null {
  const own = marketsOf(starting, coin);
  const failed = own.filter(hasFailed);
  if (!failed.length) return null;
  const next = [...new Set(failed.map((m) => m.next).filter(Boolean))].join('; ');
  if (failed.length === own.length)
    return {
      problem:
        own.length > 1
          ? `None of ${own.length} venues responds`
          : `${venueName(own[0].venue)} does not respond`,
      next,
    };
  const working = own.filter((m) => !hasFailed(m)).map((m) => venueName(m.venue));
  return {
    problem: `${failed.length} of ${own.length} venues do not respond. The map is built from ${working.join(', ')}`,
    next,
  };
}
