import { encode } from '@msgpack/msgpack';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { gaugeOf } from '../src/lib/flow/gauge';
import { readNotes, saveNotes, withNote } from '../src/lib/flow/notes';
import { layOut, paintLadder } from '../src/lib/flow/paint';
import { extremes, inSight, knownSince, xOf } from '../src/lib/flow/panes';
import {
  coins,
  figureText,
  lasting,
  priceOf,
  priceRange,
  rowAt,
  rowChoices,
  rowOf,
  rowText,
  signedCoins,
  wallRow,
  wallText,
} from '../src/lib/flow/rows';
import { FlowState, flowStreamUrl } from '../src/lib/flow/state.svelte';
import { isSold, SLICE, Tape, TapeFilter, type TapeRow } from '../src/lib/flow/tape';
import type { LadderAnswer, ReadRow, WallRow } from '../src/lib/wire/schema-on-demand';

const wall = (change: Partial<WallRow> = {}): WallRow => ({
  market: 'okx:BTC-USDT-SWAP',
  side: 'bid',
  price: 100_050,
  size: 80,
  since: 1e12,
  traded: 0,
  refill: 0,
  state: 'standing',
  ended: null,
  ...change,
});

/** Four rows of 100 from 100,000 up, as the server sends them. */
const wire = (change: Record<string, unknown> = {}): Record<string, unknown> => ({
  kind: 'ladder',
  coin: 'BTC',
  source: 'simulated',
  note: '',
  as_of: 1e12,
  now: 1e12 + 22e6,
  price: 100_150,
  seq: 1,
  step: 100,
  first: 1_000,
  rows: 4,
  last: 100_150,
  bid: [5, 3, 0, 0],
  ask: [0, 0, 4, 6],
  bought: [1, 2, 3, 0],
  sold: [2, 1, 0, 0],
  largest: [1, 1, 1, 0],
  stacked: [-3, 4, 0, 0],
  fuel_long: [9, 0, 0, 0],
  fuel_short: [0, 0, 0, 7],
  fired_long: [0, 8, 0, 0],
  fired_short: [0, 0, 0, 7],
  window: 3600,
  traded_since: null,
  best_bid: 100_100,
  best_ask: 100_200,
  spread: 0.1,
  depth: [],
  walls: [],
  books: [],
  ...change,
});
const prints = (seq: number, times: number[]): Record<string, unknown> => ({
  kind: 'tape',
  coin: 'BTC',
  source: 'simulated',
  note: '',
  as_of: 1e12,
  now: 1e12,
  seq,
  markets: ['okx:BTC-USDT-SWAP'],
  time: times,
  market: times.map(() => 0),
  price: times.map(() => 100_000),
  size: times.map((_, i) => (i % 2 ? -2 : 1)),
  notional: times.map(() => 1e5),
  count: times.map(() => 1),
  mark: times.map(() => 0),
  large: 1e6,
  counted: 5,
  merged_within: 0.05,
});

function state(...messages: Record<string, unknown>[]): FlowState {
  const flow = new FlowState({ coin: 'BTC', venues: null, row: 0, rows: 4, window: 3600 });
  for (const message of messages) flow.receive(encode(message));
  return flow;
}
const ladder = (change = {}): LadderAnswer => state(wire(change)).ladder!;

describe('a row of the ladder', () => {
  it('holds the prices from its own up to the next', () => {
    const rows = ladder();
    expect(priceOf(rows, 1)).toBe(100_100);
    expect([100_099.9, 100_100, 100_199.9].map((price) => rowOf(rows, price))).toEqual([0, 1, 1]);
    expect(priceRange(rows)).toEqual({ from: 100_000, to: 100_400 });
  });
  it('is found from its height, the highest price on top', () => {
    expect([0, 59, 60, 239, 999].map((y) => rowAt(y, 240, 4))).toEqual([3, 3, 2, 0, 0]);
  });
  it('has round heights to choose from', () => {
    expect(rowChoices(149_012)).toEqual([2, 5, 10, 20, 50, 100, 200]);
    expect(rowChoices(NaN)).toEqual([]);
  });
  it('says every figure it has in words', () => {
    expect(rowText(ladder(), 0, '100,000')).toBe(
      '100,000, 5.00 bid, 2.00 sold, 1.00 bought, −3.00 pull or stack, 1.00 largest print',
    );
  });
});

