import { describe, expect, it } from 'vitest';
import { readCell } from '../src/lib/chart/cell';
import { separateLabels } from '../src/lib/grid/separate-labels';
import { parseAmount } from '../src/lib/money/parse-amount';
import { cropped, distanceAt } from '../src/lib/plot/curve';
import { sizeText } from '../src/lib/plot/guide';
import { binAt, type Ladder, ladderFloor, ladderPrice, longest } from '../src/lib/plot/profile';
import { cumulativeAt, slopeAt, slopes, steepest, steps } from '../src/lib/plot/slope';
import { venueRows } from '../src/lib/plot/venues';
import { PALETTES, ramp } from '../src/lib/render/palettes';
import { DARK, LIGHT, setTheme, theme } from '../src/lib/render/theme.svelte';
import { DEFAULT_OPTIONS, readViewOptions, writeViewOptions } from '../src/lib/view/options';
import { toggle } from '../src/lib/view/toggle';
import type { Cluster, Cumulative, Venue, VenueShare } from '../src/lib/wire/types';
import { envelope } from './fixtures';

/** $10 per percent down, $20 per percent up, and a wall of $300 from 3 to 4 %. */
function exampleCurve(): Cumulative {
  const distance = Float64Array.from({ length: 201 }, (_, i) => (i - 100) / 1000);
  const notional = distance.map((d) =>
    d < 0 ? -d * 1000 : d * 2000 + Math.min(300, Math.max(0, (d - 0.03) * 30_000)),
  );
  return { distance, notional, low: new Float64Array(), high: new Float64Array() };
}
const cluster = (side: 'long' | 'short', floor: number, top: number): Cluster => ({
  side,
  floor,
  top,
  peak: (floor + top) / 2,
  notional: 5,
  distance: 0,
  tier: 25,
  tiers: {},
  age: 0,
  low: null,
  high: null,
  measured: null,
  concentration: null,
  expectedFill: [0.3, 1],
  ground: 0,
});

describe('typed amounts', () => {
  it.each([
    ['2.5M', 2.5e6],
    ['300k', 3e5],
    ['$1,200,000', 1.2e6],
    ['NZ$4.2 m', 4.2e6],
    ['€1B', 1e9],
    ['.5m', 5e5],
    ['830', 830],
  ])('%s is %d', (words, usd) => expect(parseAmount(words)).toBe(usd));
  it.each(['', 'M', '-3M', '0', '2.5.1M', '3x', 'five', '1e6'])('%s is invalid', (words) =>
    expect(parseAmount(words)).toBeNull(),
  );
});

describe('scale labels', () => {
  const wide = { lo: 44, hi: 40 };
  it('never touch each other or leave the scale', () => {
    for (const width of [120, 200, 400])
      for (let lo = 0; lo <= width; lo += 7)
        for (let hi = lo; hi <= width; hi += 7) {
          const at = separateLabels({ lo, hi }, wide, width);
          expect(at.hi - wide.hi / 2 - (at.lo + wide.lo / 2)).toBeGreaterThanOrEqual(8 - 1e-9);
          expect(at.lo - wide.lo / 2).toBeGreaterThanOrEqual(-1e-9);
          expect(at.hi + wide.hi / 2).toBeLessThanOrEqual(width + 1e-9);
        }
  });
  it('stay at their handles if there is room', () => {
    expect(separateLabels({ lo: 60, hi: 300 }, wide, 400)).toEqual({ lo: 60, hi: 300 });
  });
});

