/** Converts locked scales between dollars and the currency they were locked in. */
import type { ScaleLock } from '../url';
import { money } from './money.svelte';

/** The ends in dollars; null without a lock, or while its rates are loading. */
export function lockInDollars(lock: ScaleLock | null): [number, number] | null {
  return lock && (lock.ccy ?? 'USD') === money.ccy
    ? [money.dollars(lock.lo), money.dollars(lock.hi)]
    : null;
}

/** A lock at two ends in dollars, in the display currency. */
export function lockFromDollars(usd: [number, number] | null): ScaleLock | null {
  if (!usd) return null;
  const [lo, hi] = usd.map((end) => money.of(end));
  return money.ccy === 'USD' ? { lo, hi } : { lo, hi, ccy: money.ccy };
}
