/** Page state in the URL, and settings in local storage. A shared link opens the same view. */

import { formatTime } from './playback/time';
import type { PaletteName } from './render/palettes';
import { PALETTES } from './render/palettes';
import { readViewOptions, type ViewOptions, writeViewOptions } from './view/options';
import { THEME_SETTINGS, type ThemeSetting } from './view/theme';
import { type Filters, readFilters } from './wire/query';

export const VIEWS = ['heatmap', 'levels', 'ratio', 'cumulative', 'venues'] as const;
export type ViewName = (typeof VIEWS)[number];

export interface Settings {
  palette: PaletteName;
  axis: 'linear' | 'log';
  zone: 'local' | 'utc';
  /** Currency of all amounts but prices. */
  currency: string;
  /** `auto` follows the operating system. */
  theme: ThemeSetting;
  /** What the colours of the map show. */
  shade: Shade;
}

/** Dollars per cell (money), or dollars above the ground (relief). */
export type Shade = 'relief' | 'money';
const SHADES: readonly Shade[] = ['relief', 'money'];

/**
 * Ends of a colour scale the user has locked, in the currency it was locked in (US dollars if
 * absent).
 */
export interface ScaleLock {
  lo: number;
  hi: number;
  ccy?: string;
}

export interface UrlState {
  /** Name of the section, unless the map. */
  place?: string;
  /** Identity of the episode chosen among the signals. */
  episode?: string;
  filters: Partial<Filters>;
  view: ViewName;
  locked: ScaleLock | null;
  viewOptions: ViewOptions;
  /** Currency of amounts, unless US dollars. */
  ccy?: string;
  /** Only if the link sets it. */
  shade?: Shade;
}

const STORAGE_KEY = 'powderkeg';
const CODE = /^[A-Z]{3}$/;
const DEFAULTS: Settings = {
  palette: 'inferno',
  axis: 'linear',
  zone: 'local',
  currency: 'USD',
  theme: 'dark',
  shade: 'relief',
};

export function readUrl(search: string): UrlState {
  const q = new URLSearchParams(search);
  const view = q.get('view');
  const code = q.get('ccy') ?? '';
  const ccy = CODE.test(code) && code !== 'USD' ? { ccy: code } : {};
  const above = q.get('above');
  const [lo, hi] = (above ?? q.get('scale') ?? '').split('-').map(Number);
  const locked = lo > 0 && hi > lo ? { lo, hi, ...ccy } : null;
  // A locked scale implies its shade: `above` is relief, `scale` is money.
  const shade: Shade | null = locked
    ? above
      ? 'relief'
      : 'money'
    : (SHADES.find((s) => s === q.get('shade')) ?? null);
  const place = ['flow', 'signals'].find((each) => each === q.get('place'));
  const episode = q.get('episode');
  return {
    // beside a ladder of one percent, hours are what a trader looks at
    filters: { ...(place === 'flow' && { span: '4h' }), ...readFilters(q) },
    view: VIEWS.find((v) => v === view) ?? 'heatmap',
    locked,
    ...(place && { place }),
    ...(episode && { episode }),
    viewOptions: readViewOptions(q),
    ...ccy,
    ...(shade && { shade }),
  };
}

export function writeUrl(
  filters: Filters,
  view: ViewName,
  locked: ScaleLock | null,
  options?: ViewOptions,
  ccy = 'USD',
  shade?: Shade,
  place = 'map',
  episode = '',
): string {
  const q = new URLSearchParams({ coin: filters.coin, span: filters.span });
  if (filters.venues) q.set('venues', filters.venues.join(','));
  if (filters.tiers) q.set('tiers', filters.tiers.join(','));
  if (filters.side !== 'both') q.set('side', filters.side);
  if (filters.model !== 'calibrated') q.set('model', filters.model);
  if (filters.at) q.set('at', formatTime(filters.at));
  if (place !== 'map') q.set('place', place);
  if (place === 'signals' && episode) q.set('episode', episode);
  if (view !== 'heatmap') q.set('view', view);
  if (locked)
    q.set(
      shade === 'relief' ? 'above' : 'scale',
      `${Math.round(locked.lo)}-${Math.round(locked.hi)}`,
    );
  if (shade === 'money' && !locked) q.set('shade', 'money');
  if (ccy !== 'USD') q.set('ccy', ccy);
  if (options) writeViewOptions(q, options);
  return `?${q.toString().replaceAll('%2C', ',').replaceAll('%3A', ':')}`;
}

/** Settings of this browser. Where storage is blocked they last until the page is closed. */
export function readSettings(): Settings {
  try {
    const saved = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '{}') as Partial<Settings>;
    return {
      palette: PALETTES.find((p) => p === saved.palette) ?? DEFAULTS.palette,
      axis: saved.axis === 'log' ? 'log' : 'linear',
      zone: saved.zone === 'utc' ? 'utc' : 'local',
      currency: CODE.test(saved.currency ?? '') ? (saved.currency as string) : DEFAULTS.currency,
      shade: SHADES.find((s) => s === saved.shade) ?? DEFAULTS.shade,
      theme: THEME_SETTINGS.find((t) => t === saved.theme) ?? DEFAULTS.theme,
    };
  } catch {
    return { ...DEFAULTS };
  }
}

export function saveSettings(settings: Settings): void {
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(settings));
  } catch {
    // Blocked storage is the user's choice, not an error.
  }
}
