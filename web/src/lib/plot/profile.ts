/** Draws dollars by price as horizontal bars, stacked for several layers. */
import { dollars, percent, price as priceText } from '../format';
import { FONT, theme } from '../render/theme.svelte';

export interface Layer {
  name: string;
  colour: string;
  /** Dollars per row. */
  usd: Float32Array;
  /** 80 % band of every row, if shown. */
  band?: { low: Float32Array; high: Float32Array };
}

/** Outlined bars on the same scale, never part of a sum. */
export interface Outline {
  p0: number;
  dp: number;
  colour: string;
  usd: Float32Array;
}

export interface Ladder {
  /** ln of the bottom edge of row 0, and the ln height of a row. */
  p0: number;
  dp: number;
  layers: readonly Layer[];
  mark: number;
  /** Visible range around the mark, as a fraction. */
  reach: number;
  digits: number;
  outline?: Outline;
  /** Cursor price. */
  cursor?: number | null;
  /** Draw layers as overlaid lines instead of stacked bars. */
  overlaid?: boolean;
  /** Small multiple: no axis labels, and a shared scale (dollars of the longest bar). */
  bare?: { max: number };
}

/** Minimum width of the price axis, padding of a price, and height of the dollar axis, pixels. */
const AXIS = 74;
const PRICE_PADDING = 14;
const AXIS_HEIGHT = 22;

/** Height of the bars, pixels. */
export function ladderFloor(height: number, bare = false): number {
  return bare ? height : height - AXIS_HEIGHT;
}

/** The price at a height of the canvas. */
export function ladderPrice(
  ladder: Pick<Ladder, 'mark' | 'reach' | 'bare'>,
  y: number,
  height: number,
): number {
  const floor = ladderFloor(height, Boolean(ladder.bare));
  const share = Math.min(1, Math.max(0, y / Math.max(1, floor)));
  return ladder.mark * (1 + ladder.reach * (1 - 2 * share));
}

/** Dollars of the longest bar of any single layer, at this height in pixels. */
export function longest(ladder: Ladder, height: number): number {
  const bins = binsFor(ladderFloor(height, true));
  let max = 0;
  for (const layer of ladder.layers)
    max = Math.max(
      max,
      ...binned(
        layer.usd,
        ladder,
        ladder.mark * (1 - ladder.reach),
        ladder.mark * (1 + ladder.reach),
        bins,
      ),
    );
  return max;
}

function binsFor(floor: number): number {
  return Math.max(10, Math.floor(floor / 4));
}

/** Dollars in each of `bins` equal price steps between low and high; rows are split by overlap. */
export function binned(
  usd: Float32Array,
  ladder: Pick<Ladder, 'p0' | 'dp'>,
  low: number,
  high: number,
  bins: number,
): Float64Array {
  const out = new Float64Array(bins);
  const height = (high - low) / bins;
  const first = Math.max(0, Math.floor((Math.log(low) - ladder.p0) / ladder.dp));
  const last = Math.min(usd.length, Math.ceil((Math.log(high) - ladder.p0) / ladder.dp));
  for (let r = first; r < last; r++) {
    if (!(usd[r] > 0)) continue;
    const bottom = Math.exp(ladder.p0 + r * ladder.dp);
    const top = Math.exp(ladder.p0 + (r + 1) * ladder.dp);
    const from = Math.max(0, Math.floor((bottom - low) / height));
    const to = Math.min(bins - 1, Math.floor((top - low) / height));
    for (let b = from; b <= to; b++) {
      const shared = Math.min(top, low + (b + 1) * height) - Math.max(bottom, low + b * height);
      if (shared > 0) out[b] += (usd[r] * shared) / (top - bottom);
    }
  }
  return out;
}

/** Dollars of the row that contains a price. */
export function binAt(
  grid: Pick<Ladder, 'p0' | 'dp'>,
  usd: Float32Array | undefined,
  at: number,
): number {
  return usd?.[Math.floor((Math.log(at) - grid.p0) / grid.dp)] ?? 0;
}

/** A round step that gives about `wanted` marks over `range`. */
export function roundStep(range: number, wanted: number): number {
  const raw = range / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(raw));
  return ([1, 2, 2.5, 5].find((m) => m * power >= raw) ?? 10) * power;
}

