import { describe, expect, it } from 'vitest';
import { type CaptionData, captionParts, fileName, wrapLines } from '../src/lib/share/caption';

const DATA: CaptionData = {
  coin: 'BTC',
  span: '3d',
  view: 'heatmap',
  asOf: Date.parse('2026-02-05T14:30:12Z') * 1_000,
  age: 0.4,
  source: 'live',
  venues: ['binance', 'okx'],
  filters: [],
  model: 'assumed prior, nothing learned',
  grade: 'B',
  zone: 'Pacific/Auckland',
  utcOffset: 13 * 3_600,
  rate: null,
};
const measure = (text: string): number => text.length * 7;

describe('a shared image', () => {
  it('is named by coin, span and time, and by view unless it is the heatmap', () => {
    expect(fileName(DATA, 'png')).toBe('powderkeg-BTC-3d-20260205T1430Z.png');
    expect(fileName({ ...DATA, view: 'ratio' }, 'png')).toBe(
      'powderkeg-BTC-ratio-3d-20260205T1430Z.png',
    );
  });
  it('has a caption with estimate, time in UTC and local time, data age, source and venues', () => {
    expect(captionParts(DATA)).toEqual([
      'estimate, snapshot',
      '2026-02-05 14:30 UTC (2026-02-06 03:30 Pacific/Auckland)',
      'data 0.4 s old',
      'live',
      'Binance, OKX',
      'assumed prior, nothing learned',
      'grade B',
      'fuel, not a magnet',
    ]);
  });
  it('includes filters and exchange rate in the caption', () => {
    const rate = {
      ccy: 'NZD',
      value: 1.66774,
      day: Date.parse('2026-02-05T00:00:00Z') * 1_000,
      stale: true,
    };
    const parts = captionParts({
      ...DATA,
      filters: ['tiers 50, 25'],
      rate,
      utcOffset: 0,
      grade: null,
    });
    expect(parts).toContain('tiers 50, 25');
    expect(parts).toContain('1.6677 NZD per dollar (ECB, 2026-02-05, stale)');
    expect(parts[1]).toBe('2026-02-05 14:30 UTC (local time is UTC)');
    expect(parts.some((words) => words.startsWith('grade'))).toBe(false);
  });
  it.each([200, 362, 800, 4_000])('wraps its caption at %d pixels without losing text', (width) => {
    const words = captionParts({
      ...DATA,
      model: 'calibrated on many liquidation reports '.repeat(4).trim(),
    });
    const lines = wrapLines(words, width, measure);
    expect(Math.max(...lines.map(measure))).toBeLessThanOrEqual(Math.max(width, 16 * 7));
    const bare = (list: readonly string[]): string => list.join(' ').replaceAll(/[· ]+/g, ' ');
    expect(bare(lines)).toBe(bare(words));
  });
});
