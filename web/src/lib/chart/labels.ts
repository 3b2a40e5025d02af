/** Chooses which clusters get a label beside the map and places the labels without overlap. */
import type { Cluster } from '../wire/types';

export interface Tag {
  cluster: Cluster;
  /** Heights of the level and of its label, pixels. */
  level: number;
  y: number;
}

export interface LabelLayout {
  height: number;
  /** Height of one label including spacing. */
  line: number;
  /** Labels wanted per side. */
  each: number;
  /** Height of the price label, which is kept free. */
  priceY: number;
}

/** Labels for the largest visible clusters of each side, at most 1.5 lines from their level. */
export function layOutTags(
  clusters: readonly Cluster[],
  yOf: (price: number) => number,
  layout: LabelLayout,
): Tag[] {
  const out: Tag[] = [];
  for (const side of ['short', 'long'] as const) {
    const visible = clusters
      .filter((c) => c.side === side)
      .map((cluster) => ({ cluster, level: yOf(cluster.peak), y: 0 }))
      .filter((t) => t.level > layout.line / 2 && t.level < layout.height - layout.line / 2)
      .sort((a, b) => b.cluster.notional - a.cluster.notional);
    let placed = 0;
    for (const tag of visible) {
      if (placed >= layout.each) break;
      const y = nearestFree(tag.level, out, layout);
      if (y === null) continue;
      tag.y = y;
      out.push(tag);
      placed++;
    }
  }
  return out;
}

/** The free position nearest to a level, or null where all are too far away. */
function nearestFree(level: number, placed: readonly Tag[], layout: LabelLayout): number | null {
  const half = layout.line / 2;
  const fits = (y: number): boolean =>
    y >= half &&
    y <= layout.height - half &&
    Math.abs(y - layout.priceY) >= layout.line * 0.75 &&
    placed.every((t) => Math.abs(t.y - y) >= layout.line);
  for (let off = 0; off <= layout.line * 1.5; off += 2) {
    if (fits(level - off)) return level - off;
    if (fits(level + off)) return level + off;
  }
  return null;
}
