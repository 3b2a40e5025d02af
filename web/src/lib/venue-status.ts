/** Venue status as text, since colour alone must not carry it. */
import { age, venueName } from './format';
import type { Venue } from './wire/types';

/** Beyond this number, missing venues are counted rather than named: the line has a fixed size. */
const MAX_NAMED = 2;

/** Selected venues whose data the aggregate lacks. */
export function missing(venues: readonly Venue[]): Venue[] {
  return venues.filter((v) => v.on && v.state !== 'up');
}

/** "PARTIAL: Bybit down", or empty when every selected venue is up. */
export function partialText(venues: readonly Venue[]): string {
  const lacking = missing(venues);
  const selected = venues.filter((v) => v.on).length;
  if (!lacking.length) return '';
  if (lacking.every((v) => v.state === 'joining') && lacking.length === selected)
    return selected > 1 ? `${selected} venues joining` : `${venueName(lacking[0].name)} joining`;
  if (lacking.length === selected)
    return lacking.length > 1 ? 'NO VENUE UP' : `${venueName(lacking[0].name)} ${lacking[0].state}`;
  if (lacking.length > MAX_NAMED)
    return `PARTIAL: ${lacking.length} of ${selected} ${lacking.every((v) => v.state === 'joining') ? 'joining' : 'missing'}`;
  return `PARTIAL: ${lacking.map((v) => `${venueName(v.name)} ${v.state}`).join(', ')}`;
}

/** "Bybit down, last data 3 min ago". */
export function statusText(venue: Venue): string {
  const last = hasData(venue) ? `last data ${age(venue.age)} ago` : 'no data yet';
  return `${venueName(venue.name)} ${venue.state}, ${last}`;
}

/** Whether the venue has ever sent data; an invalid age means it has not. */
export const hasData = (venue: Venue): boolean => age(venue.age) !== '–';

/** Selected venues that are stale or down, but not those still joining. */
export function outages(venues: readonly Venue[]): Venue[] {
  return missing(venues).filter((v) => v.state !== 'joining');
}

/** "Its 21 % share is frozen as of 07:24." `at` is the time of its last data. */
export function outageText(venue: Venue, at: string): string {
  if (!hasData(venue)) return 'No data since the server started. Totals exclude it.';
  const share = venue.share ? `Its ${(venue.share * 100).toFixed(0)} % share` : 'Its share';
  return `${share} is frozen as of ${at}. Totals are partial until data resumes.`;
}

/** The "210 of 840" in a progress message as a fraction; null if there is none. */
export function progressFraction(progress: string): number | null {
  const match = /(\d+) of (\d+)/.exec(progress);
  return match && Number(match[2]) > 0 ? Math.min(1, Number(match[1]) / Number(match[2])) : null;
}