export function drawLadder(
  ctx: CanvasRenderingContext2D,
  width: number,
  height: number,
  ladder: Ladder,
): void {
  const low = ladder.mark * (1 - ladder.reach);
  const high = ladder.mark * (1 + ladder.reach);
  const floor = ladderFloor(height, Boolean(ladder.bare));
  const bins = binsFor(floor);
  const y = (price: number): number => ((high - price) / (high - low)) * floor;
  ctx.font = FONT;
  const right = ladder.bare ? width : width - axisWidth(ctx, ladder);
  const stacks = ladder.layers.map((l) => binned(l.usd, ladder, low, high, bins));
  let max = 0;
  for (let b = 0; b < bins; b++) {
    for (const s of stacks) max = Math.max(max, s[b]);
    if (!ladder.overlaid)
      max = Math.max(
        max,
        stacks.reduce((sum, s) => sum + s[b], 0),
      );
  }
  if (ladder.bare) max = ladder.bare.max;
  const bands = ladder.layers.map(
    (l) => l.band && [l.band.low, l.band.high].map((end) => binned(end, ladder, low, high, bins)),
  );
  for (const band of bands) if (band) max = Math.max(max, ...band[1]);
  const { outline } = ladder;
  const outlineBins = outline && binned(outline.usd, outline, low, high, bins);
  if (outlineBins) max = Math.max(max, ...outlineBins);
  ctx.textBaseline = 'middle';
  const step = roundStep(high - low, floor / 40);
  for (let p = Math.ceil(low / step) * step; p < high; p += step) {
    ctx.fillStyle = theme.faint;
    ctx.fillRect(0, Math.round(y(p)), right, 1);
    if (ladder.bare || Math.abs(y(p) - y(ladder.mark)) < 16 || y(p) < 8 || y(p) > floor - 8)
      continue;
    ctx.fillStyle = theme.text;
    ctx.textAlign = 'left';
    ctx.fillText(priceText(p, ladder.digits), right + 8, y(p));
  }
  if (max > 0) {
    if (!ladder.bare) dollarsAxis(ctx, right, floor, max);
    const box = { right, thick: floor / bins, max, floor };
    bands.forEach((band, k) => {
      if (band) whiskers(ctx, band, ladder.layers[k].colour, box);
    });
    if (ladder.overlaid) lines(ctx, ladder, stacks, box);
    else bars(ctx, ladder, stacks, box);
    if (outlineBins && outline) drawOutline(ctx, outlineBins, outline.colour, box);
  }
  const now = Math.round(y(ladder.mark));
  ctx.fillStyle = theme.ink;
  for (let x = 0; x < right; x += 4) ctx.fillRect(x, now, 2, 1);
  if (!ladder.bare)
    priceBox(ctx, right, now, priceText(ladder.mark, ladder.digits), theme.ink, theme.onInk);
  const { cursor } = ladder;
  if (cursor && cursor > low && cursor < high)
    drawCursor(ctx, ladder, right, Math.round(y(cursor)), now);
}

/** Width of the price axis, pixels: prices of small coins are long. */
function axisWidth(ctx: CanvasRenderingContext2D, { mark, reach, digits }: Ladder): number {
  const widest = Math.max(
    ...[1, 1 + reach].map((part) => ctx.measureText(priceText(mark * part, digits)).width),
  );
  return Math.max(AXIS, Math.ceil(widest) + PRICE_PADDING);
}

/** Draw the cursor line; its price label avoids that of the mark. */
function drawCursor(
  ctx: CanvasRenderingContext2D,
  ladder: Ladder,
  right: number,
  at: number,
  now: number,
): void {
  ctx.fillStyle = theme.cross;
  ctx.fillRect(0, at, right, 1);
  if (ladder.bare || !ladder.cursor) return;
  const labelY = Math.abs(at - now) < 18 ? now + (at < now ? -18 : 18) : at;
  priceBox(
    ctx,
    right,
    labelY,
    priceText(ladder.cursor, ladder.digits),
    theme.crossLabel,
    theme.onCross,
  );
}

function priceBox(
  ctx: CanvasRenderingContext2D,
  right: number,
  y: number,
  label: string,
  background: string,
  text: string,
): void {
  ctx.fillStyle = background;
  ctx.fillRect(
    right + 2,
    y - 9,
    Math.max(AXIS, ctx.measureText(label).width + PRICE_PADDING) - 2,
    18,
  );
  ctx.fillStyle = text;
  ctx.textAlign = 'left';
  ctx.fillText(label, right + 8, y + 0.5);
}

