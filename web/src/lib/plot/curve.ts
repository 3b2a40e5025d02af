/** The cumulative map: what is force-closed on the way to each price, and how steeply it grows. */
import { dollars, percent } from '../format';
import type { Cumulative } from '../wire/types';
import { FONT, theme } from '../paint/theme.svelte';
import { roundStep } from './profile';
import { slopes, type Stretch } from './slope';

export interface CurveLook {
  /** Dollar marks at the left; the small curve of the side panel goes without. */
  axis: boolean;
  /** Whether the 80 % band is drawn, where there is one. */
  band?: boolean;
  /** Signed distance of the cursor, or null. */
  at: number | null;
  /** Draw dollars a percent below the curve, on a scale of their own. */
  slope?: boolean;
  /** The steepest percent of either side, shaded. */
  steep?: readonly Stretch[];
}

interface Box {
  from: number;
  to: number;
  width: number;
  roof: number;
  floor: number;
  x: (distance: number) => number;
  y: (usd: number) => number;
}

const FOOT = 22;
/** Share of the height for the slope, and the air above it. */
const LOWER = 0.24;
const AIR = 22;

/** Cumulative dollars at a distance, read between the points. */
export function cumulativeAt(curve: Cumulative, distance: number): number {
  const { distance: d, notional: n } = curve;
  if (!d.length) return NaN;
  let i = 0;
  while (i < d.length - 1 && d[i + 1] < distance) i++;
  const j = Math.min(d.length - 1, i + 1);
  const share = d[j] === d[i] ? 0 : Math.min(1, Math.max(0, (distance - d[i]) / (d[j] - d[i])));
  return n[i] + (n[j] - n[i]) * share;
}

/** The part of a curve within a reach of the price, ending where it did. */
export function cropped(curve: Cumulative, reach: number): Cumulative {
  const { distance } = curve;
  const edge = reach + 1e-9;
  const first = distance.findIndex((d) => d >= -edge);
  const last = distance.findLastIndex((d) => d <= edge) + 1;
  const cut = (list: Float64Array): Float64Array => list.subarray(Math.max(0, first), last);
  return { distance: cut(distance), notional: cut(curve.notional), low: cut(curve.low), high: cut(curve.high) };
}

/** Signed distance at a fraction of the width. */
export function distanceAt(curve: Cumulative, share: number): number {
  const from = curve.distance[0];
  return from + (curve.distance[curve.distance.length - 1] - from) * share;
}

export function drawCurve(ctx: CanvasRenderingContext2D, width: number, height: number, curve: Cumulative, look: CurveLook): void {
  const { distance, notional, low, high } = curve;
  if (distance.length < 2) return;
  const banded = Boolean(look.band) && high.length === distance.length;
  const most = Math.max(...(banded ? high : notional), 1) * 1.04;
  const lower = look.slope ? Math.round((height - FOOT) * LOWER) : 0;
  const roof = look.axis ? 14 : 6;
  const box = boxOf(curve, width, roof, height - FOOT - (lower ? lower + AIR : 0), most);
  ctx.font = FONT;
  ctx.textBaseline = 'middle';
  for (const stretch of look.steep ?? []) shade(ctx, box, stretch, height - FOOT);
  if (look.axis) dollarMarks(ctx, box, most);
  distanceMarks(ctx, box, height, height - FOOT);
  if (banded) band(ctx, box, distance, low, high);
  side(ctx, box, curve, (d) => d <= 1e-9, theme.long);
  side(ctx, box, curve, (d) => d >= -1e-9, theme.short);
  if (lower) slope(ctx, { ...box, roof: height - FOOT - lower, floor: height - FOOT }, curve);
  ctx.fillStyle = theme.text;
  for (let py = roof; py < height - FOOT; py += 5) ctx.fillRect(Math.round(box.x(0)), py, 1, 2);
  if (look.at !== null && look.at >= box.from && look.at <= box.to) pointer(ctx, look.at, curve, box, height - FOOT);
}

function boxOf(curve: Cumulative, width: number, roof: number, floor: number, most: number): Box {
  const from = curve.distance[0];
  const to = curve.distance[curve.distance.length - 1];
  return {
    from, to, width, roof, floor,
    x: (d) => ((d - from) / (to - from)) * width,
    y: (v) => floor - (v / most) * (floor - roof),
  };
}

