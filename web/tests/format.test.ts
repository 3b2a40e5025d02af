import { describe, expect, it } from 'vitest';
import { stableAutoscale } from '../src/lib/chart/autoscale';
import { cursorAt, entryLiquidatedAt } from '../src/lib/chart/cursor';
import {
  age,
  axisDecimals,
  clock,
  decimals,
  dollars,
  moment,
  percent,
  price,
  shortPrice,
  stamp,
  venueName,
} from '../src/lib/format';
import { HeatGrid } from '../src/lib/grid/grid';
import { rate, span } from '../src/lib/health/text';
import { duration, stopwatch } from '../src/lib/startup/text';
import { readSettings, readUrl, saveSettings, writeUrl } from '../src/lib/url';
import { DEFAULT_OPTIONS } from '../src/lib/view/options';
import { type Filters, streamUrl, viewUrl } from '../src/lib/wire/query';

import type { Cluster } from '../src/lib/wire/types';
import { snapshot, T0 } from './fixtures';

describe('numbers', () => {
  it.each([
    [42_700_000, '$42.7M'],
    [1.2e9, '$1.20B'],
    [830, '$830'],
    [999_600, '$1.00M'],
    [203e6, '$203M'],
    [0, '$0'],
    [NaN, '–'],
    [2.5e12, '$2.50T'],
  ])('%d dollars read %s', (usd, words) => {
    expect(dollars(usd)).toBe(words);
  });
  it.each([
    [0.045, '+4.5%'],
    [-0.0072, '−0.7%'],
    [-0.0001, '+0.0%'],
    [NaN, '–'],
  ])('%d reads %s', (x, words) => {
    expect(percent(x)).toBe(words);
  });
  it('price decimals follow the tick size', () => {
    expect(price(93_782.44, decimals(0.1))).toBe('93,782.4');
    expect([
      axisDecimals(93_782, 0.1),
      axisDecimals(3_300, 0.01),
      axisDecimals(184, 0.001),
      axisDecimals(0.12, 0.00001),
    ]).toEqual([0, 1, 2, 5]);
    expect([decimals(1), decimals(0.5), decimals(0), price(NaN, 1)]).toEqual([0, 1, 2, '–']);
  });
  // Axis labels: a hundred lines within five percent of the price.
  it.each([2.6e-6, 1e-9, 1.05e-7, 0.0412, 1.05, 1e5, 1e6])(
    'adjacent prices near %d have distinct labels',
    (mark) => {
      const tick = 10 ** (Math.min(Math.floor(Math.log10(mark)), 4) - 5);
      const prices = Array.from({ length: 101 }, (_, i) => mark * (0.95 + i / 1_000));
      for (const write of [price, shortPrice]) {
        const words = prices.map((p) => write(p, axisDecimals(mark, tick)));
        expect(new Set(words).size).toBe(words.length);
        words.forEach((w, i) => {
          expect(Math.abs(Number(w.replaceAll(',', '')) / prices[i] - 1)).toBeLessThan(1e-4);
        });
      }
    },
  );
  it('prices have up to ten decimals, then an exponent', () => {
    expect([price(2.61344e-6, 10), price(2.61344e-6, 11), price(1.02341e-9, 13)]).toEqual([
      '0.0000026134',
      '0.0000026134',
      '1.0234e-9',
    ]);
    expect([price(0, 13), price(104_312.5, 1)]).toEqual(['0.0000000000', '104,312.5']);
    expect([
      shortPrice(2.61344e-6, 10),
      shortPrice(0.00012345, 8),
      shortPrice(1_048_280.5, 1),
    ]).toEqual(['2.6134e-6', '0.00012345', '1,048,280.5']);
  });
  it('ages, names and times', () => {
    expect([age(0.42), age(12), age(200), age(7200), age(3e5)]).toEqual([
      '0.4 s',
      '12 s',
      '3 min',
      '2 h',
      '3 d',
    ]);
    expect([venueName('okx'), venueName('binance')]).toEqual(['OKX', 'Binance']);
    expect(moment(1_700_000_000_000_000, 3600)).toBe('14 Nov 23:13');
    expect(clock(1_700_000_000_000_000, 0)).toBe('22:13:20');
    expect(stamp(1_700_000_000_000_000)).toBe('2023-11-14 22:13 UTC');
  });
  it.each([NaN, Infinity, -Infinity, 1_795_883_553, -1e12])(
    'an age of %d s is a dash',
    (seconds) => {
      expect([age(seconds), span(seconds)]).toEqual(['–', '–']);
    },
  );
  it.each([0, NaN, Infinity, -5, 1e30])('a time of %d µs is a dash', (micros) => {
    expect([moment(micros, 0), clock(micros, 0), stamp(micros)]).toEqual(['–', '–', '–']);
  });
  it.each([NaN, Infinity, -Infinity])('%d is a dash wherever a number is expected', (x) => {
    expect([dollars(x), percent(x), price(x, 1), rate(x), duration(x), stopwatch(x)]).toEqual([
      '–',
      '–',
      '–',
      '–',
      '–',
      '–',
    ]);
  });
  it('small negative ages are shown as zero', () => {
    expect(age(-0.3)).toBe('0.0 s');
  });
});

