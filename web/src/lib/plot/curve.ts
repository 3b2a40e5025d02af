/** Draws the cumulative curve: dollars liquidated up to each price, and its slope. */
import { dollars, percent } from '../format';
import { FONT, theme } from '../render/theme.svelte';
import type { Cumulative } from '../wire/types';
import { roundStep } from './profile';
import { cumulativeAt, type Stretch, slopes } from './slope';

export interface CurveOptions {
  /** Whether dollar marks are drawn at the left. */
  axis: boolean;
  /** Whether the 80 % band is drawn, if there is one. */
  band?: boolean;
  /** Signed distance of the cursor, or null. */
  at: number | null;
  /** Draw dollars per percent below the curve, on its own scale. */
  slope?: boolean;
  /** The steepest percent of each side, shaded. */
  steep?: readonly Stretch[];
}

/** Where the curve was drawn: distances and dollars to pixels. */
export interface Plot {
  from: number;
  to: number;
  width: number;
  top: number;
  floor: number;
  x: (distance: number) => number;
  y: (usd: number) => number;
}

const AXIS_HEIGHT = 22;
/** Share of the height used for the slope, and the space above it. */
const SLOPE_SHARE = 0.24;
const SLOPE_MARGIN = 22;

/** The part of a curve within a reach of the price. */
export function cropped(curve: Cumulative, reach: number): Cumulative {
  const { distance } = curve;
  const edge = reach + 1e-9;
  const first = distance.findIndex((d) => d >= -edge);
  const last = distance.findLastIndex((d) => d <= edge) + 1;
  const cut = (list: Float64Array): Float64Array => list.subarray(Math.max(0, first), last);
  return {
    distance: cut(distance),
    notional: cut(curve.notional),
    low: cut(curve.low),
    high: cut(curve.high),
  };
}

/** Signed distance at a fraction of the width. */
export function distanceAt(curve: Cumulative, share: number): number {
  const from = curve.distance[0];
  return from + (curve.distance[curve.distance.length - 1] - from) * share;
}

export function drawCurve(
  ctx: CanvasRenderingContext2D,
  width: number,
  height: number,
  curve: Cumulative,
  options: CurveOptions,
): Plot | null {
  const { distance, notional, low, high } = curve;
  if (distance.length < 2) return null;
  const banded = Boolean(options.band) && high.length === distance.length;
  const max = Math.max(...(banded ? high : notional), 1) * 1.04;
  const lower = options.slope ? Math.round((height - AXIS_HEIGHT) * SLOPE_SHARE) : 0;
  const top = options.axis ? 14 : 6;
  const box = boxOf(
    curve,
    width,
    top,
    height - AXIS_HEIGHT - (lower ? lower + SLOPE_MARGIN : 0),
    max,
  );
  ctx.font = FONT;
  ctx.textBaseline = 'middle';
  for (const stretch of options.steep ?? []) shade(ctx, box, stretch, height - AXIS_HEIGHT);
  if (options.axis) dollarMarks(ctx, box, max);
  distanceMarks(ctx, box, height, height - AXIS_HEIGHT);
  if (banded) band(ctx, box, distance, low, high);
  side(ctx, box, curve, (d) => d <= 1e-9, theme.long);
  side(ctx, box, curve, (d) => d >= -1e-9, theme.short);
  if (lower)
    slope(ctx, { ...box, top: height - AXIS_HEIGHT - lower, floor: height - AXIS_HEIGHT }, curve);
  ctx.fillStyle = theme.text;
  for (let py = top; py < height - AXIS_HEIGHT; py += 5)
    ctx.fillRect(Math.round(box.x(0)), py, 1, 2);
  if (options.at !== null && options.at >= box.from && options.at <= box.to)
    pointer(ctx, options.at, curve, box, height - AXIS_HEIGHT);
  return box;
}

function boxOf(curve: Cumulative, width: number, top: number, floor: number, max: number): Plot {
  const from = curve.distance[0];
  const to = curve.distance[curve.distance.length - 1];
  return {
    from,
    to,
    width,
    top,
    floor,
    x: (d) => ((d - from) / (to - from)) * width,
    y: (v) => floor - (v / max) * (floor - top),
  };
}

function dollarMarks(ctx: CanvasRenderingContext2D, box: Plot, max: number): void {
  const step = roundStep(max, (box.floor - box.top) / 64);
  ctx.textAlign = 'left';
  for (let v = step; v < max; v += step) {
    ctx.fillStyle = theme.faint;
    ctx.fillRect(0, Math.round(box.y(v)), box.width, 1);
    ctx.fillStyle = theme.text;
    if (box.y(v) > box.top + 4) ctx.fillText(dollars(v), 6, box.y(v) - 8);
  }
}

