/** What the lamps of the venues say, in words: colour alone must never carry it. */
import { age, venueName } from './format';
import type { Venue } from './wire/types';

/** More missing venues than this are counted, not named: the line has its place and no other. */
const NAMED = 2;

/** Chosen venues whose data the aggregate lacks. */
export function missing(venues: readonly Venue[]): Venue[] {
  return venues.filter((v) => v.on && v.state !== 'up');
}

/** "PARTIAL: Bybit down", or nothing when every chosen venue is up. */
export function partialWords(venues: readonly Venue[]): string {
  const gone = missing(venues);
  const chosen = venues.filter((v) => v.on).length;
  if (!gone.length) return '';
  if (gone.length === chosen) return gone.length > 1 ? 'NO VENUE IS UP' : `${venueName(gone[0].name)} is ${gone[0].state}`;
  if (gone.length > NAMED) return `PARTIAL: ${gone.length} of ${chosen} missing`;
  return `PARTIAL: ${gone.map((v) => `${venueName(v.name)} ${v.state}`).join(', ')}`;
}

/** "Bybit down, last heard 3 min ago". */
export function lampWords(venue: Venue): string {
  const heard = Number.isFinite(venue.age) ? `last heard ${age(venue.age)} ago` : 'never heard';
  return `${venueName(venue.name)} ${venue.state}, ${heard}`;
}

/** How far the work that `progress` tells of has come, as a fraction; null where it does not say. */
export function share(progress: string): number | null {
  const found = /(\d+) of (\d+)/.exec(progress);
  return found && Number(found[2]) > 0 ? Math.min(1, Number(found[1]) / Number(found[2])) : null;
}
