import { describe, expect, it } from 'vitest';
import shared from '../../tests/maps/ground.json';
import { HeatGrid } from '../src/lib/grid/grid';
import { GroundFinder, windowRows } from '../src/lib/grid/ground';
import { Pyramid } from '../src/lib/grid/pyramid';
import { autoRange, CellScale, groundRange, reliefRange } from '../src/lib/grid/scale';
import { bracket } from '../src/lib/render/brackets';
import { PALETTES } from '../src/lib/render/palettes';
import { legendRamp, reliefLookup, SHADE_SHIFT } from '../src/lib/render/relief';
import { readUrl, writeUrl } from '../src/lib/url';
import { emptyText } from '../src/lib/view/summary';
import type { Filters } from '../src/lib/wire/query';
import { snapshot } from './fixtures';

const scale = new CellScale(1e4, 1e9);
/* The shared columns and their ground are also used by the server's tests. */
const luma = (word: number): number =>
  ((0.2126 * (word & 255) + 0.7152 * ((word >> 8) & 255) + 0.0722 * ((word >> 16) & 255)) *
    (word >>> 24)) /
  255;

describe('the ground', () => {
  it.each(shared.map((column, i) => [i, column] as const))(
    'of shared column %i equals that of the server',
    (_, { dp, cells, ground }) => {
      const found = new GroundFinder(cells.length, dp, scale).ground(Uint8Array.from(cells));
      ground.forEach((usd, i) => {
        expect(Math.abs(found[i] - usd)).toBeLessThan(0.02 + 1e-9 * usd);
      });
    },
  );
  it('uses an odd window of at least three rows', () => {
    expect([1, 2, 8, 100].map((n) => windowRows(n * 5e-4))).toEqual([25, 13, 3, 3]);
  });
  it('and relief add up to the cells, within one byte', () => {
    for (const { dp, cells } of shared) {
      const column = Uint8Array.from(cells);
      const [above, under] = [new Uint8Array(cells.length), new Uint8Array(cells.length)];
      new GroundFinder(cells.length, dp, scale).split(column, above, under);
      column.forEach((v, i) => {
        const sum = (above[i] && scale.dollars(above[i])) + (under[i] && scale.dollars(under[i]));
        expect(Math.abs(sum - (v && scale.dollars(v)))).toBeLessThan(0.05 * sum + 2e4);
      });
    }
  });
});

describe('bytes of amounts', () => {
  it('match the scale to within one', () => {
    const usd = Float32Array.from({ length: 400 }, (_, i) => 9e3 * 1.035 ** i);
    const out = new Uint8Array(usd.length);
    scale.bytes(usd, out);
    usd.forEach((amount, i) => {
      expect(Math.abs(out[i] - (amount < 1e4 ? 0 : scale.position(amount)))).toBeLessThanOrEqual(
        amount < 1.01e4 ? 1 : 0.7,
      );
    });
  });
  it('are 0 below the scale', () => {
    const out = new Uint8Array(3).fill(7);
    scale.bytes(Float32Array.from([-5e7, 0, 100]), out);
    expect([...out]).toEqual([0, 0, 0]);
  });
});

describe('relief of a map', () => {
  it('is updated with new columns', () => {
    const map = snapshot(12);
    const [grid, late] = [new HeatGrid(map), new HeatGrid(map)];
    void grid.relief;
    const column = {
      t: map.t0 + 12 * map.step,
      full: true,
      r: new Uint16Array(0),
      v: Uint8Array.from({ length: map.rows }, (_, i) => 40 + (i % 5) * 30),
      k: [1, 2, 1, 2, 1],
    };
    for (const each of [grid, late]) expect(each.apply(column as never)).toBe('appended');
    for (let row = 0; row < map.rows; row++) {
      expect(grid.relief.above.value(12, row)).toBe(late.relief.above.value(12, row));
      expect(grid.relief.under.value(12, row)).toBe(late.relief.under.value(12, row));
    }
  });
  it('reduces the ground to the mean, and itself to the maximum', () => {
    const [largest, mean] = [new Pyramid(2, 2), new Pyramid(2, 2, 'mean')];
    for (const pyramid of [largest, mean])
      [
        [10, 20],
        [30, 40],
      ].forEach((cells, col) => {
        pyramid.put(col, Uint8Array.from(cells));
      });
    expect([largest.level(2, 2).cells[0], mean.level(2, 2).cells[0]]).toEqual([40, 25]);
  });
  it('has histograms of the cells and of the ground', () => {
    const grid = new HeatGrid(snapshot(12));
    const counts = grid.histogram(0, 12, 0, 20, true);
    for (const part of [counts.cells, counts.ground!])
      expect(part.reduce((a, b) => a + b)).toBe(240);
    expect(grid.histogram(0, 12, 0, 20).ground).toBeNull();
  });
});

