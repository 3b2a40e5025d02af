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
  /** Base coin, negative where a seller took. */
  size: number;
  notional: number;
  count: number;
  mark: number;
}

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

  /** The newest `limit` prints of at least `least` coins, newest first: stops once it has them. */
  newestOf(least: number, limit: number): TapeRow[] {
    const found: TapeRow[] = [];
    const { size } = this.#columns;
    for (let i = this.length - 1; i >= 0 && found.length < limit; i--)
      if (Math.abs(size[i]) >= least) found.push(this.row(i));
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
