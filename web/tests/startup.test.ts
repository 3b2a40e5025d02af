import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sections } from '../src/lib/sections';
import { POLL_MS, watchStarting } from '../src/lib/startup/poll';
import { readStarting, type Starting } from '../src/lib/startup/read';
import { gradeText, readinessChecks } from '../src/lib/startup/readiness';
import {
  coinText,
  historyText,
  mappedText,
  marketState,
  problemText,
  readyText,
  streamText,
} from '../src/lib/startup/rows';
import { StartupState } from '../src/lib/startup/state.svelte';
import {
  duration,
  leftText,
  marketsOf,
  networkText,
  stopwatch,
  venuesText,
} from '../src/lib/startup/text';
import { EXPANDED, nextCollapse } from '../src/lib/view/overflow';
import type { Fit, Grade, Trust } from '../src/lib/wire/types';

const WAITING = {
  trades: 'waiting',
  book: 'waiting',
  interest: 'waiting',
  funding: 'waiting',
  liquidations: 'waiting',
};
const ALL = { trades: 'up', book: 'up', interest: 'up', funding: 'up', liquidations: 'none' };
const market = (venue: string, change: object = {}) => ({
  coin: 'BTC',
  market: `${venue}:BTCUSDT`,
  venue,
  state: 'fetching',
  requests: 14,
  answered: 9,
  share: 0.64,
  left: 6.2,
  problem: '',
  next: '',
  tries: 1,
  streams: ALL,
  ...change,
});
const coin = (name: string, state: string, change: object = {}) => ({
  coin: name,
  state,
  share: 0.5,
  left: 18,
  ...change,
});
const answer = (change: object = {}) => ({
  kind: 'starting',
  ready: false,
  source: 'live',
  note: '',
  since: 1e15,
  now: 1e15 + 14.2e6,
  took: null,
  doing: 'fetching 30 days of history',
  share: 0.47,
  left: 31.6,
  coins: [coin('BTC', 'waiting')],
  markets: [market('binance'), market('bybit')],
  ...change,
});
const read = (change: object = {}): Starting => readStarting(answer(change));
const one = (change: object) =>
  readStarting(answer({ markets: [market('bybit', change)] })).markets[0];

describe('the answer of a starting server', () => {
  it('is parsed', () => {
    const s = read();
    expect([s.ready, s.source, s.share, s.left, s.coins[0].state]).toEqual([
      false,
      'live',
      0.47,
      31.6,
      'waiting',
    ]);
    expect([s.markets[1].venue, s.markets[1].answered, s.markets[1].streams.liquidations]).toEqual([
      'bybit',
      9,
      'none',
    ]);
  });
  it('is rejected if invalid', () => {
    expect(() => read({ source: 'moon' })).toThrow(/expected one of live, replay, simulated/);
    expect(() => read({ markets: [market('okx', { state: 'odd' })] })).toThrow(
      /expected one of asking, failed, .* at \$\.markets\[0\]\.state/,
    );
    expect(() => read({ coins: [coin('BTC', 'odd')] })).toThrow(
      /expected one of map, price, ready, waiting/,
    );
    expect(() =>
      read({ markets: [market('okx', { streams: { ...ALL, trades: 'odd' } })] }),
    ).toThrow(/expected one of down, none, up, waiting at \$\.markets\[0\]\.streams\.trades/);
    expect(() => readStarting([])).toThrow(/expected an object/);
  });
});