describe('the scale of relief', () => {
  const counted = (cells: [number, number][]): Uint32Array => {
    const out = new Uint32Array(256);
    for (const [usd, n] of cells) out[Math.round(scale.position(usd))] += n;
    return out;
  };
  it('spans the 64th to 99th percentile of visible cells', () => {
    const cells = counted([
      [1e5, 64],
      [4e5, 35],
      [1e6, 1],
    ]);
    const found = reliefRange({ cells, ground: counted([[1e5, 9]]) }, scale)!;
    expect(scale.at(found.lo)).toBeCloseTo(1e5, -4);
    expect(scale.at(found.hi) / 4e5).toBeCloseTo(1, 1);
  });
  it('does not amplify noise on a flat map', () => {
    const found = reliefRange(
      { cells: counted([[1e5, 100]]), ground: counted([[2e7, 100]]) },
      scale,
    )!;
    expect(scale.at(found.hi)).toBeGreaterThan(9e6);
  });
  it('is null when no cell is visible', () => {
    const none = new Uint32Array(256);
    expect([
      reliefRange({ cells: none, ground: none }, scale),
      groundRange(none, scale),
      autoRange(none, scale),
    ]).toEqual([null, null, null]);
  });
  it('stays within the byte scale', () => {
    for (const usd of [1e4, 2e4, 1e9]) {
      const found = reliefRange({ cells: counted([[usd, 5]]), ground: counted([[usd, 5]]) }, scale);
      if (found) expect(found.lo < found.hi && found.lo >= 1 && found.hi <= 255).toBe(true);
    }
  });
});

describe('colours of relief', () => {
  const windows = [
    { lo: 100, hi: 160 },
    { lo: 80, hi: 150 },
  ] as const;
  const at = (words: Uint32Array, ground: number, above: number): number =>
    words[((ground >> SHADE_SHIFT) << 8) | above];
  it.each(PALETTES)(
    'of %s leave empty cells transparent, and the ground darker than half of the relief',
    (name) => {
      const words = reliefLookup(name, ...windows);
      expect(at(words, 0, 0)).toBe(0);
      const brightest = luma(at(words, 255, 0));
      expect(brightest).toBeGreaterThan(0);
      expect(brightest).toBeLessThan(luma(at(words, 0, 130)) / 2);
    },
  );
  it.each(PALETTES)('of %s get lighter with relief, over any ground', (name) => {
    const words = reliefLookup(name, ...windows);
    for (const ground of [0, 90, 200]) {
      for (let v = 101; v < 160; v++)
        expect(luma(at(words, ground, v))).toBeGreaterThanOrEqual(
          luma(at(words, ground, v - 1)) - 2,
        );
    }
  });
  it('match the legend', () => {
    const [r, g, b] = legendRamp('inferno', true, false)(1);
    expect(at(reliefLookup('inferno', ...windows), 0, 200)).toBe(
      ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0,
    );
  });
});

describe('brackets', () => {
  it('span a cluster from floor to top', () => {
    expect(bracket({ floor: 90, top: 110 }, (price) => 500 - price, 4)).toEqual({
      at: 400,
      half: 10,
    });
    expect(bracket({ floor: 100, top: 100.1 }, (price) => 500 - price, 4).half).toBe(2);
  });
});

describe('the text for a map without clusters', () => {
  it('gives the search range and the total', () => {
    expect(emptyText({ reach: 0.162, within: { long: 3e7, short: 1.1e7 } })).toBe(
      'Within 16 % the map is flat: $41.0M, all of it ground.',
    );
    expect(emptyText({ reach: 0.162, within: { long: 0, short: 0 } })).toBe(
      'Within 16 % nothing matches these filters.',
    );
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
  const locked = { lo: 2e6, hi: 9e6 };
  it('encodes the shade of a locked scale', () => {
    expect(writeUrl(filters, 'heatmap', locked, undefined, 'USD', 'relief')).toContain(
      'above=2000000-9000000',
    );
    expect(writeUrl(filters, 'heatmap', locked, undefined, 'USD', 'money')).toContain(
      'scale=2000000-9000000',
    );
    expect(readUrl('?above=2000000-9000000')).toMatchObject({ shade: 'relief', locked });
    expect(readUrl('?scale=2000000-9000000')).toMatchObject({ shade: 'money', locked });
  });
  it('encodes money without a lock, and omits relief', () => {
    expect(writeUrl(filters, 'heatmap', null, undefined, 'USD', 'money')).toContain('shade=money');
    expect(writeUrl(filters, 'heatmap', null, undefined, 'USD', 'relief')).not.toContain('shade');
    expect([readUrl('?shade=money').shade, readUrl('?shade=mauve').shade]).toEqual([
      'money',
      undefined,
    ]);
  });
});
