import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { folded, UNFOLDED } from '../src/lib/look/fold';
import { places } from '../src/lib/places';
import { EVERY, watchStarting } from '../src/lib/starting/poll';
import { Opening } from '../src/lib/starting/opening.svelte';
import { readStarting, type Starting } from '../src/lib/starting/read';
import { claims, gradeWords } from '../src/lib/starting/rely';
import { coinWords, drawnWords, marketMark, pastWords, problemWords, readyWords, streamWords } from '../src/lib/starting/rows';
import { duration, leftWords, networkWords, ofCoin, stopwatch, venuesWords } from '../src/lib/starting/words';
import type { Fit, Grade, Trust } from '../src/lib/wire/types';

const ALL = { trades: 'up', book: 'up', interest: 'up', funding: 'up', liquidations: 'none' };
const market = (venue: string, change: object = {}) => ({
  coin: 'BTC', market: `${venue}:BTCUSDT`, venue, state: 'fetching', asked: 14, answered: 9, share: 0.64, left: 6.2, problem: '', next: '', tries: 1, streams: ALL, ...change,
});
const coin = (name: string, state: string, change: object = {}) => ({ coin: name, state, share: 0.5, left: 18, ...change });
const answer = (change: object = {}) => ({
  kind: 'starting', ready: false, source: 'live', note: '', since: 1e15, now: 1e15 + 14.2e6, doing: 'fetching 30 days of history', share: 0.47, left: 31.6,
  coins: [coin('BTC', 'waiting')], markets: [market('binance'), market('bybit')], ...change,
});
const read = (change: object = {}): Starting => readStarting(answer(change));
const one = (change: object) => readStarting(answer({ markets: [market('bybit', change)] })).markets[0];

describe('the answer of a starting server', () => {
  it('is read field by field', () => {
    const s = read();
    expect([s.ready, s.source, s.share, s.left, s.coins[0].state]).toEqual([false, 'live', 0.47, 31.6, 'waiting']);
    expect([s.markets[1].venue, s.markets[1].answered, s.markets[1].streams.liquidations]).toEqual(['bybit', 9, 'none']);
  });
  it('holds no number that cannot be one', () => {
    const s = read({ left: NaN, share: 7, markets: [market('okx', { share: -1, left: Infinity, asked: NaN })], coins: [coin('BTC', 'map', { left: -3 })] });
    expect([s.left, s.share, s.markets[0].share, s.markets[0].left, s.markets[0].asked, s.coins[0].left]).toEqual([null, 1, 0, null, 0, 0]);
  });
  it('is refused where it is not one', () => {
    expect(() => read({ source: 'moon' })).toThrow(/expected one of live, replay, simulated/);
    expect(() => read({ markets: [market('okx', { state: 'odd' })] })).toThrow(/expected one of waiting, asking/);
    expect(() => read({ coins: [coin('BTC', 'odd')] })).toThrow(/expected one of waiting, price/);
    expect(() => read({ markets: [market('okx', { streams: { trades: 'odd' } })] })).toThrow(/expected one of up, waiting/);
    expect(() => readStarting([])).toThrow(/expected an object/);
  });
  it('may lack streams: they wait', () => {
    expect(one({ streams: undefined }).streams.trades).toBe('waiting');
  });
});

