/**
 * Ground and relief of a column: the background its prices share, and what stands above it.
 *
 * The ground is a morphological opening over 1.2 % of price: the minimum over the window, then the
 * maximum of those, raised to its own mean where that is higher. A wide block keeps its height, a
 * narrower band is all relief. The server computes the ground of clusters by the same rule
 * (`maps/heatmap/ground.py`); both are tested against one table of values.
 */
import type { CellScale } from './scale';

/** Window in log price. */
const WINDOW = 0.012;

/** Window in rows: odd, at least 3. */
export function windowRows(dp: number): number {
  return Math.max(3, Math.round(WINDOW / dp) | 1);
}

/** Computes the ground of columns of `rows` rows; buffers are reused. */
export class GroundFinder {
  readonly #rows: number;
  readonly #half: number;
  readonly #quarter: number;
  readonly #scale: CellScale;
  readonly #padded: Uint8Array;
  readonly #opened: Uint8Array;
  readonly #sums: Float64Array;
  readonly #usd: Float64Array;
  readonly #above: Float32Array;

  constructor(rows: number, dp: number, scale: CellScale) {
    const window = windowRows(dp);
    this.#rows = rows;
    this.#half = window >> 1;
    this.#quarter = Math.max(1, window >> 2);
    this.#scale = scale;
    this.#padded = new Uint8Array(rows + 2 * this.#half);
    this.#opened = new Uint8Array(rows);
    this.#sums = new Float64Array(rows + 1);
    this.#usd = new Float64Array(rows);
    this.#above = new Float32Array(rows);
  }

  /** Ground of a column in dollars, lowest price first; the array is reused for the next column. */
  ground(cells: Uint8Array): Float64Array {
    const opened = this.#opened;
    this.#extreme(cells, opened, 255, false);
    this.#extreme(opened, opened, 0, true);
    for (let i = 0; i < this.#rows; i++)
      this.#sums[i + 1] = this.#sums[i] + this.#scale.dollars(opened[i]);
    for (let i = 0; i < this.#rows; i++) {
      const from = Math.max(0, i - this.#quarter);
      const to = Math.min(this.#rows, i + this.#quarter + 1);
      const mean = (this.#sums[to] - this.#sums[from]) / (to - from);
      this.#usd[i] = Math.max(
        this.#scale.dollars(opened[i]),
        Math.min(mean, this.#scale.dollars(cells[i])),
      );
    }
    return this.#usd;
  }

  /** Split a column into relief and ground, both as cell bytes. */
  split(cells: Uint8Array, relief: Uint8Array, under: Uint8Array): void {
    const ground = this.ground(cells);
    for (let i = 0; i < this.#rows; i++) this.#above[i] = this.#scale.dollars(cells[i]) - ground[i];
    this.#scale.bytes(this.#above, relief);
    this.#above.set(ground);
    this.#scale.bytes(this.#above, under);
  }

  /**
   * Minimum or maximum over `half` rows on either side. Windows grow by doubling; two cover a full
   * one.
   */
  #extreme(from: Uint8Array, to: Uint8Array, worst: number, greatest: boolean): void {
    const spans = this.#padded.fill(worst);
    spans.set(from, this.#half);
    const whole = 2 * this.#half + 1;
    let width = 1;
    for (; 2 * width <= whole; width *= 2)
      merge(spans, spans, spans.length - width, width, greatest);
    merge(spans, to, this.#rows, whole - width, greatest);
  }
}

function merge(
  from: Uint8Array,
  to: Uint8Array,
  count: number,
  shift: number,
  greatest: boolean,
): void {
  for (let i = 0; i < count; i++) {
    const a = from[i];
    const b = from[i + shift];
    to[i] = a > b === greatest ? a : b;
  }
}
