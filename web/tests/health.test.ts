import { describe, expect, it } from 'vitest';
import { HeatGrid } from '../src/lib/grid/grid';
import { readFeed } from '../src/lib/health/read';
import { advice, byWeight, channelState, incidentWords, limitWords, rate, skewWords, span } from '../src/lib/health/words';
import { lampWords, missing, partialWords, share, silenceWords, silent } from '../src/lib/lamps';
import { hatch } from '../src/lib/paint/hatch';
import type { LampState, Venue } from '../src/lib/wire/types';
import { snapshot, STEP, T0, wireColumn } from './market';
import { readMessage } from '../src/lib/wire/decode';
import { encode } from '@msgpack/msgpack';
import type { Column } from '../src/lib/wire/types';
import { cursorAt } from '../src/lib/chart/cursor';

const venue = (name: string, state: LampState, on = true): Venue => ({ name, market: `${name}:X`, on, age: 0.2, state, oi: 1, share: 0.2 });

const channel = (market: string, kind: string, change: Record<string, unknown> = {}) => ({
  market, channel: kind, count: 3, rate: 1, lag: 0.01, age: 0.1, cadence: 5, state: 'up', ...change,
});
const answer = {
  source: 'live',
  feed: {
    markets: { 'bybit:BTCUSDT': 'down', 'bybit-inverse:BTCUSD': 'up' },
    channels: [channel('bybit:BTCUSDT', 'ratio'), channel('bybit:BTCUSDT', 'trades', { age: null }), channel('bybit-inverse:BTCUSD', 'book')],
    venues: {
      bybit: { skew: -0.4, delay: null, weight_used: 30, weight_limit: 600, window: 5, liquidations: 'all', skipped: {} },
      'bybit-inverse': { skew: null, delay: 0.01, weight_used: 0, weight_limit: 0, window: 0, liquidations: 'none', skipped: {} },
    },
    incidents: { bybit: { gaps: 1, reconnects: 4, 'book snapshots': 9 } },
    problems: { bybit: 'cannot connect to wss://x', store: 'recording has stopped: disk full', player: 'begun again after an error: ValueError: x' },
    waiting_frames: 2, recorded_frames: 10, recording: false, unread_frames: 1, unread: { bybit: 1 }, last_unread: 'x',
  },
};

describe('the lamps in words', () => {
  it('name what is missing of what was chosen, and count what would not fit', () => {
    const up = venue('okx', 'up');
    expect(partialWords([up, venue('bybit', 'down', false)])).toBe('');
    expect(partialWords([up, venue('bybit', 'down')])).toBe('PARTIAL: Bybit down');
    expect(partialWords([up, venue('bybit', 'down'), venue('deribit', 'stale')])).toBe('PARTIAL: Bybit down, Deribit stale');
    const many = ['a', 'b', 'c'].map((n) => venue(n, 'down'));
    expect(partialWords([up, ...many])).toBe('PARTIAL: 3 of 4 missing');
    expect(partialWords(many)).toBe('NO VENUE IS UP');
    expect(partialWords([venue('okx', 'stale')])).toBe('OKX is stale');
    expect(missing(many)).toHaveLength(3);
  });
  it('tell when a venue was last heard, or that it never was', () => {
    expect(lampWords(venue('okx', 'up'))).toBe('OKX up, last heard 0.2 s ago');
    expect(lampWords({ ...venue('okx', 'down'), age: Infinity })).toBe('OKX down, never heard');
  });
  it('do not call down what has not joined yet', () => {
    const joining = ['a', 'b', 'c'].map((n) => ({ ...venue(n, 'joining'), age: Infinity }));
    expect(partialWords([venue('okx', 'up'), joining[0]])).toBe('PARTIAL: A joining');
    expect(partialWords([venue('okx', 'up'), ...joining])).toBe('PARTIAL: 3 of 4 joining');
    expect(partialWords(joining)).toBe('3 venues are joining');
    expect(partialWords(joining.slice(0, 1))).toBe('A is joining');
    expect(lampWords(joining[0])).toBe('A joining, not heard yet');
    expect(silent(joining)).toEqual([]);
  });
  it('tell of a silent venue what its share does, and an absurd age as never', () => {
    const gone = { ...venue('bybit', 'down'), share: 0.21, age: 80 };
    expect(silent([venue('okx', 'up'), gone])).toEqual([gone]);
    expect(silenceWords(gone, '07:24')).toBe('Its share, 21 %, keeps its last size since 07:24. Totals are partial until it speaks again.');
    expect(silenceWords({ ...gone, share: 0 }, '07:24')).toMatch(/^Its part keeps/);
    expect(silenceWords({ ...gone, age: Infinity }, '–')).toBe('It has not been heard since the server began: totals lack it.');
    expect(lampWords({ ...gone, age: 1_795_883_553 })).toBe('Bybit down, never heard');
  });
  it('tell how far the history has come', () => {
    expect(share('fetching 30 days of history: 210 of 840 answers')).toBe(0.25);
    expect(share('asking the venues')).toBeNull();
    expect(share('0 of 0 answers')).toBeNull();
  });
});

