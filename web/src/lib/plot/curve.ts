/** The cumulative map: what is force-closed on the way to each price. */
import { dollars } from '../format';
import type { Cumulative } from '../wire/types';
import { LONG, SHORT } from '../paint/gutter';
import { roundStep } from './profile';

const INK = '#a7b1c4';
const FAINT = 'rgba(255,255,255,0.06)';

export interface CurveLook {
  /** Dollar marks at the left; the small curve of the side panel goes without. */
  axis: boolean;
  /** Whether the 80 % band is drawn, where there is one. */
  band?: boolean;
  /** Pointer, as a fraction of the width, or null. */
  at: number | null;
}

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

export function drawCurve(ctx: CanvasRenderingContext2D, width: number, height: number, curve: Cumulative, look: CurveLook): void {
  const { distance, notional } = curve;
  if (distance.length < 2) return;
  const from = distance[0];
  const to = distance[distance.length - 1];
  const { low, high } = curve;
  const banded = look.band && high.length === distance.length;
  const most = Math.max(...(banded ? high : notional), 1) * 1.04;
  const floor = height - 22;
  const roof = look.axis ? 14 : 6;
  const x = (d: number): number => ((d - from) / (to - from)) * width;
  const y = (v: number): number => floor - (v / most) * (floor - roof);
  ctx.font = "11px 'Inter Variable', system-ui, sans-serif";
  ctx.textBaseline = 'middle';
  if (look.axis) {
    const step = roundStep(most, (floor - roof) / 64);
    for (let v = step; v < most; v += step) {
      ctx.fillStyle = FAINT;
      ctx.fillRect(0, Math.round(y(v)), width, 1);
      ctx.fillStyle = INK;
      ctx.textAlign = 'left';
      ctx.fillText(dollars(v), 6, y(v) - 8);
    }
  }
  const marks = roundStep((to - from) * 100, width / 64) / 100;
  ctx.textAlign = 'center';
  for (let d = Math.ceil(from / marks) * marks; d <= to + 1e-9; d += marks) {
    if (x(d) < 14 || x(d) > width - 14) continue;
    ctx.fillStyle = FAINT;
    ctx.fillRect(Math.round(x(d)), roof, 1, floor - roof);
    ctx.fillStyle = INK;
    const words = `${Number((d * 100).toFixed(2))}%`;
    ctx.fillText(d > 1e-9 ? `+${words}` : Math.abs(d) < 1e-9 ? 'now' : words.replace('-', '−'), x(d), height - 9);
  }
  const area = (keep: (d: number) => boolean, colour: string): void => {
    const points: [number, number][] = [];
    for (let i = 0; i < distance.length; i++) if (keep(distance[i])) points.push([x(distance[i]), y(notional[i])]);
    if (points.length < 2) return;
    ctx.beginPath();
    ctx.moveTo(points[0][0], floor);
    for (const [px, py] of points) ctx.lineTo(px, py);
    ctx.lineTo(points[points.length - 1][0], floor);
    ctx.fillStyle = `${colour}2e`;
    ctx.fill();
    ctx.beginPath();
    points.forEach(([px, py], i) => (i ? ctx.lineTo(px, py) : ctx.moveTo(px, py)));
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1.75;
    ctx.lineJoin = 'round';
    ctx.stroke();
  };
  if (banded) {
    ctx.fillStyle = 'rgba(232,236,245,0.13)';
    ctx.beginPath();
    distance.forEach((d, i) => ctx.lineTo(x(d), y(high[i])));
    for (let i = distance.length - 1; i >= 0; i--) ctx.lineTo(x(distance[i]), y(low[i]));
    ctx.fill();
  }
  area((d) => d <= 1e-9, LONG);
  area((d) => d >= -1e-9, SHORT);
  ctx.fillStyle = 'rgba(232,236,245,0.5)';
  for (let py = roof; py < floor; py += 5) ctx.fillRect(Math.round(x(0)), py, 1, 2);
  if (look.at !== null) pointer(ctx, look.at, curve, { from, to, width, floor, roof, y });
}

function pointer(
  ctx: CanvasRenderingContext2D,
  at: number,
  curve: Cumulative,
  box: { from: number; to: number; width: number; floor: number; roof: number; y: (v: number) => number },
): void {
  const d = box.from + (box.to - box.from) * at;
  const value = cumulativeAt(curve, d);
  ctx.fillStyle = 'rgba(255,255,255,0.5)';
  ctx.fillRect(Math.round(at * box.width), box.roof, 1, box.floor - box.roof);
  ctx.beginPath();
  ctx.arc(at * box.width, box.y(value), 4, 0, 2 * Math.PI);
  ctx.fillStyle = '#ffffff';
  ctx.fill();
}
