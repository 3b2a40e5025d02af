/** The tape as columns: prints are appended, and those of at least a size are indexed. */
import type { TapeAnswer } from '../wire/schema-on-demand';

/** Mark of a row, see `TapeAnswer.mark`. */
export const PRINT = 0;
export const LARGE = 1;
export const LIQUIDATED_LONG = 2;
export const LIQUIDATED_SHORT = 3;

const FIRST_CAPACITY = 4_096;

export interface TapeRow {
  time: number;
  market: string;
  price: number;
  /** Base coin, negative where a seller took; 0 or more of liquidations. */
  size: number;
  notional: number;
  count: number;
  mark: number;
}

/** Whether a seller took: the liquidation of a long is a forced sale. */
export const isSold = ({ size, mark }: TapeRow): boolean => mark === LIQUIDATED_LONG || size < 0;

type Columns = Pick<
  TapeAnswer,
  'time' | 'market' | 'price' | 'size' | 'notional' | 'count' | 'mark'
>;

function columns(capacity: number): Columns {
  return {
    time: new Float64Array(capacity),
    market: new Uint16Array(capacity),
    price: new Float64Array(capacity),
    size: new Float32Array(capacity),
    notional: new Float32Array(capacity),
    count: new Uint16Array(capacity),
    mark: new Uint8Array(capacity),
  };
}

export class Tape {
  length = 0;
  #columns = columns(FIRST_CAPACITY);
  readonly #markets: string[] = [];

  /** Append prints, oldest first. */
  append(tape: Columns & Pick<TapeAnswer, 'markets'>): void {
    this.#reserve(this.length + tape.time.length);
    const markets = Uint16Array.from(tape.markets, (name) => this.#numberOf(name));
    const { length } = this;
    for (const key of ['time', 'price', 'size', 'notional', 'count', 'mark'] as const)
      this.#columns[key].set(tape[key], length);
    tape.market.forEach((market, i) => {
      this.#columns.market[length + i] = markets[market];
    });
    this.length += tape.time.length;
  }

  /** Time of the newest print, µs UTC; 0 before any. */
  get newest(): number {
    return this.length ? this.#columns.time[this.length - 1] : 0;
  }

  row(i: number): TapeRow {
    const { time, market, price, size, notional, count, mark } = this.#columns;
    return {
      time: time[i],
      market: this.#markets[market[i]],
      price: price[i],
      size: size[i],
      notional: notional[i],
      count: count[i],
      mark: mark[i],
    };
  }

  /** Numbers of the newest `limit` prints of at least `least` coins from a part, newest first. */
  find(least: number, limit: number, from: number, to: number): number[] {
    const found: number[] = [];
    const { size } = this.#columns;
    for (let i = to - 1; i >= from && found.length < limit; i--)
      if (Math.abs(size[i]) >= least) found.push(i);
    return found;
  }

  #numberOf(name: string): number {
    const known = this.#markets.indexOf(name);
    return known >= 0 ? known : this.#markets.push(name) - 1;
  }

  #reserve(needed: number): void {
    const before = this.#columns;
    if (needed <= before.time.length) return;
    const after = columns(Math.max(needed, before.time.length * 2));
    for (const key of Object.keys(after) as (keyof Columns)[]) after[key].set(before[key]);
    this.#columns = after;
  }
}

/** Prints looked at in one go: a fraction of a millisecond, so that no frame is late. */
export const SLICE = 50_000;

export interface Found {
  /** Number of the print on the tape, the same as long as the tape lives. */
  id: number;
  row: TapeRow;
}

/**
 * The newest prints of at least a size, found slice by slice: what was looked at is never looked at
 * again, however many prints come.
 */
export class TapeFilter {
  /** Newest first. */
  rows: readonly Found[] = [];
  readonly #tape: Tape;
  readonly #least: number;
  readonly #limit: number;
  /** Numbers of the first print looked at, and of the one after the last. */
  #from: number;
  #to: number;

  constructor(tape: Tape, least: number, limit: number) {
    this.#tape = tape;
    this.#least = least;
    this.#limit = limit;
    this.#from = this.#to = tape.length;
  }

  /** Whether older prints are still to be looked at. */
  get searching(): boolean {
    return this.rows.length < this.#limit && this.#from > 0;
  }

  /** Look at what was appended; after very many, begin again at the newest. */
  follow(): void {
    const { length } = this.#tape;
    if (length - this.#to > SLICE) {
      this.rows = [];
      this.#from = length;
    } else this.#take(this.#to, length, true);
    this.#to = length;
  }

  /** Look at a slice of older prints. */
  step(): void {
    if (!this.searching) return;
    const from = Math.max(0, this.#from - SLICE);
    this.#take(from, this.#from, false);
    this.#from = from;
  }

  #take(from: number, to: number, newer: boolean): void {
    const limit = newer ? this.#limit : this.#limit - this.rows.length;
    const found = this.#tape
      .find(this.#least, limit, from, to)
      .map((id) => ({ id, row: this.#tape.row(id) }));
    if (!found.length) return;
    this.rows = (newer ? [...found, ...this.rows] : [...this.rows, ...found]).slice(0, this.#limit);
  }
}
