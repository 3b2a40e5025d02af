/**
 * Cells at full and reduced size. Reduction takes the largest cell, never the mean and never the
 * nearest, so that a bright level is still bright when a whole month is in sight.
 *
 * Level 0 is row-major, top row first. Coarser levels are made when first asked for.
 */

export interface Level {
  readonly fx: number;
  readonly fy: number;
  readonly width: number;
  readonly height: number;
  readonly cells: Uint8Array;
}

const FACTORS = [1, 2, 4, 8, 16] as const;

/** Smallest factor whose reduced cells are at least one device pixel, so that none falls between pixels. */
export function factorFor(pixels: number): number {
  return FACTORS.find((f) => f * pixels >= 1) ?? FACTORS[FACTORS.length - 1];
}

export class Pyramid {
  readonly width: number;
  readonly height: number;
  readonly #base: Uint8Array;
  readonly #levels = new Map<number, Level>();

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.#base = new Uint8Array(width * height);
    this.#levels.set(key(1, 1), { fx: 1, fy: 1, width, height, cells: this.#base });
  }

  value(col: number, y: number): number {
    return this.#base[y * this.width + col];
  }

  level(fx: number, fy: number): Level {
    const known = this.#levels.get(key(fx, fy));
    if (known) return known;
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
    for (let row = 0; row < height; row++) this.#base[(height - 1 - row) * width + col] = cells[row];
    this.#refresh(col);
  }

  /** Set the named rows of a column; row 0 is the lowest price. */
  patch(col: number, rows: Uint16Array, values: Uint8Array): void {
    for (let k = 0; k < rows.length; k++) {
      if (rows[k] < this.height) this.#base[(this.height - 1 - rows[k]) * this.width + col] = values[k];
    }
    if (rows.length) this.#refresh(col);
  }

  copy(from: number, to: number): void {
    for (let y = 0; y < this.height; y++) this.#base[y * this.width + to] = this.#base[y * this.width + from];
    this.#refresh(to);
  }

  #refresh(col: number): void {
    for (const level of this.#levels.values()) if (level.fx * level.fy > 1) this.#pool(level, Math.floor(col / level.fx));
  }

  #pool(level: Level, x: number): void {
    const { fx, fy, width, cells } = level;
    const from = x * fx;
    const to = Math.min(this.width, from + fx);
    for (let y = 0; y < level.height; y++) {
      let most = 0;
      const bottom = Math.min(this.height, (y + 1) * fy);
      for (let yy = y * fy; yy < bottom; yy++) {
        const row = yy * this.width;
        for (let i = row + from; i < row + to; i++) if (this.#base[i] > most) most = this.#base[i];
      }
      cells[y * width + x] = most;
    }
  }
}

function key(fx: number, fy: number): number {
  return fx * 32 + fy;
}
