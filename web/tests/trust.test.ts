import { describe, expect, it } from 'vitest';
import { differenceWords, folded, unfolded } from '../src/lib/grid/difference';
import { diverging, divergingAt } from '../src/lib/paint/diverging';
import { readComparison, readObserved, readProofs, readRowBands } from '../src/lib/trust/read';
import { bandWords, clusterWords, modelWords, questionWords, when } from '../src/lib/trust/words';
import type { Cluster, Trust } from '../src/lib/wire/types';

const at = 1_700_000_000_000_000;
const trust = (change: Partial<Trust> = {}): Trust => ({
  model: 'm', priorOnly: true, grade: null, fit: { version: 3, at: null, taught: 0, why: '' }, ...change,
});
const cluster: Cluster = {
  side: 'long', floor: 9, top: 11, peak: 10, mass: 1.2e8, distance: -0.1, tier: 25, tiers: {}, age: 0,
  low: 6e7, high: 2.4e8, measured: 0.42, concentration: 0.7, fired: [0.3, 1],
};

describe('the difference of two models', () => {
  it('folds so that the largest of cells that share a pixel is the one that differs most', () => {
    const [static8, equal, ours2, none] = folded(Uint8Array.of(52, 128, 153, 0));
    expect(static8).toBeGreaterThan(ours2);
    expect(ours2).toBeGreaterThan(equal);
    expect(none).toBe(0);
    expect(equal).toBeGreaterThan(0);
  });
  it('keeps sign and size of every byte', () => {
    for (let wire = 1; wire < 256; wire++) {
      const { times, ours } = unfolded(folded(Uint8Array.of(wire))[0]);
      expect(Math.log2(times)).toBeCloseTo((Math.abs(wire - 128) / 127) * 5);
      expect(ours).toBe(wire >= 128);
    }
  });
  it('says who holds more', () => {
    const say = (wire: number): string => differenceWords(folded(Uint8Array.of(wire))[0]);
    expect(say(0)).toMatch(/neither/);
    expect(say(128)).toMatch(/same/);
    expect(say(255)).toBe('calibrated holds over 30 times the static map');
    expect(say(77)).toMatch(/^static holds 4\.0 times/);
  });
  it('is blue where static holds more, orange where ours does, and lighter away from the middle', () => {
    const light = (c: number[]): number => c[0] + c[1] + c[2];
    expect(divergingAt(-1)[2]).toBeGreaterThan(divergingAt(-1)[0]);
    expect(divergingAt(1)[0]).toBeGreaterThan(divergingAt(1)[2]);
    for (const sign of [-1, 1]) expect(light(divergingAt(sign))).toBeGreaterThan(light(divergingAt(sign / 2)));
    expect(diverging()[0]).toBe(0);
    expect(diverging()[255]).not.toBe(diverging(true)[255]);
  });
});

describe('words of trust', () => {
  it('tells the model, and what taught it', () => {
    expect(modelWords(trust(), 'calibrated', at, 0)).toEqual(['calibrated v3', 'prior only', '']);
    const fit = { version: 3, at, taught: 1212, why: '' };
    expect(modelWords(trust({ fit }), 'calibrated', at + 1e9, 0).slice(1)).toEqual(['fitted 22:13', ', 1,212 new liquidations']);
    expect(modelWords(trust({ fit }), 'static', at, 0)[0]).toBe('static');
    expect(when(at, at + 2 * 86_400e6, 0)).toBe('14 Nov 22:13');
  });
  it('tells of a cluster how sure, how measured, whose, and what may fire', () => {
    const said = clusterWords(cluster);
    for (const words of ['80 %: $60.0M–$240M', '42 % measured', 'few large openings', 'expected to fire 30–100 % (assumption)']) {
      expect(said).toContain(words);
    }
    expect(clusterWords({ ...cluster, concentration: 0.01 })).toContain('many small');
    expect(clusterWords({ ...cluster, concentration: null })).toContain('unknown');
    expect(clusterWords({ ...cluster, low: NaN, fired: null })).not.toContain('80 %');
    expect(bandWords(NaN, NaN)).toBe('');
  });
});

describe('answers that are asked for on demand', () => {
  it('reads a market of which nothing is known yet', () => {
    const market = {
      market: 'okx:BTC-USDT-SWAP', venue: 'okx', hours: 0, verdict: 'too few hours', reliability: [],
      skill_over_path: { value: null, low: null, high: null, n: 0 }, coverage_80: { value: null, n: 0 },
    };
    const [read] = readProofs({ markets: [market], blind_spots: ['one'] }).markets;
    expect([read.skills.path.value, read.skills.static.n, read.covered, read.told]).toEqual([null, 0, null, null]);
    expect(read.classes).toEqual([]);
    expect(() => readProofs({ markets: [{}] })).toThrow(/expected text/);
  });
  it('reads comparison, positions seen and bands', () => {
    const c = readComparison({ totals: { calibrated: 1, static: 2 }, overlap: null, distance: 2, why: ['x'] });
    expect([c.ours, c.theirs, c.overlap, c.distance]).toEqual([1, 2, null, 2]);
    const o = readObserved({ p0: 1, dp: 0.1, rows: 2, long: [1, 2], short: [3, 4], dollars: { long: 3 }, share: { long: 0.2, short: null } });
    expect([o.long[1], o.dollars.short, o.share.long, o.share.short]).toEqual([2, 0, expect.closeTo(0.2), null]);
    expect(readRowBands({ rows: 1, p0: 0, bands: {} })).toBeNull();
    const b = readRowBands({ rows: 1, p0: 0, bands: { long: [[1], [2]], short: [[3], [4]] } })!;
    expect([b.ends.long.low[0], b.ends.short.high[0]]).toEqual([1, 4]);
  });
});

describe('what stored data answered', () => {
  it('is read with its placebo and said as a question', () => {
    const { published } = readProofs({
      markets: [], blind_spots: [],
      published: {
        version: 3,
        scores: [
          { kind: 'closed_world', coin: '' },
          { kind: 'hours', coin: 'BTC', hours: 9, since: '2026-01-01T00:00Z', until: '2026-01-02T00:00Z', poisson_deviance: 0.4, no_map_deviance: 0.8, static_deviance: 1.9 },
        ],
        answers: [{ coin: 'BTC', question: 'goes_to_bright', n: 3, value: 0.5, placebo: null, low: null, high: 0.1, verdict: 'no edge shown' }],
      },
    });
    expect(published.hours).toEqual([{ coin: 'BTC', n: 9, since: '2026-01-01', until: '2026-01-02', ours: 0.4, path: 0.8, static: 1.9 }]);
    expect(published.answers[0].verdict).toBe('no edge shown');
    expect(questionWords('wick_hits_mirrored')).toContain('Against the map mirrored');
    expect(questionWords('goes_to_bright')).toBe('Is the brighter of two clusters touched first?');
    expect(questionWords('another')).toBe('another');
  });
  it('may be missing', () => {
    expect(readProofs({ markets: [] }).published).toEqual({ hours: [], answers: [] });
  });
});