describe('start-up texts', () => {
  it('give durations, or a dash if unknown', () => {
    expect([duration(0), duration(6.2), duration(200), duration(8_000), duration(null)]).toEqual([
      '1 s',
      '7 s',
      '3 min',
      '2 h',
      '–',
    ]);
    expect([stopwatch(14.9), stopwatch(3_725), stopwatch(-1)]).toEqual(['0:14', '1:02:05', '–']);
    expect([leftText(read()), leftText(read({ left: null }))]).toEqual([
      'ready in about 32 s',
      'time left unknown',
    ]);
  });
  it.each([
    [{}, '9 of 14', '7 s', 'pending'],
    [{ state: 'asking', answered: 0 }, '0 of 14', '7 s', 'pending'],
    [{ state: 'asking', requests: 0, left: null }, 'requested', '–', 'pending'],
    [{ state: 'waiting', requests: 0 }, 'waiting', '7 s', 'todo'],
    [{ state: 'playing' }, 'building map', '7 s', 'pending'],
    [{ state: 'ready', answered: 14 }, 'all 14', 'ready', 'done'],
    [{ state: 'ready', requests: 0 }, 'complete', 'ready', 'done'],
    [{ state: 'failed' }, 'no answer', '–', 'failed'],
    [{ state: 'refused' }, 'refused', '–', 'failed'],
  ])('a market that is %o', (change, history, left, check) => {
    const m = one(change);
    expect([historyText(m), readyText(m), marketState(m)]).toEqual([history, left, check]);
  });
  it('gives the problem and the next step', () => {
    expect(problemText(one({ problem: 'HTTP 451', next: 'nothing' }))).toBe(
      'HTTP 451. Next: nothing',
    );
    expect(problemText(one({ problem: 'HTTP 451', next: 'nothing' }), 'nothing')).toBe('HTTP 451');
    expect(problemText(one({ state: 'asking', tries: 2, problem: 'HTTP 503' }))).toBe(
      'Retrying, 2nd attempt. HTTP 503',
    );
    expect(problemText(one({ state: 'asking', tries: 5 }))).toBe('Retrying, 5th attempt');
    expect(problemText(one({}))).toBe('');
  });
  it('lists streams for screen readers', () => {
    expect(streamText({ ...one({}).streams, book: 'waiting', trades: 'down' })).toBe(
      'trades down, book waiting, open interest up, funding up, liquidations not offered',
    );
  });
  it('counts coins with a map', () => {
    const { coins } = read({
      coins: [
        coin('BTC', 'ready'),
        coin('ETH', 'map'),
        coin('SOL', 'price'),
        coin('XRP', 'waiting', { share: 0 }),
        coin('DOGE', 'waiting'),
      ],
    });
    expect(coins.map(coinText)).toEqual(['complete', 'map, 50 %', 'price only', 'waiting', '50 %']);
    expect(mappedText(coins)).toBe('2 of 5 mapped');
  });
  it('reports whether no venue, some or all respond', () => {
    const failed = { state: 'failed', problem: 'no route', next: 'polls again in 4 s' };
    expect(networkText(read(), 'BTC')).toBeNull();
    expect(
      networkText(read({ markets: [market('okx', failed), market('bybit', failed)] }), 'BTC'),
    ).toEqual({ problem: 'None of 2 venues responds', next: 'polls again in 4 s' });
    expect(networkText(read({ markets: [market('okx', failed)] }), 'BTC')?.problem).toBe(
      'OKX does not respond',
    );
    const two = read({
      markets: [market('okx'), market('bybit'), market('binance', { state: 'refused' })],
    });
    expect(networkText(two, 'BTC')).toEqual({
      problem: '1 of 3 venues do not respond. The map is built from OKX, Bybit',
      next: '',
    });
    expect(venuesText(two.markets)).toBe('2 of 3 venues');
    expect(marketsOf(two, 'ETH')).toEqual([]);
  });
});

describe('the readiness checklist', () => {
  const fitWith = (change: Partial<Fit> = {}): Fit => ({
    version: 4,
    at: null,
    newLiquidations: 0,
    reports: 0,
    pretrained: null,
    pathOnly: [],
    markets: 0,
    why: '',
    ...change,
  });
  const trust = (f: Fit | null): Trust => ({ model: '', priorOnly: true, fit: f, grade: null });
  const list = (s: Starting, t: Trust | null = null, passed = new Map<string, number>()) =>
    readinessChecks(s, 'BTC', t, passed).map(
      (c) => `${c.state}: ${c.what}${c.when && `, ${c.when}`}`,
    );

  it('is open at first', () => {
    const markets = [market('okx', { streams: WAITING })];
    expect(list(read({ markets, coins: [coin('BTC', 'waiting', { left: null })] }))).toEqual([
      'pending: Price and candles',
      'pending: Open interest',
      'todo: Map',
      'pending: 30-day history',
      'todo: Calibrated to this market, after 30 liquidation reports',
    ]);
  });
  it('fills as data arrives, with the time of each check', () => {
    const s = read({ coins: [coin('BTC', 'map')] });
    const pretrained = trust(
      fitWith({ pretrained: { market: 'x', since: 0, until: 1, reports: 9, version: 4 } }),
    );
    expect(
      list(
        s,
        pretrained,
        new Map([
          ['price', 1.2],
          ['map', 6],
        ]),
      ),
    ).toEqual([
      'done: Price and candles, since 0:01',
      'done: Open interest, 2 venues',
      'done: Map (pretrained weights), since 0:06',
      'pending: 30-day history, in 18 s',
      'todo: Calibrated to this market, after 30 liquidation reports',
    ]);
  });
  it('names the basis of the map, and calibration only once done', () => {
    const s = read({ coins: [coin('BTC', 'ready')], doing: '' });
    expect(list(s, trust(fitWith()))[2]).toBe('done: Map (assumed weights)');
    expect(list(s, trust(fitWith({ at: 1, reports: 12.7 }))).slice(2)).toEqual([
      'done: Map',
      'done: Full history',
      'todo: Calibrated to this market, after 30 liquidation reports, 12 so far',
    ]);
    expect(list(s, trust(fitWith({ at: 1, reports: 40 })))[4]).toBe(
      'done: Calibrated to this market, 40 reports',
    );
  });
  it('fails the history check if no venue responds', () => {
    const failed = { state: 'failed', streams: WAITING };
    expect(list(read({ markets: [market('okx', failed)] }))[3]).toBe(
      'failed: 30-day history, no venue responds',
    );
    expect(list(read({ markets: [market('okx', failed), market('bybit')] }))[3]).toBe(
      'pending: 30-day history, 1 of 2 venues, in 18 s',
    );
  });
  it('explains the grade only if the fit limits it', () => {
    const grade = (parts: Grade['parts']): Grade => ({ letter: 'D', parts, why: '' });
    expect([
      gradeText(null),
      gradeText(grade({ fit: 'D' })),
      gradeText(grade({ fit: 'A' })),
    ]).toEqual(['', 'Grade D until calibrated.', 'Grade D.']);
  });
});

