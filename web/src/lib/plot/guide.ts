/** What the sizes on both sides mean for the size of a position; never a direction. */
import { dollars } from '../format';
import type { Cumulative } from '../wire/types';
import { cumulativeAt } from './curve';

const NEAR = 0.01;
/** Sides within this factor weigh the same for an estimate. */
const EVEN = 1.25;

/**
 * Forced orders run with the move that sets them off: a long's stop below fills among sold longs, a
 * short's stop above among bought shorts. So each side says how far that stop may slip.
 */
export function sizeWords(curve: Cumulative): string {
  const long = cumulativeAt(curve, -NEAR);
  const short = cumulativeAt(curve, NEAR);
  if (!(long >= 0 && short >= 0)) return '';
  const within = `Size guidance: within 1 % a long's stop meets ${dollars(long)} of forced selling, a short's stop ${dollars(short)} of forced buying`;
  const [more, less, word] = long > short ? [long, short, "a long's"] : [short, long, "a short's"];
  if (more < EVEN * less) return `${within}: much the same on both sides.`;
  const times = less > 0 ? `${more / less >= 10 ? Math.round(more / less) : (more / less).toFixed(1)} times the other; ` : '';
  return `${within}. ${times}${word} stop may slip further, so the same risk is a smaller position.`;
}
