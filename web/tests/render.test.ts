import { describe, expect, it } from 'vitest';
import { layOutTags } from '../src/lib/chart/labels';
import { HeatGrid } from '../src/lib/grid/grid';
import { binned, type Ladder, ladderText, roundStep } from '../src/lib/plot/profile';
import { cumulativeAt } from '../src/lib/plot/slope';
import { venueColour } from '../src/lib/plot/venues';
import { candles, columnsPerCandle } from '../src/lib/render/candles';
import { edges } from '../src/lib/render/out-of-range';
import { lookup, PALETTES, ramp } from '../src/lib/render/palettes';
import { flattestRow, strips } from '../src/lib/render/strips';
import type { Cluster } from '../src/lib/wire/types';
import { snapshot } from './fixtures';

const P0 = Math.log(80_000);
const DP = 0.0005;

describe('rows on the screen', () => {
  const height = 760;
  const axes: Record<string, (low: number, high: number) => (y: number) => number> = {
    linear: (low, high) => (y) => high - ((high - low) * y) / height,
    logarithmic: (low, high) => (y) => high * (low / high) ** (y / height),
  };
  const ranges = [
    [80_000, 119_000],
    [93_000, 95_000],
    [40_000, 160_000],
  ];
  for (const [name, axis] of Object.entries(axes)) {
    it.each(ranges)(
      `are within half a pixel of their price on a ${name} axis, %i to %i`,
      (low, high) => {
        const priceAt = axis(low, high);
        const rowAt = (y: number) => (Math.log(priceAt(y)) - P0) / DP;
        const cut = strips(0, height, rowAt);
        expect(cut[0].top).toBe(0);
        expect(cut.at(-1)!.bottom).toBe(height);
        cut.forEach((s, i) => {
          if (i) expect([s.top, s.rowTop]).toEqual([cut[i - 1].bottom, cut[i - 1].rowBottom]);
          for (let y = s.top; y <= s.bottom; y++) {
            const drawn = s.rowTop + ((s.rowBottom - s.rowTop) * (y - s.top)) / (s.bottom - s.top);
            const pixelsPerRow = (s.bottom - s.top) / (s.rowTop - s.rowBottom);
            expect(Math.abs(drawn - rowAt(y)) * pixelsPerRow).toBeLessThan(0.5);
          }
        });
        expect(cut.length).toBeLessThan(64);
      },
    );
  }
  it('use one strip on a logarithmic axis, and none on an empty pane', () => {
    const priceAt = axes['logarithmic'](80_000, 119_000);
    expect(strips(0, height, (y) => (Math.log(priceAt(y)) - P0) / DP)).toHaveLength(1);
    expect(strips(5, 5, () => 0)).toHaveLength(0);
    expect(flattestRow([{ top: 0, bottom: 10, rowTop: 5, rowBottom: 0 }])).toBe(2);
  });
});

describe('colours', () => {
  const luma = ([r, g, b]: number[]) => 0.2126 * r + 0.7152 * g + 0.0722 * b;
  it.each(PALETTES)('%s gets lighter monotonically, stale or not', (name) => {
    for (const grey of [false, true]) {
      const colour = ramp(name, grey);
      for (let t = 0; t < 1; t += 1 / 16)
        expect(luma(colour(t + 1 / 16))).toBeGreaterThan(luma(colour(t)));
    }
  });
  it('leave cells below the threshold transparent', () => {
    const words = lookup('inferno', 100, 200);
    expect([words[0], words[99]]).toEqual([0, 0]);
    expect(words[100]).toBeGreaterThan(0);
    expect(words[255]).toBe(words[200]);
  });
  it('of a venue are stable', () => {
    expect(venueColour('binance')).toBe('#f2c14e');
    expect(venueColour('newcomer')).toBe(venueColour('newcomer'));
  });
});

