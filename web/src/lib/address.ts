/** The address bar and the browser's memory: a link opens the same picture on another machine. */
import type { PaletteName } from './paint/palettes';
import { PALETTES } from './paint/palettes';
import { type Filters, readFilters } from './wire/query';

export const VIEWS = ['heatmap', 'levels', 'ratio', 'cumulative', 'venues'] as const;
export type ViewName = (typeof VIEWS)[number];

export interface Settings {
  palette: PaletteName;
  axis: 'linear' | 'log';
  zone: 'local' | 'utc';
}

/** Dollars a cell of the legend, when the user has locked it. */
export interface Locked {
  lo: number;
  hi: number;
}

export interface Place {
  filters: Partial<Filters>;
  view: ViewName;
  locked: Locked | null;
}

const MEMORY = 'powderkeg';
const DEFAULTS: Settings = { palette: 'inferno', axis: 'linear', zone: 'local' };

export function readPlace(search: string): Place {
  const q = new URLSearchParams(search);
  const view = q.get('view');
  const [lo, hi] = (q.get('scale') ?? '').split('-').map(Number);
  return {
    filters: readFilters(q),
    view: VIEWS.find((v) => v === view) ?? 'heatmap',
    locked: lo > 0 && hi > lo ? { lo, hi } : null,
  };
}

export function writePlace(filters: Filters, view: ViewName, locked: Locked | null): string {
  const q = new URLSearchParams({ coin: filters.coin, span: filters.span });
  if (filters.venues) q.set('venues', filters.venues.join(','));
  if (filters.tiers) q.set('tiers', filters.tiers.join(','));
  if (filters.side !== 'both') q.set('side', filters.side);
  if (filters.model !== 'calibrated') q.set('model', filters.model);
  if (view !== 'heatmap') q.set('view', view);
  if (locked) q.set('scale', `${Math.round(locked.lo)}-${Math.round(locked.hi)}`);
  return `?${q.toString().replaceAll('%2C', ',')}`;
}

/** Settings of this browser; storage may be forbidden, then they last as long as the page. */
export function readSettings(): Settings {
  try {
    const kept = JSON.parse(localStorage.getItem(MEMORY) ?? '{}') as Partial<Settings>;
    return {
      palette: PALETTES.find((p) => p === kept.palette) ?? DEFAULTS.palette,
      axis: kept.axis === 'log' ? 'log' : 'linear',
      zone: kept.zone === 'utc' ? 'utc' : 'local',
    };
  } catch {
    return { ...DEFAULTS };
  }
}

export function keepSettings(settings: Settings): void {
  try {
    localStorage.setItem(MEMORY, JSON.stringify(settings));
  } catch {
    // Forbidden storage is the user's choice, not an error.
  }
}
