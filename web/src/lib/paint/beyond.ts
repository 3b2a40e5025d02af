/** What lies beyond the rows a column keeps about its price: not empty but not known, and so hatched. */
import type { HeatGrid } from '../grid/grid';

/** Columns [from, to) at once whose rows end at a price. */
export interface Edge {
  from: number;
  to: number;
  price: number;
}

/**
 * Where the kept rows of columns [first, last) end, above (+1) or below (-1), within the prices in sight.
 * Each column keeps half of the rows on either side of its own price.
 */
export function edges(grid: HeatGrid, side: 1 | -1, [first, last]: readonly [number, number], [low, high]: readonly [number, number], stride: number): Edge[] {
  const reach = Math.exp((side * grid.rows * grid.dp) / 2);
  const out: Edge[] = [];
  for (let col = Math.max(0, first); col < Math.min(grid.cols, last); col += stride) {
    const price = grid.close(col) * reach;
    if (side > 0 ? price < high : price > low) out.push({ from: col, to: Math.min(grid.cols, col + stride), price });
  }
  return out;
}

/** The area of edges to the top or the foot of the pane, in device pixels. */
export function area(found: readonly Edge[], x: (col: number) => number, y: (price: number) => number, far: number): Path2D {
  const path = new Path2D();
  for (const { from, to, price } of found) {
    const at = y(price);
    path.rect(x(from), Math.min(at, far), x(to) - x(from), Math.abs(far - at));
  }
  return path;
}
