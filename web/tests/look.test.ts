import { describe, expect, it, vi } from 'vitest';
import { readCell } from '../src/lib/chart/cell';
import { apart } from '../src/lib/grid/apart';
import { typedMoney } from '../src/lib/grid/typed';
import { PLAIN, readLook, writeLook } from '../src/lib/look/place';
import { toggled } from '../src/lib/look/toggled';
import { PALETTES, ramp } from '../src/lib/paint/palettes';
import { DARK, LIGHT, setTheme, theme } from '../src/lib/paint/theme.svelte';
import { cropped, cumulativeAt, distanceAt } from '../src/lib/plot/curve';
import { sizeWords } from '../src/lib/plot/guide';
import { binAt, type Ladder, ladderFloor, ladderPrice, longest } from '../src/lib/plot/profile';
import { slopeAt, slopes, steepest, steps } from '../src/lib/plot/slope';
import { holders } from '../src/lib/plot/venues';
import { Latest } from '../src/lib/wire/latest';
import type { Cluster, Cumulative, Venue, VenueShare } from '../src/lib/wire/types';

/** Dollars on the way to each distance: $10 a percent down, $20 up, and a wall of $300 from 3 to 4 %. */
function made(): Cumulative {
  const distance = Float64Array.from({ length: 201 }, (_, i) => (i - 100) / 1000);
  const notional = distance.map((d) => (d < 0 ? -d * 1000 : d * 2000 + Math.min(300, Math.max(0, (d - 0.03) * 30_000))));
  return { distance, notional, low: new Float64Array(), high: new Float64Array() };
}
const cluster = (side: 'long' | 'short', floor: number, top: number): Cluster => ({
  side, floor, top, peak: (floor + top) / 2, mass: 5, distance: 0, tier: 25, tiers: {}, age: 0, low: NaN, high: NaN, measured: NaN, concentration: null, fired: null,
});

describe('typed dollars', () => {
  it.each([
    ['2.5M', 2.5e6], ['300k', 3e5], ['$1,200,000', 1.2e6], ['NZ$4.2 m', 4.2e6], ['€1B', 1e9], ['.5m', 5e5], ['830', 830],
  ])('%s is %d', (words, usd) => expect(typedMoney(words)).toBe(usd));
  it.each(['', 'M', '-3M', '0', '2.5.1M', '3x', 'five', '1e6'])('%s is nothing', (words) => expect(typedMoney(words)).toBeNull());
});

describe('labels of the scale', () => {
  const wide = { lo: 44, hi: 40 };
  it('never touch and never leave the scale, wherever both ends stand', () => {
    for (const width of [120, 200, 400])
      for (let lo = 0; lo <= width; lo += 7)
        for (let hi = lo; hi <= width; hi += 7) {
          const at = apart({ lo, hi }, wide, width);
          expect(at.hi - wide.hi / 2 - (at.lo + wide.lo / 2)).toBeGreaterThanOrEqual(8 - 1e-9);
          expect(at.lo - wide.lo / 2).toBeGreaterThanOrEqual(-1e-9);
          expect(at.hi + wide.hi / 2).toBeLessThanOrEqual(width + 1e-9);
        }
  });
  it('stay at their ends where there is room', () => {
    expect(apart({ lo: 60, hi: 300 }, wide, 400)).toEqual({ lo: 60, hi: 300 });
  });
});

describe('the look of a view', () => {
  it('returns from the address as it went', () => {
    const look = { reach: 0.05, bands: true, seen: true, mode: 'isolate' as const, venue: 'okx', pin: 76_420.3 };
    const q = new URLSearchParams();
    writeLook(q, look);
    expect(readLook(new URLSearchParams(q.toString()))).toEqual(look);
  });
  it('writes nothing when it is plain, and passes over what makes no sense', () => {
    const q = new URLSearchParams();
    writeLook(q, PLAIN);
    expect(q.toString()).toBe('');
    expect(readLook(new URLSearchParams('reach=7&mode=pie&cursor=-3&layers=fog&venue=%3Cb%3E'))).toEqual(PLAIN);
  });
  it('switches one of a set and never the last', () => {
    expect(toggled(['a', 'b', 'c'], null, 'b')).toEqual(['a', 'c']);
    expect(toggled(['a', 'b'], ['a'], 'b')).toBeNull();
    expect(toggled(['a', 'b'], ['a'], 'a')).toEqual(['a']);
  });
});

