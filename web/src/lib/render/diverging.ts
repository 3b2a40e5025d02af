/**
 * Colours of a difference: blue where the static map is larger, orange where ours is.
 *
 * Blue and orange are distinguishable in every kind of colour vision. Both get lighter away from a
 * neutral dark centre; in the light theme they get darker away from a pale one.
 */
import { decodeDifference } from '../grid/difference';

type Colour = readonly [number, number, number];

interface Endpoints {
  even: Colour;
  statics: Colour;
  ours: Colour;
}

const DARK: Endpoints = { even: [44, 48, 60], statics: [110, 168, 255], ours: [255, 176, 64] };
const LIGHT: Endpoints = { even: [232, 235, 241], statics: [14, 62, 150], ours: [150, 66, 0] };
/** Below 1, so that a factor of two is already visible. */
const GAMMA = 0.7;

/** Colour at -1 (static is 32 times ours) to 0 (equal) to 1 (ours is 32 times static). */
export function divergingAt(position: number, light = false): [number, number, number] {
  const { even, statics, ours } = light ? LIGHT : DARK;
  const end = position < 0 ? statics : ours;
  const t = Math.min(1, Math.abs(position)) ** GAMMA;
  return [0, 1, 2].map((c) => Math.round(even[c] + (end[c] - even[c]) * t)) as [
    number,
    number,
    number,
  ];
}

/** RGBA words (little-endian ABGR) of every encoded cell; `grey` desaturates a stale map. */
export function diverging(grey = false, light = false): Uint32Array {
  const [middle] = (light ? LIGHT : DARK).even;
  const out = new Uint32Array(256);
  for (let v = 1; v < 256; v++) {
    const { times, ours } = decodeDifference(v);
    const position = Math.log2(times) / 5;
    const rgb = divergingAt(ours ? position : -position, light);
    const [r, g, b] = grey ? rgb.map((c) => Math.round(middle + (c - middle) * 0.4)) : rgb;
    out[v] = ((235 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  }
  return out;
}
