import { encode } from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import { cursorAt } from '../src/lib/chart/cursor';
import { HeatGrid } from '../src/lib/grid/grid';
import { readFeed } from '../src/lib/health/read';
import {
  advice,
  channelState,
  incidentText,
  inDisplayOrder,
  limitText,
  rate,
  skewText,
  span,
} from '../src/lib/health/text';
import { hatch } from '../src/lib/render/hatch';
import {
  missing,
  outages,
  outageText,
  partialText,
  progressFraction,
  statusText,
} from '../src/lib/venue-status';
import { readMessage } from '../src/lib/wire/decode';
import type { Column, FeedStatus, Venue } from '../src/lib/wire/types';
import { STEP, snapshot, T0, wireColumn } from './fixtures';

const venue = (name: string, state: FeedStatus, on = true): Venue => ({
  name,
  market: `${name}:X`,
  on,
  age: 0.2,
  state,
  oi: 1,
  share: 0.2,
});

const channel = (market: string, kind: string, change: Record<string, unknown> = {}) => ({
  market,
  channel: kind,
  count: 3,
  rate: 1,
  lag: 0.01,
  age: 0.1,
  expected_interval: 5,
  state: 'up',
  ...change,
});
const answer = {
  source: 'live',
  note: '',
  ready: true,
  coins: {},
  feed: {
    at: 1,
    hosts: {},
    lag: { recent: 0, worst: 0 },
    markets: { 'bybit:BTCUSDT': 'down', 'bybit-inverse:BTCUSD': 'up' },
    channels: [
      channel('bybit:BTCUSDT', 'ratio'),
      channel('bybit:BTCUSDT', 'trades', { age: null }),
      channel('bybit-inverse:BTCUSD', 'book'),
    ],
    venues: {
      bybit: {
        skew: -0.4,
        delay: null,
        weight_used: 30,
        weight_limit: 600,
        window: 5,
        liquidations: 'all',
        skipped: {},
      },
      'bybit-inverse': {
        skew: null,
        delay: 0.01,
        weight_used: 0,
        weight_limit: 0,
        window: 0,
        liquidations: 'none',
        skipped: {},
      },
    },
    incidents: { bybit: { gaps: 1, reconnects: 4, 'book snapshots': 9 } },
    problems: {
      bybit: 'cannot connect to wss://x',
      store: 'recording has stopped: disk full',
      player: 'begun again after an error: ValueError: x',
    },
    waiting_frames: 2,
    recorded_frames: 10,
    recording: false,
    unread_frames: 1,
    unread: { bybit: 1 },
    last_unread: 'x',
  },
};

describe('venue status', () => {
  it('names missing selected venues, and counts them if they do not fit', () => {
    const up = venue('okx', 'up');
    expect(partialText([up, venue('bybit', 'down', false)])).toBe('');
    expect(partialText([up, venue('bybit', 'down')])).toBe('PARTIAL: Bybit down');
    expect(partialText([up, venue('bybit', 'down'), venue('deribit', 'stale')])).toBe(
      'PARTIAL: Bybit down, Deribit stale',
    );
    const many = ['a', 'b', 'c'].map((n) => venue(n, 'down'));
    expect(partialText([up, ...many])).toBe('PARTIAL: 3 of 4 missing');
    expect(partialText(many)).toBe('NO VENUE UP');
    expect(partialText([venue('okx', 'stale')])).toBe('OKX stale');
    expect(missing(many)).toHaveLength(3);
  });
  it('gives the age of the last data, or that there is none', () => {
    expect(statusText(venue('okx', 'up'))).toBe('OKX up, last data 0.2 s ago');
    expect(statusText({ ...venue('okx', 'down'), age: Infinity })).toBe('OKX down, no data yet');
  });
  it('does not report a joining venue as down', () => {
    const joining = ['a', 'b', 'c'].map((n) => ({ ...venue(n, 'joining'), age: Infinity }));
    expect(partialText([venue('okx', 'up'), joining[0]])).toBe('PARTIAL: A joining');
    expect(partialText([venue('okx', 'up'), ...joining])).toBe('PARTIAL: 3 of 4 joining');
    expect(partialText(joining)).toBe('3 venues joining');
    expect(partialText(joining.slice(0, 1))).toBe('A joining');
    expect(statusText(joining[0])).toBe('A joining, no data yet');
    expect(outages(joining)).toEqual([]);
  });
  it('explains an outage, and treats an invalid age as no data', () => {
    const down = { ...venue('bybit', 'down'), share: 0.21, age: 80 };
    expect(outages([venue('okx', 'up'), down])).toEqual([down]);
    expect(outageText(down, '07:24')).toBe(
      'Its 21 % share is frozen as of 07:24. Totals are partial until data resumes.',
    );
    expect(outageText({ ...down, share: 0 }, '07:24')).toMatch(/^Its share is frozen/);
    expect(outageText({ ...down, age: Infinity }, '–')).toBe(
      'No data since the server started. Totals exclude it.',
    );
    expect(statusText({ ...down, age: 1_795_883_553 })).toBe('Bybit down, no data yet');
  });
  it('parses start-up progress', () => {
    expect(progressFraction('fetching 30 days of history: 210 of 840 answers')).toBe(0.25);
    expect(progressFraction('asking the venues')).toBeNull();
    expect(progressFraction('0 of 0 answers')).toBeNull();
  });
});

