import { encode } from '@msgpack/msgpack';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HeatGrid } from '../src/lib/grid/grid';
import { ColourScale } from '../src/lib/state/colour-scale.svelte';
import { Store } from '../src/lib/store.svelte';
import { snapshot, wireBars, wireCurve, wireLevels, wireMap } from './fixtures';

class SilentSocket {
  static readonly CONNECTING = 0;
  readyState = 0;
  close(): void {
    this.readyState = 3;
  }
}

const COINS = {
  coins: ['BTC'],
  source: 'live',
  ready: true,
  note: 'three venues',
  progress: '',
  version: '0',
};

describe('the store', () => {
  let requests: string[] = [];
  beforeEach(() => {
    vi.useFakeTimers();
    requests = [];
    localStorage.clear();
    vi.stubGlobal('WebSocket', SilentSocket);
    vi.stubGlobal('fetch', (url: string) => {
      requests.push(url);
      if (url === '/v1/coins') return Promise.resolve(new Response(JSON.stringify(COINS)));
      const curve = wireCurve({ distance: [-0.1, 0.1], notional: [1, 2] });
      const bars = wireBars();
      const body = url.includes('heatmap')
        ? wireMap(snapshot())
        : url.includes('levels')
          ? wireLevels(20)
          : url.includes('bars')
            ? bars
            : curve;
      return Promise.resolve(new Response(encode(body).slice()));
    });
  });
  afterEach(() => {
    vi.clearAllTimers();
    vi.useRealTimers();
    vi.unstubAllGlobals();
    history.replaceState(null, '', '/');
  });

  async function started(search = ''): Promise<Store> {
    history.replaceState(null, '', `/${search}`);
    const store = new Store();
    store.start();
    await vi.advanceTimersByTimeAsync(10);
    return store;
  }

  it('loads map, levels, coins and panels', async () => {
    const store = await started();
    expect(store.coins).toEqual(['BTC']);
    expect(store.data.snapshot?.coin).toBe('BTC');
    expect(store.data.levels?.clusters).toHaveLength(1);
    expect([store.data.price, store.data.venues[0].name]).toEqual([101, 'binance']);
    expect(store.bars?.ratio).toBe(2);
    expect(store.age).toBeCloseTo(0.2, 1);
  });

  it('starts and ends playback with a new session, and moves within it', async () => {
    const store = await started('?at=2026-02-05T14:30Z');
    expect([store.playback.active, store.playback.open]).toEqual([true, true]);
    expect(requests.some((url) => url.includes('at=1770301800000000'))).toBe(true);
    store.playback.seek(1_770_301_860_000_000);
    await vi.advanceTimersByTimeAsync(10);
    expect(requests.some((url) => url.includes('at=1770301860000000'))).toBe(true);
    store.playback.seek(null);
    await vi.advanceTimersByTimeAsync(10);
    expect(store.playback.active).toBe(false);
    expect(location.search).not.toContain('at=');
  });

  it('keeps filters, view and lock in the URL', async () => {
    const store = await started('?view=levels&above=2000000-9000000');
    expect([store.view, store.scale.shade]).toEqual(['levels', 'relief']);
    expect(store.scale.locked).toEqual({ lo: 2e6, hi: 9e6 });
    store.setFilters({ side: 'long' });
    expect(location.search).toContain('side=long');
    store.scale.unlock();
    expect(location.search).not.toContain('above=');
  });

  it('saves preferences', async () => {
    const store = await started();
    store.setShade('money');
    store.preferences.set({ zone: 'utc' });
    expect(store.preferences.zone).toBe(0);
    const saved = JSON.parse(localStorage.getItem('powderkeg') ?? '{}') as object;
    expect(saved).toMatchObject({ shade: 'money', zone: 'utc' });
  });
});

describe('the colour scale', () => {
  const grid = new HeatGrid(snapshot());

  it('fits to the visible cells until locked, and again after unlocking', () => {
    let changes = 0;
    const scale = new ColourScale(
      () => grid,
      () => changes++,
    );
    scale.sample = (relief) => grid.histogram(0, 12, 0, 20, relief);
    scale.refit(true);
    const fitted = scale.range;
    scale.lock({ lo: 50, hi: 90 });
    scale.refit(true);
    expect(scale.range.lo).toBeCloseTo(50, 6);
    expect(scale.range.hi).toBeCloseTo(90, 6);
    scale.unlock();
    expect(scale.range).toEqual(fitted);
    expect(changes).toBe(2);
  });

  it('has one lock per shade', () => {
    const scale = new ColourScale(
      () => grid,
      () => undefined,
    );
    scale.lock({ lo: 50, hi: 90 });
    const { locked } = scale;
    scale.setShade('money');
    expect(scale.locked).toBeNull();
    scale.setShade('relief');
    expect(scale.locked).toEqual(locked);
  });
});
