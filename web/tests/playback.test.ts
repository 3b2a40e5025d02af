/** Playback: the clock, the URL, and appending columns to the map shown. */
import { describe, expect, it } from 'vitest';
import { HeatGrid } from '../src/lib/grid/grid';
import { columnsToAppend } from '../src/lib/playback/append';
import { clampTime, knownAfter, nearestMove, PlayClock } from '../src/lib/playback/clock';
import { formatTime, parseTime } from '../src/lib/playback/time';
import { readUrl, writeUrl } from '../src/lib/url';
import { type Filters, filterQuery, streamUrl } from '../src/lib/wire/query';
import { STEP, snapshot, T0 } from './fixtures';

const MINUTE = 60_000_000;
const range = { since: 1_000 * MINUTE, until: 2_000 * MINUTE, stride: 5 * MINUTE };

describe('the clock', () => {
  it('advances at the set speed, in whole strides', () => {
    const clock = new PlayClock(range, range.since);
    clock.playing = true;
    clock.speed = 60;
    expect(clock.tick(4_000)).toBe(false);
    expect(clock.at).toBe(range.since);
    expect(clock.tick(1_000)).toBe(true);
    expect(clock.at).toBe(range.since + 5 * MINUTE);
  });

  it('stops at the end and stays within the range', () => {
    const clock = new PlayClock(range, range.until - MINUTE);
    clock.playing = true;
    clock.speed = 1000;
    clock.tick(10_000);
    expect(clock.playing).toBe(false);
    expect(clock.at).toBe(range.until);
    expect(clock.seek(0)).toBe(range.since);
    expect(clampTime(range.until * 2, range)).toBe(range.until);
  });

  it('goes to where an event is known: the next stride of an exact history, else at once', () => {
    const time = range.since + 5 * MINUTE;
    expect(knownAfter(time, { ...range, exact: true })).toBe(range.since + 10 * MINUTE);
    expect(knownAfter(time + 1, { ...range, exact: false })).toBe(time + 1);
    expect(knownAfter(range.since - 1, { ...range, exact: false })).toBeNull();
    expect(knownAfter(range.until, { ...range, exact: true })).toBeNull();
  });

  it('does not move while paused, or when the wall clock is set back', () => {
    const clock = new PlayClock(range, range.since);
    expect(clock.tick(5_000)).toBe(false);
    clock.playing = true;
    expect(clock.tick(-5_000)).toBe(false);
    expect(clock.at).toBe(range.since);
  });

  it('steps to column edges', () => {
    const clock = new PlayClock(range, 1_010 * MINUTE);
    expect(clock.step(1, 30 * MINUTE)).toBe(1_020 * MINUTE);
    expect(clock.step(1, 30 * MINUTE)).toBe(1_050 * MINUTE);
    expect(clock.step(-1, 30 * MINUTE)).toBe(1_020 * MINUTE);
  });
});

describe('moves', () => {
  it('are found before and after a time, in any order', () => {
    const moves = [{ at: 30 }, { at: 10 }, { at: 20 }];
    expect(nearestMove(moves, 20, -1)).toEqual({ at: 10 });
    expect(nearestMove(moves, 20, 1)).toEqual({ at: 30 });
    expect(nearestMove(moves, 10, -1)).toBeNull();
  });
});

describe('the URL', () => {
  const filters: Filters = {
    coin: 'BTC',
    span: '3d',
    venues: null,
    tiers: null,
    side: 'both',
    model: 'calibrated',
  };
  const at = Date.UTC(2026, 1, 5, 14, 30) * 1_000;

  it('has a readable playback time that round-trips', () => {
    const url = writeUrl({ ...filters, at }, 'heatmap', null);
    expect(url).toContain('at=2026-02-05T14:30Z');
    expect(readUrl(url).filters.at).toBe(at);
    expect(formatTime(at + 10_000_000)).toBe('2026-02-05T14:30:10Z');
    expect(parseTime('2026-02-05T14:30:10Z')).toBe(at + 10_000_000);
  });

  it('ignores invalid times', () => {
    for (const text of ['yesterday', '2026-02-05', '2026-13-45T14:30Z', '1770301800', ''])
      expect(parseTime(text)).toBeNull();
  });

  it('passes the playback time to every view but not to the stream', () => {
    expect(filterQuery({ ...filters, at })).toContain(`at=${at}`);
    expect(streamUrl({ ...filters, at }, 'http://x')).not.toContain('at=');
    expect(filterQuery(filters)).not.toContain('at=');
  });
});

describe('new columns of a past map', () => {
  const whole = snapshot(12);
  const fetched = (from: number, cols: number, change = {}) =>
    snapshot(cols, 20, { t0: T0 + from * STEP, ...change });

  it('are appended to the map shown', () => {
    const grid = new HeatGrid(whole);
    const columns = columnsToAppend(grid, fetched(11, 3));
    expect(columns?.map((c) => c.t)).toEqual([11, 12, 13].map((n) => T0 + n * STEP));
    expect(columns?.map((c) => grid.apply(c))).toEqual(['changed', 'appended', 'appended']);
    expect(grid.cols).toBe(14);
    expect(grid.value(13, 4)).toBe(fetched(11, 3).cells[2 * 20 + 4]);
    expect(grid.close(13)).toBe(fetched(11, 3).ohlc[2 * 5 + 3]);
  });

  it('are rejected if their rows differ, they leave a gap, or do not fit', () => {
    const grid = new HeatGrid(whole);
    expect(columnsToAppend(grid, fetched(11, 3, { p0: whole.p0 + 0.1 }))).toBeNull();
    expect(columnsToAppend(grid, fetched(11, 3, { dp: 0.02 }))).toBeNull();
    expect(columnsToAppend(grid, fetched(13, 1))).toBeNull();
    expect(columnsToAppend(grid, fetched(5, 7))).toBeNull();
    expect(columnsToAppend(grid, fetched(11, 200))).toBeNull();
  });
});
