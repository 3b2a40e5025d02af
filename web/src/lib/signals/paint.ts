/** Draws the price around an episode: cluster, candles, states, and the plan once it stands. */

import { clock, dollars } from '../format';
import { drawCandles } from '../render/candles';
import { FONT, FONT_FAMILY, theme } from '../render/theme.svelte';
import type { EpisodeRow } from '../wire/schema-on-demand';
import {
  candlesBetween,
  type Extent,
  pricesOf,
  separated,
  ticks,
  timesOf,
  timeTicks,
} from './chart';
import { evidenceText, priceFigure } from './figures';
import type { EpisodeHeat } from './heat';
import { type Step, stepsOf } from './states';

/** Width of the price axis and height of the time axis, pixels. */
export const AXIS = { width: 62, height: 22 };
const LINE = 15;

export interface Picture {
  episode: EpisodeRow;
  heat: EpisodeHeat | null;
  now: number;
  zone: number;
  tick: number;
  /** Price of the last trade, quote currency. */
  price: number | null;
  colour: (name: string) => string;
}

interface Plot {
  ctx: CanvasRenderingContext2D;
  /** Pixels of the plot, without its axes. */
  width: number;
  height: number;
  x: (time: number) => number;
  y: (price: number) => number;
  times: Extent & { end: number };
  prices: Extent;
}

export function paintEpisode(
  ctx: CanvasRenderingContext2D,
  fullWidth: number,
  fullHeight: number,
  picture: Picture,
): void {
  const [width, height] = [fullWidth - AXIS.width, fullHeight - AXIS.height];
  const times = timesOf(picture.episode, picture.now);
  const grid = picture.heat?.grid;
  const found = grid ? candlesBetween(grid, times, width) : null;
  const prices = pricesOf(picture.episode, found?.list ?? []);
  const plot: Plot = {
    ctx,
    width,
    height,
    x: (time) => ((time - times.from) / (times.to - times.from)) * width,
    y: (price) => ((prices.to - price) / (prices.to - prices.from)) * height,
    times,
    prices,
  };
  ctx.font = FONT;
  ctx.textBaseline = 'middle';
  const tags = tagsOf(plot, picture);
  paintAxes(plot, picture, tags);
  ctx.save();
  ctx.beginPath();
  ctx.rect(0, 0, width, height);
  ctx.clip();
  picture.heat?.draw(ctx, [width, height], times, prices);
  paintPlaces(plot, picture);
  paintPlan(plot, picture);
  if (grid && found) {
    const x0 = plot.x(grid.t0);
    drawCandles(
      ctx,
      found.list,
      { x0, barSpacing: found.spacing, per: found.per, ratio: 1 },
      plot.y,
    );
  }
  paintCluster(plot, picture);
  paintStates(plot, picture);
  ctx.restore();
  paintTags(plot, picture, tags);
}

function paintAxes(plot: Plot, { zone, tick }: Picture, taken: readonly Tag[]): void {
  const { ctx, width, height, x, y, times, prices } = plot;
  ctx.textAlign = 'left';
  for (const price of ticks(prices, height / 56)) {
    ctx.fillStyle = theme.faint;
    ctx.fillRect(0, Math.round(y(price)), width, 1);
    const free = taken.every(({ at }) => Math.abs(at - y(price)) >= 15);
    if (!free || y(price) < 8 || y(price) > height - 8) continue;
    ctx.fillStyle = theme.text;
    ctx.fillText(priceFigure(price, tick), width + 8, y(price));
  }
  ctx.textAlign = 'center';
  for (const time of timeTicks(times, zone, width / 90)) {
    ctx.fillStyle = theme.faint;
    ctx.fillRect(Math.round(x(time)), 0, 1, height);
    ctx.fillStyle = theme.text;
    if (x(time) > 20 && x(time) < width - 20)
      ctx.fillText(clock(time, zone).slice(0, 5), x(time), height + AXIS.height / 2);
  }
  ctx.fillStyle = theme.rule;
  ctx.fillRect(0, height, width + AXIS.width, 1);
  ctx.fillRect(width, 0, 1, height);
}

/** The cluster, and those of a chain: a tint, and a frame while the episode lasts. */
function paintPlaces({ ctx, width, x, y, times }: Plot, { episode }: Picture): void {
  const { cluster, links, begun } = episode;
  for (const place of links.length ? links : cluster ? [cluster] : []) {
    const [top, bottom] = [y(place.top), y(place.floor)];
    const tall = Math.max(2, bottom - top);
    const hue = place.side === 'long' ? theme.long : theme.short;
    ctx.fillStyle = hue;
    ctx.globalAlpha = 0.12;
    ctx.fillRect(0, top, width, tall);
    ctx.globalAlpha = 1;
    ctx.strokeStyle = hue;
    ctx.lineWidth = 1;
    const left = Math.max(0, x(begun));
    ctx.strokeRect(left + 0.5, top + 0.5, x(times.end) - left, tall);
  }
}

