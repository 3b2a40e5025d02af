/**
 * Prices outside the rows stored for a column: unknown rather than empty, and therefore hatched.
 */
import type { HeatGrid } from '../grid/grid';

/** Columns [from, to) whose stored rows end at a price. */
export interface Edge {
  from: number;
  to: number;
  price: number;
}

/**
 * Where the stored rows of columns [first, last) end, above (+1) or below (-1), within the visible
 * prices. Each column stores half of its rows on either side of its own price.
 */
export function edges(
  grid: HeatGrid,
  side: 1 | -1,
  [first, last]: readonly [number, number],
  [low, high]: readonly [number, number],
  stride: number,
): Edge[] {
  const reach = Math.exp((side * grid.rows * grid.dp) / 2);
  const out: Edge[] = [];
  for (let col = Math.max(0, first); col < Math.min(grid.cols, last); col += stride) {
    const price = grid.close(col) * reach;
    if (side > 0 ? price < high : price > low)
      out.push({ from: col, to: Math.min(grid.cols, col + stride), price });
  }
  return out;
}

/** The area from the edges to the top or bottom of the pane, device pixels. */
export function area(
  list: readonly Edge[],
  x: (col: number) => number,
  y: (price: number) => number,
  end: number,
): Path2D {
  const path = new Path2D();
  for (const { from, to, price } of list) {
    const at = y(price);
    path.rect(x(from), Math.min(at, end), x(to) - x(from), Math.abs(end - at));
  }
  return path;
}
