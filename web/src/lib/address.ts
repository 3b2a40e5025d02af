/** The address bar and the browser's memory: a link opens the same picture on another machine. */
import type { PaletteName } from './paint/palettes';
import { PALETTES } from './paint/palettes';
import { type Tone, TONES } from './look/tone';
import { writeMoment } from './play/moment';
import { type Filters, readFilters } from './wire/query';
import { type LookPlace, readLook, writeLook } from './look/place';

export const VIEWS = ['heatmap', 'levels', 'ratio', 'cumulative', 'venues'] as const;
export type ViewName = (typeof VIEWS)[number];

export interface Settings {
  palette: PaletteName;
  axis: 'linear' | 'log';
  zone: 'local' | 'utc';
  /** Currency of all amounts but prices. */
  currency: string;
  /** Auto is what the system prefers. */
  theme: Tone;
  /** What the colours of the map say. */
  shade: Shade;
}

/** Dollars a cell, or what stands above the ground. */
export type Shade = 'relief' | 'money';
const SHADES: readonly Shade[] = ['relief', 'money'];

/** Ends of the legend, money a cell or above the ground, when the user has locked it: in US dollars, or in the currency it was locked in. */
export interface Locked {
  lo: number;
  hi: number;
  ccy?: string;
}

export interface Place {
  filters: Partial<Filters>;
  view: ViewName;
  locked: Locked | null;
  look: LookPlace;
  /** Currency of the amounts, where it is not the dollar. */
  ccy?: string;
  /** Scale of the colours, where the link says it: dollars a cell, or above the ground. */
  shade?: Shade;
}

const MEMORY = 'powderkeg';
const CODE = /^[A-Z]{3}$/;
const DEFAULTS: Settings = { palette: 'inferno', axis: 'linear', zone: 'local', currency: 'USD', theme: 'dark', shade: 'relief' };

export function readPlace(search: string): Place {
  const q = new URLSearchParams(search);
  const view = q.get('view');
  const said = q.get('ccy') ?? '';
  const ccy = CODE.test(said) && said !== 'USD' ? { ccy: said } : {};
  const above = q.get('above');
  const [lo, hi] = (above ?? q.get('scale') ?? '').split('-').map(Number);
  const locked = lo > 0 && hi > lo ? { lo, hi, ...ccy } : null;
  // The ends of a scale say which scale it is.
  const shade: Shade | null = locked ? (above ? 'relief' : 'money') : (SHADES.find((s) => s === q.get('shade')) ?? null);
  return {
    filters: readFilters(q),
    view: VIEWS.find((v) => v === view) ?? 'heatmap',
    locked,
    look: readLook(q),
    ...ccy,
    ...(shade && { shade }),
  };
}

export function writePlace(filters: Filters, view: ViewName, locked: Locked | null, look?: LookPlace, ccy = 'USD', shade?: Shade): string {
  const q = new URLSearchParams({ coin: filters.coin, span: filters.span });
  if (filters.venues) q.set('venues', filters.venues.join(','));
  if (filters.tiers) q.set('tiers', filters.tiers.join(','));
  if (filters.side !== 'both') q.set('side', filters.side);
  if (filters.model !== 'calibrated') q.set('model', filters.model);
  if (filters.at) q.set('at', writeMoment(filters.at));
  if (view !== 'heatmap') q.set('view', view);
  if (locked) q.set(shade === 'relief' ? 'above' : 'scale', `${Math.round(locked.lo)}-${Math.round(locked.hi)}`);
  if (shade === 'money' && !locked) q.set('shade', 'money');
  if (ccy !== 'USD') q.set('ccy', ccy);
  if (look) writeLook(q, look);
  return `?${q.toString().replaceAll('%2C', ',').replaceAll('%3A', ':')}`;
}

/** Settings of this browser; storage may be forbidden, then they last as long as the page. */
export function readSettings(): Settings {
  try {
    const kept = JSON.parse(localStorage.getItem(MEMORY) ?? '{}') as Partial<Settings>;
    return {
      palette: PALETTES.find((p) => p === kept.palette) ?? DEFAULTS.palette,
      axis: kept.axis === 'log' ? 'log' : 'linear',
      zone: kept.zone === 'utc' ? 'utc' : 'local',
      currency: CODE.test(kept.currency ?? '') ? (kept.currency as string) : DEFAULTS.currency,
      shade: SHADES.find((s) => s === kept.shade) ?? DEFAULTS.shade,
      theme: TONES.find((t) => t === kept.theme) ?? DEFAULTS.theme,
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
