/** Fetches the data of the visible panels beside the map, every few seconds. */
import type { ViewName } from '../url';
import { readBars, readByVenue, readCumulative, unpack } from './decode';
import { type Filters, request, viewUrl } from './query';
import type { Bars, ByVenue, Cumulative } from './types';

/** Requested range of the cumulative curve, as a fraction of the price; views show part of it. */
const CURVE_REACH = 0.15;

export interface PanelData {
  bars: Bars;
  cumulative: Cumulative;
  byVenue: ByVenue;
}

/** Fetch what a view needs, on a wide screen also what the side panel needs. */
export async function fetchPanels(
  view: ViewName,
  wide: boolean,
  filters: Filters,
  viewState: { reach: number; price: number | null },
): Promise<Partial<PanelData>> {
  const panels: Partial<PanelData> = {};
  const load = async (name: string, extra = '') =>
    unpack(await request(viewUrl(name, filters) + extra));
  const curve = wide || view === 'cumulative' || view === 'ratio' || viewState.price !== null;
  await Promise.all([
    (wide || view === 'ratio') &&
      load('bars', `&reach=${viewState.reach}`).then((raw) => (panels.bars = readBars(raw))),
    curve &&
      load('cumulative', `&reach=${CURVE_REACH}`).then(
        (raw) => (panels.cumulative = readCumulative(raw)),
      ),
    view === 'venues' && load('venues').then((raw) => (panels.byVenue = readByVenue(raw))),
  ]);
  return panels;
}
