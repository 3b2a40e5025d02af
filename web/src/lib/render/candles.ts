/** White and near-black candles, merged so that bodies stay readable. */

import { CLOSE, type HeatGrid, HIGH, LOW, OPEN } from '../grid/grid';
import { theme } from './theme.svelte';

/** Minimum width of a candle, CSS pixels. */
const MIN_WIDTH = 5;
const MERGES = [1, 2, 3, 6, 12, 24, 48, 96, 288] as const;

/** Columns per candle at this spacing. */
export function columnsPerCandle(barSpacing: number): number {
  return MERGES.find((n) => n * barSpacing >= MIN_WIDTH) ?? MERGES[MERGES.length - 1];
}

export interface Candle {
  from: number;
  to: number;
  open: number;
  high: number;
  low: number;
  close: number;
}

/**
 * Candles of `n` columns touching [first, last), aligned to the clock so that panning does not
 * change them.
 */
export function candles(grid: HeatGrid, n: number, first: number, last: number): Candle[] {
  const out: Candle[] = [];
  const shift = Math.round(grid.t0 / grid.step) % n;
  const start = Math.floor((Math.max(0, first) + shift) / n) * n - shift;
  const end = Math.min(grid.cols, last);
  for (let from = start; from < end; from += n) {
    const candle = {
      from,
      to: Math.min(grid.cols, from + n),
      open: NaN,
      high: -Infinity,
      low: Infinity,
      close: NaN,
    };
    for (let i = Math.max(0, from); i < candle.to; i++) {
      const k = i * 5;
      const close = grid.ohlc[k + CLOSE];
      if (Number.isNaN(close)) continue;
      if (Number.isNaN(candle.open)) candle.open = grid.ohlc[k + OPEN];
      if (grid.ohlc[k + HIGH] > candle.high) candle.high = grid.ohlc[k + HIGH];
      if (grid.ohlc[k + LOW] < candle.low) candle.low = grid.ohlc[k + LOW];
      candle.close = close;
    }
    if (!Number.isNaN(candle.close)) out.push(candle);
  }
  return out;
}

/** Draw in device pixels; `y` maps a price to them. */
export function drawCandles(
  ctx: CanvasRenderingContext2D,
  list: readonly Candle[],
  columns: { x0: number; barSpacing: number; per: number; ratio: number },
  y: (price: number) => number,
): void {
  const line = Math.max(1, Math.floor(columns.ratio));
  const full = columns.per * columns.barSpacing;
  let body = Math.max(line, Math.floor(full * 0.68));
  // An odd difference to the wick would put the wick off centre.
  if ((body - line) % 2) body--;
  body = Math.max(line, body);
  // The outline separates candles from bright heat. Read once: the theme is reactive, and this runs
  // in every frame.
  const { name, outline, rising: white, falling: inner, edge } = theme;
  ctx.fillStyle = outline;
  for (const c of list) {
    const x = Math.round(columns.x0 + c.from * columns.barSpacing + full / 2 - line / 2);
    const top = Math.round(y(c.high));
    ctx.fillRect(
      x - line,
      top - line,
      3 * line,
      Math.max(line, Math.round(y(c.low)) - top) + 2 * line,
    );
  }
  for (const c of list) {
    const middle = Math.round(columns.x0 + c.from * columns.barSpacing + full / 2 - line / 2);
    const left = middle - (body - line) / 2;
    const high = Math.round(y(c.high));
    const low = Math.round(y(c.low));
    const top = Math.round(Math.min(y(c.open), y(c.close)));
    const bottom = Math.max(top + line, Math.round(Math.max(y(c.open), y(c.close))));
    const rising = c.close >= c.open;
    ctx.fillStyle = rising && name === 'dark' ? white : edge;
    ctx.fillRect(middle, high, line, Math.max(line, low - high));
    ctx.fillRect(left, top, body, bottom - top);
    if (rising === (name === 'light') && body > 2 * line && bottom - top > 2 * line) {
      ctx.fillStyle = rising ? white : inner;
      ctx.fillRect(left + line, top + line, body - 2 * line, bottom - top - 2 * line);
    }
  }
}