describe('view options', () => {
  it('round-trip through the URL', () => {
    const options = {
      reach: 0.05,
      bands: true,
      observed: true,
      resting: true,
      mode: 'isolate' as const,
      venue: 'okx',
      pin: 76_420.3,
    };
    const q = new URLSearchParams();
    writeViewOptions(q, options);
    expect(readViewOptions(new URLSearchParams(q.toString()))).toEqual(options);
  });
  it('are omitted if default, and ignored if invalid', () => {
    const q = new URLSearchParams();
    writeViewOptions(q, DEFAULT_OPTIONS);
    expect(q.toString()).toBe('');
    expect(
      readViewOptions(new URLSearchParams('reach=7&mode=pie&cursor=-3&layers=fog&venue=%3Cb%3E')),
    ).toEqual(DEFAULT_OPTIONS);
  });
  it('toggle one of a set but never the last', () => {
    expect(toggle(['a', 'b', 'c'], null, 'b')).toEqual(['a', 'c']);
    expect(toggle(['a', 'b'], ['a'], 'b')).toBeNull();
    expect(toggle(['a', 'b'], ['a'], 'a')).toEqual(['a']);
  });
});

describe('steepness', () => {
  const curve = exampleCurve();
  it('is dollars between two prices one percent apart', () => {
    for (const at of [-0.06, -0.02, 0.02, 0.06]) {
      const between = Math.abs(cumulativeAt(curve, at + 0.005) - cumulativeAt(curve, at - 0.005));
      expect(slopeAt(curve, at)).toBeCloseTo(between, 6);
    }
  });
  it('does not cross the price or the ends', () => {
    expect(slopeAt(curve, -0.001)).toBeCloseTo(10, 6);
    expect(slopeAt(curve, 0.001)).toBeCloseTo(20, 6);
    expect([...slopes(curve)].every((v) => v >= 0)).toBe(true);
    expect(slopeAt(curve, 0.1)).toBeCloseTo(20, 6);
  });
  it('is greatest at the wall', () => {
    const best = steepest(curve, 'short');
    expect(best!.from).toBeCloseTo(0.03, 3);
    expect(best!.usd).toBeCloseTo(320, 3);
    expect(steepest(curve, 'long')!.usd).toBeCloseTo(10, 6);
    expect(
      steepest(
        {
          ...curve,
          distance: curve.distance.subarray(95, 106),
          notional: curve.notional.subarray(95, 106),
        },
        'long',
      ),
    ).toBeNull();
  });
  it('accumulates by cluster, nearest first, within the curve', () => {
    const list = [
      cluster('short', 103, 104),
      cluster('short', 101, 102),
      cluster('long', 90, 95),
      cluster('short', 120, 121),
    ];
    const up = steps(curve, list, 'short', 100);
    expect(up.map((s) => s.distance)).toEqual([expect.closeTo(0.02, 9), expect.closeTo(0.04, 9)]);
    expect(up[1].total).toBeCloseTo(cumulativeAt(curve, 0.04), 6);
    expect(up[1].total).toBeGreaterThan(up[0].total);
  });
  it('is unchanged by cropping the curve', () => {
    const near = cropped(curve, 0.05);
    expect([near.distance[0], near.distance.at(-1)]).toEqual([
      expect.closeTo(-0.05, 9),
      expect.closeTo(0.05, 9),
    ]);
    expect(cumulativeAt(near, 0.035)).toBeCloseTo(cumulativeAt(curve, 0.035), 9);
    expect(distanceAt(near, 0.5)).toBeCloseTo(0, 9);
  });
  it('gives position size guidance, never a direction', () => {
    expect(sizeText(curve)).toContain('2.0× the other side. Short stops may slip more');
    expect(
      sizeText({ ...curve, notional: curve.distance.map((d) => Math.abs(d) * 1e3) }),
    ).toContain('about equal');
  });
});

describe('a ladder', () => {
  const ladder: Ladder = {
    p0: Math.log(80),
    dp: 0.01,
    mark: 100,
    reach: 0.1,
    digits: 1,
    layers: [{ name: 'a', colour: '#fff', usd: new Float32Array(50).fill(3) }],
  };
  it('maps a height to its price', () => {
    expect(ladderPrice(ladder, 0, 422)).toBeCloseTo(110, 9);
    expect(ladderPrice(ladder, ladderFloor(422) / 2, 422)).toBeCloseTo(100, 9);
    expect(ladderPrice(ladder, 9_999, 422)).toBeCloseTo(90, 9);
    expect(ladderPrice({ ...ladder, bare: { max: 1 } }, 422, 422)).toBeCloseTo(90, 9);
  });
  it('maps a price to the dollars of its row', () => {
    expect(binAt(ladder, ladder.layers[0].usd, 100)).toBe(3);
    expect(binAt(ladder, ladder.layers[0].usd, 1_000)).toBe(0);
    expect(binAt(ladder, undefined, 100)).toBe(0);
    expect(longest(ladder, 200)).toBeGreaterThan(0);
  });
});

