import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LatestOnly } from '../src/lib/wire/latest-only';

/** Tasks that end only when the test says so. */
function controlled(delay = 0) {
  const started: number[] = [];
  const finish: (() => void)[] = [];
  const latest = new LatestOnly<number>((value) => {
    started.push(value);
    return new Promise((done) => finish.push(done));
  }, delay);
  return { latest, started, finish };
}

describe('requests of which only the latest counts', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('run one at a time, and only the latest waiting one runs', async () => {
    const { latest, started, finish } = controlled();
    for (const value of [1, 2, 3]) latest.request(value);
    expect(started).toEqual([1]);
    finish.shift()?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(started).toEqual([1, 3]);
    finish.shift()?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(latest.busy).toBe(false);
  });

  it('are debounced, and outdate the running one', async () => {
    const { latest, started, finish } = controlled(150);
    for (const value of [1, 2, 3]) latest.request(value);
    await vi.advanceTimersByTimeAsync(149);
    expect(started).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect([started, latest.pending]).toEqual([[3], false]);
    latest.request(4);
    await vi.advanceTimersByTimeAsync(500);
    expect([started, latest.pending]).toEqual([[3], true]);
    finish[0]();
    await vi.advanceTimersByTimeAsync(0);
    expect([started, latest.pending]).toEqual([[3, 4], false]);
  });

  it('can be cancelled before they run', async () => {
    const { latest, started } = controlled(150);
    latest.request(1);
    latest.cancel();
    await vi.advanceTimersByTimeAsync(500);
    expect(started).toEqual([]);
  });
});
