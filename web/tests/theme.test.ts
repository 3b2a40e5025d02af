import { afterEach, describe, expect, it, vi } from 'vitest';
import { readSettings } from '../src/lib/address';
import { bothSides, isNews, type Near, nearWords } from '../src/lib/look/near';
import { followSystem, type Tone, wear } from '../src/lib/look/tone';
import { divergingAt } from '../src/lib/paint/diverging';
import { lookup, PALETTES } from '../src/lib/paint/palettes';
import { LIGHT, setTheme, theme } from '../src/lib/paint/theme.svelte';
import { curveWords } from '../src/lib/plot/curve';
import { venueColour } from '../src/lib/plot/venues';
import type { Cluster } from '../src/lib/wire/types';

const linear = (c: number): number => ((c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
const light = ([r, g, b]: readonly number[]): number => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
const hex = (s: string): number[] => [1, 3, 5].map((i) => Number.parseInt(s.slice(i, i + 2), 16));
const contrast = (a: readonly number[], b: readonly number[]): number => {
  const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
  return (x + 0.05) / (y + 0.05);
};
/** What the eye gets: the colour laid over white paper. */
const onPaper = (word: number): number[] =>
  [0, 8, 16].map((shift) => 255 + (((word >>> shift) & 255) - 255) * ((word >>> 24) / 255));

afterEach(() => setTheme('dark'));

describe('cells on paper', () => {
  it.each(PALETTES)('in %s only grow darker from the threshold on, stale or not', (name) => {
    for (const grey of [false, true]) {
      const words = lookup(name, 60, 220, grey, true);
      expect([...words.subarray(0, 60)].every((w) => w === 0)).toBe(true);
      const seen = Array.from({ length: 161 }, (_, i) => light(onPaper(words[60 + i])));
      // Two neighbours may be rounded to one colour; four bytes apart they never are.
      for (let i = 1; i < seen.length; i++) expect(seen[i]).toBeLessThanOrEqual(seen[i - 1]);
      for (let i = 4; i < seen.length; i++) expect(seen[i]).toBeLessThan(seen[i - 4]);
      expect(light(onPaper(words[60]))).toBeLessThan(light([255, 255, 255]));
      expect(words[255]).toBe(words[220]);
    }
  });
  it('that differ from the static map grow darker to both sides of what is equal', () => {
    for (const side of [-1, 1])
      for (let p = 0; p < 1; p += 1 / 16)
        expect(light(divergingAt(side * (p + 1 / 16), true))).toBeLessThan(light(divergingAt(side * p, true)));
  });
  it.each(['binance', 'bybit', 'okx', 'bitget', 'hyperliquid', 'deribit', 'a', 'b', 'c', 'd'])('show the venue %s', (name) => {
    setTheme('light');
    expect(contrast(hex(venueColour(name)), hex(LIGHT.ground))).toBeGreaterThan(3);
  });
});

describe('a tone', () => {
  const system = (prefersLight: boolean) => {
    const listeners: (() => void)[] = [];
    const list = { matches: prefersLight, addEventListener: (_: string, then: () => void) => listeners.push(then) };
    vi.stubGlobal('matchMedia', () => list);
    return (now: boolean) => {
      list.matches = now;
      for (const then of listeners) then();
    };
  };
  afterEach(() => vi.unstubAllGlobals());

  it('that is chosen is worn whatever the system prefers', () => {
    system(true);
    wear('dark');
    expect([theme.name, document.documentElement.dataset['theme']]).toEqual(['dark', 'dark']);
    wear('light');
    expect([theme.name, document.documentElement.dataset['theme']]).toEqual(['light', 'light']);
  });
  it('that is left to the system follows it at once, and a chosen one does not', () => {
    const turn = system(false);
    let tone: Tone = 'auto';
    followSystem(() => tone);
    expect(theme.name).toBe('dark');
    turn(true);
    expect(theme.name).toBe('light');
    tone = 'dark';
    turn(true);
    expect(theme.name).toBe('dark');
  });
  it('colours the bars of the browser', () => {
    system(false);
    document.head.innerHTML = '<meta name="theme-color" content="" />';
    wear('light');
    expect(document.querySelector('meta')?.content).toBe(LIGHT.ground);
  });
  it('is dark unless something else is remembered', () => {
    localStorage.setItem('powderkeg', '{"theme":"sepia"}');
    expect(readSettings().theme).toBe('dark');
    localStorage.setItem('powderkeg', '{"theme":"auto"}');
    expect(readSettings().theme).toBe('auto');
    localStorage.clear();
  });
});

describe('the map in words', () => {
  const cluster = (side: 'long' | 'short', peak: number, mass: number) =>
    ({ side, peak, floor: peak - 50, top: peak + 50, mass }) as Cluster;
  const clusters = [cluster('long', 95_000, 3e6), cluster('short', 103_000, 2e6), cluster('long', 98_000, 1e6)];
  const near = (change: Partial<Near> = {}): Near => ({
    price: 100_000, mark: 100_000, clusters: bothSides({ clusters, mark: 100_000 }, 5), wrong: '', age: 2, ...change,
  });

  it('names the nearest of each side first', () => {
    expect(bothSides({ clusters, mark: 100_000 }, 1).map((c) => c.peak)).toEqual([103_000, 98_000]);
    expect(near().clusters.map((c) => c.peak)).toEqual([103_000, 98_000, 95_000]);
  });
  it('says price, both sides and the age', () => {
    expect(nearWords(near(), 0)).toBe(
      'Price 100,000; estimated nearest shorts: $2.00M at 103,000, +3.0%; nearest longs: $1.00M at 98,000, −2.0%; data 2.0 s old.',
    );
    expect(nearWords(near({ clusters: [], wrong: 'stale', age: Infinity }), 0)).toContain('shorts: none; nearest longs: none; stale, age of the data unknown');
  });
  it('speaks up for trouble, a new nearest cluster or half a percent, and for nothing less', () => {
    expect(isNews(null, near())).toBe(true);
    expect(isNews(near(), near({ price: 100_400, age: 9 }))).toBe(false);
    expect(isNews(near(), near({ price: 100_600 }))).toBe(true);
    expect(isNews(near(), near({ wrong: 'stale' }))).toBe(true);
    expect(isNews(near(), near({ clusters: [cluster('long', 98_020, 2e6), cluster('short', 103_000, 2e6)] }))).toBe(false);
    expect(isNews(near(), near({ clusters: [cluster('long', 99_000, 2e6), cluster('short', 103_000, 2e6)] }))).toBe(true);
    expect(isNews(near(), near({ clusters: [cluster('short', 103_000, 2e6)] }))).toBe(true);
  });
  it('tells a curve by its ends and their halves', () => {
    const curve = {
      distance: Float64Array.of(-0.1, 0, 0.1), notional: Float64Array.of(4e6, 0, 2e6), low: new Float64Array(), high: new Float64Array(),
    };
    expect(curveWords(curve)).toContain('−10.0% $4.00M, −5.0% $2.00M, +5.0% $1.00M, +10.0% $2.00M');
    expect(curveWords({ ...curve, distance: Float64Array.of(0) })).toBe('No cumulative map yet');
  });
});
