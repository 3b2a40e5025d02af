/** The live map in memory: cells row-major from the top, candles beside them, room to grow to the right. */
import type { Column, MapSnapshot } from '../wire/types';
import { GroundFinder } from './ground';
import { CellScale } from './scale';
import { Pyramid } from './pyramid';

/** Columns that may be appended before the map must be fetched anew. */
export const ROOM = 128;

/** Indices of a candle in its five numbers. */
export const OPEN = 0;
export const HIGH = 1;
export const LOW = 2;
export const CLOSE = 3;

export type Applied = 'changed' | 'appended' | 'full' | 'unknown';

/** What stands above the ground, and the ground. */
export interface Relief {
  above: Pyramid;
  under: Pyramid;
}

/** Counts of the bytes in sight: of the cells as they are drawn, and of the ground where that is drawn. */
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
  /** Which venues were down in a column, where the page itself saw it. */
  readonly absent = new Map<number, readonly string[]>();
  cols: number;
  #relief: Relief | null = null;
  #finder: GroundFinder | null = null;

  constructor(map: MapSnapshot) {
    this.rows = map.rows;
    this.cols = map.cols;
    this.capacity = map.cols + ROOM;
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
    for (let i = 0; i < map.cols; i++) this.pyramid.put(i, map.cells.subarray(i * map.rows, (i + 1) * map.rows));
  }

  time(col: number): number {
    return this.t0 + col * this.step;
  }

  /** Price of a row edge; edge `rows` is the top of the map. */
  edge(row: number): number {
    return Math.exp(this.p0 + row * this.dp);
  }

  /** Row of a price as a fraction: the row holding it is its floor. */
  rowOf(price: number): number {
    return (Math.log(price) - this.p0) / this.dp;
  }

  /** Column of a time as a fraction. */
  colOf(micros: number): number {
    return (micros - this.t0) / this.step;
  }

  /** Whether a column lies in a gap, or in one of some venues only. */
  hole(col: number): 'all' | 'some' | null {
    const within = ([from, to]: readonly [number, number]): boolean => col >= from && col < to;
    if (this.gaps.some(within)) return 'all';
    return this.partial.some(within) ? 'some' : null;
  }

  /** Say that the newest column began while these venues were down. */
  miss(names: readonly string[]): void {
    const col = this.cols - 1;
    this.absent.set(col, names);
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

  /** Newest close that was seen, and its column. */
  last(): { col: number; close: number } {
    for (let col = this.cols - 1; col >= 0; col--) {
      const close = this.close(col);
      if (!Number.isNaN(close)) return { col, close };
    }
    return { col: this.cols - 1, close: NaN };
  }

  /** Lowest low and highest high of columns [from, to), or null where nothing was seen. */
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

  /** The same cells as what stands above the ground and the ground; made when first asked for, then kept up. */
  get relief(): Relief {
    if (this.#relief) return this.#relief;
    const made = { above: new Pyramid(this.capacity, this.rows), under: new Pyramid(this.capacity, this.rows, 'mean') };
    this.#finder = new GroundFinder(this.rows, this.dp, this.scale);
    this.#relief = made;
    for (let col = 0; col < this.cols; col++) this.#raise(col);
    return made;
  }

  /** Find the ground of a column anew, if relief is in use. */
  #raise(col: number): void {
    if (!this.#relief || !this.#finder) return;
    const [cells, above, under] = [0, 1, 2].map(() => new Uint8Array(this.rows));
    this.pyramid.read(col, cells);
    this.#finder.split(cells, above, under);
    this.#relief.above.put(col, above);
    this.#relief.under.put(col, under);
  }

  /** Count the bytes in columns [c0, c1) and rows [r0, r1), sampled to stay cheap; of relief, the ground as well. */
  histogram(c0: number, c1: number, r0: number, r1: number, relief = false): Counts {
    const part = [c0, c1, r0, r1] as const;
    if (!relief) return { cells: this.#counted(this.pyramid, ...part), ground: null };
    return { cells: this.#counted(this.relief.above, ...part), ground: this.#counted(this.relief.under, ...part) };
  }

  #counted(of: Pyramid, c0: number, c1: number, r0: number, r1: number): Uint32Array {
    const out = new Uint32Array(256);
    const stride = Math.max(1, Math.floor((c1 - c0) / 160));
    const top = Math.min(this.rows, Math.ceil(r1));
    for (let col = Math.max(0, Math.floor(c0)); col < Math.min(this.cols, c1); col += stride) {
      for (let row = Math.max(0, Math.floor(r0)); row < top; row++) out[of.value(col, this.rows - 1 - row)]++;
    }
    return out;
  }

  /** Take in one column of the stream. `full` asks for a fresh snapshot: no room, or a hole in time. */
  apply(column: Column): Applied {
    const at = Math.round(this.colOf(column.t));
    if (at < this.cols - 2 || at < 0) return 'unknown';
    if (at > this.cols || at >= this.capacity) return 'full';
    if (column.full && column.values.length !== this.rows) return 'full';
    const appended = at === this.cols;
    if (appended) {
      this.cols++;
      // A diff against a new column is a diff against the one before it.
      if (!column.full) this.pyramid.copy(at - 1, at);
    }
    this.ohlc.set(column.k.slice(0, 5), at * 5);
    if (column.full) this.pyramid.put(at, column.values);
    else this.pyramid.patch(at, column.rows, column.values);
    this.#raise(at);
    return appended ? 'appended' : 'changed';
  }
}
