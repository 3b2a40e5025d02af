/** Hatches time without data (never interpolated), and more sparsely time without some venues. */
import { theme } from './theme.svelte';

export type Hatching = 'all' | 'some';

interface LinePattern {
  /** Distance between lines along the time axis, CSS pixels. */
  spacing: number;
  /** Strokes, bottom first: colour and width in CSS pixels. */
  strokes: readonly [string, number][];
}

function linePattern(kind: Hatching): LinePattern {
  if (kind === 'all') return { spacing: 8, strokes: [[theme.gap, 1]] };
  // Drawn over heat: the dark stroke shows on bright cells, the light one on dark cells.
  return {
    spacing: 20,
    strokes: [
      [theme.partial[0], 2.5],
      [theme.partial[1], 1],
    ],
  };
}

const tiles = new Map<string, HTMLCanvasElement>();

function tile(kind: Hatching, ratio: number): HTMLCanvasElement {
  const key = `${theme.name} ${kind} ${ratio}`;
  const cached = tiles.get(key);
  if (cached) return cached;
  const { spacing, strokes } = linePattern(kind);
  const side = Math.max(4, Math.round(spacing * ratio));
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = side;
  const ctx = canvas.getContext('2d');
  if (ctx)
    for (const [colour, width] of strokes) drawLines(ctx, side, colour, Math.max(1, width * ratio));
  tiles.set(key, canvas);
  return canvas;
}

function drawLines(
  ctx: CanvasRenderingContext2D,
  side: number,
  colour: string,
  width: number,
): void {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.beginPath();
  for (const off of [-side, 0, side]) {
    ctx.moveTo(off, side);
    ctx.lineTo(off + side, 0);
  }
  ctx.stroke();
}

/** The pattern, for areas of any shape. */
export function hatching(
  ctx: CanvasRenderingContext2D,
  kind: Hatching,
  ratio: number,
): CanvasPattern | null {
  return ctx.createPattern(tile(kind, ratio), 'repeat');
}

/** Hatch the device pixels [from, to), at least one pixel wide. */
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