describe('a wall', () => {
  it('is rounded down to a row as a bid and up as an ask', () => {
    expect(wallRow(ladder(), wall())).toBe(0);
    expect(wallRow(ladder(), wall({ side: 'ask' }))).toBe(1);
  });
  it('tells how long it has stood, or how long ago it was pulled', () => {
    expect(wallText(wall(), 1e12 + 192e6)).toBe('held 3:12');
    const pulled = wall({ state: 'pulled', ended: 1e12 });
    expect(wallText(pulled, 1e12 + 22e6)).toBe('pulled 0:22');
  });
});

describe('figures', () => {
  it('have three significant digits and a true minus sign', () => {
    expect([0.001, 0.42, 8.1, 36.94, 118.3, 1e5].map(coins)).toEqual([
      '',
      '0.42',
      '8.10',
      '36.9',
      '118',
      '100K',
    ]);
    expect([signedCoins(-84), signedCoins(3), signedCoins(0)]).toEqual(['−84.0', '+3.00', '']);
    expect(lasting(700e6)).toBe('11:40');
  });
  it('of the read have the unit they are measured in', () => {
    expect(figureText(0.0063, 'fraction of price')).toBe('0.63%');
    expect(figureText(84.6, 'percentile')).toBe('P85');
    expect(figureText(3.42, 'multiple')).toBe('3.42×');
    expect(figureText(0.91, 'ratio')).toBe('ρ 0.91');
    expect(figureText(null, 'ratio')).toBe('–');
  });
});

describe('the bar of a read', () => {
  const row = (change: Partial<ReadRow>): ReadRow => ({
    name: 'whether',
    state: 'met',
    word: '',
    figure: 0.9,
    unit: 'ratio',
    threshold: 0.6,
    need: '',
    n: 1,
    nOf: '',
    age: 0,
    detail: '',
    ...change,
  });
  it('is longer the nearer the figure is to what it needs', () => {
    expect(gaugeOf(row({}))).toEqual({ share: 0.9, needs: 0.6 });
    expect(gaugeOf(row({ unit: 'multiple', figure: 9, threshold: 3 }))).toEqual({
      share: 1,
      needs: 0.5,
    });
    expect(gaugeOf(row({ unit: 'percentile', figure: 85, threshold: 90 }))).toEqual({
      share: 0.85,
      needs: 0.9,
    });
  });
  it('is full at a cluster, and empty far from it', () => {
    const at = (figure: number) =>
      gaugeOf(row({ unit: 'fraction of price', figure, threshold: 0.0015 }));
    expect(at(0)?.share).toBe(1);
    expect(at(0.3)?.share).toBe(0);
    expect(at(0)?.needs).toBeCloseTo(0.925);
  });
  it('is not drawn of a figure that is not known', () => {
    expect(gaugeOf(row({ figure: null }))).toBeNull();
  });
});

describe('columns', () => {
  it('fill the width, with the price between fuel and book', () => {
    const { fuel, price, bid } = layOut(390, true);
    expect(fuel!.x).toBe(0);
    expect(price!.x).toBeCloseTo(fuel!.width);
    expect(bid!.x).toBeCloseTo(price!.x + price!.width);
    const last = layOut(500, false).largest!;
    expect(last.x + last.width).toBeCloseTo(500);
  });
});

const newestOf = (tape: Tape, least: number, limit: number): TapeRow[] => {
  const filter = new TapeFilter(tape, least, limit);
  while (filter.searching) filter.step();
  return filter.rows.map(({ row }) => row);
};

