/** Reads the screener, and sorts and filters its table. */
import { check } from '../wire/check';
import { type Near, ScreenerAnswer, type ScreenerCoin } from '../wire/schema-on-demand';

export type NearestCluster = Near;

export const COLUMNS = [
  'coin',
  'price',
  'change',
  'below',
  'above',
  'steep',
  'longShare',
  'funding',
  'oi',
  'grade',
  'age',
] as const;
export type Column = (typeof COLUMNS)[number];

/** A coin as the table shows and sorts it: a number that is not known is NaN. */
function row(c: ScreenerCoin) {
  const known = (x: number | null): number => x ?? NaN;
  return {
    ...c,
    price: known(c.price),
    tick: known(c.tick),
    change: known(c.change),
    longShare: known(c.longShare),
    funding: known(c.funding),
    oi: known(c.oi),
    age: known(c.age),
    steep: c.steepness ?? { long: NaN, short: NaN },
    grade: c.grade?.letter ?? '',
    gradeWhy: c.grade?.why ?? '',
  };
}
export type Row = ReturnType<typeof row>;

export const readScreener = (raw: unknown): Row[] => check(ScreenerAnswer, raw).coins.map(row);

/** The value a column is sorted by. */
function sortKey(row: Row, column: Column): number | string {
  switch (column) {
    case 'coin':
    case 'grade':
      return row[column];
    case 'below':
    case 'above':
      return row[column] ? Math.abs(row[column].distance) : NaN;
    case 'steep':
      return Math.max(row.steep.long, row.steep.short);
    default:
      return row[column];
  }
}

/** Rows sorted by a column; unknown values come last in either direction. */
export function sorted(rows: readonly Row[], column: Column, down: boolean): Row[] {
  const missing = (row: Row): boolean => {
    const value = sortKey(row, column);
    return value === '' || Number.isNaN(value);
  };
  return [...rows].sort((a, b) => {
    if (missing(a) || missing(b)) return Number(missing(a)) - Number(missing(b));
    const [x, y] = [sortKey(a, column), sortKey(b, column)];
    const order = typeof x === 'string' ? x.localeCompare(String(y)) : x - Number(y);
    return down ? -order : order;
  });
}

export function search(rows: readonly Row[], query: string): Row[] {
  const text = query.trim().toUpperCase();
  return rows.filter((row) => row.coin.includes(text));
}

/** An SVG path through closes, in a box of this size, with breaks where there were no trades. */
export function sparkline(
  closes: readonly (number | null)[],
  width: number,
  height: number,
): string {
  const known = closes.filter((c): c is number => c !== null);
  if (known.length < 2) return '';
  const low = Math.min(...known);
  const range = Math.max(...known) - low || 1;
  let pen = 'M';
  let path = '';
  closes.forEach((close, i) => {
    if (close === null) {
      pen = 'M';
      return;
    }
    const x = (i / (closes.length - 1)) * width;
    path += `${pen}${x.toFixed(1)} ${(height - 1 - ((close - low) / range) * (height - 2)).toFixed(1)}`;
    pen = 'L';
  });
  return path;
}
