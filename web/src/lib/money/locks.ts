/** A locked scale: its ends in the currency it was locked in. */
import type { Locked } from '../address';
import { money } from './money.svelte';

/** The ends in dollars; null for no lock, and for one whose rates are still on their way. */
export function dollarsOf(lock: Locked | null): [number, number] | null {
  return lock && (lock.ccy ?? 'USD') === money.ccy ? [money.dollars(lock.lo), money.dollars(lock.hi)] : null;
}

/** A lock at two ends in dollars, in the currency shown now. */
export function lockOf(usd: [number, number] | null): Locked | null {
  if (!usd) return null;
  const [lo, hi] = usd.map((end) => money.of(end));
  return money.ccy === 'USD' ? { lo, hi } : { lo, hi, ccy: money.ccy };
}