describe('steepness', () => {
  const curve = made();
  it('is the dollars between two prices one percent apart', () => {
    for (const at of [-0.06, -0.02, 0.02, 0.06]) {
      const between = Math.abs(cumulativeAt(curve, at + 0.005) - cumulativeAt(curve, at - 0.005));
      expect(slopeAt(curve, at)).toBeCloseTo(between, 6);
    }
  });
  it('never reads over the price nor over the ends', () => {
    expect(slopeAt(curve, -0.001)).toBeCloseTo(10, 6);
    expect(slopeAt(curve, 0.001)).toBeCloseTo(20, 6);
    expect([...slopes(curve)].every((v) => v >= 0)).toBe(true);
    expect(slopeAt(curve, 0.1)).toBeCloseTo(20, 6);
  });
  it('is greatest where the wall stands', () => {
    const best = steepest(curve, 'short');
    expect(best!.from).toBeCloseTo(0.03, 3);
    expect(best!.usd).toBeCloseTo(320, 3);
    expect(steepest(curve, 'long')!.usd).toBeCloseTo(10, 6);
    expect(steepest({ ...curve, distance: curve.distance.subarray(95, 106), notional: curve.notional.subarray(95, 106) }, 'long')).toBeNull();
  });
  it('adds up cluster by cluster, nearest first, within the curve', () => {
    const list = [cluster('short', 103, 104), cluster('short', 101, 102), cluster('long', 90, 95), cluster('short', 120, 121)];
    const up = steps(curve, list, 'short', 100);
    expect(up.map((s) => s.distance)).toEqual([expect.closeTo(0.02, 9), expect.closeTo(0.04, 9)]);
    expect(up[1].total).toBeCloseTo(cumulativeAt(curve, 0.04), 6);
    expect(up[1].total).toBeGreaterThan(up[0].total);
  });
  it('and the curve keep their values when they are cropped', () => {
    const near = cropped(curve, 0.05);
    expect([near.distance[0], near.distance.at(-1)]).toEqual([expect.closeTo(-0.05, 9), expect.closeTo(0.05, 9)]);
    expect(cumulativeAt(near, 0.035)).toBeCloseTo(cumulativeAt(curve, 0.035), 9);
    expect(distanceAt(near, 0.5)).toBeCloseTo(0, 9);
  });
  it('tells size, never a direction', () => {
    expect(sizeWords(curve)).toContain('2.0 times the other; a short\'s stop may slip further');
    expect(sizeWords({ ...curve, notional: curve.distance.map((d) => Math.abs(d) * 1e3) })).toContain('much the same');
  });
});

describe('pointing at a ladder', () => {
  const ladder: Ladder = { p0: Math.log(80), dp: 0.01, mark: 100, reach: 0.1, digits: 1, layers: [{ name: 'a', colour: '#fff', usd: new Float32Array(50).fill(3) }] };
  it('gives the price that is drawn there', () => {
    expect(ladderPrice(ladder, 0, 422)).toBeCloseTo(110, 9);
    expect(ladderPrice(ladder, ladderFloor(422) / 2, 422)).toBeCloseTo(100, 9);
    expect(ladderPrice(ladder, 9_999, 422)).toBeCloseTo(90, 9);
    expect(ladderPrice({ ...ladder, bare: { most: 1 } }, 422, 422)).toBeCloseTo(90, 9);
  });
  it('and the dollars of its row', () => {
    expect(binAt(ladder, ladder.layers[0].usd, 100)).toBe(3);
    expect(binAt(ladder, ladder.layers[0].usd, 1_000)).toBe(0);
    expect(binAt(ladder, undefined, 100)).toBe(0);
    expect(longest(ladder, 200)).toBeGreaterThan(0);
  });
});

describe('a cell', () => {
  it('is shared out by tier and by venue, and both add up to it', () => {
    const cell = readCell({ price: 100, exact: true, near: 9, dollars: { okx: { '25': 3, '10': 1 }, bybit: { '25': 6, '10': 0 } } });
    expect(cell.total).toBe(10);
    expect(cell.tiers.map((t) => [t.name, t.share])).toEqual([['25', 0.9], ['10', 0.1]]);
    expect(cell.venues.map((v) => [v.name, v.usd])).toEqual([['bybit', 6], ['okx', 4]]);
  });
});