/** Draw every layer as a step line from zero. */
function lines(
  ctx: CanvasRenderingContext2D,
  ladder: Ladder,
  stacks: readonly Float64Array[],
  box: Box,
): void {
  const scale = (box.right - 12) / box.max;
  stacks.forEach((stack, k) => {
    ctx.beginPath();
    for (let b = 0; b < stack.length; b++) {
      const x = stack[b] * scale;
      ctx.lineTo(x, box.floor - b * box.thick);
      ctx.lineTo(x, box.floor - (b + 1) * box.thick);
    }
    ctx.strokeStyle = ladder.layers[k].colour;
    ctx.lineWidth = 1.75;
    ctx.stroke();
    ctx.lineTo(0, 0);
    ctx.lineTo(0, box.floor);
    ctx.fillStyle = `${ladder.layers[k].colour}14`;
    ctx.fill();
  });
}

interface Box {
  right: number;
  thick: number;
  max: number;
  floor: number;
}

/** Top and height of a bar, with one pixel of spacing. */
function barBounds({ floor, thick }: Box, b: number): [number, number] {
  const top = Math.round(floor - (b + 1) * thick);
  return [top, Math.max(1, Math.round(floor - b * thick) - top - 1)];
}

/** Draw the 80 % band behind each bar, with a cap at its high end. */
function whiskers(
  ctx: CanvasRenderingContext2D,
  [low, high]: Float64Array[],
  colour: string,
  box: Box,
): void {
  const scale = (box.right - 12) / box.max;
  for (let b = 0; b < high.length; b++) {
    if (high[b] * scale < 1) continue;
    const [top, tall] = barBounds(box, b);
    ctx.fillStyle = `${colour}38`;
    ctx.fillRect(low[b] * scale, top, (high[b] - low[b]) * scale, tall);
    ctx.fillStyle = `${colour}b0`;
    ctx.fillRect(high[b] * scale - 1, top, 1.5, tall);
  }
}

/** Draw observed values as hollow bars. */
function drawOutline(
  ctx: CanvasRenderingContext2D,
  usd: Float64Array,
  colour: string,
  box: Box,
): void {
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.25;
  for (let b = 0; b < usd.length; b++) {
    const length = (usd[b] / box.max) * (box.right - 12);
    if (length < 0.5) continue;
    const [top, tall] = barBounds(box, b);
    ctx.strokeRect(0.5, top - 0.5, Math.max(2, length), tall + 1);
  }
}

function bars(
  ctx: CanvasRenderingContext2D,
  ladder: Ladder,
  stacks: readonly Float64Array[],
  box: Box,
): void {
  const { right, max } = box;
  const bins = stacks[0]?.length ?? 0;
  for (let b = 0; b < bins; b++) {
    let x = 0;
    const [top, tall] = barBounds(box, b);
    stacks.forEach((stack, k) => {
      const length = (stack[b] / max) * (right - 12);
      if (length < 0.5) return;
      ctx.fillStyle = ladder.layers[k].colour;
      ctx.fillRect(x, top, length, tall);
      x += length;
    });
  }
}

function dollarsAxis(
  ctx: CanvasRenderingContext2D,
  right: number,
  floor: number,
  max: number,
): void {
  const step = roundStep(max, right / 110);
  ctx.textAlign = 'center';
  for (let v = step; v < max * 0.97; v += step) {
    const x = Math.round((v / max) * (right - 12));
    ctx.fillStyle = theme.faint;
    ctx.fillRect(x, 0, 1, floor);
    ctx.fillStyle = theme.text;
    ctx.fillText(dollars(v), x, floor + 12);
  }
}

/** A text alternative for a ladder. */
export function ladderText(ladder: Ladder): string {
  const totals = ladder.layers.map((l) => {
    let sum = 0;
    for (let r = 0; r < l.usd.length; r++) {
      const distance = Math.exp(ladder.p0 + (r + 0.5) * ladder.dp) / ladder.mark - 1;
      if (Math.abs(distance) <= ladder.reach) sum += l.usd[r];
    }
    return `${l.name} ${dollars(sum)}`;
  });
  return `Within ${percent(ladder.reach, 0).slice(1)} of the price: ${totals.join(', ')}`;
}
