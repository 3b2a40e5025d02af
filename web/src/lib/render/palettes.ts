/**
 * Colour maps of monotonic lightness, in normal vision and in three colour-blindness simulations.
 *
 * RGB triples, base64. Inferno and viridis: van der Walt and Smith, CC0; cividis: Nuñez,
 * Anderton and Renslow 2018, CC0.
 */

export type PaletteName = 'inferno' | 'viridis' | 'cividis';

export const PALETTES: readonly PaletteName[] = ['inferno', 'viridis', 'cividis'];

/** The darkest fifth of inferno blends into the background, so it starts at 0.2. */
const START: Record<PaletteName, number> = { inferno: 0.2, viridis: 0.05, cividis: 0.1 };

/** In the light theme the scale is reversed, without its palest part, which blends into white. */
const PALEST: Record<PaletteName, number> = { inferno: 0.93, viridis: 0.97, cividis: 0.97 };

/** The darkest part of inferno is black, which hides both hue and candles. */
const DARKEST: Record<PaletteName, number> = { inferno: 0.1, viridis: 0, cividis: 0 };

const GAMMA = 0.8;

/** Every fifth of 256 colours; linear interpolation between them is within 4/255. */
const KNOTS = 52;

const TRIPLES: Record<PaletteName, string> = {
  inferno:
    'AAAEAgIMBQQXCgciEAktFgs5HgxFJgxRLwpbOAliQApnSQtqUQ5sWRBuYRNuaRZucRlueBxtgB9siCJqkCVomCdmoCpjqC5fsDFbtzVX' +
    'vzlSxj1NzEJI00dD2U0931M35Fox6WEr7Wkl8XEf9HkY94IS+YsL+pQH+50H/KYM/LAU+7of+sQq+M039tdG9OFW8upp8vJ99fmS/P+k',
  viridis:
    'RAFURghcRxBjSBdpSB1vSCR1Ryp6RjB+RTeBQz2EQUKHP0iJPU6KOlOLOFmMNV6NM2ONMWiOLm2OLHGOKnaOKXuOJ4COJYSOI4mOIY6N' +
    'IJKMH5eLHpyJH6GIIaWFJKqDKK6ALrN8Nbd5Pbx0RsBvUMRqWshkZctecM9XfNJQidVIldhAoto3sN0vvd8myuEf2OIZ5eQZ8eUd/ecl',
  cividis:
    'ACJOACZWACpfAC1oADBwCDNwFjdwIDpvJz5uLkFtNEVsOkhsP0xsRE9sSVNsTlZsU1ptV11tXGFuYGRvZWhwaWtxbW9ycnJ0dnZ2enp4' +
    'fn14g4F5iIV4jYh4kox4lpB3m5R2oJh1pZx0qqBzr6Rxtahvuqxtv7BrxLRoybllz71i1MFf2sZb38pX5c9S6tNM8NhG9t0//OI2/ug4',
};

/** RGB at a position 0…1 of the used part of a palette. */
export type Ramp = (t: number) => [number, number, number];

/** `light`: for the light theme, where large values are dark. */
export function ramp(name: PaletteName, grey = false, light = false, gamma = GAMMA): Ramp {
  const table = Uint8Array.from(atob(TRIPLES[name]), (c) => c.charCodeAt(0));
  const [start, end] = light ? [PALEST[name], DARKEST[name]] : [START[name], 1];
  return (t) => {
    const position = (start + (end - start) * Math.min(1, Math.max(0, t)) ** gamma) * (KNOTS - 1);
    const knot = Math.min(KNOTS - 2, Math.floor(position));
    const [r, g, b] = [0, 1, 2].map((c) => {
      const from = table[knot * 3 + c];
      return Math.round(from + (table[knot * 3 + 3 + c] - from) * (position - knot));
    });
    if (!grey) return [r, g, b];
    // A stale map keeps its lightness but loses most of its saturation.
    const l = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    return [r, g, b].map((c) => Math.round(l + (c - l) * 0.25)) as [number, number, number];
  };
}

/** Palette position of a position on the money scale: quadratic, so that the middle stays dark. */
export const moneyCurve = (t: number): number => Math.min(1, Math.max(0, t)) ** 2;

/**
 * RGBA words (little-endian ABGR) for every cell byte; cells below the threshold are transparent.
 */
export function lookup(
  name: PaletteName,
  lo: number,
  hi: number,
  grey = false,
  light = false,
): Uint32Array {
  const colour = ramp(name, grey, light);
  const out = new Uint32Array(256);
  for (let v = 1; v < 256; v++) {
    const t = (v - lo) / Math.max(1e-6, hi - lo);
    if (t < 0) continue;
    const [r, g, b] = colour(moneyCurve(t));
    const alpha = Math.round(255 * Math.min(1, 0.35 + t * 2));
    out[v] = ((alpha << 24) | (b << 16) | (g << 8) | r) >>> 0;
  }
  return out;
}
