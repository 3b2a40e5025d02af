/** Figures of evidence, plans and base rates, each with its unit. */
import { age, axisDecimals, dollars, price } from '../format';
import type { Evidence, PlanRow } from '../wire/schema-on-demand';

export type Lamp = 'met' | 'waiting' | 'not met' | 'against' | 'unknown';

/** State of one row of evidence; a threshold of the other sign, or passed the wrong way, is against. */
export function lampOf({ value, need, unit, met }: Evidence): Lamp {
  if (value === null) return 'unknown';
  if (met) return 'met';
  if (unit === 'seconds') return 'waiting';
  return need !== null && value * need < 0 ? 'against' : 'not met';
}

/** 26.8 %, with digits that keep small fractions apart from zero. */
function share(fraction: number, digits: number): string {
  const sign = fraction < 0 ? '−' : '';
  return `${sign}${(Math.abs(fraction) * 100).toFixed(digits)}%`;
}

const plain = (x: number, digits: number): string =>
  `${x < 0 ? '−' : ''}${Math.abs(x).toFixed(digits)}`;

/** A number of evidence in its unit; a dash where it is not known. */
export function evidenceText(value: number | null, unit: Evidence['unit'], coin: string): string {
  if (value === null) return '–';
  switch (unit) {
    case 'fraction of price':
      return share(value, 2);
    case 'fraction':
      return share(value, 1);
    case 'multiple':
      return `${plain(value, 2)}×`;
    case 'percentile':
      return `P${value.toFixed(0)}`;
    case 'dollars':
      return `${value < 0 ? '−' : ''}${dollars(value)}`;
    case 'seconds':
      return age(value);
    case 'coins':
      return `${plain(value, 2)} ${coin}`;
    case 'price':
      return priceFigure(value, 0);
    case 'count':
      return plain(value, 0);
    default:
      return plain(value, 2);
  }
}

/** What a number needs: "at least 25.0%", or that it only informs. */
export const needText = ({ need, unit, atMost }: Evidence, coin: string): string =>
  need === null ? 'informs' : `${atMost ? '≤' : '≥'} ${evidenceText(need, unit, coin)}`;

/** A price with five figures, never finer than the tick. */
export const priceFigure = (x: number, tick: number): string =>
  price(x, axisDecimals(x, tick > 0 ? tick : 0.01));

/** Distance of a price from the entry, a signed fraction in the direction of the position. */
export const along = ({ side, entry }: PlanRow, to: number): number =>
  ((to - entry) / entry) * (side === 'long' ? 1 : -1);

/** Where one risk and the reward meet on a bar, a fraction of its length. */
export const riskShare = (reward: number): number => 1 / (1 + reward);

/** "33%", or a dash. */
export const wholePercent = (fraction: number | null): string =>
  fraction === null ? '–' : `${(fraction * 100).toFixed(0)}%`;
