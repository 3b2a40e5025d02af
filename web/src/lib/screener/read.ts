/** Reads the screener, and sorts and filters its table. */

export interface NearestCluster {
  distance: number;
  usd: number;
  low: number;
  high: number;
}

export interface Row {
  coin: string;
  /** False for a coin without data yet; `why` gives the reason. */
  known: boolean;
  why: string;
  price: number;
  tick: number;
  change: number;
  below: NearestCluster | null;
  above: NearestCluster | null;
  steep: { long: number; short: number };
  longShare: number;
  funding: number;
  oi: number;
  closes: readonly (number | null)[];
  grade: string;
  gradeWhy: string;
  age: number;
  partial: boolean;
}

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

type Raw = Record<string, unknown>;
const number = (x: unknown): number => (typeof x === 'number' ? x : NaN);

function near(raw: unknown): NearestCluster | null {
  if (typeof raw !== 'object' || raw === null) return null;
  const { distance, usd, low, high } = raw as Raw;
  return { distance: number(distance), usd: number(usd), low: number(low), high: number(high) };
}

export function readScreener(raw: unknown): Row[] {
  const { coins } = raw as { coins?: Raw[] };
  if (!Array.isArray(coins)) throw new Error('expected coins in the screener');
  return coins.map((c) => {
    const grade = c['grade'] as { letter?: string; why?: string } | null | undefined;
    const steep = (c['steepness'] ?? {}) as Raw;
    return {
      coin: String(c['coin']),
      known: c['known'] === true,
      why: String(c['why'] ?? ''),
      price: number(c['price']),
      tick: number(c['tick']),
      change: number(c['change']),
      below: near(c['below']),
      above: near(c['above']),
      steep: { long: number(steep['long']), short: number(steep['short']) },
      longShare: number(c['long_share']),
      funding: number(c['funding']),
      oi: number(c['oi']),
      closes: Array.isArray(c['closes']) ? (c['closes'] as (number | null)[]) : [],
      grade: grade?.letter ?? '',
      gradeWhy: grade?.why ?? '',
      age: number(c['age']),
      partial: c['partial'] === true,
    };
  });
}

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
