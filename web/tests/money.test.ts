import { afterEach, describe, expect, it } from 'vitest';
import { dollars } from '../src/lib/format';
import { type Fixings, fixingOf, readFixings } from '../src/lib/money/fixings';
import { Money, money } from '../src/lib/money/money.svelte';
import { readUrl, writeUrl } from '../src/lib/url';
import type { Filters } from '../src/lib/wire/query';

const DAY = 86_400_000_000;
const day = (text: string): number => Date.parse(`${text}T00:00:00Z`) * 1_000;
const rates = (ccy: string, rows: [string, number][]): unknown => ({
  ccy,
  currencies: ['USD', 'EUR', 'NZD'],
  days: rows.map((r) => r[0]),
  values: rows.map((r) => r[1]),
  source: 'European Central Bank',
});
const ANSWER = rates('NZD', [
  ['2026-02-05', 1.7273],
  ['2026-02-06', 1.6681],
]);

describe('fixings', () => {
  const fixings: Fixings = readFixings(ANSWER);
  it('the last on or before a day applies, including weekends', () => {
    expect(fixingOf(fixings, day('2026-02-05') + DAY - 1).value).toBe(1.7273);
    expect(fixingOf(fixings, day('2026-02-08'))).toEqual({
      value: 1.6681,
      day: day('2026-02-06'),
      stale: false,
    });
  });
  it('are stale after seven days, and NaN before the first', () => {
    expect(fixingOf(fixings, day('2026-02-13')).stale).toBe(false);
    expect(fixingOf(fixings, day('2026-02-14')).stale).toBe(true);
    expect(fixingOf(fixings, day('2026-02-04')).value).toBeNaN();
  });
  it('are rejected if invalid', () => {
    expect(() => readFixings(rates('NZD', []))).toThrow('expected one fixing per day');
    expect(() => readFixings(rates('NZD', [['soon', 1]]))).toThrow();
  });
});

describe('amounts', () => {
  afterEach(() => money.use('USD'));
  it('USDT 88,000 at 1.7273 are NZD 152,002', async () => {
    const m = new Money();
    m.at = day('2026-02-05') + 3_600_000_000;
    await m.use('NZD', () => Promise.resolve(ANSWER));
    expect(Math.round(m.of(88_000))).toBe(152_002);
    expect(m.dollars(m.of(88_000))).toBeCloseTo(88_000);
  });
  it('of a past column use the rate of its day', async () => {
    money.at = day('2026-02-06');
    await money.use('NZD', () => Promise.resolve(ANSWER));
    expect(dollars(10e6)).toBe('NZ$16.7M');
    expect(dollars(10e6, day('2026-02-05'))).toBe('NZ$17.3M');
    expect(dollars(10e6, day('2025-01-01'))).toBe('–');
  });
  it('can be switched back to dollars', async () => {
    await money.use('EUR', () => Promise.resolve(rates('EUR', [['2020-01-01', 0.9]])));
    expect(dollars(42.7e6)).toBe('€38.4M');
    await money.use('USD');
    expect(dollars(42.7e6)).toBe('$42.7M');
  });
  it('stay unchanged without rates, with an error', async () => {
    const m = new Money();
    expect(await m.use('XXX', () => Promise.reject(new Error('expected a currency of USD')))).toBe(
      false,
    );
    expect([m.ccy, m.of(5), m.error]).toEqual([
      'USD',
      5,
      'no rate for XXX: expected a currency of USD',
    ]);
  });
  it('ignore a slow response to an earlier choice', async () => {
    const m = new Money();
    let late: (raw: unknown) => void = () => undefined;
    const first = m.use('NZD', () => new Promise((done) => (late = done)));
    await m.use('EUR', () => Promise.resolve(rates('EUR', [['2020-01-01', 0.9]])));
    late(ANSWER);
    expect(await first).toBe(false);
    expect(m.ccy).toBe('EUR');
  });
});

describe('the URL', () => {
  const filters: Filters = {
    coin: 'BTC',
    span: '3d',
    venues: null,
    tiers: null,
    side: 'both',
    model: 'calibrated',
  };
  it('has the currency, which applies to a locked scale', () => {
    const url = writeUrl(filters, 'heatmap', { lo: 5e6, hi: 9e7, ccy: 'NZD' }, undefined, 'NZD');
    expect(url).toBe('?coin=BTC&span=3d&scale=5000000-90000000&ccy=NZD');
    expect(readUrl(url)).toMatchObject({ ccy: 'NZD', locked: { lo: 5e6, hi: 9e7, ccy: 'NZD' } });
  });
  it('omits dollars and invalid currencies', () => {
    expect(writeUrl(filters, 'heatmap', null)).toBe('?coin=BTC&span=3d');
    expect(readUrl('?ccy=<b>').ccy).toBeUndefined();
  });
});