describe('the tape', () => {
  const batch = (count: number) => ({
    markets: ['okx:BTC-USDT-SWAP', 'bybit:BTCUSDT'],
    time: Float64Array.from({ length: count }, (_, i) => i),
    market: Uint16Array.from({ length: count }, (_, i) => i % 2),
    price: new Float64Array(count).fill(100_000),
    size: Float32Array.from({ length: count }, (_, i) => (i % 1000 ? 0.5 : -40)),
    notional: new Float32Array(count),
    count: new Uint16Array(count).fill(1),
    mark: new Uint8Array(count),
  });
  it('finds the newest large prints among a million without reading the rest', () => {
    const tape = new Tape();
    tape.append(batch(1_000_000));
    const found = newestOf(tape, 5, 3);
    expect(found.map((row) => row.time)).toEqual([999_000, 998_000, 997_000]);
    expect(found[0]).toMatchObject({ size: -40, market: 'okx:BTC-USDT-SWAP', price: 100_000 });
    expect(newestOf(tape, 41, 3)).toEqual([]);
    expect(newestOf(tape, 0, 60)).toHaveLength(60);
  });
  it('calls a liquidated long sold, and a liquidated short bought', () => {
    const tape = new Tape();
    tape.append({ ...batch(3), size: Float32Array.of(-1, 1, 1), mark: Uint8Array.of(0, 2, 3) });
    expect(newestOf(tape, 0, 3).map(isSold)).toEqual([false, true, true]);
  });
  it('is filtered slice by slice, and no print is looked at twice', () => {
    const tape = new Tape();
    tape.append(batch(1_000_000));
    const looked: [number, number][] = [];
    const find = tape.find.bind(tape);
    tape.find = (least, limit, from, to) => {
      looked.push([from, to]);
      return find(least, limit, from, to);
    };
    const filter = new TapeFilter(tape, 41, 3);
    filter.follow();
    expect(filter.searching).toBe(true);
    for (let n = 0; filter.searching; n++) {
      filter.step();
      tape.append(batch(10));
      filter.follow();
      expect(n).toBeLessThan(1_000_000 / SLICE);
    }
    const sizes = looked.map(([from, to]) => to - from);
    expect(Math.max(...sizes)).toBe(SLICE);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(tape.length);
    expect(filter.rows).toEqual([]);
  });
  it('keeps the rows it found while prints come, and begins anew after very many', () => {
    const tape = new Tape();
    tape.append(batch(3_000));
    const filter = new TapeFilter(tape, 5, 2);
    filter.step();
    const [first] = filter.rows;
    expect(filter.rows.map(({ id }) => id)).toEqual([2_000, 1_000]);
    tape.append(batch(10));
    filter.follow();
    expect(filter.rows.map(({ id }) => id)).toEqual([3_000, 2_000]);
    expect(filter.rows[1]).toBe(first);
    tape.append(batch(SLICE + 1_000));
    filter.follow();
    expect(filter.rows).toEqual([]);
    filter.step();
    expect(filter.rows.map(({ id }) => id)).toEqual([53_010, 52_010]);
  });
  it('keeps the names of markets that are numbered anew in each message', () => {
    const tape = new Tape();
    tape.append(batch(2));
    tape.append({ ...batch(1), markets: ['bybit:BTCUSDT'] });
    expect(newestOf(tape, 0, 3).map((row) => row.market.split(':')[0])).toEqual([
      'bybit',
      'bybit',
      'okx',
    ]);
  });
});

describe('the stream of order flow', () => {
  it('is asked for by coin, rows, window and venues', () => {
    const options = { coin: 'BTC', venues: ['okx', 'bybit'], row: 50, rows: 38, window: 300 };
    expect(flowStreamUrl(options, 'https://x.example')).toBe(
      'wss://x.example/v1/stream?topic=flow&coin=BTC&rows=38&window=300&row=50&venues=okx,bybit',
    );
  });
  it('keeps the last fuel until the rows move', () => {
    const none = { fuel_long: [], fuel_short: [] };
    const flow = state(wire(), wire({ ...none, seq: 2 }));
    expect([...flow.fuel!.long]).toEqual([9, 0, 0, 0]);
    flow.receive(encode(wire({ ...none, seq: 3, first: 1_001 })));
    expect(flow.fuel).toBeNull();
  });
  it('appends prints once, though a new connection repeats them', () => {
    const flow = state(prints(1, [1, 2, 3]), prints(2, [2, 3, 4]), prints(3, [4]));
    expect(newestOf(flow.tape, 0, 10).map((row) => row.time)).toEqual([4, 3, 2, 1]);
    expect(flow.printed).toBe(4);
  });
  it('continues the tape with other rows, and begins anew with another coin', () => {
    const options = { coin: 'BTC', venues: null, row: 0, rows: 4, window: 3600 };
    const before = state(prints(1, [1, 2]));
    const wider = new FlowState({ ...options, row: 50 }, before);
    wider.receive(encode(prints(1, [1, 2, 3])));
    expect(newestOf(wider.tape, 0, 9).map((row) => row.time)).toEqual([3, 2, 1]);
    expect(new FlowState({ ...options, coin: 'ETH' }, wider).tape.length).toBe(0);
  });
  it('reports an unreadable message, and recovers with the next', () => {
    const flow = state(wire({ step: 'wide' }));
    expect(flow.error).toContain('$.step');
    flow.receive(encode(wire()));
    expect(flow.error).toBeNull();
    expect(flow.ladder!.rows).toBe(4);
  });
});

