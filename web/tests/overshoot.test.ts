import { describe, expect, it } from 'vitest';
import { fitting } from '../src/lib/overshoot/fan';
import { gapsOf, stayingDepth } from '../src/lib/overshoot/marks';
import { nextLevel, overshootUrl, passingAt } from '../src/lib/overshoot/read';
import {
  carryText,
  chainText,
  chance,
  fanText,
  learnedText,
  linkText,
  reachText,
} from '../src/lib/overshoot/text';
import type { Filters } from '../src/lib/wire/query';
import type { ChainLink, TouchForecast } from '../src/lib/wire/schema-on-demand';
import type { Cluster } from '../src/lib/wire/types';

const FILTERS: Filters = {
  coin: 'BTC',
  span: '3d',
  venues: null,
  tiers: null,
  side: 'both',
  model: 'calibrated',
};
const link = (change: Partial<ChainLink> = {}): ChainLink => ({
  near: 140_400,
  far: 139_600,
  notional: 9e7,
  cumulative: 9e7,
  resting: 0,
  coefficient: null,
  carried: true,
  ...change,
});
const touch = (change: Partial<TouchForecast> = {}): TouchForecast => ({
  level: 140_000,
  distance: -0.0141,
  side: 'long',
  cluster: [139_600, 140_400],
  end: [139_900, 139_000, 135_000],
  forced: [5e7, 9e7, 46e7],
  beyond: 0.6,
  unseen: 0,
  visible: 0.05,
  chain: [
    link(),
    link({
      near: 138_200,
      far: 137_800,
      notional: 15e7,
      cumulative: 24e7,
      resting: 51e6,
      coefficient: 1.75,
    }),
  ],
  chainLength: 2,
  outward: {
    price: Float64Array.of(142_000, 141_000, 139_000, 138_000),
    forced: Float64Array.of(0, 1e7, 9e7, 24e7),
    low: Float64Array.of(0, 0, 0, 0),
    high: Float64Array.of(0, 0, 0, 0),
    depth: Float64Array.of(0, 40e6, 120e6, 160e6),
    acceleration: Float64Array.of(0, 0, 0, 0),
    passing: Float64Array.of(1, 1, 0.6, 0.3),
  },
  ...change,
});
const cluster = (floor: number, top: number): Cluster =>
  ({ side: 'long', floor, top, peak: (floor + top) / 2 }) as Cluster;

describe('a level', () => {
  it('is asked for with the venues and the time of the map', () => {
    expect(overshootUrl(FILTERS, null)).toBe('/v1/BTC/overshoot?');
    const filters = { ...FILTERS, venues: ['okx', 'bybit'], at: 5 };
    expect(overshootUrl(filters, 140_000.123456)).toBe(
      '/v1/BTC/overshoot?price=140000.12&venues=okx,bybit&at=5',
    );
  });
  it('moves to the next cluster that does not hold it', () => {
    const clusters = [cluster(100, 102), cluster(90, 92), cluster(110, 114)];
    expect(nextLevel(clusters, 95, 101, 1)).toBe(112);
    expect(nextLevel(clusters, 95, 101, -1)).toBe(91);
    expect(nextLevel(clusters, 95, 91, -1)).toBeNull();
  });
  it('begins at the densest price that is ahead of the mark, in a cluster that holds it too', () => {
    const clusters = [cluster(100, 110), cluster(90, 92)];
    expect(nextLevel(clusters, 101, null, 1)).toBe(105);
    expect(nextLevel(clusters, 106, null, 1)).toBeNull();
    expect(nextLevel(clusters, 106, null, -1)).toBe(105);
  });
  it('is passed with a chance between those of the prices around it', () => {
    expect(passingAt(touch(), 140_000)).toBeCloseTo(0.8);
    expect(passingAt(touch(), 150_000)).toBe(1);
    expect(passingAt(touch(), 100_000)).toBe(0.3);
  });
});

describe('figures of a touch', () => {
  it('never call a chance impossible or certain that is neither', () => {
    expect([0, 0.004, 0.375, 0.996, 1, NaN].map(chance)).toEqual([
      '0%',
      'under 1%',
      '38%',
      'over 99%',
      '100%',
      '–',
    ]);
  });
  it('say of a gap whether it carries, and nothing where price is there already', () => {
    const [first, second] = touch().chain;
    expect(carryText(first)).toBe('');
    expect(`${carryText(second)} ${linkText(second)}`).toBe(
      '1.75 carries: $51.0M resting in the gap',
    );
    expect(linkText(link({ coefficient: 0.5, resting: 1e9 }))).toBe(
      'absorbed: $1.00B resting in the gap',
    );
    expect(chainText(touch())).toBe('2 of 2 in a row, $240M');
    expect(chainText(touch({ chain: [], chainLength: 0 }))).toBe('no cluster ahead');
  });
  it('call a cluster reached only where the level lies before it', () => {
    const [first, second] = touch().chain;
    expect(reachText(touch(), first)).toBe('at the touch');
    expect(reachText(touch(), second)).toBe('reached in 36%');
    expect(reachText(touch({ level: 141_000 }), first)).toMatch(/^reached in/);
  });
  it('say what they were learned from', () => {
    const survival = { median: 0.25, spread: 1.1, sweeps: 0 };
    expect(learnedText(survival, 'BTC')).toContain('which is a prior');
    expect(learnedText({ ...survival, sweeps: 1 }, 'BTC')).toContain('Learned from 1 sweep of BTC');
    expect(fanText([touch()], String)).toBe(
      'End prices: after a touch of 140000 half end beyond 139000, 80% between 139900 and 135000',
    );
    expect(fanText([], String)).toBe('No end prices yet');
  });
});

describe('marks of a touch', () => {
  it('put a coefficient between the edges that face each other', () => {
    expect(gapsOf(touch())).toEqual([{ from: 139_600, to: 138_200, text: '1.75' }]);
  });
  it('count what rests from the level on, less what flees', () => {
    expect(stayingDepth(touch(), 0.25)).toEqual([
      [140_000, 0],
      [139_000, 0.25 * (120e6 - 80e6)],
      [138_000, 0.25 * (160e6 - 80e6)],
    ]);
    expect(stayingDepth(touch({ level: 100_000 }), 0.25)).toEqual([]);
  });
  it('leave out a label that would lie over one of higher rank', () => {
    const labels = [
      { x: 50, width: 60, rank: 1 },
      { x: 90, width: 60, rank: 3 },
      { x: 200, width: 60, rank: 2 },
    ];
    expect(fitting(labels)).toEqual([1, 2]);
  });
});
