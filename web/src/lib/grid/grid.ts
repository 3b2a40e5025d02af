/**
 * The live map in memory: cells row-major from the top, candles, and spare columns at the right.
 */
import type { Column, MapSnapshot } from '../wire/types';
import { GroundFinder } from './ground';
import { Pyramid } from './pyramid';
import { CellScale } from './scale';

/** Columns that can be appended before the map must be refetched. */
export const SPARE_COLUMNS = 128;

/** Offsets within the five numbers of a candle. */
export const OPEN = 0;
export const HIGH = 1;
export const LOW = 2;
export const CLOSE = 3;

export type ApplyResult = 'changed' | 'appended' | 'full' | 'unknown';

/** The cells split into what stands above the ground, and the ground. */
export interface Relief {
  above: Pyramid;
  under: Pyramid;
}

/** Histograms of the visible bytes: of the cells as drawn, and of the ground where it is drawn. */
export interface Counts {
  cells: Uint32Array;
  ground: Uint32Array | null;
}

export class HeatGrid {
  readonly rows: number;
  readonly capacity: number;
  readonly t0: number;
  readonly step: number;
  readonly p0: number;
  readonly dp: number;
  readonly scale: CellScale;
  readonly difference: boolean;
  readonly pyramid: Pyramid;
  readonly ohlc: Float32Array;
  readonly gaps: readonly [number, number][];
  readonly partial: [number, number][];
  /** Venues that were down in a column, as observed by this page. */
  readonly missingVenues = new Map<number, readonly string[]>();
  cols: number;
  #relief: Relief | null = null;
  #finder: GroundFinder | null = null;

  constructor(map: MapSnapshot) {
    this.rows = map.rows;
    this.cols = map.cols;
    this.capacity = map.cols + SPARE_COLUMNS;
    this.t0 = map.t0;
    this.step = map.step;
    this.p0 = map.p0;
    this.dp = map.dp;
    this.gaps = map.gaps;
    this.partial = map.partial.map(([from, to]) => [from, to]);
    this.difference = map.difference ?? false;
    this.scale = new CellScale(map.vmin, map.vmax);
    this.ohlc = new Float32Array(this.capacity * 5).fill(NaN);
    this.ohlc.set(map.ohlc);
    this.pyramid = new Pyramid(this.capacity, map.rows);
    for (let i = 0; i < map.cols; i++)
      this.pyramid.put(i, map.cells.subarray(i * map.rows, (i + 1) * map.rows));
  }

  time(col: number): number {
    return this.t0 + col * this.step;
  }

  /** Price of a row edge; edge `rows` is the top of the map. */
  edge(row: number): number {
    return Math.exp(this.p0 + row * this.dp);
  }

  /** Row of a price as a fraction; its floor is the row that contains it. */
  rowOf(price: number): number {
    return (Math.log(price) - this.p0) / this.dp;
  }

  /** Column of a time as a fraction. */
  colOf(micros: number): number {
    return (micros - this.t0) / this.step;
  }

  /** Whether a column lacks all data, or data of some venues. */
  gapAt(col: number): 'all' | 'some' | null {
    const within = ([from, to]: readonly [number, number]): boolean => col >= from && col < to;
    if (this.gaps.some(within)) return 'all';
    return this.partial.some(within) ? 'some' : null;
  }

  /** Record that the newest column started while these venues were down. */
  markMissing(names: readonly string[]): void {
    const col = this.cols - 1;
    this.missingVenues.set(col, names);
    const last = this.partial.at(-1);
    if (last && last[1] >= col) last[1] = Math.max(last[1], col + 1);
    else this.partial.push([col, col + 1]);
  }

  value(col: number, row: number): number {
    if (col < 0 || col >= this.cols || row < 0 || row >= this.rows) return 0;
    return this.pyramid.value(col, this.rows - 1 - row);
  }

  close(col: number): number {
    return this.ohlc[col * 5 + CLOSE];
  }

  /** The last known close, and its column. */
  last(): { col: number; close: number } {
    for (let col = this.cols - 1; col >= 0; col--) {
      const close = this.close(col);
      if (!Number.isNaN(close)) return { col, close };
    }
    return { col: this.cols - 1, close: NaN };
  }

  /** Lowest low and highest high of columns [from, to), or null without data. */
  extremes(from: number, to: number): { low: number; high: number } | null {
    let low = Infinity;
    let high = -Infinity;
    const end = Math.min(this.cols, to);
    for (let i = Math.max(0, from); i < end; i++) {
      const h = this.ohlc[i * 5 + HIGH];
      const l = this.ohlc[i * 5 + LOW];
      if (h > high) high = h;
      if (l < low) low = l;
    }
    return high >= low ? { low, high } : null;
  }

  /** The cells split into relief and ground; computed on first use, then kept up to date. */
  get relief(): Relief {
    if (this.#relief) return this.#relief;
    const relief = {
      above: new Pyramid(this.capacity, this.rows),
      under: new Pyramid(this.capacity, this.rows, 'mean'),
    };
    this.#finder = new GroundFinder(this.rows, this.dp, this.scale);
    this.#relief = relief;
    for (let col = 0; col < this.cols; col++) this.#updateRelief(col);
    return relief;
  }

  /** Recompute the relief of a column, if relief is in use. */
  #updateRelief(col: number): void {
    if (!this.#relief || !this.#finder) return;
    const [cells, above, under] = [0, 1, 2].map(() => new Uint8Array(this.rows));
    this.pyramid.read(col, cells);
    this.#finder.split(cells, above, under);
    this.#relief.above.put(col, above);
    this.#relief.under.put(col, under);
  }

  /**
   * Histogram of columns [c0, c1) and rows [r0, r1), sampled to stay cheap; for relief also of the
   * ground.
   */
  histogram(c0: number, c1: number, r0: number, r1: number, relief = false): Counts {
    const part = [c0, c1, r0, r1] as const;
    if (!relief) return { cells: this.#count(this.pyramid, ...part), ground: null };
    return {
      cells: this.#count(this.relief.above, ...part),
      ground: this.#count(this.relief.under, ...part),
    };
  }

  #count(of: Pyramid, c0: number, c1: number, r0: number, r1: number): Uint32Array {
    const out = new Uint32Array(256);
    const stride = Math.max(1, Math.floor((c1 - c0) / 160));
    const top = Math.min(this.rows, Math.ceil(r1));
    for (let col = Math.max(0, Math.floor(c0)); col < Math.min(this.cols, c1); col += stride) {
      for (let row = Math.max(0, Math.floor(r0)); row < top; row++)
        out[of.value(col, this.rows - 1 - row)]++;
    }
    return out;
  }

  /**
   * Apply one column of the stream. `full` means that a new snapshot is needed: no room, or a gap
   * in time.
   */
  apply(column: Column): ApplyResult {
    const at = Math.round(this.colOf(column.t));
    if (at < this.cols - 2 || at < 0) return 'unknown';
    if (at > this.cols || at >= this.capacity) return 'full';
    if (column.full && column.v.length !== this.rows) return 'full';
    const appended = at === this.cols;
    if (appended) {
      this.cols++;
      // A diff against a new column is a diff against the one before it.
      if (!column.full) this.pyramid.copy(at - 1, at);
    }
    this.ohlc.set(
      column.k.slice(0, 5).map((x) => x ?? NaN),
      at * 5,
    );
    if (column.full) this.pyramid.put(at, column.v);
    else this.pyramid.patch(at, column.r, column.v);
    this.#updateRelief(at);
    return appended ? 'appended' : 'changed';
  }
}