describe('candles', () => {
  const grid = new HeatGrid(snapshot(24));
  it('are never narrower than five pixels', () => {
    for (const spacing of [9, 4, 1, 0.3, 0.1])
      expect(columnsPerCandle(spacing) * spacing).toBeGreaterThanOrEqual(5);
    expect(columnsPerCandle(0.0001)).toBe(288);
  });
  it('merge columns: first open, last close, extremes', () => {
    const [first] = candles(grid, 6, 6, 7).filter((c) => c.from <= 6 && c.to > 6);
    const from = Math.max(0, first.from);
    expect(first.open).toBe(100 + from);
    expect(first.close).toBe(101 + first.to - 1);
    expect(first.high).toBe(102 + first.to - 1);
    expect(first.low).toBe(99 + from);
  });
  it('are aligned to the clock', () => {
    const whole = candles(grid, 3, 0, 24).map((c) => c.from);
    for (let first = 0; first < 20; first++) {
      for (const c of candles(grid, 3, first, 24)) expect(whole).toContain(c.from);
    }
  });
});

describe('cluster labels', () => {
  const cluster = (side: 'long' | 'short', peak: number, notional: number): Cluster => ({
    side,
    peak,
    notional,
    floor: peak,
    top: peak,
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
  it('never overlap, avoid the price, and stay near their level', () => {
    const many = Array.from({ length: 60 }, (_, i) =>
      cluster(i % 2 ? 'long' : 'short', i * 11, 1e6 * ((i * 7) % 13)),
    );
    const tags = layOutTags(many, (p) => p, { height: 600, line: 22, each: 8, priceY: 300 });
    expect(tags.filter((t) => t.cluster.side === 'long').length).toBeGreaterThanOrEqual(3);
    tags.forEach((a, i) => {
      expect(Math.abs(a.y - a.level)).toBeLessThanOrEqual(33);
      expect(Math.abs(a.y - 300)).toBeGreaterThanOrEqual(16);
      tags.slice(i + 1).forEach((b) => {
        expect(Math.abs(a.y - b.y)).toBeGreaterThanOrEqual(22);
      });
    });
  });
});

describe('dollars by price', () => {
  const usd = new Float32Array(800).fill(1000);
  const ladder: Ladder = {
    p0: P0,
    dp: DP,
    mark: 97_000,
    reach: 0.05,
    digits: 0,
    layers: [{ name: 'longs', colour: '#fff', usd }],
  };
  it('are fully distributed over any number of bins', () => {
    for (const bins of [10, 77, 3000]) {
      const out = binned(usd, ladder, 79_000, 121_000, bins);
      expect(out.reduce((a, b) => a + b)).toBeCloseTo(800_000, 0);
    }
  });
  it('have a text alternative', () => {
    expect(ladderText(ladder)).toMatch(/^Within 5% of the price: longs \$2\d\dK$/);
  });
  it('have round marks', () => {
    expect([roundStep(100, 10), roundStep(7, 3), roundStep(3.3e8, 4)]).toEqual([10, 2.5, 1e8]);
  });
  it('are interpolated between points of the curve', () => {
    const curve = {
      distance: Float64Array.of(-0.5, 0, 0.5),
      notional: Float64Array.of(100, 0, 40),
      low: new Float64Array(),
      high: new Float64Array(),
    };
    expect(cumulativeAt(curve, 0.25)).toBeCloseTo(20);
    expect(cumulativeAt(curve, -0.25)).toBeCloseTo(50);
    expect(cumulativeAt(curve, 9)).toBe(40);
  });
});

describe('prices outside the stored rows', () => {
  const grid = new HeatGrid(snapshot(12, 20));
  const half = (20 * grid.dp) / 2;

  it('start half the rows from the price of each column, on either side', () => {
    const up = edges(grid, 1, [0, 12], [1, 1e6], 1);
    expect(up).toHaveLength(12);
    expect(Math.log(up[3].price / grid.close(3))).toBeCloseTo(half, 6);
    const down = edges(grid, -1, [0, 12], [1, 1e6], 1);
    expect(Math.log(grid.close(3) / down[3].price)).toBeCloseTo(half, 6);
  });

  it('are empty where the stored rows cover the visible range', () => {
    const close = grid.close(5);
    expect(edges(grid, 1, [5, 6], [close * 0.99, close * 1.01], 1)).toEqual([]);
    expect(edges(grid, -1, [5, 6], [close * 0.99, close * 1.01], 1)).toEqual([]);
  });

  it('cover every visible column at any stride', () => {
    const found = edges(grid, 1, [-3, 40], [1, 1e6], 5);
    expect(found[0].from).toBe(0);
    expect(found.at(-1)!.to).toBe(12);
    for (let i = 1; i < found.length; i++) expect(found[i].from).toBe(found[i - 1].to);
  });
});
