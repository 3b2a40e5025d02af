/** Positions two labels over one scale so that they neither touch nor leave it. */

export interface LabelPspacing {
  /** Centres (or widths) of the low and the high label, pixels. */
  lo: number;
  hi: number;
}

/**
 * Centres nearest to the wanted ones: the labels stay `spacing` pixels apart and within [0, width].
 * Where both cannot fit, they share the middle of the scale.
 */
export function separateLabels(
  wanted: LabelPspacing,
  widths: LabelPspacing,
  width: number,
  spacing = 8,
): LabelPspacing {
  const min = widths.lo / 2;
  const max = width - widths.hi / 2;
  const gap = (widths.lo + widths.hi) / 2 + spacing;
  let lo = Math.max(min, Math.min(wanted.lo, max - gap));
  let hi = Math.min(max, Math.max(wanted.hi, min + gap));
  const short = gap - (hi - lo);
  if (short > 0) {
    const left = Math.min(short / 2, lo - min);
    const right = Math.min(short - left, max - hi);
    lo -= Math.max(0, short - right);
    hi += right;
  }
  return { lo, hi };
}
