import { afterEach, describe, expect, it } from 'vitest';
import { pricesOf, separated, spanFor, ticks, timesOf, timeTicks } from '../src/lib/signals/chart';
import {
  along,
  evidenceText,
  lampOf,
  needText,
  priceFigure,
  riskShare,
  wholePercent,
} from '../src/lib/signals/figures';
import { AXIS, paintEpisode } from '../src/lib/signals/paint';
import { chosenOf, readSignals, signalsUrl } from '../src/lib/signals/read';
import { grouped, sideWord, stateWord, stepsOf } from '../src/lib/signals/states';
import { readUrl, writeUrl } from '../src/lib/url';
import type { EpisodeRow, Evidence } from '../src/lib/wire/schema-on-demand';

const MINUTE = 60e6;
/** 23 November 2026, 06:33 UTC. */
const BEGUN = Date.UTC(2026, 10, 23, 6, 33) * 1_000;
const states = (...names: string[]): EpisodeRow['transitions'] =>
  names.map((state, n) => ({
    state,
    time: BEGUN + n * 10 * MINUTE,
    price: 151_000 - n * 500,
    evidence: [],
  }));
const episode = (change: Partial<EpisodeRow> = {}): EpisodeRow => ({
  id: 'BTC:sweep_reclaim:long-1:1',
  type: 'sweep_reclaim',
  state: 'SWEPT',
  open: true,
  failed: false,
  ahead: ['ABSORBING', 'RECLAIMED'],
  begun: BEGUN,
  since: BEGUN + 20 * MINUTE,
  expires: BEGUN + 240 * MINUTE,
  cluster: { id: 'long-1', side: 'long', floor: 148_500, top: 149_200, notional: 18e7, rank: 96 },
  links: [],
  transitions: states('APPROACH', 'IN_ZONE', 'SWEPT'),
  evidence: [],
  age: 0.4,
  score: 80,
  plan: { side: 'long', entry: 149_000, stop: 147_800, target: 153_000, reward: 10 / 3 },
  baseRate: null,
  ...change,
});
const row = (change: Partial<Evidence>): Evidence => ({
  name: 'refill',
  value: 0.9,
  need: 0.7,
  unit: 'ratio',
  met: true,
  age: 0,
  atMost: false,
  ...change,
});

describe('states of an episode', () => {
  it('are those it was in, then those left on the usual way while it is open', () => {
    expect(stepsOf(episode()).map(({ state, kind }) => `${state} ${kind}`)).toEqual([
      'APPROACH reached',
      'IN_ZONE reached',
      'SWEPT now',
      'ABSORBING ahead',
      'RECLAIMED ahead',
    ]);
    expect(stepsOf(episode()).at(-1)).toMatchObject({ time: null, price: null });
  });
  it('end with the last one, against where the signal failed', () => {
    const ended = (failed: boolean, ...names: string[]) =>
      stepsOf(episode({ open: false, failed, ahead: [], transitions: states(...names) })).at(-1);
    expect(ended(true, 'APPROACH', 'FAILED')).toMatchObject({ word: 'failed', kind: 'against' });
    expect(ended(false, 'APPROACH', 'RECLAIMED')?.kind).toBe('reached');
  });
  it('are written as words', () => {
    expect(stateWord('TRAP_CONFIRMED')).toBe('trap confirmed');
    expect([sideWord(episode()), sideWord(episode({ cluster: null }))]).toEqual(['longs', '']);
  });
});

