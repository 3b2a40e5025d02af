/** The level chart: dollars by price in a band beside the map, clear of the newest candles. */
import type { HeatGrid } from '../grid/grid';
import type { Levels } from '../wire/types';
import { type Band, BRACKET_WIDTH } from './brackets';
import { theme } from './theme.svelte';

/** Alpha as hex pairs, from the shortest bars to the longest. */
const ALPHAS = ['59', '66', '75', '85', '99', 'b3', 'd1', 'f2'] as const;

/** Bars below this share of the visible maximum are not drawn. */
const MIN_SHARE = 0.002;

export function drawGutter(
  ctx: CanvasRenderingContext2D,
  band: Band,
  grid: HeatGrid,
  levels: Levels | null,
  yOf: (price: number) => number,
  rows: { low: number; high: number },
): void {
  ctx.fillStyle = theme.gutter;
  ctx.fillRect(band.left, 0, band.width, band.height);
  ctx.fillStyle = theme.rule;
  ctx.fillRect(band.left, 0, Math.max(1, Math.floor(band.ratio)), band.height);
  if (!levels || levels.rows !== grid.rows) return;
  // The stream may shift the grid of the levels before the map is refetched.
  const shift = Math.round((levels.p0 - grid.p0) / grid.dp);
  const low = Math.max(0, rows.low - shift);
  const high = Math.min(levels.rows, rows.high - shift);
  let max = 0;
  for (let r = low; r < high; r++) max = Math.max(max, levels.long[r], levels.short[r]);
  if (!(max > 0)) return;
  side(ctx, band, levels.long, theme.long);
  side(ctx, band, levels.short, theme.short);

  function side(c: CanvasRenderingContext2D, b: Band, usd: Float32Array, colour: string): void {
    let top = 0;
    let longest = 0;
    const flush = (bottom: number): void => {
      if (longest <= 0) return;
      c.fillStyle = colour + ALPHAS[Math.min(7, Math.floor((longest / b.maxBar) * 8))];
      c.fillRect(
        b.left + Math.round(BRACKET_WIDTH * b.ratio),
        top,
        longest,
        Math.max(1, bottom - top),
      );
    };
    let bottom = NaN;
    // Rows that share a pixel are drawn once, by the longest of them.
    for (let r = low; r < high; r++) {
      const length =
        usd[r] > MIN_SHARE * max ? Math.max(1, Math.round((usd[r] / max) ** 0.6 * b.maxBar)) : 0;
      const y1 = Math.round(yOf(grid.edge(r + shift)));
      const y0 = Math.round(yOf(grid.edge(r + shift + 1)));
      if (y1 === bottom && y0 === y1) longest = Math.max(longest, length);
      else {
        flush(bottom);
        bottom = y1;
        top = y0;
        longest = length;
      }
      top = Math.min(top, y0);
    }
    flush(bottom);
  }
}
