/** The views beside the map that are in sight, asked every few seconds. */
import type { ViewName } from '../address';
import { readBars, readByVenue, readCumulative, unpack } from './decode';
import { ask, type Filters, viewAddress } from './query';
import type { Bars, ByVenue, Cumulative } from './types';

/** Fraction of the price that the cumulative curve is asked for; views show less of it. */
const FARTHEST = 0.15;

export interface Sides {
  bars: Bars;
  cumulative: Cumulative;
  byVenue: ByVenue;
}

/** Ask for those that a view needs, on a desk also those of the side panel; the others are left out. */
export async function askSides(
  view: ViewName,
  desk: boolean,
  filters: Filters,
  look: { reach: number; price: number | null },
): Promise<Partial<Sides>> {
  const sides: Partial<Sides> = {};
  const fetched = async (name: string, extra = '') => unpack(await ask(viewAddress(name, filters) + extra));
  const curve = desk || view === 'cumulative' || view === 'ratio' || look.price !== null;
  await Promise.all([
    (desk || view === 'ratio') && fetched('bars', `&reach=${look.reach}`).then((raw) => (sides.bars = readBars(raw))),
    curve && fetched('cumulative', `&reach=${FARTHEST}`).then((raw) => (sides.cumulative = readCumulative(raw))),
    view === 'venues' && fetched('venues').then((raw) => (sides.byVenue = readByVenue(raw))),
  ]);
  return sides;
}
