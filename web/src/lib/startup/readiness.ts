/** Checklist of what is ready while the server starts, derived from its answers and the map. */
import type { Grade, Trust } from '../wire/types';
import type { CoinState, Starting } from './read';
import type { CheckState } from './rows';
import { duration, marketsOf, stopwatch } from './text';

/** Effective liquidation reports needed for a market's own weights. */
export const MIN_REPORTS = 30;

export interface ReadinessCheck {
  name: string;
  state: CheckState;
  what: string;
  when: string;
}

/** Seconds after server start at which each check was first passed to pass. */
export type PassedAt = ReadonlyMap<string, number>;

const ORDER: readonly CoinState[] = ['waiting', 'price', 'map', 'ready'];
const DAYS = /(\d+) days/;

function since(passed: PassedAt, name: string): string {
  const at = passed.get(name);
  return at === undefined ? '' : `since ${stopwatch(at)}`;
}

const inTime = (left: number | null): string => (left === null ? '' : `in ${duration(left)}`);

function mapLabel(trust: Trust | null): string {
  if (!trust) return 'Map';
  if (trust.fit?.pretrained) return 'Map (pretrained weights)';
  return trust.fit?.at ? 'Map' : 'Map (assumed weights)';
}

function fitCheck(trust: Trust | null): Omit<ReadinessCheck, 'name'> {
  const reports = trust?.fit?.reports ?? 0;
  const own = Boolean(trust?.fit?.at && !trust.fit.pretrained && reports >= MIN_REPORTS);
  return {
    state: own ? 'done' : 'todo',
    what: 'Calibrated to this market',
    when: own
      ? `${Math.floor(reports)} reports`
      : `after ${MIN_REPORTS} liquidation reports${reports >= 1 ? `, ${Math.floor(reports)} so far` : ''}`,
  };
}

/** The checklist of a coin. `trust` comes with its map; null while there is none. */
export function readinessChecks(
  starting: Starting,
  coin: string,
  trust: Trust | null,
  passed: PassedAt,
): ReadinessCheck[] {
  const c = starting.coins.find((one) => one.coin === coin);
  const at = ORDER.indexOf(c?.state ?? 'waiting');
  const left = c?.left ?? null;
  const own = marketsOf(starting, coin);
  const out: ReadinessCheck[] = [];
  const add = (
    name: string,
    what: string,
    done: boolean,
    when: string,
    otherwise: CheckState = 'pending',
  ): void => {
    out.push({
      name,
      what,
      state: done ? 'done' : otherwise,
      when: done ? since(passed, name) : when,
    });
  };
  add('price', at === 1 ? 'Price' : 'Price and candles', at >= 1, '');
  const interest = own.filter((m) => m.streams.interest === 'up').length;
  add(
    'interest',
    interest ? `Open interest, ${interest} venue${interest === 1 ? '' : 's'}` : 'Open interest',
    interest > 0,
    '',
  );
  add('map', mapLabel(trust), at >= 2, '', at >= 1 ? 'pending' : 'todo');
  const days = DAYS.exec(starting.doing)?.[1];
  const failed = own.filter((m) => m.state === 'failed' || m.state === 'refused').length;
  const history = days ? `${days}-day history` : 'Full history';
  const venues = failed ? `, ${own.length - failed} of ${own.length} venues` : '';
  if (own.length && failed === own.length)
    out.push({
      name: 'past',
      what: history,
      state: 'failed',
      when: 'no venue responds',
    });
  else add('past', history + venues, at >= 3, inTime(left));
  out.push({ name: 'fit', ...fitCheck(trust) });
  return out;
}

/** "Grade D until calibrated", if the fit is what limits the grade. */
export function gradeText(grade: Grade | null): string {
  if (!grade) return '';
  return `Grade ${grade.letter}${grade.letter === 'D' && grade.parts['fit'] === 'D' ? ' until calibrated' : ''}.`;
}
