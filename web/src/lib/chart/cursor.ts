/** Values under the crosshair. */
import type { HeatGrid } from '../grid/grid';
import { candles } from '../render/candles';

export interface Cursor {
  col: number;
  row: number;
  price: number;
  time: number;
  /** Signed fraction from the last price. */
  distance: number;
  /** Estimated dollars in the cell, its byte, and in all cells within ±0.1 % of it. */
  cell: number;
  byte: number;
  band: number;
  /** Adjacent cells in price and time: a pointer is rarely exactly on a level. */
  near: { above: number; below: number; before: number; after: number };
  open: number;
  high: number;
  low: number;
  close: number;
  /** Whether the column lacks all data or some venues, and which venues where known. */
  gap: 'all' | 'some' | null;
  missingVenues: readonly string[];
}

const BAND = 0.001;

export function cursorAt(
  grid: HeatGrid,
  logical: number,
  price: number,
  perCandle: number,
): Cursor | null {
  const col = Math.min(grid.cols - 1, Math.max(0, Math.round(logical)));
  const row = Math.floor(grid.rowOf(price));
  if (row < 0 || row >= grid.rows) return null;
  const usd = (c: number, r: number): number => grid.scale.dollars(grid.value(c, r));
  const wide = Math.max(1, Math.round(BAND / grid.dp));
  let band = 0;
  for (let r = row - wide; r <= row + wide; r++) band += usd(col, r);
  const candle = candles(grid, perCandle, col, col + 1).find((c) => col >= c.from && col < c.to);
  const last = grid.last().close;
  return {
    col,
    row,
    price,
    time: grid.time(col),
    distance: price / last - 1,
    cell: usd(col, row),
    byte: grid.value(col, row),
    band,
    near: {
      above: usd(col, row + 1),
      below: usd(col, row - 1),
      before: usd(col - 1, row),
      after: usd(col + 1, row),
    },
    open: candle?.open ?? NaN,
    high: candle?.high ?? NaN,
    low: candle?.low ?? NaN,
    close: candle?.close ?? NaN,
    gap: grid.gapAt(col),
    missingVenues: grid.missingVenues.get(col) ?? [],
  };
}

/** Maintenance margin rate of the lowest bracket of a major market. */
const MAINTENANCE = 0.004;

/** Entry at which an isolated position of this leverage is liquidated at `price`. */
export function entryLiquidatedAt(price: number, side: 'long' | 'short', leverage: number): number {
  return side === 'long'
    ? (price * (1 - MAINTENANCE)) / (1 - 1 / leverage)
    : (price * (1 + MAINTENANCE)) / (1 + 1 / leverage);
}
