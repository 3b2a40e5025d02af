/** Number formats: thousands separated, three significant digits for dollars. */

import { money } from './money/money.svelte';
import { VENUES } from './venues';

const UNITS: readonly [number, string][] = [
  [1e12, 'T'],
  [1e9, 'B'],
  [1e6, 'M'],
  [1e3, 'K'],
];

/** $42.7M, $1.20B, $830; in the display currency NZ$71.2M. `at` (µs) uses the rate of that day. */
export function dollars(x: number, at?: number): string {
  const size = Math.abs(money.of(x, at));
  if (!Number.isFinite(size)) return '–';
  const sign = money.symbol;
  // 999.6K would read "1,000K" after rounding: the next unit takes over at 999.5.
  const unit = UNITS.find(([scale]) => size >= scale * 0.9995);
  if (!unit) return `${sign}${size.toFixed(0)}`;
  const y = size / unit[0];
  return `${sign}${y.toFixed(y >= 99.95 ? 0 : y >= 9.995 ? 1 : 2)}${unit[1]}`;
}

/** Decimals of a price increment: 0.1 → 1, 0.001 → 3. */
export function decimals(tick: number): number {
  if (!(tick > 0)) return 2;
  return Math.max(0, Math.ceil(-Math.log10(tick) - 1e-9));
}

/** Decimals for an axis: at least five figures in all, never finer than the tick. */
export function axisDecimals(price: number, tick: number): number {
  const whole = Math.floor(Math.log10(Math.max(price, 1e-15))) + 1;
  return Math.max(0, Math.min(decimals(tick), 5 - whole));
}

const formats = new Map<number, Intl.NumberFormat>();

/**
 * Most decimals written out, and the price below which more digits use an exponent; `figures.py`
 * has the same rule.
 */
const MAX_DECIMALS = 10;
const TINY = 1e-6;

/** A price with `digits` decimals: 104,312.5, 0.0000026134; beyond ten decimals 1.0234e-9. */
export function price(x: number, digits: number): string {
  if (!Number.isFinite(x)) return '–';
  return digits > MAX_DECIMALS && x > 0 && x < TINY
    ? exponential(x, digits)
    : plain(x, Math.min(digits, MAX_DECIMALS));
}

/** Most characters of a price where several stand side by side. */
const MAX_CHARACTERS = 10;

/** A price where several stand side by side: a long one uses an exponent. */
export function shortPrice(x: number, digits: number): string {
  const text = price(x, digits);
  return text.length > MAX_CHARACTERS && x > 0 && x < 1 ? exponential(x, digits) : text;
}

function exponential(x: number, digits: number): string {
  return x.toExponential(Math.max(0, digits + Math.floor(Math.log10(x))));
}

function plain(x: number, digits: number): string {
  let format = formats.get(digits);
  if (!format) {
    format = new Intl.NumberFormat('en-US', {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
    formats.set(digits, format);
  }
  return format.format(x);
}

/** Signed percent of a fraction, with a true minus sign: +4.5%, −0.72%. */
export function percent(fraction: number, digits = 1): string {
  if (!Number.isFinite(fraction)) return '–';
  const body = Math.abs(fraction * 100).toFixed(digits);
  return `${fraction < 0 && Number(body) !== 0 ? '−' : '+'}${body}%`;
}

/**
 * Ten years, s: a larger age, or a time this close to 1970, comes from a clock that was never set.
 */
const TEN_YEARS = 315_576_000;

/** Age in seconds: 0.4 s, 12 s, 3 min, 5 h, 2 d. A dash if invalid. */
export function age(seconds: number | null): string {
  if (seconds === null || !(seconds < TEN_YEARS) || seconds < -TEN_YEARS) return '–';
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

export function venueName(name: string): string {
  return VENUES[name]?.label ?? name.charAt(0).toUpperCase() + name.slice(1);
}

export const LOCAL_ZONE_SECONDS = -new Date().getTimezoneOffset() * 60;

function pad(n: number): string {
  return String(n).padStart(2, '0');
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Whether µs UTC are a plausible market time: after 1980, and within the range of Date. */
export const isTime = (micros: number): boolean => micros / 1e6 > TEN_YEARS && micros < 8.64e18;

/** "2026-02-08 14:00 UTC", or a dash if invalid. */
export function stamp(micros: number): string {
  return isTime(micros)
    ? `${new Date(micros / 1_000).toISOString().slice(0, 16).replace('T', ' ')} UTC`
    : '–';
}

/** "5 Jan 13:15" of µs UTC, shifted by `zone` seconds. */
export function moment(micros: number, zone: number): string {
  if (!isTime(micros)) return '–';
  const d = new Date(micros / 1_000 + zone * 1_000);
  return `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]} ${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}`;
}

export function clock(micros: number, zone: number): string {
  if (!isTime(micros)) return '–';
  const d = new Date(micros / 1_000 + zone * 1_000);
  return `${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}:${pad(d.getUTCSeconds())}`;
}
