import { describe, expect, it } from 'vitest';
import { HeatGrid, SPARE_COLUMNS } from '../src/lib/grid/grid';
import { factorFor, Pyramid } from '../src/lib/grid/pyramid';
import { autoRange, CellScale } from '../src/lib/grid/scale';
import type { Column } from '../src/lib/wire/types';
import { STEP, snapshot, T0 } from './fixtures';

const column = (t: number, change: Partial<Column> = {}): Column => ({
  kind: 'column',
  stream: 'a',
  seq: 1,
  t,
  k: [1, 2, 0.5, 1.5, 9],
  asOf: t,
  r: new Uint16Array(),
  v: new Uint8Array(),
  full: false,
  ...change,
});

describe('the byte of a cell', () => {
  const scale = new CellScale(1e4, 1e9);
  it('spans vmin to vmax, and 0 is empty', () => {
    expect(scale.dollars(0)).toBe(0);
    expect(scale.dollars(1)).toBeCloseTo(1e4);
    expect(scale.dollars(255)).toBeCloseTo(1e9, -2);
  });
  it('round-trips', () => {
    for (let v = 1; v < 256; v++) expect(scale.position(scale.dollars(v))).toBeCloseTo(v, 6);
    expect(scale.position(1)).toBe(1);
    expect(scale.position(1e12)).toBe(255);
  });
  it('rejects an empty scale', () => {
    expect(() => new CellScale(5, 5)).toThrow(/0 < vmin < vmax/);
  });
});

describe('the fitted colour window', () => {
  const scale = new CellScale(1e4, 1e9);
  it('is null when no cell is visible', () => {
    expect(autoRange(new Uint32Array(256), scale)).toBeNull();
  });
  it('hides small cells and spans the largest', () => {
    const seen = new Uint32Array(256);
    for (let v = 40; v < 200; v++) seen[v] = 1000;
    seen[220] = 50;
    const fitted = autoRange(seen, scale);
    expect(fitted!.lo).toBeGreaterThan(100);
    expect(fitted!.hi).toBeGreaterThanOrEqual(199);
    expect(fitted!.hi).toBeLessThanOrEqual(220);
  });
  it.each([1, 120, 255])('stays on the scale when all cells are %i', (v) => {
    const seen = new Uint32Array(256);
    seen[v] = 10;
    const fitted = autoRange(seen, scale)!;
    expect(fitted.hi).toBeGreaterThan(fitted.lo);
    expect(fitted.hi).toBeLessThanOrEqual(255);
    expect(fitted.lo).toBeGreaterThanOrEqual(1);
  });
});

describe('the pyramid', () => {
  it('keeps the largest cell at every level', () => {
    const pyramid = new Pyramid(50, 41);
    let seed = 7;
    const random = () => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const cells = Array.from({ length: 50 }, () =>
      Uint8Array.from({ length: 41 }, () => random() * 256),
    );
    const early = pyramid.level(4, 4);
    cells.forEach((c, i) => {
      pyramid.put(i, c);
    });
    for (const level of [
      early,
      pyramid.level(1, 2),
      pyramid.level(2, 1),
      pyramid.level(8, 16),
      pyramid.level(16, 16),
    ]) {
      for (let x = 0; x < level.width; x++) {
        for (let y = 0; y < level.height; y++) {
          let most = 0;
          for (let i = x * level.fx; i < Math.min(50, (x + 1) * level.fx); i++) {
            for (let yy = y * level.fy; yy < Math.min(41, (y + 1) * level.fy); yy++)
              most = Math.max(most, cells[i][40 - yy]);
          }
          expect(level.cells[y * level.width + x]).toBe(most);
        }
      }
    }
  });
  it('reduces to cells of at least one pixel', () => {
    for (const px of [3, 1, 0.9, 0.5, 0.3, 0.13, 0.0626])
      expect(factorFor(px) * px).toBeGreaterThanOrEqual(1);
    expect(factorFor(0.001)).toBe(16);
  });
});

describe('the map in memory', () => {
  it('has row 0 at the lowest price', () => {
    const map = snapshot();
    const grid = new HeatGrid(map);
    for (const [col, row] of [
      [0, 0],
      [3, 7],
      [11, 19],
    ])
      expect(grid.value(col, row)).toBe(map.cells[col * 20 + row]);
    expect(grid.value(12, 0)).toBe(0);
    expect(grid.value(0, 20)).toBe(0);
    expect(grid.rowOf(grid.edge(7))).toBeCloseTo(7);
    expect(grid.colOf(grid.time(4))).toBe(4);
  });

  it('applies changed rows to the newest column', () => {
    const grid = new HeatGrid(snapshot());
    const result = grid.apply(
      column(T0 + 11 * STEP, {
        r: Uint16Array.of(2, 19, 999),
        v: Uint8Array.of(200, 201, 9),
      }),
    );
    expect(result).toBe('changed');
    expect([grid.value(11, 2), grid.value(11, 19), grid.close(11)]).toEqual([200, 201, 1.5]);
  });

  it('appends a new column, complete or as a diff of the previous one', () => {
    const grid = new HeatGrid(snapshot());
    expect(grid.apply(column(T0 + 12 * STEP, { full: true, v: new Uint8Array(20).fill(9) }))).toBe(
      'appended',
    );
    expect(grid.apply(column(T0 + 13 * STEP, { r: Uint16Array.of(1), v: Uint8Array.of(5) }))).toBe(
      'appended',
    );
    expect([grid.cols, grid.value(13, 0), grid.value(13, 1)]).toEqual([14, 9, 5]);
  });

  it('requests a new map after a time gap, when full, or for a column of another height', () => {
    const grid = new HeatGrid(snapshot());
    expect(grid.apply(column(T0 + 14 * STEP))).toBe('full');
    expect(grid.apply(column(T0 + 12 * STEP, { full: true, v: new Uint8Array(3) }))).toBe('full');
    expect(grid.apply(column(T0 + 2 * STEP))).toBe('unknown');
    for (let i = 0; i < SPARE_COLUMNS; i++)
      expect(grid.apply(column(T0 + (12 + i) * STEP))).toBe('appended');
    expect(grid.apply(column(T0 + (12 + SPARE_COLUMNS) * STEP))).toBe('full');
  });

  it('finds extremes and the last price across gaps', () => {
    const map = snapshot();
    map.ohlc.fill(NaN, 10 * 5);
    const grid = new HeatGrid(map);
    expect(grid.last().col).toBe(9);
    expect(grid.extremes(0, 3)).toEqual({ low: 99, high: 104 });
    expect(grid.extremes(10, 12)).toBeNull();
    expect(grid.histogram(0, 12, 0, 20).cells.reduce((a, b) => a + b)).toBe(240);
    map.ohlc.fill(NaN);
    expect(new HeatGrid(map).last().close).toBeNaN();
  });
});