describe('the list of episodes', () => {
  const ended = (hours: number): EpisodeRow =>
    episode({ id: String(hours), open: false, since: BEGUN - hours * 60 * MINUTE });
  it('has open ones, those of the day in the zone shown, and the others', () => {
    const names = (zone: number) =>
      grouped([episode(), ended(3), ended(8), ended(40)], BEGUN, zone).map(
        ({ name, episodes }) => `${name} ${episodes.length}`,
      );
    expect(names(0)).toEqual(['Now 1', 'Today 1', 'Earlier 2']);
    expect(names(13 * 3_600)).toEqual(['Now 1', 'Today 2', 'Earlier 1']);
    expect(grouped([], BEGUN, 0)).toEqual([]);
  });
  it('shows the newest unless another one is asked for', () => {
    const all = [episode(), ended(3)];
    expect(chosenOf(all, '')?.id).toBe(all[0].id);
    expect(chosenOf(all, '3')).toBe(all[1]);
    expect(chosenOf([], '3')).toBeNull();
  });
  it('is read from an answer and refuses another one', () => {
    const answer = {
      kind: 'signals',
      coin: 'BTC',
      source: 'replay',
      note: '',
      as_of: BEGUN,
      now: BEGUN,
      price: NaN,
      seq: 0,
      episodes: [],
      statistics: [],
      months: [],
      reliability: [],
      touches: [],
      touched: [],
      followed: 3,
      version: 1,
      grade: null,
    };
    expect(readSignals(answer).answer).toMatchObject({ followed: 3, price: null });
    expect(() => readSignals({ ...answer, episodes: null })).toThrow('$.episodes');
    expect(signalsUrl('BTC')).toBe('/v1/BTC/signals?limit=200');
    expect(signalsUrl('BTC', BEGUN)).toBe(`/v1/BTC/signals?limit=200&at=${BEGUN}`);
  });
  it('keeps the chosen episode in the address', () => {
    const {
      filters,
      view,
      place,
      episode: id,
    } = readUrl('?coin=BTC&place=signals&episode=BTC%3Agrowth%3A5');
    expect([place, id, filters.span]).toEqual(['signals', 'BTC:growth:5', undefined]);
    const all = { coin: 'BTC', span: '3d', venues: null, tiers: null } as const;
    const url = (section: string) =>
      writeUrl(
        { ...all, side: 'both', model: 'calibrated' },
        view,
        null,
        undefined,
        'USD',
        undefined,
        section,
        'BTC:growth:5',
      );
    expect(url('signals')).toBe('?coin=BTC&span=3d&place=signals&episode=BTC:growth:5');
    expect(url('map')).toBe('?coin=BTC&span=3d');
  });
});

describe('evidence', () => {
  it.each([
    [row({}), 'met'],
    [row({ value: null, met: false }), 'unknown'],
    [row({ value: 0.4, met: false }), 'not met'],
    [row({ value: -0.4, met: false }), 'against'],
    [row({ value: 20, need: 120, unit: 'seconds', met: false }), 'waiting'],
    [row({ value: 3, need: null, met: false }), 'not met'],
  ] as const)('has a lamp %#', (evidence, lamp) => {
    expect(lampOf(evidence)).toBe(lamp);
  });
  it.each([
    [0.01494, 'fraction of price', '1.49%'],
    [0.268, 'fraction', '26.8%'],
    [-0.268, 'fraction', '−26.8%'],
    [3.42, 'multiple', '3.42×'],
    [84.7, 'percentile', 'P85'],
    [180e6, 'dollars', '$180M'],
    [-1e6, 'dollars', '−$1.00M'],
    [120, 'seconds', '2 min'],
    [400, 'coins', '400.00 BTC'],
    [149_946.2, 'price', '149,946'],
    [3, 'count', '3'],
    [0.93, 'ratio', '0.93'],
    [null, 'ratio', '–'],
  ] as const)('writes %s %s as %s', (value, unit, text) => {
    expect(evidenceText(value, unit, 'BTC')).toBe(text);
  });
  it('says which way a threshold is meant, and what only informs', () => {
    expect(needText(row({}), 'BTC')).toBe('≥ 0.70');
    expect(needText(row({ atMost: true }), 'BTC')).toBe('≤ 0.70');
    expect(needText(row({ need: null }), 'BTC')).toBe('informs');
  });
});

describe('plan and base rate', () => {
  const { plan } = episode();
  it('measures distances in the direction of the position', () => {
    if (!plan) throw new Error('the episode has a plan');
    expect(along(plan, plan.stop)).toBeCloseTo(-0.00805, 5);
    expect(along({ ...plan, side: 'short' }, plan.stop)).toBeCloseTo(0.00805, 5);
    expect(riskShare(3)).toBe(0.25);
    expect([priceFigure(149_000, 0.1), priceFigure(0.01234, 0)]).toEqual(['149,000', '0.01']);
  });
  it('has a dash for what is not known', () => {
    expect([wholePercent(0.333), wholePercent(null)]).toEqual(['33%', '–']);
  });
});

