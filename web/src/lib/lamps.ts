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
  if (gone.every((v) => v.state === 'joining') && gone.length === chosen) return chosen > 1 ? `${chosen} venues are joining` : `${venueName(gone[0].name)} is joining`;
  if (gone.length === chosen) return gone.length > 1 ? 'NO VENUE IS UP' : `${venueName(gone[0].name)} is ${gone[0].state}`;
  if (gone.length > NAMED) return `PARTIAL: ${gone.length} of ${chosen} ${gone.every((v) => v.state === 'joining') ? 'joining' : 'missing'}`;
  return `PARTIAL: ${gone.map((v) => `${venueName(v.name)} ${v.state}`).join(', ')}`;
}

/** "Bybit down, last heard 3 min ago". */
export function lampWords(venue: Venue): string {
  const heard = heardOf(venue) ? `last heard ${age(venue.age)} ago` : venue.state === 'joining' ? 'not heard yet' : 'never heard';
  return `${venueName(venue.name)} ${venue.state}, ${heard}`;
}

/** Whether a venue was ever heard: an age that nothing can have is none. */
export const heardOf = (venue: Venue): boolean => age(venue.age) !== '–';

/** Chosen venues that have been heard of and are silent; one that joins is not. */
export function silent(venues: readonly Venue[]): Venue[] {
  return missing(venues).filter((v) => v.state !== 'joining');
}

/** "Its share, 21 %, keeps its last size since 07:24." `at` names the time it was last heard. */
export function silenceWords(venue: Venue, at: string): string {
  if (!heardOf(venue)) return 'It has not been heard since the server began: totals lack it.';
  const share = venue.share > 0 ? `Its share, ${(venue.share * 100).toFixed(0)} %,` : 'Its part';
  return `${share} keeps its last size since ${at}. Totals are partial until it speaks again.`;
}

/** How far the work that `progress` tells of has come, as a fraction; null where it does not say. */
export function share(progress: string): number | null {
  const found = /(\d+) of (\d+)/.exec(progress);
  return found && Number(found[2]) > 0 ? Math.min(1, Number(found[1]) / Number(found[2])) : null;
}
