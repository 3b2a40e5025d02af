/** Playback: its clock, its address, and columns that are joined to those on the screen. */
import { describe, expect, it } from 'vitest';
import { readPlace, writePlace } from '../src/lib/address';
import { HeatGrid } from '../src/lib/grid/grid';
import { neighbour, Newest, PlayClock, within } from '../src/lib/play/clock';
import { joined } from '../src/lib/play/join';
import { readMoment, writeMoment } from '../src/lib/play/moment';
import { type Filters, filterQuery, streamAddress } from '../src/lib/wire/query';
import { snapshot, STEP, T0 } from './market';

const MINUTE = 60_000_000;
const range = { since: 1_000 * MINUTE, until: 2_000 * MINUTE, stride: 5 * MINUTE };

describe('the clock', () => {
  it('goes as fast as it is told, in steps that can be told apart', () => {
    const clock = new PlayClock(range, range.since);
    clock.playing = true;
    clock.speed = 60;
    expect(clock.tick(4_000)).toBe(false);
    expect(clock.at).toBe(range.since);
    expect(clock.tick(1_000)).toBe(true);
    expect(clock.at).toBe(range.since + 5 * MINUTE);
  });

  it('stops at the end and does not go beyond either end', () => {
    const clock = new PlayClock(range, range.until - MINUTE);
    clock.playing = true;
    clock.speed = 1000;
    clock.tick(10_000);
    expect(clock.playing).toBe(false);
    expect(clock.at).toBe(range.until);
    expect(clock.seek(0)).toBe(range.since);
    expect(within(range.until * 2, range)).toBe(range.until);
  });

  it('stands while it is paused, and when the wall clock is set back', () => {
    const clock = new PlayClock(range, range.since);
    expect(clock.tick(5_000)).toBe(false);
    clock.playing = true;
    expect(clock.tick(-5_000)).toBe(false);
    expect(clock.at).toBe(range.since);
  });

  it('steps to the edges of columns', () => {
    const clock = new PlayClock(range, 1_010 * MINUTE);
    expect(clock.step(1, 30 * MINUTE)).toBe(1_020 * MINUTE);
    expect(clock.step(1, 30 * MINUTE)).toBe(1_050 * MINUTE);
    expect(clock.step(-1, 30 * MINUTE)).toBe(1_020 * MINUTE);
  });
});

describe('wishes', () => {
  it('are worked off one at a time, and only the newest of those that waited', async () => {
    const done: number[] = [];
    const gates: (() => void)[] = [];
    const newest = new Newest<number>(async (wish) => {
      done.push(wish);
      await new Promise<void>((open) => gates.push(open));
    });
    for (const wish of [1, 2, 3]) newest.want(wish);
    expect(done).toEqual([1]);
    gates.shift()?.();
    await new Promise((r) => setTimeout(r));
    expect(done).toEqual([1, 3]);
    gates.shift()?.();
    await new Promise((r) => setTimeout(r));
    expect(newest.busy).toBe(false);
  });
});

describe('moves', () => {
  it('are found before and after a time, whatever their order', () => {
    const moves = [{ at: 30 }, { at: 10 }, { at: 20 }];
    expect(neighbour(moves, 20, -1)).toEqual({ at: 10 });
    expect(neighbour(moves, 20, 1)).toEqual({ at: 30 });
    expect(neighbour(moves, 10, -1)).toBeNull();
  });
});

describe('the address', () => {
  const filters: Filters = { coin: 'BTC', span: '3d', venues: null, tiers: null, side: 'both', model: 'calibrated' };
  const at = Date.UTC(2026, 1, 5, 14, 30) * 1_000;

  it('tells a moment so that it can be read, and reads it back', () => {
    const where = writePlace({ ...filters, at }, 'heatmap', null);
    expect(where).toContain('at=2026-02-05T14:30Z');
    expect(readPlace(where).filters.at).toBe(at);
    expect(writeMoment(at + 10_000_000)).toBe('2026-02-05T14:30:10Z');
    expect(readMoment('2026-02-05T14:30:10Z')).toBe(at + 10_000_000);
  });

  it('takes nothing that is no moment', () => {
    for (const text of ['yesterday', '2026-02-05', '2026-13-45T14:30Z', '1770301800', '']) expect(readMoment(text)).toBeNull();
  });

  it('asks every view for the moment, and the stream never', () => {
    expect(filterQuery({ ...filters, at })).toContain(`at=${at}`);
    expect(streamAddress({ ...filters, at }, 'http://x')).not.toContain('at=');
    expect(filterQuery(filters)).not.toContain('at=');
  });
});

describe('newer columns of a past map', () => {
  const whole = snapshot(12);
  const later = (from: number, cols: number, change = {}) => snapshot(cols, 20, { t0: T0 + from * STEP, ...change });

  it('go on where the map on the screen ends', () => {
    const grid = new HeatGrid(whole);
    const columns = joined(grid, later(11, 3));
    expect(columns?.map((c) => c.t)).toEqual([11, 12, 13].map((n) => T0 + n * STEP));
    expect(columns?.map((c) => grid.apply(c))).toEqual(['changed', 'appended', 'appended']);
    expect(grid.cols).toBe(14);
    expect(grid.value(13, 4)).toBe(later(11, 3).cells[2 * 20 + 4]);
    expect(grid.close(13)).toBe(later(11, 3).ohlc[2 * 5 + 3]);
  });

  it('are refused when they lie on other rows, leave a hole, or do not fit', () => {
    const grid = new HeatGrid(whole);
    expect(joined(grid, later(11, 3, { p0: whole.p0 + 0.1 }))).toBeNull();
    expect(joined(grid, later(11, 3, { dp: 0.02 }))).toBeNull();
    expect(joined(grid, later(13, 1))).toBeNull();
    expect(joined(grid, later(5, 7))).toBeNull();
    expect(joined(grid, later(11, 200))).toBeNull();
  });
});
