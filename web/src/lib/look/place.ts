/** What a view has of its own, and the same thing in the address bar. */

export const REACHES = [0.02, 0.05, 0.1, 0.15] as const;
export const MODES = ['stacked', 'overlay', 'multiples', 'isolate'] as const;
export type Mode = (typeof MODES)[number];

export interface LookPlace {
  /** Shown fraction of the price, up and down, in all views that have a reach. */
  reach: number;
  /** 80 % bands, and positions really seen, where a view can draw them. */
  bands: boolean;
  seen: boolean;
  /** How venues are laid over each other, and the one that stands alone. */
  mode: Mode;
  venue: string | null;
  /** Price that the cursor was pinned at. */
  pin: number | null;
}

export const PLAIN: LookPlace = { reach: 0.1, bands: false, seen: false, mode: 'stacked', venue: null, pin: null };

export function readLook(q: URLSearchParams): LookPlace {
  const layers = (q.get('layers') ?? '').split(',');
  const mode = q.get('mode');
  const venue = q.get('venue');
  const reach = Number(q.get('reach')) / 100;
  const pin = Number(q.get('cursor'));
  return {
    reach: REACHES.find((r) => Math.abs(r - reach) < 1e-9) ?? PLAIN.reach,
    bands: layers.includes('bands'),
    seen: layers.includes('observed'),
    mode: MODES.find((m) => m === mode) ?? PLAIN.mode,
    venue: venue && /^[a-z0-9_-]{1,20}$/.test(venue) ? venue : null,
    pin: pin > 0 && Number.isFinite(pin) ? pin : null,
  };
}

/** Only what differs from the plain look is written, so that a short link stays short. */
export function writeLook(q: URLSearchParams, look: LookPlace): void {
  if (look.reach !== PLAIN.reach) q.set('reach', String(Math.round(look.reach * 100)));
  const layers = [look.bands && 'bands', look.seen && 'observed'].filter(Boolean);
  if (layers.length) q.set('layers', layers.join(','));
  if (look.mode !== PLAIN.mode) q.set('mode', look.mode);
  if (look.mode === 'isolate' && look.venue) q.set('venue', look.venue);
  if (look.pin !== null) q.set('cursor', String(Number(look.pin.toPrecision(8))));
}
