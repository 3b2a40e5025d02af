/** A small example map, and the corresponding wire messages. */
import type { MapSnapshot } from '../src/lib/wire/types';

export const STEP = 300_000_000;
/** ln of the lowest price. */
export const P0 = Math.log(90);
export const T0 = 1_790_000_100_000_000;

export function snapshot(cols = 12, rows = 20, change: Partial<MapSnapshot> = {}): MapSnapshot {
  const cells = new Uint8Array(cols * rows);
  for (let i = 0; i < cells.length; i++) cells[i] = (i * 37) % 256;
  const ohlc = new Float32Array(cols * 5);
  for (let i = 0; i < cols; i++) ohlc.set([100 + i, 102 + i, 99 + i, 101 + i, 5], i * 5);
  return {
    coin: 'BTC',
    source: 'simulated',
    note: '',
    asOf: T0,
    now: T0,
    model: 'assumed prior, nothing learned',
    priorOnly: true,
    fit: null,
    grade: null,
    stream: 'a',
    seq: 10,
    t0: T0,
    step: STEP,
    cols,
    rows,
    p0: P0,
    dp: 0.01,
    vmin: 1e4,
    vmax: 1e9,
    cells,
    ohlc,
    gaps: [],
    partial: [],
    price: 101,
    mark: 101,
    tick: 0.1,
    venues: [],
    tiers: [100, 50],
    span: '3d',
    spans: ['1d', '3d'],
    ...change,
  };
}

/** Cells as packed by the server: row by row, differences along time, modulo 256. */
function differences(cells: Uint8Array, cols: number, rows: number): Uint8Array {
  const out = new Uint8Array(cells.length);
  for (let r = 0, i = 0; r < rows; r++)
    for (let c = 0; c < cols; c++, i++)
      out[i] = cells[c * rows + r] - (c ? cells[(c - 1) * rows + r] : 0);
  return out;
}

/** What every answer says of itself. */
export const envelope = {
  coin: 'BTC',
  source: 'simulated',
  note: '',
  as_of: T0,
  now: T0,
  age: 0,
  model: 'assumed prior, nothing learned',
  mode: 'calibrated',
  prior_only: true,
  fit: null,
  grade: null,
  coverage: 1,
  price: 101,
  mark: 101,
  tick: 0.1,
  venues: [
    {
      name: 'binance',
      market: 'binance:BTCUSDT',
      on: true,
      age: 0.2,
      state: 'up',
      oi: 90_000,
      share: 0.42,
    },
  ],
  stream: 'a',
  seq: 10,
};

export const wireBars = (change: Record<string, unknown> = {}): Record<string, unknown> => ({
  ...envelope,
  kind: 'bars',
  reach: 0.05,
  long: 2,
  short: 1,
  ratio: 2,
  long_share: 0.6,
  bands: {},
  measured: {},
  ...change,
});

export const wireCurve = (change: Record<string, unknown> = {}): Record<string, unknown> => ({
  ...envelope,
  kind: 'cumulative',
  distance: [],
  notional: [],
  low: [],
  high: [],
  ...change,
});

export function wireMap(map: MapSnapshot): Record<string, unknown> {
  return {
    ...envelope,
    kind: 'heatmap',
    coin: map.coin,
    source: map.source,
    as_of: map.asOf,
    now: map.now,
    model: map.model,
    prior_only: map.priorOnly,
    stream: map.stream,
    seq: map.seq,
    t0: map.t0,
    step: map.step,
    cols: map.cols,
    rows: map.rows,
    p0: map.p0,
    dp: map.dp,
    vmin: map.vmin,
    vmax: map.vmax,
    cells: differences(map.cells, map.cols, map.rows),
    ohlc: new Uint8Array(map.ohlc.slice().buffer),
    gaps: map.gaps,
    partial: map.partial,
    note: map.note,
    price: map.price,
    mark: map.mark,
    tick: map.tick,
    tiers: map.tiers,
    span: map.span,
    spans: map.spans,
  };
}

export function wireLevels(rows: number): Record<string, unknown> {
  return {
    ...envelope,
    kind: 'levels',
    p0: P0,
    dp: 0.01,
    rows,
    long: new Uint8Array(new Float32Array(rows).fill(2e6).buffer),
    short: Array.from({ length: rows }, () => 1e6),
    tiers: { '100': { long: 1, short: 2 } },
    venues: { binance: { long: 1, short: 2 } },
    clusters: [
      {
        side: 'long',
        floor: 95,
        top: 96,
        peak: 95.5,
        notional: 4e7,
        distance: -0.05,
        tier: 25,
        tiers: {},
        age: 60,
        ground: 1e7,
        concentration: null,
        expected_fill: [0.3, 1],
        low: null,
        high: NaN,
        measured: null,
      },
    ],
    reach: 0.16,
    within: { long: 3e7, short: 1.1e7 },
    bands: {},
    measured: [],
  };
}

export function wireColumn(
  seq: number,
  t: number,
  change: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    kind: 'column',
    stream: 'a',
    seq,
    t,
    as_of: t,
    k: [1, 2, 0.5, 1.5, 9],
    r: new Uint8Array(),
    v: new Uint8Array(),
    full: false,
    ...change,
  };
}