describe('the answer in words', () => {
  it('says how long, and nothing where that is not known', () => {
    expect([duration(0), duration(6.2), duration(200), duration(8_000), duration(null)]).toEqual(['1 s', '7 s', '3 min', '2 h', '–']);
    expect([stopwatch(14.9), stopwatch(3_725), stopwatch(-1)]).toEqual(['0:14', '1:02:05', '–']);
    expect([leftWords(read()), leftWords(read({ left: null }))]).toEqual(['all of it in about 32 s', 'time left not known yet']);
  });
  it.each([
    [{}, '9 of 14', '7 s', 'wait'],
    [{ state: 'asking', answered: 0 }, '0 of 14', '7 s', 'wait'],
    [{ state: 'asking', asked: 0, left: null }, 'asked', '–', 'wait'],
    [{ state: 'waiting', asked: 0 }, 'waiting', '7 s', 'open'],
    [{ state: 'playing' }, 'computing the map', '7 s', 'wait'],
    [{ state: 'ready', answered: 14 }, 'all 14', 'ready', 'met'],
    [{ state: 'ready', asked: 0 }, 'complete', 'ready', 'met'],
    [{ state: 'failed' }, 'no answer', '–', 'against'],
    [{ state: 'refused' }, 'refused', '–', 'against'],
  ])('a market that is %o', (change, past, left, mark) => {
    const m = one(change);
    expect([pastWords(m), readyWords(m), marketMark(m)]).toEqual([past, left, mark]);
  });
  it('says what failed and what is next', () => {
    expect(problemWords(one({ problem: 'HTTP 451', next: 'nothing' }))).toBe('HTTP 451. Next: nothing');
    expect(problemWords(one({ problem: 'HTTP 451', next: 'nothing' }), 'nothing')).toBe('HTTP 451');
    expect(problemWords(one({ state: 'asking', tries: 2, problem: 'HTTP 503' }))).toBe('Asked again, 2nd try. HTTP 503');
    expect(problemWords(one({ state: 'asking', tries: 5 }))).toBe('Asked again, 5th try');
    expect(problemWords(one({}))).toBe('');
  });
  it('says the streams for those who do not see letters', () => {
    expect(streamWords({ ...one({}).streams, book: 'waiting', trades: 'down' })).toBe('trades down, book waiting, open interest up, funding up, liquidations not offered');
  });
  it('counts coins that are drawn', () => {
    const { coins } = read({ coins: [coin('BTC', 'ready'), coin('ETH', 'map'), coin('SOL', 'price'), coin('XRP', 'waiting', { share: 0 }), coin('DOGE', 'waiting')] });
    expect(coins.map(coinWords)).toEqual(['complete', 'map, 50 %', 'price only', 'waiting', '50 %']);
    expect(drawnWords(coins)).toBe('2 of 5 drawn');
  });
  it('tells the three networks: nothing answers, some do, all do', () => {
    const failed = { state: 'failed', problem: 'no route', next: 'asked again in 4 s' };
    expect(networkWords(read(), 'BTC')).toBeNull();
    expect(networkWords(read({ markets: [market('okx', failed), market('bybit', failed)] }), 'BTC')).toEqual({ what: 'None of 2 venues answers', next: 'asked again in 4 s' });
    expect(networkWords(read({ markets: [market('okx', failed)] }), 'BTC')?.what).toBe('OKX does not answer');
    const two = read({ markets: [market('okx'), market('bybit'), market('binance', { state: 'refused' })] });
    expect(networkWords(two, 'BTC')).toEqual({ what: '1 of 3 venues do not answer. The map is made of OKX, Bybit', next: '' });
    expect(venuesWords(two.markets)).toBe('2 of 3 venues');
    expect(ofCoin(two, 'ETH')).toEqual([]);
  });
});

describe('what can be relied on', () => {
  const fit = (change: Partial<Fit> = {}): Fit => ({ version: 4, at: null, taught: 0, reports: 0, borrowed: null, pathOnly: [], why: '', ...change });
  const trust = (f: Fit | null): Trust => ({ model: '', priorOnly: true, fit: f, grade: null });
  const said = (s: Starting, t: Trust | null = null, seen = new Map<string, number>()) => claims(s, 'BTC', t, seen).map((c) => `${c.mark}: ${c.what}${c.when && `, ${c.when}`}`);

  it('is nothing at first', () => {
    const markets = [market('okx', { streams: {} })];
    expect(said(read({ markets, coins: [coin('BTC', 'waiting', { left: null })] }))).toEqual([
      'wait: Price and candles', 'wait: Open interest', 'open: Map', 'wait: All 30 days', 'open: Map fitted to this market, after 30 liquidation reports',
    ]);
  });
  it('grows with the coin, each with the time it was seen at', () => {
    const s = read({ coins: [coin('BTC', 'map')] });
    const lent = trust(fit({ borrowed: { market: 'x', since: 0, until: 1, reports: 9 } }));
    expect(said(s, lent, new Map([['price', 1.2], ['map', 6]]))).toEqual([
      'met: Price and candles, since 0:01', 'met: Open interest, 2 venues', 'met: Map from borrowed weights, since 0:06', 'wait: All 30 days, in 18 s',
      'open: Map fitted to this market, after 30 liquidation reports',
    ]);
  });
  it('calls a map by what it rests on, and fitted only when it is', () => {
    const s = read({ coins: [coin('BTC', 'ready')], doing: '' });
    expect(said(s, trust(fit()))[2]).toBe('met: Map from assumed weights');
    expect(said(s, trust(fit({ at: 1, reports: 12.7 }))).slice(2)).toEqual(['met: Map', 'met: All of the past', 'open: Map fitted to this market, after 30 liquidation reports, 12 so far']);
    expect(said(s, trust(fit({ at: 1, reports: 40 })))[4]).toBe('met: Map fitted to this market, on 40 reports');
  });
  it('says of what does not answer that it will not come', () => {
    const failed = { state: 'failed', streams: {} };
    expect(said(read({ markets: [market('okx', failed)] }))[3]).toBe('against: All 30 days, no venue answers');
    expect(said(read({ markets: [market('okx', failed), market('bybit')] }))[3]).toBe('wait: All 30 days, 1 of 2 venues, in 18 s');
  });
  it('names what holds the grade down only where it is the fit', () => {
    const grade = (parts: Record<string, string>): Grade => ({ letter: 'D', parts, why: '' });
    expect([gradeWords(null), gradeWords(grade({ fit: 'D' })), gradeWords(grade({ fit: 'A' }))]).toEqual(['', 'Grade D until it is fitted.', 'Grade D.']);
  });
});