function dollarMarks(ctx: CanvasRenderingContext2D, box: Box, most: number): void {
  const step = roundStep(most, (box.floor - box.roof) / 64);
  ctx.textAlign = 'left';
  for (let v = step; v < most; v += step) {
    ctx.fillStyle = theme.faint;
    ctx.fillRect(0, Math.round(box.y(v)), box.width, 1);
    ctx.fillStyle = theme.text;
    if (box.y(v) > box.roof + 4) ctx.fillText(dollars(v), 6, box.y(v) - 8);
  }
}

function distanceMarks(ctx: CanvasRenderingContext2D, box: Box, height: number, floor: number): void {
  const { from, to, width, x } = box;
  const marks = roundStep((to - from) * 100, width / 64) / 100;
  ctx.textAlign = 'center';
  for (let d = Math.ceil(from / marks) * marks; d <= to + 1e-9; d += marks) {
    if (x(d) < 14 || x(d) > width - 14) continue;
    ctx.fillStyle = theme.faint;
    ctx.fillRect(Math.round(x(d)), box.roof, 1, floor - box.roof);
    ctx.fillStyle = theme.text;
    const words = `${Number((d * 100).toFixed(2))}%`;
    ctx.fillText(d > 1e-9 ? `+${words}` : Math.abs(d) < 1e-9 ? 'now' : words.replace('-', '−'), x(d), height - 9);
  }
}

function band(ctx: CanvasRenderingContext2D, box: Box, distance: Float64Array, low: Float64Array, high: Float64Array): void {
  ctx.fillStyle = theme.band;
  ctx.beginPath();
  distance.forEach((d, i) => ctx.lineTo(box.x(d), box.y(high[i])));
  for (let i = distance.length - 1; i >= 0; i--) ctx.lineTo(box.x(distance[i]), box.y(low[i]));
  ctx.fill();
}

function side(ctx: CanvasRenderingContext2D, box: Box, curve: Cumulative, keep: (d: number) => boolean, colour: string): void {
  const points: [number, number][] = [];
  curve.distance.forEach((d, i) => keep(d) && points.push([box.x(d), box.y(curve.notional[i])]));
  if (points.length < 2) return;
  ctx.beginPath();
  points.forEach(([px, py]) => ctx.lineTo(px, py));
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.75;
  ctx.lineJoin = 'round';
  ctx.stroke();
  ctx.lineTo(points[points.length - 1][0], box.floor);
  ctx.lineTo(points[0][0], box.floor);
  ctx.fillStyle = `${colour}2e`;
  ctx.fill();
}

/** Dollars a percent: the height is how hard a move there would be pushed on. */
function slope(ctx: CanvasRenderingContext2D, box: Box, curve: Cumulative): void {
  const each = slopes(curve);
  const most = Math.max(...each, 1);
  const y = (v: number): number => box.floor - (v / most) * (box.floor - box.roof);
  for (const [keep, colour] of [[(d: number) => d < 0, theme.long], [(d: number) => d > 0, theme.short]] as const) {
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
  ctx.fillText(`Steepness: up to ${dollars(most)} a percent`, 6, box.roof - 10);
}

function shade(ctx: CanvasRenderingContext2D, box: Box, stretch: Stretch, floor: number): void {
  const [a, b] = [box.x(Math.min(stretch.from, stretch.to)), box.x(Math.max(stretch.from, stretch.to))];
  ctx.fillStyle = theme.faint;
  ctx.fillRect(a, box.roof, b - a, floor - box.roof);
}

function pointer(ctx: CanvasRenderingContext2D, at: number, curve: Cumulative, box: Box, floor: number): void {
  ctx.fillStyle = theme.cross;
  ctx.fillRect(Math.round(box.x(at)), box.roof, 1, floor - box.roof);
  ctx.beginPath();
  ctx.arc(box.x(at), box.y(cumulativeAt(curve, at)), 4, 0, 2 * Math.PI);
  ctx.fillStyle = theme.ink;
  ctx.fill();
}

/** What a curve says in words: what is force-closed on the way to either end, and halfway there. */
export function curveWords(curve: Cumulative): string {
  const { distance } = curve;
  if (distance.length < 2) return 'No cumulative map yet';
  const [from, to] = [distance[0], distance[distance.length - 1]];
  const said = [from, from / 2, to / 2, to].map((d) => `${percent(d)} ${dollars(cumulativeAt(curve, d))}`);
  return `Estimated dollars force-closed if the price moves: ${said.join(', ')}`;
}