describe('order flow in playback', () => {
  const options = { coin: 'BTC', venues: null, row: 0, rows: 4, window: 3600, past: true };
  const read = { kind: 'read', rows: [], met: 0, version: 1, clusters: [] };
  const crowd = {
    funding: null,
    funding_percentile: null,
    basis: null,
    basis_percentile: null,
    shares: {},
    index: null,
    inputs: {},
    hours: 0,
    funding_at: null,
  };
  const series = {
    kind: 'flow',
    t0: 0,
    step: 6e7,
    cols: 0,
    delta: [],
    by_market: [],
    oi: [],
    funding: [],
    basis: [],
    oi_change: null,
    regime: null,
    imbalance: null,
    divergence_high: false,
    divergence_low: false,
    crowd,
  };
  const own = { coin: 'BTC', source: 'replay', note: '', as_of: 1e12, now: 1e12, price: 1, seq: 0 };
  let asked: string[] = [];
  /** Answer every request; \`last\` is the price of the ladder. */
  function serve(last: number, status = 200): void {
    asked = [];
    vi.stubGlobal('fetch', (url: string) => {
      asked.push(url);
      const answers: Record<string, object> = {
        ladder: wire({ last }),
        tape: prints(0, [1, 2]),
        read: { ...own, ...read },
        flow: { ...own, ...series },
      };
      const name = Object.keys(answers).find((view) => url.split('?')[0].includes(view)) ?? '';
      const body = status === 200 ? encode(answers[name]) : '{"error":"known in a replay only"}';
      return Promise.resolve(new Response(body as BodyInit, { status }));
    });
  }
  afterEach(() => vi.unstubAllGlobals());

  it('is ladder, tape, read and panes of the moment chosen', async () => {
    serve(100_150);
    const flow = new FlowState(options);
    flow.open();
    flow.seek(5e11);
    await vi.waitFor(() => expect(flow.at).toBe(5e11));
    expect(asked).toHaveLength(4);
    expect(asked.every((url) => url.includes('&at=500000000000'))).toBe(true);
    expect(flow.ladder!.rows).toBe(4);
    expect(flow.fuel!.long[0]).toBe(9);
    expect(flow.tape.length).toBe(2);
    expect(flow.read!.met).toBe(0);
    expect(flow.series!.cols).toBe(0);
  });
  it('keeps its rows while the price is well within them, and centres them else', async () => {
    serve(100_150);
    const flow = new FlowState(options);
    flow.seek(5e11);
    await vi.waitFor(() => expect(flow.at).toBe(5e11));
    flow.seek(6e11);
    await vi.waitFor(() => expect(flow.at).toBe(6e11));
    expect(asked.slice(4)).toHaveLength(4);
    expect(asked[4]).toContain('&row=100&centre=100200');
    serve(100_390);
    flow.seek(7e11);
    await vi.waitFor(() => expect(flow.at).toBe(7e11));
    expect(asked).toHaveLength(5);
    expect(asked[1]).not.toContain('centre');
  });
  it('shows nothing of another time where the past is not stored, and says why', async () => {
    serve(100_150);
    const flow = new FlowState(options);
    flow.seek(5e11);
    await vi.waitFor(() => expect(flow.ladder).not.toBeNull());
    serve(0, 404);
    flow.seek(6e11);
    await vi.waitFor(() => expect(flow.error).toContain('replay'));
    expect([flow.ladder, flow.read, flow.series, flow.at]).toEqual([null, null, null, null]);
    expect(flow.tape.length).toBe(0);
  });
  it('does not continue the tape of now', () => {
    const live = state(prints(1, [1, 2]));
    expect(new FlowState(options, live).tape.length).toBe(0);
  });
});

