/** Contents of one map cell, by venue and by leverage tier. */
import { check } from '../wire/check';
import { CellAnswer } from '../wire/schema';

export interface Part {
  name: string;
  usd: number;
  /** Fraction of the cell. */
  share: number;
}

export interface CellParts {
  price: number;
  /** False for stored columns, whose split by tier and venue is approximate. */
  exact: boolean;
  total: number;
  /** Dollars within 0.1 % of the price. */
  near: number;
  /** Largest first; empty parts are left out. */
  tiers: Part[];
  venues: Part[];
}

function parts(sums: Map<string, number>, total: number): Part[] {
  return [...sums]
    .filter(([, usd]) => usd > 0)
    .map(([name, usd]) => ({ name, usd, share: usd / total }))
    .sort((a, b) => b.usd - a.usd);
}

export function readCell(raw: unknown): CellParts {
  const { price, exact, near, dollars } = check(CellAnswer, raw);
  const tiers = new Map<string, number>();
  const venues = new Map<string, number>();
  let total = 0;
  for (const [venue, byTier] of Object.entries(dollars))
    for (const [tier, usd] of Object.entries(byTier)) {
      tiers.set(tier, (tiers.get(tier) ?? 0) + usd);
      venues.set(venue, (venues.get(venue) ?? 0) + usd);
      total += usd;
    }
  return { price, exact, near, total, tiers: parts(tiers, total), venues: parts(venues, total) };
}
