/** Maps rows to screen pixels for any price axis. */

/** A band of whole pixels and the row edges, as fractions, at its top and bottom. */
export interface Strip {
  top: number;
  bottom: number;
  rowTop: number;
  rowBottom: number;
}

/** Deepest halving: 2^10 strips are about one per pixel. */
const MAX_DEPTH = 10;

/**
 * Cut the pixels [top, bottom) into strips within which rows are evenly spaced to `tolerance`
 * pixels.
 *
 * Rows are even in ln(price). On a logarithmic axis one strip is exact; on a linear axis rows grow
 * towards the top, and a single stretch would be wrong by tens of pixels. Strips begin and end on
 * whole pixels, so that neighbours meet without a seam.
 */
export function strips(
  top: number,
  bottom: number,
  rowAt: (y: number) => number,
  tolerance = 0.25,
): Strip[] {
  const out: Strip[] = [];
  const cut = (a: number, ra: number, b: number, rb: number, depth: number): void => {
    const height = b - a;
    const perRow = height / Math.max(1e-9, Math.abs(ra - rb));
    const error = (share: number): number =>
      Math.abs(rowAt(a + height * share) - (ra + (rb - ra) * share)) * perRow;
    if (
      height < 4 ||
      depth >= MAX_DEPTH ||
      Math.max(error(0.25), error(0.5), error(0.75)) <= tolerance
    ) {
      out.push({ top: a, bottom: b, rowTop: ra, rowBottom: rb });
      return;
    }
    const middle = a + Math.round(height / 2);
    const rm = rowAt(middle);
    cut(a, ra, middle, rm, depth + 1);
    cut(middle, rm, b, rb, depth + 1);
  };
  if (bottom > top) cut(top, rowAt(top), bottom, rowAt(bottom), 0);
  return out;
}

/** Height of the flattest visible row, pixels. */
export function flattestRow(cut: readonly Strip[]): number {
  let min = Infinity;
  for (const s of cut)
    min = Math.min(min, (s.bottom - s.top) / Math.max(1e-9, s.rowTop - s.rowBottom));
  return min;
}
