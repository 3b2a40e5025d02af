/**
 * Venue colours (distinct in every kind of colour vision, and from the long/short pair), and rows
 * of the venue table.
 */
import { theme } from '../render/theme.svelte';
import { VENUES } from '../venues';
import type { FeedStatus, Venue, VenueShare } from '../wire/types';

/** Venues that declare no colour. */
const OTHERS = ['#9ad05b', '#7fa8ff', '#d9a066', '#c78bd9'];
const LIGHT_OTHERS = ['#4c7a12', '#2f5fd0', '#96601c', '#8b3fa8'];

export function venueColour(name: string): string {
  const light = theme.name === 'light';
  const own = VENUES[name]?.[light ? 'light' : 'dark'];
  if (own) return own;
  let sum = 0;
  for (const c of name) sum += c.charCodeAt(0);
  return (light ? LIGHT_OTHERS : OTHERS)[sum % OTHERS.length];
}

/** A venue of the table, selected or not. */
export interface VenueRow {
  name: string;
  on: boolean;
  long: number;
  short: number;
  /** Measured share of all open interest, and share of the estimated dollars shown. */
  share: number;
  part: number;
  state: FeedStatus;
  age: number | null;
  /** Dollars per row; absent if not selected. */
  levels?: Float32Array;
}

/** All known venues, largest first, unselected ones last. */
export function venueRows(held: readonly VenueShare[], known: readonly Venue[]): VenueRow[] {
  const sum = held.reduce((s, v) => s + v.long + v.short, 0) || 1;
  const byName = new Map(known.map((v) => [v.name, v]));
  const on = held.map((v): VenueRow => {
    const k = byName.get(v.name);
    const part = (v.long + v.short) / sum;
    return { ...v, part, on: true, state: k?.state ?? 'joining', age: k?.age ?? null };
  });
  const off = known
    .filter((k) => !held.some((v) => v.name === k.name))
    .map(
      (k): VenueRow => ({
        name: k.name,
        on: k.on,
        long: 0,
        short: 0,
        share: k.share ?? 0,
        part: 0,
        state: k.state,
        age: k.age,
      }),
    );
  return [...on.sort((a, b) => b.part - a.part), ...off.sort((a, b) => b.share - a.share)];
}