function distanceMarks(
  ctx: CanvasRenderingContext2D,
  box: Plot,
  height: number,
  floor: number,
): void {
  const { from, to, width, x } = box;
  const marks = roundStep((to - from) * 100, width / 64) / 100;
  ctx.textAlign = 'center';
  for (let d = Math.ceil(from / marks) * marks; d <= to + 1e-9; d += marks) {
    if (x(d) < 14 || x(d) > width - 14) continue;
    ctx.fillStyle = theme.faint;
    ctx.fillRect(Math.round(x(d)), box.top, 1, floor - box.top);
    ctx.fillStyle = theme.text;
    const label = `${Number((d * 100).toFixed(2))}%`;
    ctx.fillText(
      d > 1e-9 ? `+${label}` : Math.abs(d) < 1e-9 ? 'now' : label.replace('-', '−'),
      x(d),
      height - 9,
    );
  }
}

function band(
  ctx: CanvasRenderingContext2D,
  box: Plot,
  distance: Float64Array,
  low: Float64Array,
  high: Float64Array,
): void {
  ctx.fillStyle = theme.band;
  ctx.beginPath();
  for (let i = 0; i < distance.length; i++) ctx.lineTo(box.x(distance[i]), box.y(high[i]));
  for (let i = distance.length - 1; i >= 0; i--) ctx.lineTo(box.x(distance[i]), box.y(low[i]));
  ctx.fill();
}

function side(
  ctx: CanvasRenderingContext2D,
  box: Plot,
  curve: Cumulative,
  keep: (d: number) => boolean,
  colour: string,
): void {
  const points: [number, number][] = [];
  curve.distance.forEach((d, i) => {
    if (keep(d)) points.push([box.x(d), box.y(curve.notional[i])]);
  });
  if (points.length < 2) return;
  ctx.beginPath();
  for (const [px, py] of points) ctx.lineTo(px, py);
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.75;
  ctx.lineJoin = 'round';
  ctx.stroke();
  ctx.lineTo(points[points.length - 1][0], box.floor);
  ctx.lineTo(points[0][0], box.floor);
  ctx.fillStyle = `${colour}2e`;
  ctx.fill();
}

/** Dollars per percent: how strongly a move there would be amplified. */
function slope(ctx: CanvasRenderingContext2D, box: Plot, curve: Cumulative): void {
  const each = slopes(curve);
  const max = Math.max(...each, 1);
  const y = (v: number): number => box.floor - (v / max) * (box.floor - box.top);
  for (const [keep, colour] of [
    [(d: number) => d < 0, theme.long],
    [(d: number) => d > 0, theme.short],
  ] as const) {
    ctx.beginPath();
    let last = 0;
    let first = NaN;
    curve.distance.forEach((d, i) => {
      if (!keep(d)) return;
      last = box.x(d);
      if (Number.isNaN(first)) first = last;
      ctx.lineTo(last, y(each[i]));
    });
    if (Number.isNaN(first)) continue;
    ctx.lineTo(last, box.floor);
    ctx.lineTo(first, box.floor);
    ctx.fillStyle = `${colour}66`;
    ctx.fill();
  }
  ctx.fillStyle = theme.faint;
  ctx.fillRect(0, box.floor, box.width, 1);
  ctx.fillStyle = theme.text;
  ctx.textAlign = 'left';
  ctx.fillText(`Slope: up to ${dollars(max)} per 1%`, 6, box.top - 10);
}

function shade(ctx: CanvasRenderingContext2D, box: Plot, stretch: Stretch, floor: number): void {
  const [a, b] = [
    box.x(Math.min(stretch.from, stretch.to)),
    box.x(Math.max(stretch.from, stretch.to)),
  ];
  ctx.fillStyle = theme.faint;
  ctx.fillRect(a, box.top, b - a, floor - box.top);
}

function pointer(
  ctx: CanvasRenderingContext2D,
  at: number,
  curve: Cumulative,
  box: Plot,
  floor: number,
): void {
  ctx.fillStyle = theme.cross;
  ctx.fillRect(Math.round(box.x(at)), box.top, 1, floor - box.top);
  ctx.beginPath();
  ctx.arc(box.x(at), box.y(cumulativeAt(curve, at)), 4, 0, 2 * Math.PI);
  ctx.fillStyle = theme.ink;
  ctx.fill();
}

/** A text alternative for the curve: dollars at both ends and halfway. */
export function curveText(curve: Cumulative): string {
  const { distance } = curve;
  if (distance.length < 2) return 'No cumulative data yet';
  const [from, to] = [distance[0], distance[distance.length - 1]];
  const parts = [from, from / 2, to / 2, to].map(
    (d) => `${percent(d)} ${dollars(cumulativeAt(curve, d))}`,
  );
  return `Estimated dollars liquidated if price moves: ${parts.join(', ')}`;
}