describe('the URL', () => {
  const filters: Filters = {
    coin: 'ETH',
    span: '7d',
    venues: ['okx', 'bybit'],
    tiers: [100, 5],
    side: 'long',
    model: 'static',
  };
  it('restores the full page state', () => {
    const url = writeUrl(filters, 'levels', { lo: 3e6, hi: 9e7 });
    expect(url).toBe(
      '?coin=ETH&span=7d&venues=okx,bybit&tiers=100,5&side=long&model=static&view=levels&scale=3000000-90000000',
    );
    expect(readUrl(url)).toEqual({
      shade: 'money',
      filters,
      view: 'levels',
      locked: { lo: 3e6, hi: 9e7 },
      viewOptions: DEFAULT_OPTIONS,
    });
  });
  it('ignores invalid parameters', () => {
    const state = readUrl('?coin=%3Cb%3E&span=x&view=moon&tiers=-1,z&side=up&scale=9-3');
    expect(state).toEqual({
      filters: {},
      view: 'heatmap',
      locked: null,
      viewOptions: DEFAULT_OPTIONS,
    });
  });
  it('maps to view and stream URLs', () => {
    expect(viewUrl('levels', filters)).toBe(
      '/v1/ETH/levels?span=7d&venues=okx,bybit&tiers=100,5&side=long&model=static',
    );
    const all: Filters = { ...filters, venues: null, tiers: null, model: 'calibrated' };
    expect(streamUrl(all, 'https://x.test')).toBe(
      'wss://x.test/v1/stream?coin=ETH&span=7d&side=long',
    );
    // The difference is a plane of the heatmap; other views and the stream use our own map.
    expect(viewUrl('heatmap', { ...all, model: 'difference' })).toBe(
      '/v1/ETH/heatmap?span=7d&side=long&planes=difference',
    );
    expect(viewUrl('levels', { ...all, model: 'difference' })).toBe(
      '/v1/ETH/levels?span=7d&side=long',
    );
  });
  it('keeps settings across page loads', () => {
    saveSettings({
      palette: 'cividis',
      axis: 'log',
      zone: 'utc',
      currency: 'NZD',
      theme: 'light',
      shade: 'money',
    });
    expect(readSettings()).toEqual({
      palette: 'cividis',
      axis: 'log',
      zone: 'utc',
      currency: 'NZD',
      theme: 'light',
      shade: 'money',
    });
    localStorage.setItem('powderkeg', '{not json');
    expect(readSettings().palette).toBe('inferno');
  });
});

describe('the cursor', () => {
  const grid = new HeatGrid(snapshot());
  it('reads its cell and the adjacent ones', () => {
    const at = cursorAt(grid, 5, Math.sqrt(grid.edge(7) * grid.edge(8)), 1)!;
    expect([at.col, at.row]).toEqual([5, 7]);
    expect(at.cell).toBe(grid.scale.dollars(grid.value(5, 7)));
    expect(at.near.above).toBe(grid.scale.dollars(grid.value(5, 8)));
    expect(at.time).toBe(T0 + 5 * 300_000_000);
    expect(at.band).toBeGreaterThanOrEqual(at.cell);
    expect(cursorAt(grid, 5, 1, 1)).toBeNull();
  });
  it('computes the entry liquidated at a price', () => {
    const entry = entryLiquidatedAt(96_385.5, 'long', 25);
    expect(entry * (1 - 1 / 25)).toBeCloseTo(96_385.5 * 0.996, 4);
    expect(entryLiquidatedAt(100, 'short', 25)).toBeLessThan(100);
  });
});

describe('the autoscale range', () => {
  const cluster = (side: 'long' | 'short', at: number): Cluster => ({
    side,
    peak: at,
    notional: 1e7,
    floor: at,
    top: at,
    distance: 0,
    tier: 25,
    tiers: {},
    age: 0,
    low: null,
    high: null,
    measured: null,
    concentration: null,
    expectedFill: [0.3, 1],
    ground: 0,
  });
  const clusters = [97, 96, 95, 94, 93, 92, 70]
    .map((p) => cluster('long', p))
    .concat([103, 105].map((p) => cluster('short', p)));
  it('covers the nearest clusters of each side but not distant ones', () => {
    const range = stableAutoscale(null, clusters, 100);
    expect(range.down).toBeCloseTo(0.055 * 1.06);
    expect(range.up).toBeCloseTo(0.05 * 1.06);
  });
  it('does not change with small moves', () => {
    const first = stableAutoscale(null, clusters, 100);
    expect(stableAutoscale(first, clusters, 99.9)).toEqual(first);
    expect(stableAutoscale(null, [], 100).up).toBeGreaterThan(0);
  });
});
