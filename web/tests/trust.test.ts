import { describe, expect, it } from 'vitest';
import { decodeDifference, differenceText, encodeDifference } from '../src/lib/grid/difference';
import { diverging, divergingAt } from '../src/lib/render/diverging';
import { modelParts } from '../src/lib/trust/model';
import {
  publishedHours,
  readComparison,
  readObserved,
  readRowBands,
  readScores,
  tiersInDollars,
} from '../src/lib/trust/read';
import {
  bandText,
  clusterText,
  hypothesisText,
  measuredText,
  newLiquidationsText,
  pretrainedText,
  when,
} from '../src/lib/trust/text';
import type { Cluster } from '../src/lib/wire/types';
import { envelope, wireLevels } from './fixtures';

const at = 1_700_000_000_000_000;
const pretrained = {
  market: 'BTC on Binance',
  since: Date.UTC(2025, 11, 4) * 1e3,
  until: Date.UTC(2026, 3, 1) * 1e3,
  reports: 292.3,
  version: 4,
};
const cluster: Cluster = {
  side: 'long',
  floor: 9,
  top: 11,
  peak: 10,
  notional: 1.2e8,
  ground: 1e7,
  distance: -0.1,
  tier: 25,
  tiers: {},
  age: 0,
  low: 6e7,
  high: 2.4e8,
  measured: 0.42,
  concentration: 0.7,
  expectedFill: [0.3, 1],
};

describe('the difference of two models', () => {
  it('is encoded so that the largest byte is the greatest difference', () => {
    const [static8, equal, ours2, none] = encodeDifference(Uint8Array.of(52, 128, 153, 0));
    expect(static8).toBeGreaterThan(ours2);
    expect(ours2).toBeGreaterThan(equal);
    expect(none).toBe(0);
    expect(equal).toBeGreaterThan(0);
  });
  it('keeps sign and magnitude of every byte', () => {
    for (let wire = 1; wire < 256; wire++) {
      const { times, ours } = decodeDifference(encodeDifference(Uint8Array.of(wire))[0]);
      expect(Math.log2(times)).toBeCloseTo((Math.abs(wire - 128) / 127) * 5);
      expect(ours).toBe(wire >= 128);
    }
  });
  it('names the larger model', () => {
    const text = (wire: number): string => differenceText(encodeDifference(Uint8Array.of(wire))[0]);
    expect(text(0)).toMatch(/empty/);
    expect(text(128)).toMatch(/agree/);
    expect(text(255)).toBe('calibrated is over 30× static');
    expect(text(77)).toMatch(/^static is 4\.0× calibrated/);
  });
  it('is blue where static is larger, orange where ours is, and lighter away from the middle', () => {
    const light = (c: number[]): number => c[0] + c[1] + c[2];
    expect(divergingAt(-1)[2]).toBeGreaterThan(divergingAt(-1)[0]);
    expect(divergingAt(1)[0]).toBeGreaterThan(divergingAt(1)[2]);
    for (const sign of [-1, 1])
      expect(light(divergingAt(sign))).toBeGreaterThan(light(divergingAt(sign / 2)));
    expect(diverging()[0]).toBe(0);
    expect(diverging()[255]).not.toBe(diverging(true)[255]);
  });
});

describe('reliability texts', () => {
  it('split the model description into name and basis', () => {
    const parts = (model: string): string => modelParts(model).join(' | ');
    expect(parts('pretrained: learned on binance:BTCUSDT, 2025-12 to 2026-03')).toBe(
      'pretrained | learned on binance:BTCUSDT, 2025-12 to 2026-03',
    );
    expect(parts('learning (37 reports)')).toBe('learning | (37 reports)');
    expect(parts('calibrated on 1,212 liquidation reports')).toBe(
      'calibrated | 1,212 liquidation reports',
    );
    expect(parts('assumed prior, nothing learned')).toBe('assumed prior | nothing learned');
    expect(parts('four fixed leverages, never closed · for comparison only')).toBe(
      'four fixed leverages | never closed · for comparison only',
    );
    expect(parts('as it was drawn then')).toBe('as it was drawn then | ');
    expect(parts('–')).toBe('– | ');
  });
  it('describe pretrained weights, and give times with the day if needed', () => {
    expect(pretrainedText(pretrained)).toBe(
      'Pretrained weights: fitted on BTC on Binance, 2025-12-04 to 2026-03-31, from 292 effective reports.',
    );
    expect([when(at, at + 1e9, 0), when(at, at + 2 * 86_400e6, 0), when(0, at, 0)]).toEqual([
      '22:13',
      '14 Nov 22:13',
      '–',
    ]);
  });
  it('give the measured share', () => {
    const tier = { side: 'long' as const, tier: 25, size: 3e6, low: 1e6, high: 6e6, measured: 0.4 };
    expect(measuredText([tier, { ...tier, size: 1e6, measured: 0 }])).toBe('30 % measured');
    expect(measuredText([{ ...tier, size: 0, measured: null }])).toBe('0 % measured');
    expect(measuredText([])).toBe('0 % measured');
  });
  it('count the new liquidations of a fit', () => {
    const fit = {
      version: 4,
      at: 1,
      why: '',
      markets: 1,
      reports: 1,
      pretrained: null,
      pathOnly: [],
    };
    expect(newLiquidationsText({ ...fit, newLiquidations: 1 } as never)).toBe('1 new liquidation');
    expect(newLiquidationsText({ ...fit, newLiquidations: 1212 } as never)).toBe(
      '1,212 new liquidations',
    );
  });
  it('describe band, measured share, concentration and expected fill of a cluster', () => {
    const text = clusterText(cluster);
    for (const words of [
      '80 %: $60.0M–$240M',
      '42 % measured',
      'few large positions',
      'expected fill 30–100 % (assumption)',
    ]) {
      expect(text).toContain(words);
    }
    expect(clusterText({ ...cluster, concentration: 0.01 })).toContain('many small');
    expect(clusterText({ ...cluster, concentration: null })).toContain('unknown');
    expect(clusterText({ ...cluster, low: null })).not.toContain('80 %');
    expect(bandText(null, null)).toBe('');
  });
});