describe('asking a starting server', () => {
  let answers: (object | Error)[] = [];
  let asked = 0;
  beforeEach(() => {
    vi.useFakeTimers();
    asked = 0;
    vi.stubGlobal('fetch', () => {
      const next = answers[Math.min(asked++, answers.length - 1)];
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(new Response(JSON.stringify(next)));
    });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('goes on until it is ready, over a silence, and no longer', async () => {
    answers = [answer(), new Error('gone'), answer({ ready: true })];
    const heard: string[] = [];
    watchStarting({ onAnswer: (s) => heard.push(String(s.ready)), onTrouble: (words) => heard.push(words) });
    await vi.advanceTimersByTimeAsync(EVERY * 10);
    expect(heard).toEqual(['false', 'gone', 'true']);
    expect(asked).toBe(3);
  });
  it('ends when it is told to', async () => {
    answers = [answer()];
    const stop = watchStarting({ onAnswer: () => undefined, onTrouble: () => undefined });
    await vi.advanceTimersByTimeAsync(EVERY * 2.5);
    stop();
    const before = asked;
    await vi.advanceTimersByTimeAsync(EVERY * 10);
    expect(asked).toBe(before);
  });
  it('asks for the map whenever more of its coin is known, and for nothing else', () => {
    const more: string[] = [];
    let done = 0;
    const opening = new Opening({ onMore: (name) => more.push(name), onReady: () => done++ });
    const take = (state: string, ready: number, eth = 'waiting') => {
      const markets = ['a', 'b', 'c'].map((v, i) => market(v, i < ready ? { state: 'ready' } : {}));
      opening.take(read({ markets, coins: [coin('BTC', state), coin('ETH', eth)] }));
      return more.splice(0).join();
    };
    expect(take('waiting', 0)).toBe('');
    expect(take('price', 0)).toBe('BTC');
    expect(take('price', 0)).toBe('');
    expect(take('map', 1)).toBe('BTC');
    expect(take('map', 2, 'price')).toBe('BTC,ETH');
    expect(take('map', 1, 'price')).toBe('');
    expect(take('ready', 3, 'price')).toBe('BTC');
    expect(done).toBe(0);
    opening.take(read({ ready: true }));
    expect(done).toBe(1);
  });
  it('notes when it saw a thing become true, and not what it found so', () => {
    const opening = new Opening({ onMore: () => undefined, onReady: () => undefined });
    opening.take(read({ coins: [coin('BTC', 'price'), coin('ETH', 'waiting')] }));
    expect(opening.of('BTC').size).toBe(0);
    opening.take(read({ coins: [coin('BTC', 'map'), coin('ETH', 'price')] }));
    expect([...opening.of('BTC')]).toEqual([['map', expect.closeTo(14.2)]]);
    expect([...opening.of('ETH')]).toEqual([['price', expect.closeTo(14.2)]]);
    expect(opening.elapsed(Date.now() + 2_000)).toBeCloseTo(16.2, 0);
    opening.stop();
    expect([opening.now, opening.elapsed(0)]).toEqual([null, NaN]);
  });
});

describe('a row that must fit', () => {
  const widths = [700, 500, 400, 300];
  const settle = (room: number, from = UNFOLDED) => {
    let now = from;
    for (let i = 0; i < 10; i++) now = folded(now, room, widths[now.level], 3);
    return now;
  };
  it('folds as many groups as it must, and opens them again', () => {
    expect([900, 700, 600, 450, 350, 100].map((room) => settle(room).level)).toEqual([0, 0, 1, 2, 3, 3]);
    expect(settle(900, settle(350)).level).toBe(0);
    expect(settle(520, settle(350)).level).toBe(1);
  });
  it('does not go back and forth at an edge', () => {
    const now = settle(699);
    expect(folded(now, 699, widths[now.level], 3)).toEqual(now);
  });
});

describe('the places', () => {
  it('are those that are made', () => {
    expect(places().map((p) => p.name)).toEqual(['map']);
    document.documentElement.dataset['places'] = 'all';
    expect(places().map((p) => p.text)).toEqual(['Map', 'Flow', 'Signals', 'Paper', 'Learn']);
    delete document.documentElement.dataset['places'];
  });
});
