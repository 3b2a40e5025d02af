/** Pointing at a ladder moves the cursor of all views. */
import { type Ladder, ladderPrice } from '../plot/profile';
import type { Look } from './look.svelte';

/** Share of the reach within which a second tap is at the same place. */
const SAME = 1 / 50;

export function pointing(look: Look, of: Pick<Ladder, 'mark' | 'reach' | 'bare'>) {
  return {
    onpoint: (x: number | null, y: number, height: number): void => {
      look.live = x === null ? null : ladderPrice(of, y, height);
    },
    onpin: (_: number, y: number, height: number): void => look.toggle(ladderPrice(of, y, height), of.reach * SAME),
  };
}
