/** Daily ECB fixings of one currency. A day uses the last fixing on or before it. */

const DAY = 86_400_000_000;
/** Days after which a fixing is stale. */
const STALE = 7;
const SYMBOLS: Record<string, string> = {
  USD: '$',
  NZD: 'NZ$',
  EUR: '€',
  AUD: 'A$',
  GBP: '£',
  JPY: '¥',
};

export interface Fixings {
  ccy: string;
  currencies: readonly string[];
  /** Days since 1970, ascending, and units per US dollar. */
  days: readonly number[];
  values: readonly number[];
  source: string;
}

export interface Fixing {
  value: number;
  /** µs UTC of the start of its day. */
  day: number;
  stale: boolean;
}

export function symbolOf(ccy: string): string {
  return SYMBOLS[ccy] ?? `${ccy} `;
}

export function readFixings(raw: unknown): Fixings {
  const answer = raw as {
    ccy: string;
    currencies: string[];
    days: string[];
    values: number[];
    source: string;
  };
  const days = answer.days.map((day) => Date.parse(`${day}T00:00:00Z`) / 86_400_000);
  if (!days.length || days.length !== answer.values.length || !days.every(Number.isInteger)) {
    throw new Error('expected one fixing per day');
  }
  return {
    ccy: answer.ccy,
    currencies: answer.currencies,
    days,
    values: answer.values,
    source: answer.source,
  };
}

/** The fixing valid at a time (µs UTC); NaN before the first one. */
export function fixingOf(fixings: Fixings, at: number): Fixing {
  const { days, values } = fixings;
  const day = Math.floor(at / DAY);
  let lo = 0;
  let hi = days.length;
  while (lo < hi) {
    const middle = (lo + hi) >> 1;
    if (days[middle] <= day) lo = middle + 1;
    else hi = middle;
  }
  if (!lo) return { value: NaN, day: 0, stale: true };
  return { value: values[lo - 1], day: days[lo - 1] * DAY, stale: day - days[lo - 1] > STALE };
}
