/** Dollars by price as lying bars, stacked where there are several holders. */
import { dollars, percent, price as priceText } from '../format';

export interface Layer {
  name: string;
  colour: string;
  /** Dollars a row. */
  usd: Float32Array;
  /** Ends of the 80 % band of every row, where they are shown. */
  band?: { low: Float32Array; high: Float32Array };
}

/** Bars of their own, outlined, on the same scale and never part of a sum. */
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
  /** Shown fraction of the price, up and down. */
  reach: number;
  digits: number;
  outline?: Outline;
}

const INK = '#a7b1c4';
const FAINT = 'rgba(255,255,255,0.06)';
const AXIS = 74;
const FONT = "11px 'Inter Variable', system-ui, sans-serif";

/** Dollars of each of `bins` equal price steps between low and high; a row is shared out by overlap. */
export function binned(usd: Float32Array, ladder: Pick<Ladder, 'p0' | 'dp'>, low: number, high: number, bins: number): Float64Array {
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

/** A round step that gives about `wanted` marks over `range`. */
export function roundStep(range: number, wanted: number): number {
  const raw = range / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(raw));
  return ([1, 2, 2.5, 5].find((m) => m * power >= raw) ?? 10) * power;
}

export function drawLadder(ctx: CanvasRenderingContext2D, width: number, height: number, ladder: Ladder): void {
  const low = ladder.mark * (1 - ladder.reach);
  const high = ladder.mark * (1 + ladder.reach);
  const foot = 22;
  const floor = height - foot;
  const thick = 4;
  const bins = Math.max(10, Math.floor(floor / thick));
  const y = (price: number): number => ((high - price) / (high - low)) * floor;
  const right = width - AXIS;
  const stacks = ladder.layers.map((l) => binned(l.usd, ladder, low, high, bins));
  let most = 0;
  for (let b = 0; b < bins; b++) most = Math.max(most, stacks.reduce((sum, s) => sum + s[b], 0));
  const bands = ladder.layers.map((l) => l.band && [l.band.low, l.band.high].map((end) => binned(end, ladder, low, high, bins)));
  for (const band of bands) if (band) most = Math.max(most, ...band[1]);
  const { outline } = ladder;
  const seen = outline && binned(outline.usd, outline, low, high, bins);
  if (seen) most = Math.max(most, ...seen);
  ctx.font = FONT;
  ctx.textBaseline = 'middle';
  const step = roundStep(high - low, floor / 40);
  for (let p = Math.ceil(low / step) * step; p < high; p += step) {
    ctx.fillStyle = FAINT;
    ctx.fillRect(0, Math.round(y(p)), right, 1);
    if (Math.abs(y(p) - y(ladder.mark)) < 16 || y(p) < 8 || y(p) > floor - 8) continue;
    ctx.fillStyle = INK;
    ctx.textAlign = 'left';
    ctx.fillText(priceText(p, ladder.digits), right + 8, y(p));
  }
  if (most > 0) {
    dollarsAxis(ctx, right, floor, most);
    const box = { right, thick: floor / bins, most, floor };
    bands.forEach((band, k) => band && whiskers(ctx, band, ladder.layers[k].colour, box));
    bars(ctx, ladder, stacks, box);
    if (seen && outline) outlined(ctx, seen, outline.colour, box);
  }
  const now = Math.round(y(ladder.mark));
  ctx.fillStyle = 'rgba(232,236,245,0.8)';
  for (let x = 0; x < right; x += 4) ctx.fillRect(x, now, 2, 1);
  ctx.fillStyle = '#e8ecf5';
  ctx.fillRect(right + 2, now - 9, AXIS - 2, 18);
  ctx.fillStyle = '#07080d';
  ctx.textAlign = 'left';
  ctx.fillText(priceText(ladder.mark, ladder.digits), right + 8, now + 0.5);
}

interface Box {
  right: number;
  thick: number;
  most: number;
  floor: number;
}

/** Top and height of a bar, with a pixel of air. */
function lane({ floor, thick }: Box, b: number): [number, number] {
  const top = Math.round(floor - (b + 1) * thick);
  return [top, Math.max(1, Math.round(floor - b * thick) - top - 1)];
}

/** The 80 % band behind a bar: a lighter length from its low to its high end, and a cap at either. */
function whiskers(ctx: CanvasRenderingContext2D, [low, high]: Float64Array[], colour: string, box: Box): void {
  const scale = (box.right - 12) / box.most;
  for (let b = 0; b < high.length; b++) {
    if (high[b] * scale < 1) continue;
    const [top, tall] = lane(box, b);
    ctx.fillStyle = `${colour}38`;
    ctx.fillRect(low[b] * scale, top, (high[b] - low[b]) * scale, tall);
    ctx.fillStyle = `${colour}b0`;
    ctx.fillRect(high[b] * scale - 1, top, 1.5, tall);
  }
}

/** What is seen rather than estimated: hollow bars. */
function outlined(ctx: CanvasRenderingContext2D, usd: Float64Array, colour: string, box: Box): void {
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.25;
  for (let b = 0; b < usd.length; b++) {
    const length = (usd[b] / box.most) * (box.right - 12);
    if (length < 0.5) continue;
    const [top, tall] = lane(box, b);
    ctx.strokeRect(0.5, top - 0.5, Math.max(2, length), tall + 1);
  }
}

function bars(ctx: CanvasRenderingContext2D, ladder: Ladder, stacks: readonly Float64Array[], box: Box): void {
  const { right, most } = box;
  const bins = stacks[0]?.length ?? 0;
  for (let b = 0; b < bins; b++) {
    let x = 0;
    const [top, tall] = lane(box, b);
    stacks.forEach((stack, k) => {
      const length = (stack[b] / most) * (right - 12);
      if (length < 0.5) return;
      ctx.fillStyle = ladder.layers[k].colour;
      ctx.fillRect(x, top, length, tall);
      x += length;
    });
  }
}

function dollarsAxis(ctx: CanvasRenderingContext2D, right: number, floor: number, most: number): void {
  const step = roundStep(most, right / 110);
  ctx.textAlign = 'center';
  for (let v = step; v < most * 0.97; v += step) {
    const x = Math.round((v / most) * (right - 12));
    ctx.fillStyle = FAINT;
    ctx.fillRect(x, 0, 1, floor);
    ctx.fillStyle = INK;
    ctx.fillText(dollars(v), x, floor + 12);
  }
}

/** What a ladder says in words. */
export function ladderWords(ladder: Ladder): string {
  const said = ladder.layers.map((l) => {
    let sum = 0;
    for (let r = 0; r < l.usd.length; r++) {
      const distance = Math.exp(ladder.p0 + (r + 0.5) * ladder.dp) / ladder.mark - 1;
      if (Math.abs(distance) <= ladder.reach) sum += l.usd[r];
    }
    return `${l.name} ${dollars(sum)}`;
  });
  return `Within ${percent(ladder.reach, 0).slice(1)} of the price: ${said.join(', ')}`;
}
