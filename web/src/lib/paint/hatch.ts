/** Time in which nothing was heard is hatched, never interpolated; where some venues were missing, sparsely. */
import { theme } from './theme.svelte';

export type Hatching = 'all' | 'some';

interface Ruling {
  /** Distance of two lines along the time axis, CSS pixels. */
  every: number;
  /** Strokes from the lowest up: colour and width in CSS pixels. */
  strokes: readonly [string, number][];
}

function rulings(kind: Hatching): Ruling {
  if (kind === 'all') return { every: 8, strokes: [[theme.gap, 1]] };
  // Heat stands under these lines: the dark one shows on bright cells, the light one on dark cells.
  return { every: 20, strokes: [[theme.partial[0], 2.5], [theme.partial[1], 1]] };
}

const tiles = new Map<string, HTMLCanvasElement>();

function tile(kind: Hatching, ratio: number): HTMLCanvasElement {
  const key = `${theme.name} ${kind} ${ratio}`;
  const known = tiles.get(key);
  if (known) return known;
  const { every, strokes } = rulings(kind);
  const side = Math.max(4, Math.round(every * ratio));
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = side;
  const ctx = canvas.getContext('2d');
  if (ctx) for (const [colour, width] of strokes) rule(ctx, side, colour, Math.max(1, width * ratio));
  tiles.set(key, canvas);
  return canvas;
}

function rule(ctx: CanvasRenderingContext2D, side: number, colour: string, width: number): void {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.beginPath();
  for (const off of [-side, 0, side]) {
    ctx.moveTo(off, side);
    ctx.lineTo(off + side, 0);
  }
  ctx.stroke();
}

/** The pattern itself, for areas of any shape. */
export function hatching(ctx: CanvasRenderingContext2D, kind: Hatching, ratio: number): CanvasPattern | null {
  return ctx.createPattern(tile(kind, ratio), 'repeat');
}

/** Hatch the device pixels [from, to); a column narrower than a pixel still shows. */
export function hatch(
  ctx: CanvasRenderingContext2D,
  kind: Hatching,
  [from, to]: readonly [number, number],
  height: number,
  ratio: number,
): void {
  const left = Math.round(from);
  const width = Math.max(Math.round(ratio), Math.round(to) - left);
  const pattern = hatching(ctx, kind, ratio);
  if (!pattern) return;
  ctx.fillStyle = pattern;
  ctx.fillRect(left, 0, width, height);
}
