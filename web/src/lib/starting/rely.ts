/** What can be relied on while a server starts, and when the rest can: only what the answer and the map themselves say. */
import type { Grade, Trust } from '../wire/types';
import type { CoinState, Starting } from './read';
import type { Mark } from './rows';
import { duration, ofCoin, stopwatch } from './words';

/** Effective reports from which weights are a market's own. */
export const ENOUGH = 30;

export interface Claim {
  name: string;
  mark: Mark;
  what: string;
  when: string;
}

/** Seconds after the start at which each claim was first seen to hold by this page. */
export type Seen = ReadonlyMap<string, number>;

const ORDER: readonly CoinState[] = ['waiting', 'price', 'map', 'ready'];
const DAYS = /(\d+) days/;

function since(seen: Seen, name: string): string {
  const at = seen.get(name);
  return at === undefined ? '' : `since ${stopwatch(at)}`;
}

const wait = (left: number | null): string => (left === null ? '' : `in ${duration(left)}`);

function mapClaim(trust: Trust | null): string {
  if (!trust) return 'Map';
  if (trust.fit?.borrowed) return 'Map from borrowed weights';
  return trust.fit?.at ? 'Map' : 'Map from assumed weights';
}

function fitClaim(trust: Trust | null): Omit<Claim, 'name'> {
  const reports = trust?.fit?.reports ?? 0;
  const own = Boolean(trust?.fit?.at && !trust.fit.borrowed && reports >= ENOUGH);
  return {
    mark: own ? 'met' : 'open',
    what: 'Map fitted to this market',
    when: own ? `on ${Math.floor(reports)} reports` : `after ${ENOUGH} liquidation reports${reports >= 1 ? `, ${Math.floor(reports)} so far` : ''}`,
  };
}

/** The list of a coin. `trust` is what its map says of itself; null while there is no map. */
export function claims(starting: Starting, coin: string, trust: Trust | null, seen: Seen): Claim[] {
  const c = starting.coins.find((one) => one.coin === coin);
  const at = ORDER.indexOf(c?.state ?? 'waiting');
  const left = c?.left ?? null;
  const own = ofCoin(starting, coin);
  const out: Claim[] = [];
  const add = (name: string, what: string, met: boolean, when: string, otherwise: Mark = 'wait'): void => {
    out.push({ name, what, mark: met ? 'met' : otherwise, when: met ? since(seen, name) : when });
  };
  add('price', at === 1 ? 'Price' : 'Price and candles', at >= 1, '');
  const interest = own.filter((m) => m.streams.interest === 'up').length;
  add('interest', interest ? `Open interest, ${interest} venue${interest === 1 ? '' : 's'}` : 'Open interest', interest > 0, '');
  add('map', mapClaim(trust), at >= 2, '', at >= 1 ? 'wait' : 'open');
  const days = DAYS.exec(starting.doing)?.[1];
  const gone = own.filter((m) => m.state === 'failed' || m.state === 'refused').length;
  const all = `${days ? `All ${days} days` : 'All of the past'}${gone && gone < own.length ? `, ${own.length - gone} of ${own.length} venues` : ''}`;
  if (own.length && gone === own.length) out.push({ name: 'past', what: days ? `All ${days} days` : 'All of the past', mark: 'against', when: 'no venue answers' });
  else add('past', all, at >= 3, wait(left));
  out.push({ name: 'fit', ...fitClaim(trust) });
  return out;
}

/** "Grade D until it is fitted": only of a map whose fit is what holds it down. */
export function gradeWords(grade: Grade | null): string {
  if (!grade) return '';
  return `Grade ${grade.letter}${grade.letter === 'D' && grade.parts['fit'] === 'D' ? ' until it is fitted' : ''}.`;
}
