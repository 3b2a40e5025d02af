/** Draws the panes under the chart: one line or two over the time of the chart. */
import { theme } from '../render/theme.svelte';

/** Columns in sight, as fractions of columns of the map, and what turns them into time. */
export interface TimeRange {
  /** µs UTC at the left and the right edge. */
  from: number;
  to: number;
}

export interface Line {
  values: ArrayLike<number>;
  colour: string;
}

export interface Pane {
  /** Start of the first value and time between two, µs. */
  t0: number;
  step: number;
  lines: readonly Line[];
  /** Bars around zero with a scale of their own. */
  bars?: { values: ArrayLike<number>; rise: string; fall: string };
}

/** Place of a time, pixels. */
export const xOf = (time: number, range: TimeRange, width: number): number =>
  ((time - range.from) / (range.to - range.from)) * width;

/** Numbers of the first value in sight, and of the one after the last. */
export function inSight(pane: Pane, range: TimeRange, count: number): [number, number] {
  const at = (time: number): number => Math.floor((time - pane.t0) / pane.step);
  return [Math.max(0, at(range.from)), Math.min(count, Math.max(0, at(range.to) + 2))];
}

/** Least and greatest known value in sight; null where none is known. */
export function extremes(pane: Pane, range: TimeRange): { low: number; high: number } | null {
  let low = Infinity;
  let high = -Infinity;
  for (const { values } of pane.lines) {
    const [from, to] = inSight(pane, range, values.length);
    for (let i = from; i < to; i++) {
      if (Number.isNaN(values[i])) continue;
      low = Math.min(low, values[i]);
      high = Math.max(high, values[i]);
    }
  }
  return high >= low ? { low, high } : null;
}

/** Values with those before `since` (µs) unknown: a sum of nothing is no figure. */
export function knownSince(
  values: Float64Array,
  t0: number,
  step: number,
  since: number | null,
): Float64Array {
  const from = since === null ? values.length : Math.floor((since - t0) / step);
  return values.map((value, i) => (i < from ? NaN : value));
}

const MARGIN = 5;
/** Room above for the figures, pixels. */
const HEAD = 20;

export function paintPane(
  ctx: CanvasRenderingContext2D,
  width: number,
  height: number,
  pane: Pane,
  range: TimeRange,
): void {
  if (pane.bars) paintBars(ctx, width, height, pane, range);
  const found = extremes(pane, range);
  if (!found) return;
  const size = found.high - found.low || 1;
  const y = (value: number): number =>
    height - MARGIN - ((value - found.low) / size) * (height - MARGIN - HEAD);
  for (const { values, colour } of pane.lines) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    const [from, to] = inSight(pane, range, values.length);
    let known = false;
    for (let i = from; i < to; i++) {
      const x = xOf(pane.t0 + (i + 0.5) * pane.step, range, width);
      const here = !Number.isNaN(values[i]);
      if (here && known) ctx.lineTo(x, y(values[i]));
      else if (here) ctx.moveTo(x, y(values[i]));
      known = here;
    }
    ctx.stroke();
  }
}

function paintBars(
  ctx: CanvasRenderingContext2D,
  width: number,
  height: number,
  pane: Pane,
  range: TimeRange,
): void {
  const { bars, t0, step } = pane;
  if (!bars) return;
  const [from, to] = inSight(pane, range, bars.values.length);
  let most = 0;
  for (let i = from; i < to; i++) most = Math.max(most, Math.abs(bars.values[i]));
  if (!most) return;
  ctx.globalAlpha = 0.4;
  const wide = Math.max(1, xOf(t0 + step, range, width) - xOf(t0, range, width) - 1);
  for (let i = from; i < to; i++) {
    const tall = (bars.values[i] / most) * (height / 2 - 2);
    ctx.fillStyle = tall < 0 ? bars.fall : bars.rise;
    ctx.fillRect(
      xOf(t0 + i * step, range, width),
      height / 2 - Math.max(0, tall),
      wide,
      Math.abs(tall),
    );
  }
  ctx.globalAlpha = 1;
  ctx.fillStyle = theme.faint;
  ctx.fillRect(0, height / 2, width, 1);
}
