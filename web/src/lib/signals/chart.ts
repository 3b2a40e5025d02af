/** Where the price chart of an episode begins and ends, and what it shows. */

import type { HeatGrid } from '../grid/grid';
import { type Candle, candles, columnsPerCandle } from '../render/candles';
import type { EpisodeRow } from '../wire/schema-on-demand';

const MINUTE = 60e6;
/** Before an episode, µs. */
const LEAD = 30 * MINUTE;
const SHORTEST = 60 * MINUTE;
/** Part of the width that stays free right of the last price: for a plan, never for a path. */
const FREE = { plan: 0.22, none: 0.06 };
const MARGIN = 0.06;

export interface Extent {
  from: number;
  to: number;
}

/**
 * Times, µs, from before the first state to after the last: `end` is now while the episode is open.
 */
export function timesOf(
  { begun, since, open, plan }: EpisodeRow,
  now: number,
): Extent & { end: number } {
  const end = Math.max(since, open ? now : Math.min(now, since + LEAD));
  const free = plan ? FREE.plan : FREE.none;
  const from = Math.min(begun - LEAD, end - SHORTEST);
  return { from, to: end + ((end - from) * free) / (1 - free), end };
}

/** Lengths of spans by their name: 4h, 3d, 1w. */
function lengthOf(span: string): number {
  const unit = { m: 1, h: 60, d: 1_440, w: 10_080 }[span.slice(-1)] ?? NaN;
  return Number.parseInt(span, 10) * unit * MINUTE;
}

/** The shortest span that reaches back to a time, µs; the longest where none does. */
export function spanFor(from: number, now: number, spans: readonly string[]): string {
  const known = [...spans].sort((a, b) => lengthOf(a) - lengthOf(b));
  return known.find((span) => now - lengthOf(span) <= from) ?? known.at(-1) ?? '';
}

/** Candles between two times, joined until they are wide enough. */
export function candlesBetween(
  grid: HeatGrid,
  { from, to }: Extent,
  width: number,
): { list: Candle[]; per: number; spacing: number } {
  const spacing = (width * grid.step) / (to - from);
  const per = columnsPerCandle(spacing);
  const first = Math.floor(grid.colOf(from));
  const last = Math.min(grid.cols, Math.ceil(grid.colOf(to)));
  return { list: last > first ? candles(grid, per, first, last) : [], per, spacing };
}

/** Least and greatest price to show: candles, states, the cluster and the plan, with a margin. */
export function pricesOf(
  { cluster, links, plan, transitions }: EpisodeRow,
  list: readonly Candle[],
): Extent {
  const prices = [
    ...list.flatMap(({ low, high }) => [low, high]),
    ...transitions.map(({ price }) => price),
    ...[cluster, ...links].flatMap((each) => (each ? [each.floor, each.top] : [])),
    ...(plan ? [plan.entry, plan.stop, plan.target ?? plan.entry] : []),
  ].filter((price) => price > 0);
  const low = Math.min(...prices);
  const high = Math.max(...prices);
  const room = (high - low || high * 0.01) * MARGIN;
  return { from: low - room, to: high + room };
}

/** Round prices for an axis of about `count` lines. */
export function ticks({ from, to }: Extent, count: number): number[] {
  const rough = (to - from) / Math.max(1, count);
  if (!(rough > 0)) return [];
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * ([1, 2, 5, 10].find((each) => each * unit >= rough) ?? 10);
  const out: number[] = [];
  for (let n = Math.ceil(from / step); n * step <= to; n++) out.push(n * step);
  return out;
}

/** Minutes between the times of an axis of about `count` marks, and the marks, µs. */
export function timeTicks({ from, to }: Extent, zone: number, count: number): number[] {
  const minutes = (to - from) / MINUTE / Math.max(1, count);
  const step =
    ([5, 10, 15, 30, 60, 120, 240, 360, 720].find((each) => each >= minutes) ?? 1_440) * MINUTE;
  const shift = zone * 1e6;
  const out: number[] = [];
  for (let n = Math.ceil((from + shift) / step); n * step - shift <= to; n++)
    out.push(n * step - shift);
  return out;
}

export interface Mark {
  /** Pixels, of the point on the price and of the disc that has the number. */
  x: number;
  y: number;
  at: number;
  top: number;
}

/** Diameter of a disc and its distance from its point, pixels. */
const DISC = 24;
const AWAY = 34;

/** Discs of the states, above and below their points in turn, and beside them where one is full. */
export function separated(
  points: readonly { x: number; y: number }[],
  room: Extent & { right: number },
): Mark[] {
  const out: Mark[] = [];
  const within = (value: number, low: number, high: number): number =>
    Math.max(low + DISC / 2, Math.min(high - DISC / 2, value));
  points.forEach(({ x, y }, n) => {
    const first = n % 2 ? AWAY : -AWAY;
    const free = [0, -1, 1, -2, 2, -3, 3]
      .flatMap((aside) => [
        [aside, first],
        [aside, -first],
      ])
      .map(([aside, off]) => ({
        x,
        y,
        at: within(x + aside * DISC, 0, room.right),
        top: within(y + off, room.from, room.to),
      }));
    const clashes = ({ at, top }: Mark): boolean =>
      out.some((other) => Math.hypot(other.at - at, other.top - top) < DISC);
    out.push(free.find((mark) => !clashes(mark)) ?? free[0]);
  });
  return out;
}
