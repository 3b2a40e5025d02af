import { describe, expect, it } from 'vitest';
import { columnOf, middleOf, readWicks, wickOf, wicksUrl } from '../src/lib/wicks/marks';
import type { EpisodeRow } from '../src/lib/wire/schema-on-demand';

const MINUTE = 60e6;
/** 07:15 of some day. */
const END = 900e6 * 2_000_029;
const row = (change: Partial<EpisodeRow> = {}): EpisodeRow =>
  ({
    id: 'BTC:wick:1:long',
    type: 'wick',
    state: 'MAP_ONLY',
    begun: END + 3e6,
    evidence: [{ name: 'ends at', value: 148_600 }],
    ...change,
  }) as EpisodeRow;
const wick = wickOf(row());
if (!wick) throw new Error('expected a wick');

/** Columns of five minutes; lows and highs of each. */
function grid(lows: number[], highs: number[]) {
  const ohlc = new Float32Array(lows.length * 5).fill(NaN);
  lows.forEach((low, i) => {
    ohlc[i * 5 + 2] = low;
    ohlc[i * 5 + 1] = highs[i];
  });
  return { t0: END - 20 * MINUTE, step: 5 * MINUTE, cols: lows.length, ohlc };
}

describe('a wick', () => {
  it('belongs to the quarter of an hour that had ended when its episode began', () => {
    expect(wick).toMatchObject({
      from: END - 15 * MINUTE,
      to: END,
      side: 'long',
      word: 'map only',
    });
    expect(wickOf(row({ id: 'BTC:wick:1:short' }))?.side).toBe('short');
  });
  it('is none without an end, or of another signal', () => {
    expect(wickOf(row({ evidence: [] }))).toBeNull();
    expect(wickOf(row({ type: 'growth' }))).toBeNull();
    expect(() => readWicks({})).toThrow();
    expect(wicksUrl('BTC')).toBe('/v1/BTC/signals?type=wick&limit=200');
  });
  it('is marked at the column that reached farthest in its candle', () => {
    const map = grid([1, 9, 7, 8, 2], [20, 11, 12, 13, 30]);
    expect(columnOf(map, wick)).toBe(2);
    expect(columnOf(map, { ...wick, side: 'short' })).toBe(3);
  });
  it('is not marked where the map has no price, or ends before it', () => {
    expect(columnOf(grid([NaN, NaN, NaN, NaN], [NaN, NaN, NaN, NaN]), wick)).toBeNull();
    expect(columnOf({ ...grid([1, 1], [2, 2]), t0: END + MINUTE }, wick)).toBeNull();
  });
  it('has its mark in the middle of the candle drawn, on the clock', () => {
    const map = { t0: 600e6, step: 300e6, cols: 12 };
    expect(middleOf(map, 4, 1)).toBe(4);
    // Candles of three columns begin at columns 1, 4, 7, as two columns have passed on the clock.
    expect(middleOf(map, 4, 3)).toBe(5);
    expect(middleOf(map, 6, 3)).toBe(5);
  });
});