describe('the health of a collection', () => {
  const feed = readFeed(answer)!;
  const [bybit, inverse] = feed.venues;

  it('is nothing where nothing is collected', () => {
    expect(readFeed({ feed: null })).toBeNull();
  });
  it('is sorted by venue, and a venue is not another whose name begins alike', () => {
    expect(Object.keys(bybit.markets)).toEqual(['bybit:BTCUSDT']);
    expect(bybit.channels).toHaveLength(2);
    expect(inverse.channels).toHaveLength(1);
    expect([bybit.unread, inverse.unread]).toEqual([1, 0]);
    expect(bybit.problem).toContain('cannot connect');
    expect(feed.ours).toEqual(['recording has stopped: disk full', 'begun again after an error: ValueError: x']);
    expect(byWeight(bybit.channels).map((c) => c.channel)).toEqual(['trades', 'ratio']);
  });
  it('refuses states it does not know', () => {
    const odd = { feed: { ...answer.feed, channels: [channel('a:b', 'book', { state: 'odd' })] } };
    expect(() => readFeed(odd)).toThrow(/expected one of up, joining, stale, waiting, down/);
  });
  it('is told in words', () => {
    expect(incidentWords(bybit)).toBe('4 reconnects, 1 gap, 1 unreadable message');
    expect(incidentWords(inverse)).toBe('none');
    expect(limitWords(bybit)).toBe('30 of 600 in 5 s');
    expect(limitWords(inverse)).toBe('no limit published');
    expect([skewWords(bybit.skew), skewWords(null), skewWords(0.01)]).toEqual(['400 ms behind ours', 'not known yet', 'same as ours']);
    expect([span(0.012), span(1.24), span(75), span(600), span(8000), span(null)]).toEqual(['12 ms', '1.2 s', '75 s', '10 min', '2 h', '–']);
    expect([rate(0), rate(0.01), rate(2), rate(1234.5)]).toEqual(['0', '<0.1', '2.0', '1,235']);
  });
  it('does not call a feed of rare events late', () => {
    const [, , book] = feed.venues.flatMap((v) => v.channels);
    expect(channelState({ ...book, state: 'waiting', cadence: 0 })).toBe('none yet');
    expect(channelState({ ...book, state: 'waiting' })).toBe('waiting');
  });
  it('comes with what to do', () => {
    expect(advice(bybit.problem).what).toBe('It cannot be reached');
    expect(advice('HTTP 451 from x: not served at this location').todo).toContain('--venues');
    expect(advice('what no one foresaw').todo).toContain('powderkeg doctor');
  });
});

describe('columns that lack some venues', () => {
  const column = (t: number): Column => readMessage(encode(wireColumn(1, t, { k: [1, 2, 1, 1, 1] }))) as Column;

  it('are told by the server, and by what the page itself saw', () => {
    const grid = new HeatGrid(snapshot(12, 20, { gaps: [[0, 2]], partial: [[4, 6]] }));
    expect([1, 3, 5, 6].map((c) => grid.hole(c))).toEqual(['all', null, 'some', null]);
    for (const n of [12, 13]) {
      expect(grid.apply(column(T0 + n * STEP))).toBe('appended');
      grid.miss(['bybit']);
    }
    expect(grid.partial).toEqual([[4, 6], [12, 14]]);
    const at = cursorAt(grid, 13, 95, 1)!;
    expect([at.hole, at.absent]).toEqual(['some', ['bybit']]);
    expect(cursorAt(grid, 5, 95, 1)!.absent).toEqual([]);
  });
  it('show even where a column is narrower than a pixel', () => {
    const filled: number[][] = [];
    const ctx = { createPattern: () => ({}), fillRect: (...box: number[]) => filled.push(box) } as unknown as CanvasRenderingContext2D;
    hatch(ctx, 'some', [10, 10.2], 50, 2);
    expect(filled).toEqual([[10, 0, 2, 50]]);
  });
});
