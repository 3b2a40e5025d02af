/** Display options of the views, and how they are written in the URL. */

export const REACHES = [0.02, 0.05, 0.1, 0.15] as const;
export const MODES = ['stacked', 'overlay', 'multiples', 'isolate'] as const;
export type Mode = (typeof MODES)[number];

export interface ViewOptions {
  /** Visible range around the price, as a fraction, in all views that have one. */
  reach: number;
  /** Whether 80 % bands and observed positions are drawn, in views that have them. */
  bands: boolean;
  observed: boolean;
  /** Whether resting orders are drawn on the map beside the ladder. */
  resting: boolean;
  /** Layout of the venues, and the isolated one. */
  mode: Mode;
  venue: string | null;
  /** Pinned cursor price. */
  pin: number | null;
}

export const DEFAULT_OPTIONS: ViewOptions = {
  reach: 0.1,
  bands: false,
  observed: false,
  resting: false,
  mode: 'stacked',
  venue: null,
  pin: null,
};

export function readViewOptions(q: URLSearchParams): ViewOptions {
  const layers = (q.get('layers') ?? '').split(',');
  const mode = q.get('mode');
  const venue = q.get('venue');
  const reach = Number(q.get('reach')) / 100;
  const pin = Number(q.get('cursor'));
  return {
    reach: REACHES.find((r) => Math.abs(r - reach) < 1e-9) ?? DEFAULT_OPTIONS.reach,
    bands: layers.includes('bands'),
    observed: layers.includes('observed'),
    resting: layers.includes('resting'),
    mode: MODES.find((m) => m === mode) ?? DEFAULT_OPTIONS.mode,
    venue: venue && /^[a-z0-9_-]{1,20}$/.test(venue) ? venue : null,
    pin: pin > 0 && Number.isFinite(pin) ? pin : null,
  };
}

/** Only non-default options are written, to keep links short. */
export function writeViewOptions(q: URLSearchParams, options: ViewOptions): void {
  if (options.reach !== DEFAULT_OPTIONS.reach)
    q.set('reach', String(Math.round(options.reach * 100)));
  const layers = (['bands', 'observed', 'resting'] as const).filter((layer) => options[layer]);
  if (layers.length) q.set('layers', layers.join(','));
  if (options.mode !== DEFAULT_OPTIONS.mode) q.set('mode', options.mode);
  if (options.mode === 'isolate' && options.venue) q.set('venue', options.venue);
  if (options.pin !== null) q.set('cursor', String(Number(options.pin.toPrecision(8))));
}
