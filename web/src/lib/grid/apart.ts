/** Two labels over one scale that never touch each other nor leave it. */

export interface Placed {
  /** Middles of both labels, pixels. */
  lo: number;
  hi: number;
}

/**
 * Middles nearest to the wanted ones: the low label stays left of the high one by `air` pixels, both
 * stay within [0, width]. Where both cannot fit, they share the middle of the scale.
 */
export function apart(want: Placed, wide: Placed, width: number, air = 8): Placed {
  const least = wide.lo / 2;
  const most = width - wide.hi / 2;
  const gap = (wide.lo + wide.hi) / 2 + air;
  let lo = Math.max(least, Math.min(want.lo, most - gap));
  let hi = Math.min(most, Math.max(want.hi, least + gap));
  const short = gap - (hi - lo);
  if (short > 0) {
    const left = Math.min(short / 2, lo - least);
    const right = Math.min(short - left, most - hi);
    lo -= Math.max(0, short - right);
    hi += right;
  }
  return { lo, hi };
}
