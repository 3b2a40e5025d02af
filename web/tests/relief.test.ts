import shared from '../../tests/maps/ground.json';
import { describe, expect, it } from 'vitest';
import { readPlace, writePlace } from '../src/lib/address';
import { HeatGrid } from '../src/lib/grid/grid';
import { GroundFinder, windowRows } from '../src/lib/grid/ground';
import { Pyramid } from '../src/lib/grid/pyramid';
import { autoWindow, CellScale, groundWindow, reliefWindow } from '../src/lib/grid/scale';
import { emptyWords } from '../src/lib/look/near';
import { bracket } from '../src/lib/paint/brackets';
import { FINE, reliefLookup, shadeOf } from '../src/lib/paint/relief';
import { PALETTES } from '../src/lib/paint/palettes';
import type { Filters } from '../src/lib/wire/query';
import { snapshot } from './market';

const scale = new CellScale(1e4, 1e9);
/* The shared columns of cells with their ground are those the server's tests read. */
const luma = (word: number): number =>
  ((0.2126 * (word & 255) + 0.7152 * ((word >> 8) & 255) + 0.0722 * ((word >> 16) & 255)) * (word >>> 24)) / 255;

describe('the ground', () => {
  it.each(shared.map((column, i) => [i, column] as const))('of shared column %i is the one the server finds', (_, { dp, cells, ground }) => {
    const found = new GroundFinder(cells.length, dp, scale).ground(Uint8Array.from(cells));
    ground.forEach((usd, i) => expect(Math.abs(found[i] - usd)).toBeLessThan(0.02 + 1e-9 * usd));
  });
  it('is found over an odd number of rows, three at least', () => {
    expect([1, 2, 8, 100].map((n) => windowRows(n * 5e-4))).toEqual([25, 13, 3, 3]);
  });
  it('and what stands above it are together what there is, within a byte', () => {
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
  it('are those of the scale, one off at most', () => {
    const usd = Float32Array.from({ length: 400 }, (_, i) => 9e3 * 1.035 ** i);
    const out = new Uint8Array(usd.length);
    scale.bytes(usd, out);
    usd.forEach((amount, i) => expect(Math.abs(out[i] - (amount < 1e4 ? 0 : scale.position(amount)))).toBeLessThanOrEqual(amount < 1.01e4 ? 1 : 0.7));
  });
  it('are nothing below nothing', () => {
    const out = new Uint8Array(3).fill(7);
    scale.bytes(Float32Array.from([-5e7, 0, 100]), out);
    expect([...out]).toEqual([0, 0, 0]);
  });
});

describe('relief of a map', () => {
  it('is kept up as columns come', () => {
    const map = snapshot(12);
    const [grid, late] = [new HeatGrid(map), new HeatGrid(map)];
    void grid.relief;
    const column = { t: map.t0 + 12 * map.step, full: true, rows: new Uint16Array(0), values: Uint8Array.from({ length: map.rows }, (_, i) => 40 + (i % 5) * 30), k: [1, 2, 1, 2, 1] };
    for (const each of [grid, late]) expect(each.apply(column as never)).toBe('appended');
    for (let row = 0; row < map.rows; row++) {
      expect(grid.relief.above.value(12, row)).toBe(late.relief.above.value(12, row));
      expect(grid.relief.under.value(12, row)).toBe(late.relief.under.value(12, row));
    }
  });
  it('pools its ground to the mean, and itself to the largest', () => {
    const [largest, mean] = [new Pyramid(2, 2), new Pyramid(2, 2, 'mean')];
    for (const pyramid of [largest, mean]) [[10, 20], [30, 40]].forEach((cells, col) => pyramid.put(col, Uint8Array.from(cells)));
    expect([largest.level(2, 2).cells[0], mean.level(2, 2).cells[0]]).toEqual([40, 25]);
  });
  it('counts what is drawn and the ground under it', () => {
    const grid = new HeatGrid(snapshot(12));
    const counts = grid.histogram(0, 12, 0, 20, true);
    for (const part of [counts.cells, counts.ground!]) expect(part.reduce((a, b) => a + b)).toBe(240);
    expect(grid.histogram(0, 12, 0, 20).ground).toBeNull();
  });
});

describe('the scale of relief', () => {
  const counted = (cells: [number, number][]): Uint32Array => {
    const out = new Uint32Array(256);
    for (const [usd, n] of cells) out[Math.round(scale.position(usd))] += n;
    return out;
  };
  it('goes from the 64th to the 99th percentile of what is in sight', () => {
    const cells = counted([[1e5, 64], [4e5, 35], [1e6, 1]]);
    const found = reliefWindow({ cells, ground: counted([[1e5, 9]]) }, scale)!;
    expect(scale.at(found.lo)).toBeCloseTo(1e5, -4);
    expect(scale.at(found.hi) / 4e5).toBeCloseTo(1, 1);
  });
  it('does not light up the unevenness of a flat map', () => {
    const found = reliefWindow({ cells: counted([[1e5, 100]]), ground: counted([[2e7, 100]]) }, scale)!;
    expect(scale.at(found.hi)).toBeGreaterThan(9e6);
  });
  it('is not fitted where nothing is in sight', () => {
    const none = new Uint32Array(256);
    expect([reliefWindow({ cells: none, ground: none }, scale), groundWindow(none, scale), autoWindow(none, scale)]).toEqual([null, null, null]);
  });
  it('stays on the scale of cells', () => {
    for (const usd of [1e4, 2e4, 1e9]) {
      const found = reliefWindow({ cells: counted([[usd, 5]]), ground: counted([[usd, 5]]) }, scale);
      if (found) expect(found.lo < found.hi && found.lo >= 1 && found.hi <= 255).toBe(true);
    }
  });
});

describe('colours of relief', () => {
  const windows = [{ lo: 100, hi: 160 }, { lo: 80, hi: 150 }] as const;
  const at = (words: Uint32Array, ground: number, above: number): number => words[((ground >> FINE) << 8) | above];
  it.each(PALETTES)('of %s leave nothing clear, and the ground darker than half of what stands above it', (name) => {
    const words = reliefLookup(name, ...windows);
    expect(at(words, 0, 0)).toBe(0);
    const brightest = luma(at(words, 255, 0));
    expect(brightest).toBeGreaterThan(0);
    expect(brightest).toBeLessThan(luma(at(words, 0, 130)) / 2);
  });
  it.each(PALETTES)('of %s grow lighter with what stands above, whatever the ground', (name) => {
    const words = reliefLookup(name, ...windows);
    for (const ground of [0, 90, 200]) {
      for (let v = 101; v < 160; v++) expect(luma(at(words, ground, v))).toBeGreaterThanOrEqual(luma(at(words, ground, v - 1)) - 2);
    }
  });
  it('are those of the legend', () => {
    const [r, g, b] = shadeOf('inferno', true, false)(1);
    expect(at(reliefLookup('inferno', ...windows), 0, 200)).toBe(((255 << 24) | (b << 16) | (g << 8) | r) >>> 0);
  });
});

describe('brackets', () => {
  it('run from the floor of a cluster to its top', () => {
    expect(bracket({ floor: 90, top: 110 }, (price) => 500 - price, 4)).toEqual({ at: 400, half: 10 });
    expect(bracket({ floor: 100, top: 100.1 }, (price) => 500 - price, 4).half).toBe(2);
  });
});

describe('words of a map without clusters', () => {
  it('say how far was looked, and what there is', () => {
    expect(emptyWords({ reach: 0.162, within: 4.1e7 })).toBe('Within 16 % every level is like its surroundings; what there is, $41.0M, is the ground.');
    expect(emptyWords({ reach: 0.162, within: 0 })).toBe('Within 16 % there is nothing in what these filters leave.');
  });
});

describe('the address', () => {
  const filters: Filters = { coin: 'BTC', span: '3d', venues: null, tiers: null, side: 'both', model: 'calibrated' };
  const locked = { lo: 2e6, hi: 9e6 };
  it('says which scale its ends are of', () => {
    expect(writePlace(filters, 'heatmap', locked, undefined, 'USD', 'relief')).toContain('above=2000000-9000000');
    expect(writePlace(filters, 'heatmap', locked, undefined, 'USD', 'money')).toContain('scale=2000000-9000000');
    expect(readPlace('?above=2000000-9000000')).toMatchObject({ shade: 'relief', locked });
    expect(readPlace('?scale=2000000-9000000')).toMatchObject({ shade: 'money', locked });
  });
  it('says money where nothing is locked, and leaves relief unsaid', () => {
    expect(writePlace(filters, 'heatmap', null, undefined, 'USD', 'money')).toContain('shade=money');
    expect(writePlace(filters, 'heatmap', null, undefined, 'USD', 'relief')).not.toContain('shade');
    expect([readPlace('?shade=money').shade, readPlace('?shade=mauve').shade]).toEqual(['money', undefined]);
  });
});
