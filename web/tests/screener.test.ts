import { describe, expect, it } from 'vitest';
import { readScreener, search, sorted, sparkline } from '../src/lib/screener/read';

const near = (distance: number, usd: number) => ({
  floor: 1,
  top: 2,
  distance,
  usd,
  low: usd / 2,
  high: usd * 2,
});
const raw = {
  kind: 'screener',
  source: 'live',
  note: '',
  now: 1,
  coins: [
    {
      coin: 'BTC',
      known: true,
      why: '',
      price: 9e4,
      tick: 0.1,
      change: -0.02,
      below: near(-0.01, 5e6),
      above: null,
      steepness: { long: 9e6, short: 1e6 },
      long_share: 0.6,
      funding: null,
      oi: 1e10,
      closes: [1, null, 2],
      grade: { letter: 'A', parts: {}, why: '' },
      age: 0.4,
      as_of: 1,
      coverage: 1,
      partial: false,
    },
    {
      coin: 'ETH',
      known: true,
      why: '',
      price: 3e3,
      tick: 0.01,
      change: 0.01,
      below: near(-0.03, 2e6),
      above: near(0.02, 1e6),
      steepness: { long: 1e6, short: 2e6 },
      long_share: null,
      funding: 1e-4,
      oi: 5e9,
      closes: [],
      grade: { letter: 'C', parts: {}, why: 'old' },
      age: 3,
      as_of: 1,
      coverage: 0.5,
      partial: true,
    },
    { coin: 'NEW', known: false, why: 'no data yet', closes: [], partial: false },
  ],
};
const rows = readScreener(raw);
const names = (list: readonly { coin: string }[]): string[] => list.map((row) => row.coin);

describe('the screener', () => {
  it('reads coins with data, and the reason for those without', () => {
    expect(rows[0]).toMatchObject({
      coin: 'BTC',
      known: true,
      grade: 'A',
      steep: { long: 9e6, short: 1e6 },
      above: null,
    });
    expect(rows[0].funding).toBeNaN();
    expect(rows[2]).toMatchObject({ known: false, why: 'no data yet', below: null, closes: [] });
    expect(() => readScreener({ coins: [] })).toThrow(
      'expected one of screener at $.kind, got nothing',
    );
  });
  it('sorts by distance, size and grade, with unknown values last in either direction', () => {
    expect(names(sorted(rows, 'below', false))).toEqual(['BTC', 'ETH', 'NEW']);
    expect(names(sorted(rows, 'below', true))).toEqual(['ETH', 'BTC', 'NEW']);
    expect(names(sorted(rows, 'above', false))).toEqual(['ETH', 'BTC', 'NEW']);
    expect(names(sorted(rows, 'steep', true))).toEqual(['BTC', 'ETH', 'NEW']);
    expect(names(sorted(rows, 'grade', true))).toEqual(['ETH', 'BTC', 'NEW']);
    expect(names(sorted(rows, 'coin', true))).toEqual(['NEW', 'ETH', 'BTC']);
  });
  it('searches by substring, case-insensitively', () => {
    expect(names(search(rows, ' et'))).toEqual(['ETH']);
    expect(names(search(rows, ''))).toEqual(['BTC', 'ETH', 'NEW']);
  });
  it('draws closes within the box, with breaks where there were no trades', () => {
    expect(sparkline([1, 2, null, 1, 2], 40, 20)).toBe('M0.0 19.0L10.0 1.0M30.0 19.0L40.0 1.0');
    expect(sparkline([null, 1], 40, 20)).toBe('');
  });
});
