/** Rows of the ladder: places, and figures as text. */
import type { LadderAnswer, ReadRow, ShieldedCluster, WallRow } from '../wire/schema-on-demand';

export interface Fuel {
  long: Float32Array;
  short: Float32Array;
  /** The most of the last hour where price has been since; empty where not known. */
  firedLong: Float32Array;
  firedShort: Float32Array;
}

/** Price of a row. */
export const priceOf = (ladder: Pick<LadderAnswer, 'first' | 'step'>, row: number): number =>
  (ladder.first + row) * ladder.step;

/** Row that contains a price; it may lie outside the ladder. */
export const rowOf = (ladder: Pick<LadderAnswer, 'first' | 'step'>, price: number): number =>
  Math.floor(price / ladder.step + 1e-9) - ladder.first;

/** Prices from the lower edge of the lowest row to the upper edge of the highest. */
export function priceRange(ladder: Pick<LadderAnswer, 'first' | 'step' | 'rows'>): {
  from: number;
  to: number;
} {
  return { from: priceOf(ladder, 0), to: priceOf(ladder, ladder.rows) };
}

/** Row at a height, from the top. */
export function rowAt(y: number, height: number, rows: number): number {
  return Math.min(rows - 1, Math.max(0, rows - 1 - Math.floor((y / height) * rows)));
}

/** Shares of the price that a round row comes close to. */
const HEIGHTS = [2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3];

/** Round heights of a row for a price: 1, 2 or 5 times a power of ten. */
export function rowChoices(price: number): number[] {
  if (!(price > 0)) return [];
  const round = HEIGHTS.map((share) => {
    const power = 10 ** Math.floor(Math.log10(price * share));
    const times = [5, 2, 1].find((factor) => factor * power <= price * share * (1 + 1e-9)) ?? 1;
    return Number((times * power).toPrecision(1));
  });
  return [...new Set(round)];
}

/** Base coin with three significant digits: 0.42, 8.1, 118; empty where nothing is. */
export function coins(x: number): string {
  const size = Math.abs(x);
  if (!(size >= 0.005)) return '';
  if (size >= 99_950) return `${(size / 1e3).toFixed(0)}K`;
  return size >= 99.95 ? size.toFixed(0) : size >= 9.995 ? size.toFixed(1) : size.toFixed(2);
}

/** Signed coins with a true minus sign. */
export function signedCoins(x: number): string {
  const text = coins(x);
  return text && (x < 0 ? `−${text}` : `+${text}`);
}

/** Minutes and seconds between two times, µs: 0:22, 11:40. */
export function lasting(micros: number): string {
  const seconds = Math.max(0, Math.floor(micros / 1e6));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** The walls of a row: those that stand first. */
export function wallsOf(ladder: LadderAnswer, row: number): WallRow[] {
  return ladder.walls.filter((wall) => wallRow(ladder, wall) === row);
}

/** Bids are rounded down to a row, asks up. */
export function wallRow(ladder: LadderAnswer, wall: WallRow): number {
  const place = wall.price / ladder.step;
  const row = wall.side === 'bid' ? Math.floor(place + 1e-9) : Math.ceil(place - 1e-9);
  return row - ladder.first;
}

/** A wall in words: "held 3:12", "pulled 0:22". */
export function wallText(wall: WallRow, now: number): string {
  return wall.ended === null
    ? `held ${lasting(now - wall.since)}`
    : `${wall.state} ${lasting(now - wall.ended)}`;
}

/** Whether resting orders shield a cluster, as a tag says it: nothing where it is not known. */
export function shieldWord(
  shields: readonly ShieldedCluster[],
  { side, peak }: { side: string; peak: number },
): string {
  const found = shields.find((s) => s.side === side && s.floor <= peak && peak <= s.top);
  return found && found.state !== 'unknown' ? found.state : '';
}

/** Figure of a read, or its threshold, in its unit; a dash where it is not known. */
export function figureText(figure: number | null, unit: ReadRow['unit']): string {
  if (figure === null) return '–';
  if (unit === 'fraction of price') return `${(figure * 100).toFixed(2)}%`;
  if (unit === 'percentile') return `P${figure.toFixed(0)}`;
  return unit === 'multiple' ? `${figure.toFixed(2)}×` : `ρ ${figure.toFixed(2)}`;
}

/** What one row says, for those who do not see it. */
export function rowText(ladder: LadderAnswer, row: number, price: string): string {
  const parts = [
    [coins(ladder.bid[row]), 'bid'],
    [coins(ladder.ask[row]), 'ask'],
    [coins(ladder.sold[row]), 'sold'],
    [coins(ladder.bought[row]), 'bought'],
    [signedCoins(ladder.stacked[row]), 'pull or stack'],
    [coins(ladder.largest[row]), 'largest print'],
  ].filter(([size]) => size);
  const figures = parts.map(([size, name]) => `${size} ${name}`);
  const walls = wallsOf(ladder, row).map(
    (wall) => `${wall.side} wall ${wallText(wall, ladder.now)}`,
  );
  return [price, ...figures, ...walls].join(', ');
}
