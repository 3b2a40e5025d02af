/** Cell bytes are logarithmic: v > 0 is vmin*(vmax/vmin)^((v-1)/254) dollars, 0 is empty. */

/** Float bits dropped for the lookup: 8 bits of mantissa remain. */
const DROPPED_BITS = 15;

export class CellScale {
  readonly vmin: number;
  readonly vmax: number;
  readonly #log: number;
  readonly #table = new Float64Array(256);
  /** Byte for every value of the remaining float bits; the upper half is negative. */
  #lookup: Uint8Array | null = null;

  constructor(vmin: number, vmax: number) {
    if (!(vmin > 0 && vmax > vmin))
      throw new RangeError(`expected 0 < vmin < vmax, got ${vmin} and ${vmax}`);
    this.vmin = vmin;
    this.vmax = vmax;
    this.#log = Math.log(vmax / vmin);
    for (let v = 1; v < 256; v++) this.#table[v] = this.at(v);
  }

  /** Dollars of a cell byte. */
  dollars(v: number): number {
    return this.#table[v];
  }

  /** Dollars at any position of the scale, including fractions. */
  at(position: number): number {
    return this.vmin * Math.exp((this.#log * (position - 1)) / 254);
  }

  /** Convert amounts to bytes, 0 below the scale; `usd` is rounded to 0.4 %. */
  bytes(usd: Float32Array, out: Uint8Array): void {
    const bits = new Uint32Array(usd.buffer, usd.byteOffset, usd.length);
    this.#lookup ??= this.#buildLookup();
    const lookup = this.#lookup;
    for (let i = 0; i < bits.length; i++) out[i] = lookup[bits[i] >>> DROPPED_BITS];
  }

  #buildLookup(): Uint8Array {
    const out = new Uint8Array(1 << (32 - DROPPED_BITS));
    const one = new Float32Array(1);
    const bits = new Uint32Array(one.buffer);
    for (let i = 0; i < out.length / 2; i++) {
      bits[0] = ((i << DROPPED_BITS) | (1 << (DROPPED_BITS - 1))) >>> 0;
      if (one[0] >= this.vmin) out[i] = Math.round(this.position(one[0]));
    }
    return out;
  }

  /** Position on the byte scale, a fraction within 1…255. */
  position(usd: number): number {
    if (!(usd > this.vmin)) return 1;
    return Math.min(255, 1 + (254 * Math.log(usd / this.vmin)) / this.#log);
  }
}

/** Threshold and peak of the colours, as positions on the byte scale. */
export interface ColourRange {
  lo: number;
  hi: number;
}

const MIN_WIDTH = 16;

/**
 * The colour range for the visible cells: coloured cells hold 80 % of the visible dollars, the peak
 * is the 99.8th percentile. Null when no cell is visible.
 */
export function autoRange(histogram: Uint32Array, scale: CellScale): ColourRange | null {
  let count = 0;
  let total = 0;
  for (let v = 1; v < 256; v++) {
    count += histogram[v];
    total += histogram[v] * scale.dollars(v);
  }
  if (!count) return null;
  const percentile = (share: number): number => {
    let cumulated = 0;
    for (let v = 1; v < 256; v++) {
      cumulated += histogram[v];
      if (cumulated >= share * count) return v;
    }
    return 255;
  };
  let covered = 0;
  let lo = 255;
  while (lo > 1 && covered < 0.8 * total) covered += histogram[lo] * scale.dollars(lo--);
  lo = Math.min(Math.max(lo, percentile(0.5)), percentile(0.85));
  const hi = Math.max(percentile(0.998), lo + MIN_WIDTH);
  return hi > 255 ? { lo: 255 - MIN_WIDTH, hi: 255 } : { lo, hi };
}

/** Smaller cells are ignored when a range is fitted to relief or ground; in multiples of vmin. */
const MIN_COUNTED = 2;
/** Largest ratio of peak to threshold of the relief range. */
const MAX_RATIO = 25;

/** The range between two percentiles of the counted cells, or null if there are none. */
function percentileRange(
  histogram: Uint32Array,
  scale: CellScale,
  low: number,
  high: number,
): ColourRange | null {
  const from = Math.ceil(scale.position(MIN_COUNTED * scale.vmin));
  const count = histogram.subarray(from).reduce((a, b) => a + b, 0);
  if (!count) return null;
  const percentile = (share: number): number => {
    let cumulated = 0;
    let v = from - 1;
    while (v < 255 && cumulated < share * count) cumulated += histogram[++v];
    return v;
  };
  const lo = percentile(low);
  const hi = Math.max(percentile(high), lo + MIN_WIDTH);
  return hi > 255 ? { lo: 255 - MIN_WIDTH, hi: 255 } : { lo, hi };
}

/**
 * The colour range of relief: 64th to 99th percentile of the visible cells. The peak is at least
 * half of the median ground (the threshold of a cluster), so that noise on a flat map stays dark.
 */
export function reliefRange(
  { cells, ground }: { cells: Uint32Array; ground: Uint32Array },
  scale: CellScale,
): ColourRange | null {
  const found = percentileRange(cells, scale, 0.64, 0.99);
  if (!found) return null;
  const under = percentileRange(ground, scale, 0.5, 0.5);
  const hi = Math.min(255, Math.max(found.hi, under ? scale.position(scale.at(under.lo) / 2) : 0));
  return {
    lo: Math.min(hi - MIN_WIDTH, Math.max(found.lo, scale.position(scale.at(hi) / MAX_RATIO))),
    hi,
  };
}

/** The colour range of the ground, which is drawn in the darkest part of the palette. */
export function groundRange(histogram: Uint32Array, scale: CellScale): ColourRange | null {
  return percentileRange(histogram, scale, 0.1, 0.99);
}