describe('venues', () => {
  it('are all listed, those switched off last, with shares that add up', () => {
    const share = (name: string, usd: number, oi: number): VenueShare => ({ name, long: usd, short: usd, oi: 1, share: oi, usd: new Float32Array(1) });
    const known = ['okx', 'bybit', 'binance'].map((name): Venue => ({ name, market: '', on: name !== 'bybit', age: 1, state: 'up', oi: 1, share: 0.3 }));
    const list = holders([share('okx', 1, 0.3), share('binance', 3, 0.4)], known);
    expect(list.map((v) => v.name)).toEqual(['binance', 'okx', 'bybit']);
    expect(list.map((v) => v.on)).toEqual([true, true, false]);
    expect(list.reduce((s, v) => s + v.part, 0)).toBeCloseTo(1, 9);
  });
});

describe('a question asked again and again', () => {
  it('waits for a pause, is never under way twice, and only its newest answer counts', async () => {
    vi.useFakeTimers();
    const asked: number[] = [];
    const told: number[] = [];
    const open: ((n: number) => void)[] = [];
    const latest = new Latest<number, number>(
      (q) => (asked.push(q), new Promise((done) => open.push(() => done(q)))), (a) => told.push(a), () => undefined, 150,
    );
    for (const q of [1, 2, 3]) latest.want(q);
    await vi.advanceTimersByTimeAsync(150);
    expect(asked).toEqual([3]);
    latest.want(4);
    latest.want(5);
    await vi.advanceTimersByTimeAsync(500);
    expect(asked).toEqual([3]);
    open[0](0);
    await vi.advanceTimersByTimeAsync(0);
    expect([asked, told]).toEqual([[3, 5], []]);
    open[1](0);
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toEqual([5]);
    latest.want(6);
    latest.close();
    await vi.advanceTimersByTimeAsync(500);
    expect(asked).toEqual([3, 5]);
    vi.useRealTimers();
  });
  it('goes on after an answer that failed', async () => {
    vi.useFakeTimers();
    let wrong = 0;
    const told: number[] = [];
    const latest = new Latest<number, number>((q) => (q < 0 ? Promise.reject(new Error('no')) : Promise.resolve(q)), (a) => told.push(a), () => wrong++, 10);
    latest.want(-1);
    await vi.advanceTimersByTimeAsync(20);
    latest.want(2);
    await vi.advanceTimersByTimeAsync(20);
    expect([wrong, told]).toEqual([1, [2]]);
    vi.useRealTimers();
  });
});

describe('colours on paper', () => {
  const linear = (c: number): number => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]: number[]): number => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const hex = (s: string): number[] => [1, 3, 5].map((i) => Number.parseInt(s.slice(i, i + 2), 16));
  const contrast = (a: number[], b: number[]): number => {
    const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  it.each(PALETTES)('%s grows darker all the way', (name) => {
    const colour = ramp(name, false, true);
    for (let t = 0; t < 1; t += 1 / 16) expect(light(colour(t + 1 / 16))).toBeLessThan(light(colour(t)));
  });
  it.each([DARK, LIGHT])('figures and both sides are readable on the $name ground', (t) => {
    for (const ink of [t.text, t.ink, t.long, t.short]) expect(contrast(hex(ink), hex(t.ground))).toBeGreaterThan(4.5);
    expect(contrast(hex(t.onInk), hex(t.ink))).toBeGreaterThan(7);
  });
  it.each([['dark', DARK.rising, false], ['light', LIGHT.falling, true]] as const)(
    'a %s candle or its seam stands out from every heat', (_, ink, paper) => {
      const seam = paper ? [255, 255, 255] : [7, 8, 13];
      for (const name of PALETTES) {
        const colour = ramp(name, false, paper);
        for (let t = 0; t <= 1; t += 1 / 32)
          expect(Math.max(contrast(hex(ink), colour(t)), contrast(seam, colour(t)))).toBeGreaterThan(3);
      }
    },
  );
  it('are changed as a whole', () => {
    setTheme('light');
    expect(theme).toEqual(LIGHT);
    setTheme('dark');
    expect(theme).toEqual(DARK);
  });
});
