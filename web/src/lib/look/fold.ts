/** How many groups of a row fold into menus, so that the row fits its place. */

export interface Folding {
  /** Groups that are folded, from none on. */
  level: number;
  /** Pixels that the row needed at each level at which it did not fit. */
  needed: readonly number[];
}

export const UNFOLDED: Folding = { level: 0, needed: [] };

/** One step nearer to what fits: `need` is the width of the row as it is, `room` that of its place, `most` the groups that can fold. */
export function folded({ level, needed }: Folding, room: number, need: number, most: number): Folding {
  if (need > room + 1 && level < most) return { level: level + 1, needed: [...needed.slice(0, level), need] };
  const before = needed[level - 1];
  if (level > 0 && before !== undefined && room >= before) return { level: level - 1, needed };
  return { level, needed };
}
