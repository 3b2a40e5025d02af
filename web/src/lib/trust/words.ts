/** How far to trust what is shown, in words. */
import { clock, dollars, moment } from '../format';
import type { Borrowed, Cluster, Fit } from '../wire/types';
import type { Tier } from './read';

const DAY = 86_400_000_000;

/** "80 %: $60.0M–$240M", or nothing where the model gives no band. */
export function bandWords(low: number, high: number): string {
  return Number.isFinite(low) ? `80 %: ${dollars(low)}–${dollars(high)}` : '';
}

const whole = (fraction: number): string => (fraction * 100).toFixed(0);

/** What is known of a cluster beyond its size: how sure, how measured, whose, and what may fire. */
export function clusterWords(c: Cluster): string {
  const said = [`${dollars(c.mass)} of ${c.side}s`];
  if (Number.isFinite(c.low)) said.push(bandWords(c.low, c.high), `${whole(c.measured)} % measured`);
  const h = c.concentration;
  said.push(h === null ? 'holders unknown' : h > 0.5 ? 'few large openings' : h > 0.1 ? 'some large openings' : 'many small openings');
  if (c.fired) said.push(`expected to fire ${whole(c.fired[0])}–${whole(c.fired[1])} % (assumption)`);
  return said.join(' · ');
}

/** "14:00" of the last day, "5 Jan 14:00" of one before. */
export function when(micros: number, now: number, zone: number): string {
  return now - micros < DAY ? clock(micros, zone).slice(0, 5) : moment(micros, zone);
}

/** The server's words for the model, as a name and what it rests on: "borrowed", "learned on …". */
export function modelParts(model: string): [string, string] {
  const [, name, rest] = /^(.+?)(?:: |, | on (?=\d)| (?=\()| · )(.+)$/.exec(model) ?? ['', model, ''];
  return [name, rest];
}

const day = (micros: number): string => new Date(micros / 1_000).toISOString().slice(0, 10);

/** Where weights were learned that are not a market's own, in a sentence. */
export function borrowedWords(b: Borrowed): string {
  return `Borrowed weights: learned on ${b.market}, ${day(b.since)} to ${day(b.until - 1e6)}, from ${b.reports.toFixed(0)} effective reports.`;
}

/** How much of what stands on the tiers is measured, in words. */
export function measuredWords(tiers: readonly Tier[]): string {
  const sum = (of: (t: Tier) => number): number => tiers.reduce((total, t) => total + of(t), 0);
  const share = sum((t) => t.size * (t.measured ?? 0)) / sum((t) => t.size);
  return share > 0 ? `${whole(share)} % of it measured` : 'none of it measured';
}

export function newWords(fit: Fit): string {
  return `${fit.taught.toLocaleString('en-US')} new liquidation${fit.taught === 1 ? '' : 's'}`;
}

const QUESTIONS: Record<string, string> = {
  goes_to_bright: 'Is the brighter of two clusters touched first?',
  wick_hits: 'Do turning points stand on brighter ground?',
  drive_moves: 'Did the largest moves have more mass in their way?',
  explain_moves: 'How much of the largest moves does that mass explain?',
  in_zones: 'Do liquidations fall in the brightest tenth of what is crossed?',
};
const PLACEBOS: Record<string, string> = {
  mirrored: 'the map mirrored',
  shifted: 'the map of days before',
  path_only: 'a map of the path alone',
  near_spot: 'nearness alone',
};

/** A question by its name, with the placebo it is held against. */
export function questionWords(name: string): string {
  const question = Object.keys(QUESTIONS).find((known) => name.startsWith(known));
  const placebo = Object.keys(PLACEBOS).find((known) => name.endsWith(known));
  if (!question) return name;
  return placebo ? `${QUESTIONS[question]} Against ${PLACEBOS[placebo]}.` : QUESTIONS[question];
}
