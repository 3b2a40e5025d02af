/** What both sides mean for position size; never a direction. */
import { dollars } from '../format';
import type { Cumulative } from '../wire/types';
import { cumulativeAt } from './slope';

const NEAR = 0.01;
/** Sides within this factor count as equal. */
const EVEN = 1.25;

/**
 * Liquidations trade with the move: a long's stop fills among sold longs, a short's stop among
 * bought shorts. So each side indicates how far that stop may slip.
 */
export function sizeText(curve: Cumulative): string {
  const long = cumulativeAt(curve, -NEAR);
  const short = cumulativeAt(curve, NEAR);
  if (!(long >= 0 && short >= 0)) return '';
  const within =
    `Position size: within 1 %, long stops compete with ${dollars(long)} of forced selling, ` +
    `short stops with ${dollars(short)} of forced buying`;
  const [more, less, word] = long > short ? [long, short, 'Long'] : [short, long, 'Short'];
  if (more < EVEN * less) return `${within}: about equal.`;
  const times =
    less > 0
      ? `${more / less >= 10 ? Math.round(more / less) : (more / less).toFixed(1)}× the other side. `
      : '';
  return `${within}. ${times}${word} stops may slip more: reduce size for the same risk.`;
}