const skill = (value: number | null) => ({ value, low: value, high: value, n: 240 });
const wireMarket = {
  coin: 'BTC',
  market: 'binance:BTCUSDT',
  venue: 'binance',
  hours: 240,
  since: 1,
  until: 2,
  deviance: { ours: 0.3, path_only: null, no_map: 0.8, static: 1.9 },
  skill_over_path_only: skill(null),
  skill_over_no_map: skill(0.2),
  skill_over_static: skill(0.3),
  verdict: 'edge shown',
  predicted_over_reported: 1,
  coverage_80: { value: null, n: 0 },
  reliability: [],
  price: 1e5,
  fitted: null,
  new_liquidations: 0,
  events: 0,
  prior_only: true,
  version: 4,
  basis: 'b',
  window_days: 30,
  reports: 212.4,
  pretrained,
  model_error: 0.4,
  oi_cap_factor: [1, 1],
  reporting: null,
  tiers: [
    { side: 'long', tier: 100, size: 20, low: 10, high: 40, measured: 0.5 },
    { side: 'short', tier: 5, size: 0, low: 0, high: 0, measured: null },
  ],
};
const wireScores = {
  source: 'live',
  note: '',
  caution: '',
  blind_spots: ['one'],
  nulls: { path_only: '', no_map: '', static: '' },
  published: { version: 4, scores: [], answers: [] },
  markets: [wireMarket],
};
const rows = { ...envelope, p0: 1, dp: 0.1, rows: 2 };

describe('answers fetched on demand', () => {
  it('reads scores, null where nothing is known, and tier sizes in dollars', () => {
    const { markets, blindSpots } = readScores(wireScores);
    expect(blindSpots).toEqual(['one']);
    const [read] = markets;
    expect([read.skillOverPathOnly.value, read.skillOverStatic.low]).toEqual([null, 0.3]);
    expect([read.coverage80.value, read.reporting, read.reports]).toEqual([null, null, 212.4]);
    expect(read.pretrained).toEqual(pretrained);
    const [long, short] = tiersInDollars(read);
    expect(long).toEqual({
      side: 'long',
      tier: 100,
      size: 2e6,
      low: 1e6,
      high: 4e6,
      measured: 0.5,
    });
    expect(short.measured).toBeNull();
    expect(() => readScores({ ...wireScores, markets: [{}] })).toThrow(
      /expected a number at \$\.markets\[0\]/,
    );
  });
  it('reads comparison, observed positions and bands', () => {
    const totals = { calibrated: 1, static: 2 };
    const why = ['x'];
    const both = { kind: 'compare', ours: [1, 2], theirs: [1, 2], totals, why };
    const c = readComparison({ ...rows, ...both, overlap: null, distance: 2 });
    expect([c.totals.static, c.overlap, c.distance]).toEqual([2, null, 2]);
    const seen = { kind: 'observed', long: [1, 2], short: [3, 4], accounts: 1, unplaced: 0 };
    const sides = { dollars: { long: 3, short: 0 }, share: { long: 0.2, short: null } };
    const rest = { snapshot_age: null, passed: 0, origin: '' };
    const o = readObserved({ ...rows, ...seen, ...sides, ...rest });
    expect([o.long[1], o.dollars.short, o.share.short, o.snapshotAge]).toEqual([2, 0, null, null]);
    const levels = wireLevels(1);
    expect(readRowBands(levels)).toBeNull();
    const bands = { long: [[1], [2]], short: [[3], [4]] };
    const b = readRowBands({ ...levels, bands })!;
    expect([b.ends.long.low[0], b.ends.short.high[0]]).toEqual([1, 4]);
    expect(() => readRowBands({ ...levels, bands: { ...bands, long: [[1], []] } })).toThrow(
      /expected 1 numbers at \$\.bands\.long, got 0/,
    );
  });
});

describe('tests on stored data', () => {
  it('are read with their placebo and described', () => {
    const label = { source: 's', coin: 'BTC' };
    const deviances = { poisson_deviance: 0.4, no_map_deviance: 0.8, static_deviance: 1.9 };
    const hours = { hours: 9, since: '2026-01-01T00:00Z', until: '2026-01-02T00:00Z' };
    const world = { emd: 1, emd_naive: 2, emd_ratio_to_naive: 0.5, interval: [0, 1], overlap: 0.1 };
    const { published } = readScores({
      ...wireScores,
      published: {
        version: 3,
        scores: [
          { kind: 'closed_world', ...label, ...world },
          { kind: 'hours', ...label, ...hours, ...deviances, verdict_over_path_only: '' },
        ],
        answers: [
          {
            ...label,
            question: 'goes_to_bright',
            n: 3,
            value: 0.5,
            placebo: null,
            low: null,
            high: 0.1,
            verdict: 'no edge shown',
            note: '',
          },
        ],
      },
    });
    const [read] = publishedHours(published.scores);
    expect([read.hours, read.poissonDeviance, read.pathOnlyDeviance]).toEqual([9, 0.4, null]);
    expect(published.answers[0].placebo).toBeNull();
    expect(hypothesisText('wick_hits_mirrored')).toContain('Against the mirrored map');
    expect(hypothesisText('goes_to_bright')).toBe('Is the larger of two clusters reached first?');
    expect(hypothesisText('another')).toBe('another');
  });
});
