/** The newest columns of a past map, joined to those on the screen as if they had come by the stream. */
import type { HeatGrid } from '../grid/grid';
import type { Column, MapSnapshot } from '../wire/types';

const NONE = new Uint16Array();

/** Columns to apply in order; null when the map must be fetched whole: other rows, or a hole between. */
export function joined(grid: HeatGrid, part: MapSnapshot): Column[] | null {
  const same = part.rows === grid.rows && part.step === grid.step && near(part.p0, grid.p0) && near(part.dp, grid.dp);
  const first = Math.round(grid.colOf(part.t0));
  if (!same || first > grid.cols || first < grid.cols - 2 || first + part.cols < grid.cols) return null;
  if (first + part.cols > grid.capacity) return null;
  return Array.from({ length: part.cols }, (_, i) => ({
    kind: 'column' as const,
    stream: part.stream,
    seq: part.seq,
    t: part.t0 + i * part.step,
    k: Array.from(part.ohlc.subarray(i * 5, i * 5 + 5)),
    rows: NONE,
    values: part.cells.subarray(i * part.rows, (i + 1) * part.rows),
    full: true,
    again: false,
  }));
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) < 1e-9;
}
