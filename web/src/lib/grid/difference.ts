/**
 * The difference of two models as cells of the map.
 *
 * On the wire 128 means equal, more means that ours holds more, and 0 that neither holds anything.
 * The map shows the largest of cells that share a pixel, so a cell is folded: its size in the upper
 * seven bits, its sign in the lowest (1: ours). Then the largest is the one that differs most.
 */

/** A byte of the wire that differs by this much means 32 times. */
const FULL = 127;
const OCTAVES = 5;

export function folded(wire: Uint8Array): Uint8Array {
  return wire.map((v) => v && 2 * Math.abs(v - 128) + Number(v > 127));
}

/** How many times the other's dollars the larger model holds, and whether that is ours. */
export function unfolded(cell: number): { times: number; ours: boolean } {
  return { times: 2 ** (((cell >> 1) / FULL) * OCTAVES), ours: cell % 2 === 1 };
}

export function differenceWords(cell: number): string {
  if (!cell) return 'neither model holds anything here';
  const { times, ours } = unfolded(cell);
  if (times < 1.05) return 'both models hold the same';
  const many = times > 31 ? 'over 30' : times.toFixed(1);
  return ours ? `calibrated holds ${many} times the static map` : `static holds ${many} times the calibrated map`;
}