describe('feed health', () => {
  const feed = readFeed(answer)!;
  const [bybit, inverse] = feed.venues;

  it('is null where nothing is collected', () => {
    expect(readFeed({ ...answer, feed: null })).toBeNull();
  });
  it('is grouped by venue, also for venues with a common name prefix', () => {
    expect(Object.keys(bybit.markets)).toEqual(['bybit:BTCUSDT']);
    expect(bybit.channels).toHaveLength(2);
    expect(inverse.channels).toHaveLength(1);
    expect([bybit.unread, inverse.unread]).toEqual([1, 0]);
    expect(bybit.problem).toContain('cannot connect');
    expect(feed.serverProblems).toEqual([
      'recording has stopped: disk full',
      'begun again after an error: ValueError: x',
    ]);
    expect(inDisplayOrder(bybit.channels).map((c) => c.channel)).toEqual(['trades', 'ratio']);
  });
  it('rejects unknown states', () => {
    const odd = {
      ...answer,
      feed: { ...answer.feed, channels: [channel('a:b', 'book', { state: 'odd' })] },
    };
    expect(() => readFeed(odd)).toThrow(
      /expected one of down, stale, up, waiting at \$\.feed\.channels\[0\]\.state/,
    );
  });
  it('is formatted', () => {
    expect(incidentText(bybit)).toBe('4 reconnects, 1 gap, 1 unreadable message');
    expect(incidentText(inverse)).toBe('none');
    expect(limitText(bybit)).toBe('30 of 600 in 5 s');
    expect(limitText(inverse)).toBe('no limit published');
    expect([skewText(bybit.skew), skewText(null), skewText(0.01)]).toEqual([
      '400 ms behind ours',
      'unknown',
      'in sync',
    ]);
    expect([span(0.012), span(1.24), span(75), span(600), span(8000), span(null)]).toEqual([
      '12 ms',
      '1.2 s',
      '75 s',
      '10 min',
      '2 h',
      '–',
    ]);
    expect([rate(0), rate(0.01), rate(2), rate(1234.5)]).toEqual(['0', '<0.1', '2.0', '1,235']);
  });
  it('does not report an irregular channel as late', () => {
    const [, , book] = feed.venues.flatMap((v) => v.channels);
    expect(channelState({ ...book, state: 'waiting', expectedInterval: 0 })).toBe('none yet');
    expect(channelState({ ...book, state: 'waiting' })).toBe('waiting');
  });
  it('gives advice on problems', () => {
    expect(advice(bybit.problem).problem).toBe('Cannot connect');
    expect(advice('HTTP 451 from x: not served at this location').action).toContain('--venues');
    expect(advice('unexpected').action).toContain('powderkeg doctor');
  });
});

describe('columns without some venues', () => {
  const column = (t: number): Column =>
    readMessage(encode(wireColumn(1, t, { k: [1, 2, 1, 1, 1] }))) as Column;

  it('are reported by the server and recorded by the page', () => {
    const grid = new HeatGrid(snapshot(12, 20, { gaps: [[0, 2]], partial: [[4, 6]] }));
    expect([1, 3, 5, 6].map((c) => grid.gapAt(c))).toEqual(['all', null, 'some', null]);
    for (const n of [12, 13]) {
      expect(grid.apply(column(T0 + n * STEP))).toBe('appended');
      grid.markMissing(['bybit']);
    }
    expect(grid.partial).toEqual([
      [4, 6],
      [12, 14],
    ]);
    const at = cursorAt(grid, 13, 95, 1)!;
    expect([at.gap, at.missingVenues]).toEqual(['some', ['bybit']]);
    expect(cursorAt(grid, 5, 95, 1)!.missingVenues).toEqual([]);
  });
  it('are visible even if narrower than a pixel', () => {
    const filled: number[][] = [];
    const ctx = {
      createPattern: () => ({}),
      fillRect: (...box: number[]) => filled.push(box),
    } as unknown as CanvasRenderingContext2D;
    hatch(ctx, 'some', [10, 10.2], 50, 2);
    expect(filled).toEqual([[10, 0, 2, 50]]);
  });
});
