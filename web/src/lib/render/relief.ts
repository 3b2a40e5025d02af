/**
 * Colours of relief: the ground uses the darkest part of the palette, what stands above it the
 * rest.
 */
import type { ColourRange } from '../grid/scale';
import { moneyCurve, type PaletteName, type Ramp, ramp } from './palettes';

/** Low bits of the ground byte that are dropped: 64 shades remain. */
export const SHADE_SHIFT = 2;
const SHADES = 256 >> SHADE_SHIFT;

/** Palette position of the brightest ground, and where relief begins. */
const GROUND_TOP = 0.16;
const RELIEF_FROM = 0.2;
const EXPONENT = 1.05;

interface Layer {
  colour: [number, number, number];
  /** 0…1. */
  alpha: number;
}

const TRANSPARENT: Layer = { colour: [0, 0, 0], alpha: 0 };

/** Colour of the ground at a position of its range, translucent; transparent below 0. */
export function groundLayer(colour: Ramp, t: number): Layer {
  const at = Math.min(1, t);
  return {
    colour: colour(GROUND_TOP * Math.max(0, at)),
    alpha: t < 0 ? 0 : 0.85 * (0.22 + 0.5 * at),
  };
}

/** Colour of relief at a position of its range. */
export function reliefLayer(colour: Ramp, t: number): Layer {
  const at = Math.min(1, Math.max(0, t));
  return {
    colour: colour(RELIEF_FROM + (1 - RELIEF_FROM) * at ** EXPONENT),
    alpha: t < 0 ? 0 : Math.min(1, 0.2 + 2.4 * at),
  };
}

/** The colour ramp of the legend: of relief, or of money. */
export function legendRamp(name: PaletteName, relief: boolean, light: boolean): Ramp {
  const colour = ramp(name, false, light, relief ? 1 : undefined);
  return (t) => (relief ? reliefLayer(colour, t).colour : colour(moneyCurve(t)));
}

/** One layer composited over another, as a little-endian ABGR word. */
function over(top: Layer, below: Layer): number {
  const rest = below.alpha * (1 - top.alpha);
  const alpha = top.alpha + rest;
  if (!alpha) return 0;
  const [r, g, b] = top.colour.map((c, i) =>
    Math.round((c * top.alpha + below.colour[i] * rest) / alpha),
  );
  return ((Math.round(255 * alpha) << 24) | (b << 16) | (g << 8) | r) >>> 0;
}

/** RGBA words by shade of the ground and byte of relief, 64 × 256. */
export function reliefLookup(
  name: PaletteName,
  relief: ColourRange,
  ground: ColourRange,
  grey = false,
  light = false,
): Uint32Array {
  const colour = ramp(name, grey, light, 1);
  const position = (v: number, { lo, hi }: ColourRange): number =>
    (v - lo) / Math.max(1e-6, hi - lo);
  const above = Array.from({ length: 256 }, (_, v) =>
    reliefLayer(colour, v ? position(v, relief) : -1),
  );
  const alone = above.map((layer) => over(layer, TRANSPARENT));
  const out = new Uint32Array(SHADES * 256);
  for (let shade = 0; shade < SHADES; shade++) {
    const below = groundLayer(
      colour,
      shade ? position((shade + 0.5) * (1 << SHADE_SHIFT), ground) : -1,
    );
    const clear = over(TRANSPARENT, below);
    for (let v = 0; v < 256; v++) {
      const { alpha } = above[v];
      out[shade * 256 + v] = alpha >= 1 ? alone[v] : alpha <= 0 ? clear : over(above[v], below);
    }
  }
  return out;
}
