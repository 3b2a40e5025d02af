import { afterEach, describe, expect, it, vi } from 'vitest';
import { curveText } from '../src/lib/plot/curve';
import { venueColour } from '../src/lib/plot/venues';
import { divergingAt } from '../src/lib/render/diverging';
import { lookup, PALETTES } from '../src/lib/render/palettes';
import { LIGHT, setTheme, theme } from '../src/lib/render/theme.svelte';
import { readSettings } from '../src/lib/url';
import { bothSides, type ClusterSummary, isNotable, summaryText } from '../src/lib/view/summary';
import { applyTheme, followSystemTheme, type ThemeSetting } from '../src/lib/view/theme';
import type { Cluster } from '../src/lib/wire/types';

const linear = (byte: number): number => {
  const c = byte / 255;
  return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
};
const light = ([r, g, b]: readonly number[]): number =>
  0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
const hex = (s: string): number[] => [1, 3, 5].map((i) => Number.parseInt(s.slice(i, i + 2), 16));
const contrast = (a: readonly number[], b: readonly number[]): number => {
  const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
  return (x + 0.05) / (y + 0.05);
};
/** The colour composited over white. */
const onPaper = (word: number): number[] =>
  [0, 8, 16].map((shift) => 255 + (((word >>> shift) & 255) - 255) * ((word >>> 24) / 255));

afterEach(() => setTheme('dark'));

describe('cells in the light theme', () => {
  it.each(PALETTES)('in %s get darker from the threshold on, stale or not', (name) => {
    for (const grey of [false, true]) {
      const words = lookup(name, 60, 220, grey, true);
      expect([...words.subarray(0, 60)].every((w) => w === 0)).toBe(true);
      const seen = Array.from({ length: 161 }, (_, i) => light(onPaper(words[60 + i])));
      // Adjacent bytes may round to the same colour; four bytes apart they differ.
      for (let i = 1; i < seen.length; i++) expect(seen[i]).toBeLessThanOrEqual(seen[i - 1]);
      for (let i = 4; i < seen.length; i++) expect(seen[i]).toBeLessThan(seen[i - 4]);
      expect(light(onPaper(words[60]))).toBeLessThan(light([255, 255, 255]));
      expect(words[255]).toBe(words[220]);
    }
  });
  it('of a difference get darker in both directions', () => {
    for (const side of [-1, 1])
      for (let p = 0; p < 1; p += 1 / 16)
        expect(light(divergingAt(side * (p + 1 / 16), true))).toBeLessThan(
          light(divergingAt(side * p, true)),
        );
  });
  it.each(['binance', 'bybit', 'okx', 'bitget', 'hyperliquid', 'deribit', 'a', 'b', 'c', 'd'])(
    'contrast with the colour of venue %s',
    (name) => {
      setTheme('light');
      expect(contrast(hex(venueColour(name)), hex(LIGHT.background))).toBeGreaterThan(3);
    },
  );
});

describe('the theme', () => {
  const system = (prefersLight: boolean) => {
    const listeners: (() => void)[] = [];
    const list = {
      matches: prefersLight,
      addEventListener: (_: string, then: () => void) => listeners.push(then),
    };
    vi.stubGlobal('matchMedia', () => list);
    return (now: boolean) => {
      list.matches = now;
      for (const then of listeners) then();
    };
  };
  afterEach(() => vi.unstubAllGlobals());

  it('is applied as chosen, regardless of the system', () => {
    system(true);
    applyTheme('dark');
    expect([theme.name, document.documentElement.dataset['theme']]).toEqual(['dark', 'dark']);
    applyTheme('light');
    expect([theme.name, document.documentElement.dataset['theme']]).toEqual(['light', 'light']);
  });
  it('follows the system only on auto', () => {
    const setSystem = system(false);
    let setting: ThemeSetting = 'auto';
    followSystemTheme(() => setting);
    expect(theme.name).toBe('dark');
    setSystem(true);
    expect(theme.name).toBe('light');
    setting = 'dark';
    setSystem(true);
    expect(theme.name).toBe('dark');
  });
  it('sets the browser theme colour', () => {
    system(false);
    document.head.innerHTML = '<meta name="theme-color" content="" />';
    applyTheme('light');
    expect(document.querySelector('meta')?.content).toBe(LIGHT.background);
  });
  it('is dark by default', () => {
    localStorage.setItem('powderkeg', '{"theme":"sepia"}');
    expect(readSettings().theme).toBe('dark');
    localStorage.setItem('powderkeg', '{"theme":"auto"}');
    expect(readSettings().theme).toBe('auto');
    localStorage.clear();
  });
});

describe('the map summary', () => {
  const cluster = (side: 'long' | 'short', peak: number, notional: number) =>
    ({ side, peak, floor: peak - 50, top: peak + 50, notional }) as Cluster;
  const clusters = [
    cluster('long', 95_000, 3e6),
    cluster('short', 103_000, 2e6),
    cluster('long', 98_000, 1e6),
  ];
  const near = (change: Partial<ClusterSummary> = {}): ClusterSummary => ({
    price: 100_000,
    mark: 100_000,
    clusters: bothSides({ clusters, mark: 100_000 }, 5),
    problem: '',
    age: 2,
    ...change,
  });

  it('lists the nearest cluster of each side first', () => {
    expect(bothSides({ clusters, mark: 100_000 }, 1).map((c) => c.peak)).toEqual([103_000, 98_000]);
    expect(near().clusters.map((c) => c.peak)).toEqual([103_000, 98_000, 95_000]);
  });
  it('gives price, both sides and data age', () => {
    expect(summaryText(near(), 0)).toBe(
      'Price 100,000; estimated nearest shorts: $2.00M at 103,000, +3.0%; nearest longs: $1.00M at 98,000, −2.0%; data 2.0 s old.',
    );
    expect(summaryText(near({ clusters: [], problem: 'stale', age: Infinity }), 0)).toContain(
      'shorts: none; nearest longs: none; stale, data age unknown',
    );
  });
  it('is announced for problems, a new nearest cluster or a half-percent move only', () => {
    expect(isNotable(null, near())).toBe(true);
    expect(isNotable(near(), near({ price: 100_400, age: 9 }))).toBe(false);
    expect(isNotable(near(), near({ price: 100_600 }))).toBe(true);
    expect(isNotable(near(), near({ problem: 'stale' }))).toBe(true);
    expect(
      isNotable(
        near(),
        near({ clusters: [cluster('long', 98_020, 2e6), cluster('short', 103_000, 2e6)] }),
      ),
    ).toBe(false);
    expect(
      isNotable(
        near(),
        near({ clusters: [cluster('long', 99_000, 2e6), cluster('short', 103_000, 2e6)] }),
      ),
    ).toBe(true);
    expect(isNotable(near(), near({ clusters: [cluster('short', 103_000, 2e6)] }))).toBe(true);
  });
  it('describes a curve by its ends and midpoints', () => {
    const curve = {
      distance: Float64Array.of(-0.1, 0, 0.1),
      notional: Float64Array.of(4e6, 0, 2e6),
      low: new Float64Array(),
      high: new Float64Array(),
    };
    expect(curveText(curve)).toContain('−10.0% $4.00M, −5.0% $2.00M, +5.0% $1.00M, +10.0% $2.00M');
    expect(curveText({ ...curve, distance: Float64Array.of(0) })).toBe('No cumulative data yet');
  });
});