describe('polling a starting server', () => {
  let answers: (object | Error)[] = [];
  let polls = 0;
  beforeEach(() => {
    vi.useFakeTimers();
    polls = 0;
    vi.stubGlobal('fetch', () => {
      const next = answers[Math.min(polls++, answers.length - 1)];
      return next instanceof Error
        ? Promise.reject(next)
        : Promise.resolve(new Response(JSON.stringify(next)));
    });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('continues until ready, across errors', async () => {
    answers = [answer(), new Error('gone'), answer({ ready: true })];
    const received: string[] = [];
    watchStarting({
      onAnswer: (s) => received.push(String(s.ready)),
      onError: (words) => received.push(words),
    });
    await vi.advanceTimersByTimeAsync(POLL_MS * 10);
    expect(received).toEqual(['false', 'gone', 'true']);
    expect(polls).toBe(3);
  });
  it('stops on request', async () => {
    answers = [answer()];
    const stop = watchStarting({ onAnswer: () => undefined, onError: () => undefined });
    await vi.advanceTimersByTimeAsync(POLL_MS * 2.5);
    stop();
    const before = polls;
    await vi.advanceTimersByTimeAsync(POLL_MS * 10);
    expect(polls).toBe(before);
  });
  it('reports progress of a coin only when it has progressed data', () => {
    const progressed: string[] = [];
    let done = 0;
    const startup = new StartupState({
      onProgress: (name) => progressed.push(name),
      onReady: () => done++,
    });
    const update = (state: string, ready: number, eth = 'waiting') => {
      const markets = ['a', 'b', 'c'].map((v, i) => market(v, i < ready ? { state: 'ready' } : {}));
      startup.update(read({ markets, coins: [coin('BTC', state), coin('ETH', eth)] }));
      return progressed.splice(0).join();
    };
    expect(update('waiting', 0)).toBe('');
    expect(update('price', 0)).toBe('BTC');
    expect(update('price', 0)).toBe('');
    expect(update('map', 1)).toBe('BTC');
    expect(update('map', 2, 'price')).toBe('BTC,ETH');
    expect(update('map', 1, 'price')).toBe('');
    expect(update('ready', 3, 'price')).toBe('BTC');
    expect(done).toBe(0);
    startup.update(read({ ready: true }));
    expect(done).toBe(1);
  });
  it('records when a check passes, but not checks already passed at first', () => {
    const startup = new StartupState({ onProgress: () => undefined, onReady: () => undefined });
    startup.update(read({ coins: [coin('BTC', 'price'), coin('ETH', 'waiting')] }));
    expect(startup.passedOf('BTC').size).toBe(0);
    startup.update(read({ coins: [coin('BTC', 'map'), coin('ETH', 'price')] }));
    expect([...startup.passedOf('BTC')]).toEqual([['map', expect.closeTo(14.2)]]);
    expect([...startup.passedOf('ETH')]).toEqual([['price', expect.closeTo(14.2)]]);
    expect(startup.elapsed(Date.now() + 2_000)).toBeCloseTo(16.2, 0);
    startup.stop();
    expect([startup.now, startup.elapsed(0)]).toEqual([null, NaN]);
  });
});

describe('toolbar overflow', () => {
  const widths = [700, 500, 400, 300];
  const settle = (room: number, from = EXPANDED) => {
    let now = from;
    for (let i = 0; i < 10; i++) now = nextCollapse(now, room, widths[now.level], 3);
    return now;
  };
  it('collapses as many groups as needed, and expands them again', () => {
    expect([900, 700, 600, 450, 350, 100].map((room) => settle(room).level)).toEqual([
      0, 0, 1, 2, 3, 3,
    ]);
    expect(settle(900, settle(350)).level).toBe(0);
    expect(settle(520, settle(350)).level).toBe(1);
  });
  it('does not oscillate', () => {
    const now = settle(699);
    expect(nextCollapse(now, 699, widths[now.level], 3)).toEqual(now);
  });
});

describe('sections', () => {
  it('are those that are available', () => {
    expect(sections().map((p) => p.name)).toEqual(['map', 'flow', 'signals']);
    document.documentElement.dataset['sections'] = 'all';
    expect(sections().map((p) => p.text)).toEqual(['Map', 'Flow', 'Signals', 'Paper', 'Learn']);
    delete document.documentElement.dataset['sections'];
  });
});
