/** Colours of relief: the ground in the darkest part of the palette, what stands above it in the rest. */
import type { HeatWindow } from '../grid/scale';
import { bent, type PaletteName, type Ramp, ramp } from './palettes';

/** Bits of the ground's byte that its colour leaves out: 64 shades of it. */
export const FINE = 2;
const SHADES = 256 >> FINE;

/** How far up the palette the ground goes, and where what stands above it begins. */
const GROUND_TOP = 0.16;
const RELIEF_FROM = 0.2;
const BEND = 1.05;

interface Layer {
  colour: [number, number, number];
  /** 0…1. */
  alpha: number;
}

const NOTHING: Layer = { colour: [0, 0, 0], alpha: 0 };

/** The ground at a place of its scale, translucent: less than nothing is clear. */
export function groundLayer(colour: Ramp, t: number): Layer {
  const at = Math.min(1, t);
  return { colour: colour(GROUND_TOP * Math.max(0, at)), alpha: t < 0 ? 0 : 0.85 * (0.22 + 0.5 * at) };
}

/** What stands above it, at a place of its own scale. */
export function reliefLayer(colour: Ramp, t: number): Layer {
  const at = Math.min(1, Math.max(0, t));
  return { colour: colour(RELIEF_FROM + (1 - RELIEF_FROM) * at ** BEND), alpha: t < 0 ? 0 : Math.min(1, 0.2 + 2.4 * at) };
}

/** Colours of the scale that is shown, by place 0…1: of relief, or of money. */
export function shadeOf(name: PaletteName, relief: boolean, paper: boolean): Ramp {
  const colour = ramp(name, false, paper, relief ? 1 : undefined);
  return (t) => (relief ? reliefLayer(colour, t).colour : colour(bent(t)));
}

/** One layer over another, as a word: little-endian ABGR. */
function over(top: Layer, below: Layer): number {
  const rest = below.alpha * (1 - top.alpha);
  const alpha = top.alpha + rest;
  if (!alpha) return 0;
  const [r, g, b] = top.colour.map((c, i) => Math.round((c * top.alpha + below.colour[i] * rest) / alpha));
  return ((Math.round(255 * alpha) << 24) | (b << 16) | (g << 8) | r) >>> 0;
}

/** RGBA words by shade of the ground and byte of relief, 64 times 256. */
export function reliefLookup(name: PaletteName, relief: HeatWindow, ground: HeatWindow, grey = false, paper = false): Uint32Array {
  const colour = ramp(name, grey, paper, 1);
  const place = (v: number, { lo, hi }: HeatWindow): number => (v - lo) / Math.max(1e-6, hi - lo);
  const above = Array.from({ length: 256 }, (_, v) => reliefLayer(colour, v ? place(v, relief) : -1));
  const alone = above.map((layer) => over(layer, NOTHING));
  const out = new Uint32Array(SHADES * 256);
  for (let shade = 0; shade < SHADES; shade++) {
    const below = groundLayer(colour, shade ? place((shade + 0.5) * (1 << FINE), ground) : -1);
    const clear = over(NOTHING, below);
    for (let v = 0; v < 256; v++) {
      const { alpha } = above[v];
      out[shade * 256 + v] = alpha >= 1 ? alone[v] : alpha <= 0 ? clear : over(above[v], below);
    }
  }
  return out;
}
