/** Connects the pointer on a ladder to the shared cursor. */
import { type Ladder, ladderPrice } from '../plot/profile';
import type { ViewState } from './state.svelte';

/** Tolerance of a second tap at the same price, as a share of the reach. */
const TOLERANCE = 1 / 50;

export function ladderPointer(view: ViewState, ladder: Pick<Ladder, 'mark' | 'reach' | 'bare'>) {
  return {
    onpoint: (x: number | null, y: number, height: number): void => {
      view.hovered = x === null ? null : ladderPrice(ladder, y, height);
    },
    onpin: (_: number, y: number, height: number): void =>
      view.toggle(ladderPrice(ladder, y, height), ladder.reach * TOLERANCE),
  };
}
