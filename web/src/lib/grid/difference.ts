/**
 * The difference of two models as map cells.
 *
 * On the wire 128 means equal, above 128 that ours is larger, 0 that both are empty. The map shows
 * the largest of the cells that share a pixel, so cells are re-encoded: magnitude in the upper
 * seven bits, sign in the lowest (1: ours is larger). The largest byte is then the greatest
 * difference.
 */

/** A wire byte this far from 128 means a factor of 32. */
const FULL = 127;
const OCTAVES = 5;

export function encodeDifference(wire: Uint8Array): Uint8Array {
  return wire.map((v) => v && 2 * Math.abs(v - 128) + Number(v > 127));
}

/** Ratio of the larger model to the smaller, and whether ours is the larger. */
export function decodeDifference(cell: number): { times: number; ours: boolean } {
  return { times: 2 ** (((cell >> 1) / FULL) * OCTAVES), ours: cell % 2 === 1 };
}

export function differenceText(cell: number): string {
  if (!cell) return 'both models are empty here';
  const { times, ours } = decodeDifference(cell);
  if (times < 1.05) return 'both models agree';
  const many = times > 31 ? 'over 30' : times.toFixed(1);
  return ours ? `calibrated is ${many}× static` : `static is ${many}× calibrated`;
}
