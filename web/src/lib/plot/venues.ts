/** Venue colours, told apart in every kind of colour sight and unlike the long and short pair; and who holds what. */
import { theme } from '../paint/theme.svelte';
import type { LampState, Venue, VenueShare } from '../wire/types';

const COLOURS: Record<string, string> = {
  binance: '#f2c14e',
  bybit: '#b79cff',
  okx: '#e8ecf5',
  bitget: '#3fb68b',
  hyperliquid: '#ff7fb0',
  deribit: '#8f9bb3',
};
const OTHERS = ['#9ad05b', '#7fa8ff', '#d9a066', '#c78bd9'];
/** The same venues as ink on paper: hue is kept, and lightness keeps them apart. */
const INKS: Record<string, string> = {
  binance: '#b07d00',
  bybit: '#6b46c1',
  okx: '#1d2433',
  bitget: '#00613f',
  hyperliquid: '#cf3b86',
  deribit: '#79849a',
};
const OTHER_INKS = ['#4c7a12', '#2f5fd0', '#96601c', '#8b3fa8'];

export function venueColour(name: string): string {
  const paper = theme.name === 'light';
  const known = (paper ? INKS : COLOURS)[name];
  if (known) return known;
  let sum = 0;
  for (const c of name) sum += c.charCodeAt(0);
  return (paper ? OTHER_INKS : OTHERS)[sum % OTHERS.length];
}

/** A venue in the list, switched on or not. */
export interface Holder {
  name: string;
  on: boolean;
  long: number;
  short: number;
  /** Measured fraction of the open interest of all venues, and fraction of the estimated dollars shown. */
  share: number;
  part: number;
  state: LampState;
  age: number;
  /** Dollars a row; absent for one that is switched off. */
  usd?: Float32Array;
}

/** Every known venue, the heaviest first, those that are switched off last. */
export function holders(held: readonly VenueShare[], known: readonly Venue[]): Holder[] {
  const sum = held.reduce((s, v) => s + v.long + v.short, 0) || 1;
  const lamp = new Map(known.map((v) => [v.name, v]));
  const on = held.map((v): Holder => {
    const k = lamp.get(v.name);
    const part = (v.long + v.short) / sum;
    return { ...v, part, on: true, state: k?.state ?? 'joining', age: k?.age ?? Infinity };
  });
  const off = known
    .filter((k) => !held.some((v) => v.name === k.name))
    .map((k): Holder => ({ name: k.name, on: k.on, long: 0, short: 0, share: k.share, part: 0, state: k.state, age: k.age }));
  return [...on.sort((a, b) => b.part - a.part), ...off.sort((a, b) => b.share - a.share)];
}