describe('a cell', () => {
  it('is split by tier and by venue, and both add up to the total', () => {
    const cell = readCell({
      ...envelope,
      kind: 'cell',
      distance: 0,
      price: 100,
      exact: true,
      near: 9,
      dollars: { okx: { '25': 3, '10': 1 }, bybit: { '25': 6, '10': 0 } },
    });
    expect(cell.total).toBe(10);
    expect(cell.tiers.map((t) => [t.name, t.share])).toEqual([
      ['25', 0.9],
      ['10', 0.1],
    ]);
    expect(cell.venues.map((v) => [v.name, v.usd])).toEqual([
      ['bybit', 6],
      ['okx', 4],
    ]);
  });
});

describe('venues', () => {
  it('are all listed, unselected ones last, with shares that add up', () => {
    const share = (name: string, usd: number, oi: number): VenueShare => ({
      name,
      long: usd,
      short: usd,
      oi: 1,
      share: oi,
      levels: new Float32Array(1),
    });
    const known = ['okx', 'bybit', 'binance'].map(
      (name): Venue => ({
        name,
        market: '',
        on: name !== 'bybit',
        age: 1,
        state: 'up',
        oi: 1,
        share: 0.3,
      }),
    );
    const list = venueRows([share('okx', 1, 0.3), share('binance', 3, 0.4)], known);
    expect(list.map((v) => v.name)).toEqual(['binance', 'okx', 'bybit']);
    expect(list.map((v) => v.on)).toEqual([true, true, false]);
    expect(list.reduce((s, v) => s + v.part, 0)).toBeCloseTo(1, 9);
  });
});

describe('colours of the themes', () => {
  const linear = (byte: number): number => {
    const c = byte / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  const light = ([r, g, b]: number[]): number =>
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const hex = (s: string): number[] => [1, 3, 5].map((i) => Number.parseInt(s.slice(i, i + 2), 16));
  const contrast = (a: number[], b: number[]): number => {
    const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  it.each(PALETTES)('%s gets darker monotonically in the light theme', (name) => {
    const colour = ramp(name, false, true);
    for (let t = 0; t < 1; t += 1 / 16)
      expect(light(colour(t + 1 / 16))).toBeLessThan(light(colour(t)));
  });
  it.each([DARK, LIGHT])('text and side colours contrast with the $name background', (t) => {
    for (const ink of [t.text, t.ink, t.long, t.short])
      expect(contrast(hex(ink), hex(t.background))).toBeGreaterThan(4.5);
    expect(contrast(hex(t.onInk), hex(t.ink))).toBeGreaterThan(7);
  });
  it.each([
    ['dark', DARK.rising, false],
    ['light', LIGHT.falling, true],
  ] as const)(
    'candles or their outline contrast with heat in the %s theme',
    (_, ink, lightTheme) => {
      const outline = lightTheme ? [255, 255, 255] : [7, 8, 13];
      for (const name of PALETTES) {
        const colour = ramp(name, false, lightTheme);
        for (let t = 0; t <= 1; t += 1 / 32)
          expect(
            Math.max(contrast(hex(ink), colour(t)), contrast(outline, colour(t))),
          ).toBeGreaterThan(3);
      }
    },
  );
  it('are switched together', () => {
    setTheme('light');
    expect(theme).toEqual(LIGHT);
    setTheme('dark');
    expect(theme).toEqual(DARK);
  });
});
