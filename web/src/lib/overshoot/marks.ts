/** What a touch adds to the cumulative curve: its cluster, what rests beyond it, and the chain. */
import type { Plot } from '../plot/curve';
import { FONT_FAMILY, theme } from '../render/theme.svelte';
import type { OvershootAnswer, TouchForecast } from '../wire/schema-on-demand';
import { carryText } from './text';

/** First height of a bracket, and what the next one is lower by, pixels. */
const BRACKET = 16;
const STEP = 20;
const PADDING = 5;

/** Where a coefficient stands on the curve, pixels. */
interface Extent {
  y: number;
  from: number;
  to: number;
}

export interface Gap {
  /** Prices of the edges that face each other. */
  from: number;
  to: number;
  /** The coefficient of the link beyond it. */
  text: string;
}

/** The gaps of a chain, from the level outward. */
export function gapsOf({ level, chain }: TouchForecast): Gap[] {
  return chain.flatMap((link, i) => {
    const text = carryText(link);
    return text ? [{ from: i ? chain[i - 1].far : level, to: link.near, text }] : [];
  });
}

/**
 * Prices beyond the level, and the dollars of displayed depth between it and them that are taken to
 * stay: where the curve is lower, half of the cases have ended.
 */
export function stayingDepth(
  { outward, level, side }: TouchForecast,
  median: number,
): [number, number][] {
  const sign = side === 'long' ? -1 : 1;
  const first = outward.price.findIndex((price) => sign * (price - level) > 0);
  if (first < 0) return [];
  const before = Math.max(0, first - 1);
  const span = outward.price[first] - outward.price[before];
  const share = span ? (level - outward.price[before]) / span : 0;
  const at = outward.depth[before] + (outward.depth[first] - outward.depth[before]) * share;
  const out: [number, number][] = [[level, 0]];
  for (let i = first; i < outward.price.length; i++)
    out.push([outward.price[i], median * (outward.depth[i] - at)]);
  return out;
}

export function drawMarks(
  ctx: CanvasRenderingContext2D,
  plot: Plot,
  { touches, survival }: OvershootAnswer,
  mark: number,
  colour: (name: string) => string,
): void {
  const x = (price: number): number => plot.x(price / mark - 1);
  ctx.save();
  ctx.beginPath();
  ctx.rect(0, 0, plot.width, plot.floor);
  ctx.clip();
  const taken: Extent[] = [];
  for (const touch of touches) {
    cluster(ctx, plot, touch, x);
    resting(ctx, plot, stayingDepth(touch, survival.median), x, colour('--rise'));
    ctx.font = `600 11px ${FONT_FAMILY}`;
    gapsOf(touch).forEach((gap, n) => {
      bracket(ctx, gap, x, plot.top + BRACKET + n * STEP, colour('--acc'), taken);
    });
  }
  ctx.restore();
}

function cluster(
  ctx: CanvasRenderingContext2D,
  plot: Plot,
  touch: TouchForecast,
  x: (price: number) => number,
): void {
  const hue = touch.side === 'long' ? theme.long : theme.short;
  if (touch.cluster) {
    const [from, to] = touch.cluster.map(x);
    ctx.globalAlpha = 0.16;
    ctx.fillStyle = hue;
    ctx.fillRect(from, plot.top, Math.max(2, to - from), plot.floor - plot.top);
    ctx.globalAlpha = 1;
  }
  ctx.fillStyle = hue;
  ctx.fillRect(Math.round(x(touch.level)), plot.top, 1, plot.floor - plot.top);
}

function resting(
  ctx: CanvasRenderingContext2D,
  plot: Plot,
  points: readonly [number, number][],
  x: (price: number) => number,
  hue: string,
): void {
  ctx.strokeStyle = hue;
  ctx.lineWidth = 1.5;
  ctx.setLineDash([4, 3]);
  ctx.beginPath();
  for (const [price, usd] of points) ctx.lineTo(x(price), plot.y(usd));
  ctx.stroke();
  ctx.setLineDash([]);
}

/** A bracket over a gap with its coefficient: inside it, or beside it towards the price now. */
function bracket(
  ctx: CanvasRenderingContext2D,
  { from, to, text }: Gap,
  x: (price: number) => number,
  y: number,
  hue: string,
  taken: Extent[],
): void {
  const [left, right] = [Math.min(x(from), x(to)), Math.max(x(from), x(to))];
  ctx.fillStyle = hue;
  ctx.fillRect(left, y, right - left, 1);
  ctx.fillRect(left, y - 4, 1, 9);
  ctx.fillRect(right - 1, y - 4, 1, 9);
  const word = `carry ${text}`;
  const wide = ctx.measureText(word).width + 2 * PADDING;
  const inside = wide < right - left - 8;
  const beside = to < from ? right + wide / 2 : left - wide / 2;
  const middle = inside ? (left + right) / 2 : beside;
  const place = { y, from: middle - wide / 2, to: middle + wide / 2 };
  // Two chains meet about the price now: the figure is in the list beside the curve too.
  if (taken.some((each) => each.y === y && each.from < place.to && place.from < each.to)) return;
  taken.push(place);
  ctx.fillStyle = theme.background;
  if (inside) ctx.fillRect(place.from, y - 8, wide, 16);
  ctx.fillStyle = hue;
  ctx.textAlign = 'center';
  ctx.fillText(word, middle, y + 0.5);
}