/** What the cluster held, and how much of it has fired, below its frame. */
function paintCluster({ ctx, height, x, y }: Plot, { episode, colour }: Picture): void {
  const { cluster, evidence, begun, transitions } = episode;
  if (!cluster) return;
  const fired = evidence.find(({ name }) => name === 'fired, estimated');
  const held = `${dollars(cluster.notional, begun)} ${cluster.side}s`;
  const text = fired ? ` ${evidenceText(fired.value, fired.unit, '')} fired` : '';
  const below = y(cluster.floor) + 13;
  const at = below < height - 10 ? below : y(cluster.top) - 13;
  const wide = ctx.measureText(held).width;
  const whole = wide + ctx.measureText(text).width;
  // Clear of the number of the second state, which is beside the cluster.
  const room = transitions.length > 1 ? x(transitions[1].time) - whole - 24 : Infinity;
  const left = Math.max(8, Math.min(x(begun) + 8, room));
  ctx.textAlign = 'left';
  ctx.fillStyle = colour('--float');
  ctx.beginPath();
  ctx.roundRect(left - 5, at - 9, whole + 10, 18, 5);
  ctx.fill();
  ctx.fillStyle = cluster.side === 'long' ? theme.long : theme.short;
  ctx.fillText(held, left, at);
  ctx.fillStyle = theme.ink;
  ctx.fillText(text, left + wide, at);
}

/** Entry, stop and target, right of the last state only. */
function paintPlan({ ctx, width, x, y }: Plot, { episode, colour }: Picture): void {
  const { plan, since } = episode;
  if (!plan) return;
  const from = x(since);
  const lines: [string, number | null, string][] = [
    ['Target', plan.target, colour('--rise')],
    ['Stop', plan.stop, colour('--fall')],
    ['Entry', plan.entry, theme.ink],
  ];
  for (const [name, price, hue] of lines) {
    if (price === null) continue;
    if (name !== 'Entry') {
      ctx.fillStyle = hue;
      ctx.globalAlpha = 0.1;
      ctx.fillRect(
        from,
        Math.min(y(price), y(plan.entry)),
        width - from,
        Math.abs(y(price) - y(plan.entry)),
      );
      ctx.globalAlpha = 1;
    }
    ctx.fillStyle = hue;
    ctx.fillRect(from, Math.round(y(price)), width - from, 1);
    ctx.textAlign = 'right';
    // Within the boxes: off the line towards the entry, and from the entry towards the target.
    const down = name === 'Entry' ? plan.stop > plan.entry : price > plan.entry;
    ctx.fillText(name, width - 6, y(price) + (down ? LINE : -LINE) / 1.6);
  }
}

/** Colour of a state: amber while it is the one now, mint once reached, rose against. */
export const stepColour = (kind: Step['kind'], colour: Picture['colour']): string =>
  colour({ reached: '--good', now: '--acc', against: '--bad', ahead: '--mut' }[kind]);

function paintStates({ ctx, width, height, x, y }: Plot, { episode, colour }: Picture): void {
  const been = stepsOf(episode).filter((step) => step.time !== null);
  const points = been.map(({ time, price }) => ({ x: x(time ?? 0), y: y(price ?? 0) }));
  const marks = separated(points, { from: 0, to: height, right: width });
  been.forEach((step, n) => {
    const { x: px, y: py, at, top } = marks[n];
    const hue = stepColour(step.kind, colour);
    ctx.strokeStyle = ctx.fillStyle = hue;
    ctx.lineWidth = 1.5;
    ctx.globalAlpha = 0.35;
    ctx.fillRect(Math.round(px), 0, 1, height);
    ctx.globalAlpha = 1;
    ctx.beginPath();
    ctx.moveTo(px, py);
    ctx.lineTo(at, top);
    ctx.stroke();
    disc(ctx, px, py, 3);
    disc(ctx, at, top, 9);
    ctx.fillStyle = theme.background;
    ctx.textAlign = 'center';
    ctx.font = `700 11px ${FONT_FAMILY}`;
    ctx.fillText(String(n + 1), at, top + 0.5);
    ctx.font = FONT;
  });
}

function disc(ctx: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.fill();
}

interface Tag {
  value: number;
  hue: string;
  /** Pixels from the top, off the tags before it. */
  at: number;
}

/** Prices of the last trade and of the plan on the axis. */
function tagsOf({ height, y }: Plot, { episode, price, colour }: Picture): Tag[] {
  const { plan, open } = episode;
  const wanted: [number | null | undefined, string][] = [
    [open ? price : null, theme.ink],
    [plan?.target, colour('--rise')],
    [plan?.stop, colour('--fall')],
    [plan?.entry, colour('--edge')],
  ];
  const out: Tag[] = [];
  for (const [value, hue] of wanted) {
    if (value === null || value === undefined) continue;
    let at = Math.max(8, Math.min(height - 8, y(value)));
    for (const other of out)
      if (Math.abs(other.at - at) < 17) at = other.at + (at < other.at ? -17 : 17);
    out.push({ value, hue, at });
  }
  return out;
}

function paintTags({ ctx, width }: Plot, { tick, colour }: Picture, tags: readonly Tag[]): void {
  ctx.textAlign = 'left';
  for (const { value, hue, at } of tags) {
    ctx.fillStyle = hue;
    ctx.beginPath();
    ctx.roundRect(width + 2, at - 8, AXIS.width - 3, 16, 4);
    ctx.fill();
    ctx.fillStyle = hue === colour('--edge') ? theme.ink : theme.background;
    ctx.fillText(priceFigure(value, tick), width + 8, at + 0.5);
  }
}
