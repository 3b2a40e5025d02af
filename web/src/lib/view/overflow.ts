/** How many filter groups of a toolbar collapse into menus so that the row fits. */

export interface CollapseState {
  /** Number of collapsed groups. */
  level: number;
  /** Row width needed at each level that did not fit, pixels. */
  needed: readonly number[];
}

export const EXPANDED: CollapseState = { level: 0, needed: [] };

/**
 * One step towards a fit: `width` is what the row needs, `available` what it has, `groups` how many
 * can collapse.
 */
export function nextCollapse(
  { level, needed }: CollapseState,
  available: number,
  width: number,
  groups: number,
): CollapseState {
  if (width > available + 1 && level < groups)
    return { level: level + 1, needed: [...needed.slice(0, level), width] };
  const before = needed[level - 1];
  if (level > 0 && before !== undefined && available >= before) return { level: level - 1, needed };
  return { level, needed };
}
