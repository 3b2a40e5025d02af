/**
 * Colours of a difference: blue where the static map holds more, orange where ours does.
 *
 * Blue and orange are told apart in every kind of colour sight; both grow lighter away from a
 * neutral dark centre, on paper darker away from a pale one, so that what differs most stands out.
 */
import { unfolded } from '../grid/difference';

type Colour = readonly [number, number, number];

interface Ends {
  even: Colour;
  statics: Colour;
  ours: Colour;
}

const NIGHT: Ends = { even: [44, 48, 60], statics: [110, 168, 255], ours: [255, 176, 64] };
const PAPER: Ends = { even: [232, 235, 241], statics: [14, 62, 150], ours: [150, 66, 0] };
/** Below 1, so that a factor of two is already seen. */
const GAMMA = 0.7;

/** Colour of a place from -1, static 32 times ours, over 0, equal, to 1, ours 32 times static. */
export function divergingAt(place: number, paper = false): [number, number, number] {
  const { even, statics, ours } = paper ? PAPER : NIGHT;
  const end = place < 0 ? statics : ours;
  const t = Math.min(1, Math.abs(place)) ** GAMMA;
  return [0, 1, 2].map((c) => Math.round(even[c] + (end[c] - even[c]) * t)) as [number, number, number];
}

/** RGBA words of every folded cell; a stale map keeps a quarter of its colour. Little-endian ABGR. */
export function diverging(grey = false, paper = false): Uint32Array {
  const [middle] = (paper ? PAPER : NIGHT).even;
  const out = new Uint32Array(256);
  for (let v = 1; v < 256; v++) {
    const { times, ours } = unfolded(v);
    const place = Math.log2(times) / 5;
    const rgb = divergingAt(ours ? place : -place, paper);
    const [r, g, b] = grey ? rgb.map((c) => Math.round(middle + (c - middle) * 0.4)) : rgb;
    out[v] = ((235 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  }
  return out;
}
