/** Cluster brackets at the right edge of the newest column, from floor to top. */
import type { Cluster } from '../wire/types';
import { theme } from './theme.svelte';

/** The band of the level chart beside the map, device pixels. */
export interface Band {
  left: number;
  width: number;
  height: number;
  /** Longest bar. */
  maxBar: number;
  ratio: number;
}

/** Width reserved for brackets, and length of their arms, CSS pixels. */
export const BRACKET_WIDTH = 9;
const ARM = 5;
const STROKE = 1.6;
/** Smallest height of a bracket. */
const MIN_HEIGHT = 4;

/** Centre line and half height of a bracket, in the pixels of `y`. */
export function bracket(
  { floor, top }: Pick<Cluster, 'floor' | 'top'>,
  y: (price: number) => number,
  minHeight: number,
): { at: number; half: number } {
  const [low, high] = [y(floor), y(top)];
  return { at: (low + high) / 2, half: Math.max(minHeight, low - high) / 2 };
}

export function drawBrackets(
  ctx: CanvasRenderingContext2D,
  band: Band,
  clusters: readonly Cluster[],
  y: (price: number) => number,
): void {
  const thick = Math.max(1, Math.round(STROKE * band.ratio));
  const left = band.left + Math.round(2 * band.ratio);
  const arm = Math.round(ARM * band.ratio);
  for (const cluster of clusters) {
    const { at, half } = bracket(cluster, y, MIN_HEIGHT * band.ratio);
    const [from, to] = [Math.round(at - half), Math.round(at + half)];
    if (to < 0 || from > band.height) continue;
    ctx.fillStyle = cluster.side === 'long' ? theme.long : theme.short;
    ctx.fillRect(left, from, arm, thick);
    ctx.fillRect(left, to - thick, arm, thick);
    ctx.fillRect(left + arm - thick, from, thick, to - from);
  }
}
