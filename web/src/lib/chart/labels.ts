/** Which clusters are named beside the map, and where, so that no name covers another. */
import type { Cluster } from '../wire/types';

export interface Tag {
  cluster: Cluster;
  /** Where the level is, and where its name stands. */
  level: number;
  y: number;
}

export interface Room {
  height: number;
  /** Height of one name with its air. */
  line: number;
  /** Names wanted on each side. */
  each: number;
  /** The price line keeps its own place free. */
  priceY: number;
}

/** The heaviest visible clusters of each side, moved apart, at most 1.5 lines from their level. */
export function placeTags(clusters: readonly Cluster[], yOf: (price: number) => number, room: Room): Tag[] {
  const out: Tag[] = [];
  for (const side of ['short', 'long'] as const) {
    const seen = clusters
      .filter((c) => c.side === side)
      .map((cluster) => ({ cluster, level: yOf(cluster.peak), y: 0 }))
      .filter((t) => t.level > room.line / 2 && t.level < room.height - room.line / 2)
      .sort((a, b) => b.cluster.mass - a.cluster.mass);
    let taken = 0;
    for (const tag of seen) {
      if (taken >= room.each) break;
      const y = free(tag.level, out, room);
      if (y === null) continue;
      tag.y = y;
      out.push(tag);
      taken++;
    }
  }
  return out;
}

/** The free place nearest to a level, or null when all are too far away. */
function free(level: number, placed: readonly Tag[], room: Room): number | null {
  const half = room.line / 2;
  const fits = (y: number): boolean =>
    y >= half &&
    y <= room.height - half &&
    Math.abs(y - room.priceY) >= room.line * 0.75 &&
    placed.every((t) => Math.abs(t.y - y) >= room.line);
  for (let off = 0; off <= room.line * 1.5; off += 2) {
    if (fits(level - off)) return level - off;
    if (fits(level + off)) return level + off;
  }
  return null;
}
