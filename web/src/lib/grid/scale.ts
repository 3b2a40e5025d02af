/** The logarithmic byte of a cell: v > 0 is vmin*(vmax/vmin)^((v-1)/254) dollars, 0 is nothing. */

export class CellScale {
  readonly vmin: number;
  readonly vmax: number;
  readonly #log: number;
  readonly #table = new Float64Array(256);

  constructor(vmin: number, vmax: number) {
    if (!(vmin > 0 && vmax > vmin)) throw new RangeError(`expected 0 < vmin < vmax, got ${vmin} and ${vmax}`);
    this.vmin = vmin;
    this.vmax = vmax;
    this.#log = Math.log(vmax / vmin);
    for (let v = 1; v < 256; v++) this.#table[v] = this.at(v);
  }

  /** Dollars of a cell byte. */
  dollars(v: number): number {
    return this.#table[v];
  }

  /** Dollars at any position of the scale, between bytes too. */
  at(position: number): number {
    return this.vmin * Math.exp((this.#log * (position - 1)) / 254);
  }

  /** Position on the byte scale, not rounded, within 1…255. */
  position(usd: number): number {
    if (!(usd > this.vmin)) return 1;
    return Math.min(255, 1 + (254 * Math.log(usd / this.vmin)) / this.#log);
  }
}

/** Threshold and peak as positions on the byte scale. */
export interface HeatWindow {
  lo: number;
  hi: number;
}

const NARROWEST = 16;

/**
 * The window that shows what is in sight: lit cells hold most of the visible dollars, the peak is
 * the 99.8th percentile. Null when nothing is in sight.
 */
export function autoWindow(histogram: Uint32Array, scale: CellScale): HeatWindow | null {
  let count = 0;
  let mass = 0;
  for (let v = 1; v < 256; v++) {
    count += histogram[v];
    mass += histogram[v] * scale.dollars(v);
  }
  if (!count) return null;
  const at = (share: number): number => {
    let seen = 0;
    for (let v = 1; v < 256; v++) {
      seen += histogram[v];
      if (seen >= share * count) return v;
    }
    return 255;
  };
  let held = 0;
  let lo = 255;
  while (lo > 1 && held < 0.8 * mass) held += histogram[lo] * scale.dollars(lo--);
  lo = Math.min(Math.max(lo, at(0.5)), at(0.85));
  const hi = Math.max(at(0.998), lo + NARROWEST);
  return hi > 255 ? { lo: 255 - NARROWEST, hi: 255 } : { lo, hi };
}