describe('the price chart of an episode', () => {
  it('goes on to now while it is open, and half an hour beyond its end but not beyond now', () => {
    const now = BEGUN + 90 * MINUTE;
    expect(timesOf(episode(), now)).toMatchObject({ from: BEGUN - 30 * MINUTE, end: now });
    const ended = timesOf(episode({ open: false }), now);
    expect(ended.end).toBe(BEGUN + 50 * MINUTE);
    expect(timesOf(episode({ open: false }), BEGUN + 25 * MINUTE).end).toBe(BEGUN + 25 * MINUTE);
    expect(ended.to).toBeGreaterThan(ended.end);
  });
  it('takes the shortest span that reaches back', () => {
    const spans = ['3d', '4h', '1d', '7d'];
    const span = (hours: number) => spanFor(BEGUN - hours * 60 * MINUTE, BEGUN, spans);
    expect([span(3), span(10), span(100), span(1_000)]).toEqual(['4h', '1d', '7d', '7d']);
    expect(spanFor(0, BEGUN, [])).toBe('');
  });
  it('shows cluster, states and plan', () => {
    const { from, to } = pricesOf(episode(), []);
    expect(from).toBeLessThan(147_800);
    expect(to).toBeGreaterThan(153_000);
    const bare = pricesOf(episode({ cluster: null, plan: null }), []);
    expect(bare.from).toBeLessThan(150_000);
    expect(bare.to).toBeLessThan(151_200);
  });
  it('has round prices and times', () => {
    expect(ticks({ from: 147_700, to: 149_900 }, 4)).toEqual([148_000, 149_000]);
    expect(ticks({ from: 5, to: 5 }, 4)).toEqual([]);
    expect(timeTicks({ from: BEGUN, to: BEGUN + 60 * MINUTE }, 0, 3)).toEqual([
      BEGUN + 27 * MINUTE,
      BEGUN + 57 * MINUTE,
    ]);
  });
  it('moves numbers of states apart and keeps them in sight', () => {
    const room = { from: 0, to: 300, right: 400 };
    const marks = separated(
      [
        { x: 390, y: 10 },
        { x: 391, y: 10 },
        { x: 392, y: 10 },
        { x: 393, y: 12 },
      ],
      room,
    );
    for (const { at, top } of marks) {
      expect(at).toBeLessThanOrEqual(388);
      expect(top).toBeGreaterThanOrEqual(12);
    }
    const places = marks.map(({ at, top }) => `${at} ${top}`);
    expect(new Set(places).size).toBe(places.length);
  });
});

describe('the picture of an episode', () => {
  /** What was drawn: texts with their places, and filled boxes. */
  function drawn(shown: EpisodeRow, now: number) {
    const texts: [string, number, number][] = [];
    const boxes: [number, number, number, number][] = [];
    const ctx = new Proxy({} as Record<string, unknown>, {
      get: (kept, name: string) => {
        if (name === 'measureText') return () => ({ width: 60 });
        if (name === 'fillText') return (...args: [string, number, number]) => texts.push(args);
        if (name === 'fillRect')
          return (...args: [number, number, number, number]) => boxes.push(args);
        return kept[name] ?? (() => undefined);
      },
    });
    const picture = { episode: shown, heat: null, now, zone: 0, tick: 0.1, price: 149_500 };
    paintEpisode(ctx as unknown as CanvasRenderingContext2D, 800, 400, {
      ...picture,
      colour: (name) => name,
    });
    return { texts, boxes, width: 800 - AXIS.width };
  }
  const now = BEGUN + 60 * MINUTE;
  const x = (time: number, width: number) => {
    const { from, to } = timesOf(episode(), now);
    return ((time - from) / (to - from)) * width;
  };
  it('numbers its states and names the plan and what the cluster held', () => {
    const words = drawn(episode(), now).texts.map(([text]) => text);
    for (const word of ['1', '2', '3', 'Entry', 'Stop', 'Target', '$180M longs', '147,800'])
      expect(words).toContain(word);
    expect(words).not.toContain('4');
  });
  it('has entry, stop and target from the last state on, and nothing else after now', () => {
    const { boxes, width } = drawn(episode(), now);
    const since = x(BEGUN + 20 * MINUTE, width);
    // Lines and tints that end at the right edge but do not begin at the left one.
    const ahead = boxes.filter(([left, , wide]) => left > 0 && wide > 1 && left + wide > width - 1);
    expect(ahead.length).toBe(5);
    for (const [left] of ahead) expect(left).toBeCloseTo(since, 6);
    const bare = drawn(episode({ plan: null }), now);
    expect(
      bare.boxes.filter(([left, , wide]) => left > 0 && wide > 1 && left + wide > width - 1),
    ).toEqual([]);
  });
  it('has no price of the last trade once the episode has ended', () => {
    const tags = (open: boolean) =>
      drawn(episode({ open }), now).texts.filter(([text]) => text === '149,500').length;
    expect([tags(true), tags(false)]).toEqual([1, 0]);
  });
});

afterEach(() => localStorage.clear());
