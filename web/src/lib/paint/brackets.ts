/** Clusters at the right edge of the newest column: a bracket from the floor to the top of each. */
import type { Cluster } from '../wire/types';
import type { Band } from './gutter';
import { theme } from './theme.svelte';

/** Width kept free for brackets, and their arms, CSS pixels. */
export const ROOM = 9;
const ARM = 5;
const STROKE = 1.6;
/** A bracket is never flatter, so that it is seen as one. */
const FLATTEST = 4;

/** Middle line and half height of a bracket, in the pixels of `y`. */
export function bracket({ floor, top }: Pick<Cluster, 'floor' | 'top'>, y: (price: number) => number, flattest: number): { at: number; half: number } {
  const [low, high] = [y(floor), y(top)];
  return { at: (low + high) / 2, half: Math.max(flattest, low - high) / 2 };
}

export function drawBrackets(ctx: CanvasRenderingContext2D, band: Band, clusters: readonly Cluster[], y: (price: number) => number): void {
  const thick = Math.max(1, Math.round(STROKE * band.ratio));
  const left = band.left + Math.round(2 * band.ratio);
  const arm = Math.round(ARM * band.ratio);
  for (const cluster of clusters) {
    const { at, half } = bracket(cluster, y, FLATTEST * band.ratio);
    const [from, to] = [Math.round(at - half), Math.round(at + half)];
    if (to < 0 || from > band.height) continue;
    ctx.fillStyle = cluster.side === 'long' ? theme.long : theme.short;
    ctx.fillRect(left, from, arm, thick);
    ctx.fillRect(left, to - thick, arm, thick);
    ctx.fillRect(left + arm - thick, from, thick, to - from);
  }
}