describe('a pane', () => {
  const values = Float64Array.from([NaN, 1, 5, 3]);
  const pane = { t0: 100, step: 10, lines: [{ values, colour: '' }] };
  it('shows the values in sight on the time axis of the chart', () => {
    const range = { from: 105, to: 125 };
    expect(xOf(115, range, 200)).toBe(100);
    expect(inSight(pane, range, 4)).toEqual([0, 4]);
    expect(extremes(pane, range)).toEqual({ low: 1, high: 5 });
    expect(extremes(pane, { from: 0, to: 50 })).toBeNull();
  });
  it('does not show a sum before its first print', () => {
    expect([...knownSince(values, 100, 10, 121)]).toEqual([NaN, NaN, 5, 3]);
    expect([...knownSince(values, 100, 10, null)].every(Number.isNaN)).toBe(true);
  });
});

describe('own notes', () => {
  beforeEach(() => localStorage.clear());
  afterEach(() => localStorage.clear());
  it('are kept by coin and price, and removed with their text', () => {
    saveNotes('BTC', withNote([], 100_000, ' round '));
    saveNotes('ETH', withNote([], 4_000, 'other'));
    expect(readNotes('BTC')).toEqual([{ price: 100_000, text: 'round' }]);
    expect(withNote(readNotes('BTC'), 100_000, '')).toEqual([]);
  });
});

describe('the ladder is drawn', () => {
  const COLOURS = { rise: '#0f0', fall: '#f00', chosen: '#ff0', past: '#f0f' };
  function picture(change: Record<string, unknown> = {}, cursor: number | null = null) {
    return {
      ladder: ladder(change),
      fuel: null,
      clusters: [],
      cursor,
      noted: new Set<number>(),
      narrow: false,
      tick: 0.1,
      colours: COLOURS,
    };
  }
  /** A canvas that notes the texts and the rectangles cleared. */
  function canvas(): { ctx: CanvasRenderingContext2D; texts: string[]; cleared: number[][] } {
    const texts: string[] = [];
    const cleared: number[][] = [];
    const ctx = new Proxy({} as Record<string, unknown>, {
      get: (own, name: string) => {
        if (name === 'fillText') return (text: string) => texts.push(text);
        if (name === 'clearRect') return (...box: number[]) => cleared.push(box);
        return own[name] ?? (() => undefined);
      },
    });
    return { ctx: ctx as unknown as CanvasRenderingContext2D, texts, cleared };
  }
  const size = { width: 548, height: 400 };

  it('whole at first, and not again while nothing changes', () => {
    const one = canvas();
    const drawn = paintLadder(one.ctx, size, picture());
    expect(one.texts).toContain('5.00');
    expect(one.cleared).toHaveLength(4);
    const other = canvas();
    paintLadder(other.ctx, size, picture(), drawn);
    expect([other.texts, other.cleared]).toEqual([[], []]);
  });
  it('again only in the cells that have changed', () => {
    const drawn = paintLadder(canvas().ctx, size, picture());
    const { ctx, texts, cleared } = canvas();
    paintLadder(ctx, size, picture({ bid: [4, 3, 0, 0] }), drawn);
    expect(texts).toEqual(['4.00']);
    expect(cleared).toHaveLength(1);
    expect(cleared[0].slice(1)).toEqual([300, 60, 100]);
  });
  it('again in a whole row that the cursor reaches or leaves', () => {
    const drawn = paintLadder(canvas().ctx, size, picture({}, 1));
    const { ctx, cleared } = canvas();
    paintLadder(ctx, size, picture({}, 2), drawn);
    expect(cleared.map(([x, top, width]) => [x, top, width])).toEqual([
      [0, 200, 548],
      [0, 100, 548],
    ]);
  });
  it('says that a wall was pulled where nothing rests opposite, else over the fuel', () => {
    const now = 1e12 + 22e6;
    const walls = [wall({ state: 'pulled', ended: 1e12 })];
    const texts = (change: Record<string, unknown>, narrow = false): string[] => {
      const { ctx, texts } = canvas();
      paintLadder(ctx, size, { ...picture({ walls, now, ...change }), narrow });
      return texts.filter((text) => text.startsWith('pulled'));
    };
    expect(texts({ ask: [0, 0, 1, 1] })).toEqual(['pulled']);
    expect(texts({ ask: [1, 0, 1, 1] })).toEqual(['pulled']);
    expect(texts({ ask: [0, 0, 1, 1] }, true)).toEqual(['pulled 0:22']);
  });
});
