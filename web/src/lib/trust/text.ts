/** Formats uncertainty: bands, measured shares, fit and evaluation. */
import { clock, dollars, moment } from '../format';
import type { TierSize } from '../wire/schema-on-demand';
import type { Cluster, Fit, Pretrained } from '../wire/types';

const DAY = 86_400_000_000;

/** "80 %: $60.0M–$240M", or empty if the model gives no band. */
export function bandText(low: number | null, high: number | null): string {
  return low !== null && high !== null && Number.isFinite(low)
    ? `80 %: ${dollars(low)}–${dollars(high)}`
    : '';
}

const percentText = (fraction: number): string => (fraction * 100).toFixed(0);

/** Details of a cluster: size, band, measured share, concentration, expected fill. */
export function clusterText(c: Cluster): string {
  const parts = [`${dollars(c.notional)} of ${c.side}s`];
  if (c.low !== null)
    parts.push(bandText(c.low, c.high), `${percentText(c.measured ?? NaN)} % measured`);
  const h = c.concentration;
  parts.push(
    h === null
      ? 'concentration unknown'
      : h > 0.5
        ? 'few large positions'
        : h > 0.1
          ? 'some large positions'
          : 'many small positions',
  );
  const [least, most] = c.expectedFill.map(percentText);
  parts.push(`expected fill ${least}–${most} % (assumption)`);
  return parts.join(' · ');
}

/** "14:00" within the last day, "5 Jan 14:00" before. */
export function when(micros: number, now: number, zone: number): string {
  return now - micros < DAY ? clock(micros, zone).slice(0, 5) : moment(micros, zone);
}

const day = (micros: number): string => new Date(micros / 1_000).toISOString().slice(0, 10);

/** Describes pretrained weights. */
export function pretrainedText(b: Pretrained): string {
  const dates = `${day(b.since)} to ${day(b.until - 1e6)}`;
  const reports = `${b.reports.toFixed(0)} effective reports`;
  return `Pretrained weights: fitted on ${b.market}, ${dates}, from ${reports}.`;
}

/** Measured share of all tiers. */
export function measuredText(tiers: readonly TierSize[]): string {
  const sum = (of: (t: TierSize) => number): number => tiers.reduce((total, t) => total + of(t), 0);
  const share = sum((t) => t.size * (t.measured ?? 0)) / sum((t) => t.size);
  return share > 0 ? `${percentText(share)} % measured` : '0 % measured';
}

export function newLiquidationsText(fit: Fit): string {
  return `${fit.newLiquidations.toLocaleString('en-US')} new liquidation${fit.newLiquidations === 1 ? '' : 's'}`;
}

const HYPOTHESES: Record<string, string> = {
  goes_to_bright: 'Is the larger of two clusters reached first?',
  wick_hits: 'Do wicks end at larger levels?',
  drive_moves: 'Were the largest moves preceded by more liquidations in their path?',
  explain_moves: 'How much of the largest moves does that explain?',
  in_zones: 'Do liquidations occur in the top decile of crossed levels?',
};
const PLACEBOS: Record<string, string> = {
  mirrored: 'the mirrored map',
  shifted: 'the map of earlier days',
  path_only: 'the path-only model',
  near_spot: 'distance only',
};

/** A hypothesis by name, with its placebo. */
export function hypothesisText(name: string): string {
  const hypothesis = Object.keys(HYPOTHESES).find((known) => name.startsWith(known));
  const placebo = Object.keys(PLACEBOS).find((known) => name.endsWith(known));
  if (!hypothesis) return name;
  return placebo
    ? `${HYPOTHESES[hypothesis]} Against ${PLACEBOS[placebo]}.`
    : HYPOTHESES[hypothesis];
}
