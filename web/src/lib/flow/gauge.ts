/** Where the figure of a read stands on its way to what it needs. */
import type { ReadRow } from '../wire/schema-on-demand';

export interface Gauge {
  /** Of the bar, from 0 to 1. */
  share: number;
  /** Where on the bar the figure meets its threshold. */
  needs: number;
}

/** Distance to a cluster at which the bar is empty, fraction of price. */
const FAR = 0.02;

/** Null where the figure is not known. A bar that is longer is nearer to what is needed. */
export function gaugeOf({ figure, threshold, unit }: ReadRow): Gauge | null {
  if (figure === null) return null;
  const whole = { 'fraction of price': FAR, multiple: 2 * threshold, percentile: 100, ratio: 1 }[
    unit
  ];
  const part = (value: number): number => Math.min(1, Math.max(0, value / whole));
  if (unit === 'fraction of price') return { share: 1 - part(figure), needs: 1 - part(threshold) };
  return { share: part(figure), needs: part(threshold) };
}
