/**
 * Cells at full and reduced resolution (a mip pyramid). Reduction takes the maximum, so that a
 * level stays visible when a whole month is shown; for the ground it takes the mean.
 *
 * Level 0 is row-major, top row first. Coarser levels are computed on first use.
 */

export interface Level {
  readonly fx: number;
  readonly fy: number;
  readonly width: number;
  readonly height: number;
  readonly cells: Uint8Array;
}

const FACTORS = [1, 2, 4, 8, 16] as const;

/** Smallest factor whose reduced cells are at least one device pixel. */
export function factorFor(pixels: number): number {
  return FACTORS.find((f) => f * pixels >= 1) ?? FACTORS[FACTORS.length - 1];
}

export class Pyramid {
  readonly width: number;
  readonly height: number;
  readonly #base: Uint8Array;
  readonly #cell: Pool;
  readonly #levels = new Map<number, Level>();

  constructor(width: number, height: number, pool: 'largest' | 'mean' = 'largest') {
    this.#cell = pool === 'largest' ? largest : mean;
    this.width = width;
    this.height = height;
    this.#base = new Uint8Array(width * height);
    this.#levels.set(key(1, 1), { fx: 1, fy: 1, width, height, cells: this.#base });
  }

  value(col: number, y: number): number {
    return this.#base[y * this.width + col];
  }

  level(fx: number, fy: number): Level {
    const cached = this.#levels.get(key(fx, fy));
    if (cached) return cached;
    const width = Math.ceil(this.width / fx);
    const height = Math.ceil(this.height / fy);
    const level = { fx, fy, width, height, cells: new Uint8Array(width * height) };
    for (let x = 0; x < width; x++) this.#pool(level, x);
    this.#levels.set(key(fx, fy), level);
    return level;
  }

  /** Set a column from its cells, lowest price first. */
  put(col: number, cells: Uint8Array): void {
    const { width, height } = this;
    for (let row = 0; row < height; row++)
      this.#base[(height - 1 - row) * width + col] = cells[row];
    this.#refresh(col);
  }

  /** Write a column's cells into `out`, lowest price first. */
  read(col: number, out: Uint8Array): void {
    for (let row = 0; row < this.height; row++)
      out[row] = this.#base[(this.height - 1 - row) * this.width + col];
  }

  /** Set some rows of a column; row 0 is the lowest price. */
  patch(col: number, rows: Uint16Array, values: Uint8Array): void {
    for (let k = 0; k < rows.length; k++) {
      if (rows[k] < this.height)
        this.#base[(this.height - 1 - rows[k]) * this.width + col] = values[k];
    }
    if (rows.length) this.#refresh(col);
  }

  copy(from: number, to: number): void {
    for (let y = 0; y < this.height; y++)
      this.#base[y * this.width + to] = this.#base[y * this.width + from];
    this.#refresh(to);
  }

  #refresh(col: number): void {
    for (const level of this.#levels.values())
      if (level.fx * level.fy > 1) this.#pool(level, Math.floor(col / level.fx));
  }

  #pool(level: Level, x: number): void {
    const { fx, fy, width, cells } = level;
    const from = x * fx;
    const to = Math.min(this.width, from + fx);
    for (let y = 0; y < level.height; y++) {
      const bottom = Math.min(this.height, (y + 1) * fy);
      cells[y * width + x] = this.#cell(this.#base, this.width, from, to, y * fy, bottom);
    }
  }
}

/** Reduces columns [from, to) and rows [top, bottom) to one byte. */
type Pool = (
  base: Uint8Array,
  width: number,
  from: number,
  to: number,
  top: number,
  bottom: number,
) => number;

function largest(
  base: Uint8Array,
  width: number,
  from: number,
  to: number,
  top: number,
  bottom: number,
): number {
  let max = 0;
  for (let y = top; y < bottom; y++) {
    for (let i = y * width + from; i < y * width + to; i++) if (base[i] > max) max = base[i];
  }
  return max;
}

function mean(
  base: Uint8Array,
  width: number,
  from: number,
  to: number,
  top: number,
  bottom: number,
): number {
  let sum = 0;
  for (let y = top; y < bottom; y++)
    for (let i = y * width + from; i < y * width + to; i++) sum += base[i];
  return sum / ((to - from) * (bottom - top));
}

function key(fx: number, fy: number): number {
  return fx * 32 + fy;
}
