/**
 * Turns the newest columns of a fetched map into stream columns, to append them to the map shown.
 */
import type { HeatGrid } from '../grid/grid';
import type { Column, MapSnapshot } from '../wire/types';

const NONE = new Uint16Array();

/** Columns to apply in order; null if the map must be refetched: other rows, or a gap in time. */
export function columnsToAppend(grid: HeatGrid, part: MapSnapshot): Column[] | null {
  const same =
    part.rows === grid.rows &&
    part.step === grid.step &&
    close(part.p0, grid.p0) &&
    close(part.dp, grid.dp);
  const first = Math.round(grid.colOf(part.t0));
  if (!same || first > grid.cols || first < grid.cols - 2 || first + part.cols < grid.cols)
    return null;
  if (first + part.cols > grid.capacity) return null;
  return Array.from({ length: part.cols }, (_, i) => ({
    kind: 'column' as const,
    stream: part.stream,
    seq: part.seq,
    t: part.t0 + i * part.step,
    k: Array.from(part.ohlc.subarray(i * 5, i * 5 + 5)),
    asOf: part.asOf,
    r: NONE,
    v: part.cells.subarray(i * part.rows, (i + 1) * part.rows),
    full: true,
  }));
}

function close(a: number, b: number): boolean {
  return Math.abs(a - b) < 1e-9;
}
