import { describe, expect, it } from 'vitest';
import { fileName, pieces, type Said, wrapped } from '../src/lib/share/stamp';

const SAID: Said = {
  coin: 'BTC', span: '3d', view: 'heatmap', asOf: Date.parse('2026-02-05T14:30:12Z') * 1_000, age: 0.4, source: 'live',
  venues: ['binance', 'okx'], filters: [], model: 'assumed prior, nothing learned', grade: 'B', zone: 'Pacific/Auckland', ahead: 13 * 3_600, rate: null,
};
const measure = (text: string): number => text.length * 7;

describe('a picture', () => {
  it('is called by coin, span and moment; other views name themselves', () => {
    expect(fileName(SAID, 'png')).toBe('powderkeg-BTC-3d-20260205T1430Z.png');
    expect(fileName({ ...SAID, view: 'ratio' }, 'png')).toBe('powderkeg-BTC-ratio-3d-20260205T1430Z.png');
  });
  it('says that it is an estimate and stands still, of when in UTC and local time, how old, of whom', () => {
    expect(pieces(SAID)).toEqual([
      'estimate, static image', '2026-02-05 14:30 UTC (2026-02-06 03:30 Pacific/Auckland)', 'data 0.4 s old', 'live',
      'Binance, OKX', 'assumed prior, nothing learned', 'grade B', 'fuel, not a magnet',
    ]);
  });
  it('says what it was narrowed to, and by which rate its amounts were converted', () => {
    const rate = { ccy: 'NZD', value: 1.66774, day: Date.parse('2026-02-05T00:00:00Z') * 1_000, stale: true };
    const said = pieces({ ...SAID, filters: ['tiers 50, 25'], rate, ahead: 0, grade: null });
    expect(said).toContain('tiers 50, 25');
    expect(said).toContain('1.6677 NZD a dollar (ECB, 2026-02-05, stale)');
    expect(said[1]).toBe('2026-02-05 14:30 UTC (local time is UTC)');
    expect(said.some((words) => words.startsWith('grade'))).toBe(false);
  });
  it.each([200, 362, 800, 4_000])('breaks its words into lines of %d pixels and loses none', (width) => {
    const words = pieces({ ...SAID, model: 'calibrated on many liquidation reports '.repeat(4).trim() });
    const lines = wrapped(words, width, measure);
    expect(Math.max(...lines.map(measure))).toBeLessThanOrEqual(Math.max(width, 16 * 7));
    const bare = (list: readonly string[]): string => list.join(' ').replaceAll(/[· ]+/g, ' ');
    expect(bare(lines)).toBe(bare(words));
  });
});
