/** The plan of an episode: what is asked of the server, and its figures in words. */
import { dollars } from '../format';
import { check } from '../wire/check';
import {
  type Plan,
  PlanAnswer,
  type PlannedLiquidation,
  type PlanRow,
  type Target,
} from '../wire/schema-on-demand';

/** What the trader brings; remembered by the browser. */
export interface Account {
  /** Quote currency. */
  equity: number;
  /** Percent of equity lost at the stop, before costs. */
  risk: number;
  /** Notional over margin; 0 leaves liquidation out. */
  leverage: number;
  /** Fees in basis points of notional. */
  entryFee: number;
  exitFee: number;
}
export type Part = keyof Account;

const STORAGE_KEY = 'powderkeg-account';
const DEFAULTS: Account = { equity: 10_000, risk: 1, leverage: 10, entryFee: 2, exitFee: 5 };
/** Least and greatest amount of each, as the server takes them. */
export const LIMITS: Record<Part, readonly [number, number]> = {
  equity: [0.01, 1e12],
  risk: [0.0001, 100],
  leverage: [0, 1_000],
  entryFee: [0, 1_000],
  exitFee: [0, 1_000],
};

/** Whether an amount can be asked for; a leverage between 0 and 1 cannot. */
export function allowed(part: Part, x: number): boolean {
  const [least, most] = LIMITS[part];
  return x >= least && x <= most && !(part === 'leverage' && x > 0 && x < 1);
}

/** Amounts of this browser; those that are missing or cannot be asked for are the defaults. */
export function readAccount(): Account {
  const out = { ...DEFAULTS };
  try {
    const saved = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '{}') as Partial<Account>;
    for (const part of Object.keys(DEFAULTS) as Part[]) {
      const x = saved[part];
      if (typeof x === 'number' && allowed(part, x)) out[part] = x;
    }
  } catch {
    // Blocked or foreign storage: the defaults.
  }
  return out;
}

export function saveAccount(account: Account): void {
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(account));
  } catch {
    // Blocked storage is the user's choice, not an error.
  }
}

/** Percent and basis points to fractions, without the digits binary division adds. */
const fraction = (x: number, of: number): string => String(Number((x / of).toPrecision(12)));

export function planUrl(
  coin: string,
  { side, entry, stop }: PlanRow,
  account: Account,
  venues: readonly string[] | null,
): string {
  const q = new URLSearchParams({
    equity: String(account.equity),
    risk: fraction(account.risk, 100),
    side,
    entry: String(entry),
    stop: String(stop),
    leverage: String(account.leverage),
    entry_fee: fraction(account.entryFee, 1e4),
    exit_fee: fraction(account.exitFee, 1e4),
  });
  if (venues) q.set('venues', venues.join(','));
  return `/v1/${encodeURIComponent(coin)}/plan?${q.toString().replaceAll('%2C', ',')}`;
}

export const readPlan = (raw: unknown): PlanAnswer => check(PlanAnswer, raw);

/** Within this fraction of its price a target of the map is that of the signal. */
const SAME = 0.002;

/** The target of the map at a price, or null where no opposing cluster stands there now. */
export const targetAt = (targets: readonly Target[], price: number | null): Target | null =>
  price === null ? null : (targets.find((t) => Math.abs(t.price / price - 1) <= SAME) ?? null);

/** Gross reward over risk of a trade to a price. */
export const grossTo = ({ entry, stop }: Plan | PlanRow, price: number): number =>
  (price - entry) / (entry - stop);

/** Four digits of a size, and the coin. */
export const sizeText = (size: number, coin: string): string =>
  `${size >= 1_000 ? size.toFixed(0) : Number(size.toPrecision(4))} ${coin}`;

/** How far beyond the stop it is liquidated, in distances from entry to stop; or why it is not. */
export function marginText({ price, why, beyondStop }: PlannedLiquidation): string {
  if (price === null) return why;
  if (beyondStop === null) return '';
  return beyondStop < 0 ? 'before the stop' : `${beyondStop.toFixed(1)} R beyond the stop`;
}

/** Dollars of fuel and whose, such as "$36.2M longs". */
export const fuelText = (usd: number, side: 'long' | 'short'): string => `${dollars(usd)} ${side}s`;

export const opposite = (side: 'long' | 'short'): 'long' | 'short' =>
  side === 'long' ? 'short' : 'long';
