import { beforeEach, describe, expect, it } from 'vitest';
import { fullSize, type RestingColours, restingImage, rgb } from '../src/lib/flow/resting';
import { shieldWord } from '../src/lib/flow/rows';
import { SESSIONS, sessionText } from '../src/lib/flow/sessions';
import { rememberedResting, rememberResting, zonesUrl } from '../src/lib/flow/zones.svelte';
import type { ShieldedCluster, ZonesAnswer } from '../src/lib/wire/schema-on-demand';

const COLOURS: RestingColours = { bid: [0, 200, 0], ask: [200, 0, 0], unseen: [9, 9, 9] };

/** Three columns and four rows of 100 from 100,000 up; no book in the first column. */
const zones = (change: Partial<ZonesAnswer> = {}): ZonesAnswer => ({
  kind: 'zones',
  coin: 'BTC',
  source: 'simulated',
  note: '',
  asOf: 1e15,
  now: 1e15,
  price: 100_150,
  seq: 0,
  step: 100,
  first: 1_000,
  rows: 4,
  t0: 1e15,
  column: 6e7,
  cols: 3,
  markets: ['okx:BTC-USDT-SWAP'],
  side: Uint8Array.of(0, 1),
  row: Uint16Array.of(1, 2),
  start: Uint16Array.of(1, 2),
  length: Uint16Array.of(2, 1),
  mean: Float32Array.of(1, 4),
  peak: Float32Array.of(1, 4),
  lowest: Float64Array.of(NaN, 100_100, 100_100),
  highest: Float64Array.of(NaN, 100_200, 100_200),
  leftOut: 0,
  ...change,
});
/** Colour and opacity of a row, counted from the lowest, in a column. */
function pixel(answer: ZonesAnswer, row: number, col: number): number[] {
  const { width, height, pixels } = restingImage(answer, COLOURS);
  const at = ((height - 1 - row) * width + col) * 4;
  return [...pixels.subarray(at, at + 4)];
}

describe('resting orders on the map', () => {
  it('are green for bids and red for asks, and stronger for larger sizes', () => {
    const [bid, ask] = [pixel(zones(), 1, 1), pixel(zones(), 2, 2)];
    expect(bid[1]).toBeGreaterThan(bid[0]);
    expect(ask[0]).toBeGreaterThan(ask[1]);
    expect(pixel(zones({ mean: Float32Array.of(4, 1) }), 1, 1)[3]).toBeGreaterThan(bid[3]);
  });
  it('fill the minutes of their run only', () => {
    expect(pixel(zones(), 2, 1)[3]).toBe(0);
    expect(pixel(zones(), 1, 2)).toEqual(pixel(zones(), 1, 1));
  });
  it('are grey where no book shows the price, and nothing while there is no book', () => {
    expect(pixel(zones(), 0, 1).slice(0, 3)).toEqual([9, 9, 9]);
    expect(pixel(zones(), 3, 2)[3]).toBeGreaterThan(0);
    expect(pixel(zones(), 0, 0)[3]).toBe(0);
  });
  it('show the larger side where venues cross', () => {
    const crossed = zones({ row: Uint16Array.of(1, 1), start: Uint16Array.of(1, 1) });
    expect(pixel(crossed, 1, 1)[0]).toBeGreaterThan(pixel(crossed, 1, 1)[1]);
  });
  it('keep their colours though one wall is far above the rest', () => {
    const mean = Float32Array.from({ length: 200 }, (_, i) => (i ? 10 : 1e6));
    expect(fullSize(mean)).toBe(10);
    expect(fullSize(new Float32Array())).toBe(0);
  });
  it('take their colours from the style sheet', () => {
    expect(rgb('#6ee7c8')).toEqual([0x6e, 0xe7, 0xc8]);
  });
  it('are asked for on the rows of the ladder', () => {
    const rows = { step: 50, first: 2_000, rows: 38 };
    expect(zonesUrl({ coin: 'BTC', venues: ['okx', 'bybit'], ...rows, at: null })).toBe(
      '/v1/BTC/zones?venues=okx,bybit&row=50&rows=38&centre=100950',
    );
    expect(zonesUrl({ coin: 'BTC', venues: null, ...rows, at: 7 })).toContain('&at=7');
  });
});

describe('the switch', () => {
  beforeEach(() => localStorage.clear());
  it('is off at first and remembered', () => {
    expect(rememberedResting()).toBe(false);
    rememberResting(true);
    expect(rememberedResting()).toBe(true);
    rememberResting(false);
    expect(rememberedResting()).toBe(false);
  });
});

describe('the tag of a cluster', () => {
  const shield = (state: ShieldedCluster['state']): ShieldedCluster[] => [
    { side: 'long', floor: 90, top: 100, notional: 1, resting: 2, complete: true, state },
  ];
  it('says whether it is shielded, and nothing where that is not known', () => {
    expect(shieldWord(shield('shielded'), { side: 'long', peak: 95 })).toBe('shielded');
    expect(shieldWord(shield('exposed'), { side: 'long', peak: 100 })).toBe('exposed');
    expect(shieldWord(shield('unknown'), { side: 'long', peak: 95 })).toBe('');
    expect(shieldWord(shield('shielded'), { side: 'short', peak: 95 })).toBe('');
    expect(shieldWord(shield('shielded'), { side: 'long', peak: 101 })).toBe('');
  });
});

describe('the session', () => {
  const at = (text: string): string => sessionText(Date.parse(text) * 1_000);
  it('is that of the hour, UTC, with the weekday', () => {
    expect(at('2026-11-23T06:25:00Z')).toBe('Asia · Monday');
    expect(at('2026-11-24T10:00:00Z')).toBe('London · Tuesday');
    expect(at('2026-11-27T18:00:00Z')).toBe('New York · Friday');
    expect(at('2026-11-29T22:00:00Z')).toBe('between sessions · Sunday');
  });
  it('names both where two are open', () => {
    expect(at('2026-11-27T14:30:00Z')).toBe('London, New York overlap · Friday');
    expect(at('2026-11-27T07:59:59Z')).toBe('Asia, London overlap · Friday');
  });
  it('has hours of one day, and is empty before a time is known', () => {
    for (const { from, to } of SESSIONS) expect(from < to && to <= 24).toBe(true);
    expect(sessionText(0)).toBe('');
  });
});
