/** The logarithmic byte of a cell: v > 0 is vmin*(vmax/vmin)^((v-1)/254) dollars, 0 is nothing. */

/** Bits of a float that are left out: 8 of its mantissa stay. */
const COARSE = 15;

export class CellScale {
  readonly vmin: number;
  readonly vmax: number;
  readonly #log: number;
  readonly #table = new Float64Array(256);
  /** Byte of the middle of all floats whose upper bits are the same; the upper half are negative. */
  #coarse: Uint8Array | null = null;

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

  /** Bytes of amounts, 0 below the floor of the scale; `usd` is read by its bits, 0.4 % apart. */
  bytes(usd: Float32Array, out: Uint8Array): void {
    const bits = new Uint32Array(usd.buffer, usd.byteOffset, usd.length);
    const coarse = (this.#coarse ??= this.#middles());
    for (let i = 0; i < bits.length; i++) out[i] = coarse[bits[i] >>> COARSE];
  }

  #middles(): Uint8Array {
    const out = new Uint8Array(1 << (32 - COARSE));
    const one = new Float32Array(1);
    const bits = new Uint32Array(one.buffer);
    for (let i = 0; i < out.length / 2; i++) {
      bits[0] = ((i << COARSE) | (1 << (COARSE - 1))) >>> 0;
      if (one[0] >= this.vmin) out[i] = Math.round(this.position(one[0]));
    }
    return out;
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

/** Cells of less are not counted when a scale is fitted to relief or ground, in floors of the coin's money scale. */
const COUNTED = 2;
/** How many times the threshold the peak of relief is at most. */
const WIDEST = 25;

/** Places of the lower and upper share of the counted cells, or null where there are none. */
function between(histogram: Uint32Array, scale: CellScale, low: number, high: number): HeatWindow | null {
  const from = Math.ceil(scale.position(COUNTED * scale.vmin));
  const count = histogram.subarray(from).reduce((a, b) => a + b, 0);
  if (!count) return null;
  const at = (share: number): number => {
    let seen = 0;
    let v = from - 1;
    while (v < 255 && seen < share * count) seen += histogram[++v];
    return v;
  };
  const lo = at(low);
  const hi = Math.max(at(high), lo + NARROWEST);
  return hi > 255 ? { lo: 255 - NARROWEST, hi: 255 } : { lo, hi };
}

/**
 * The window of what stands above the ground: 64th to 99th percentile of what is in sight. The brightest
 * is at least half of the middle ground, as of a cluster: the unevenness of a flat map is not lit up.
 */
export function reliefWindow({ cells, ground }: { cells: Uint32Array; ground: Uint32Array }, scale: CellScale): HeatWindow | null {
  const found = between(cells, scale, 0.64, 0.99);
  if (!found) return null;
  const under = between(ground, scale, 0.5, 0.5);
  const hi = Math.min(255, Math.max(found.hi, under ? scale.position(scale.at(under.lo) / 2) : 0));
  return { lo: Math.min(hi - NARROWEST, Math.max(found.lo, scale.position(scale.at(hi) / WIDEST))), hi };
}

/** The window of the ground itself, which is drawn in the darkest part of the palette. */
export function groundWindow(histogram: Uint32Array, scale: CellScale): HeatWindow | null {
  return between(histogram, scale, 0.1, 0.99);
}
