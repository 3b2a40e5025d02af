/** The playback clock: position and speed. Pure. */

/** Seconds of market time per second; 1 is real time. */
export const SPEEDS = [1, 10, 60, 300, 1000] as const;
export type Speed = (typeof SPEEDS)[number];

export interface Range {
  since: number;
  until: number;
  /** Smallest step between distinct times. */
  stride: number;
}

/** A time clamped to the range and rounded down to its stride; all in µs. */
export function clampTime(at: number, range: Range): number {
  const clamped = Math.min(Math.max(at, range.since), range.until);
  return Math.max(range.since, Math.floor(clamped / range.stride) * range.stride);
}

/**
 * First time of playback, µs, at which what happened at `time` is known; null if it is not kept.
 * Where all history is played back a time is what was received before it, at multiples of the stride.
 */
export function knownAfter(time: number, range: Range & { exact: boolean }): number | null {
  const { since, until, stride, exact } = range;
  const at = exact ? (Math.floor(time / stride) + 1) * stride : time;
  return since <= at && at <= until ? at : null;
}

/** Playback position within a range. Keeps the exact time and returns it rounded to the stride. */
export class PlayClock {
  playing = false;
  speed: Speed = 300;
  #exact: number;
  readonly #range: Range;

  constructor(range: Range, at: number) {
    this.#range = range;
    this.#exact = Math.min(Math.max(at, range.since), range.until);
  }

  get at(): number {
    return clampTime(this.#exact, this.#range);
  }

  seek(at: number): number {
    this.#exact = Math.min(Math.max(at, this.#range.since), this.#range.until);
    return this.at;
  }

  /**
   * Advance by `milliseconds` of wall time; stops at the end. Returns whether the rounded time
   * changed.
   */
  tick(milliseconds: number): boolean {
    if (!this.playing || !(milliseconds > 0)) return false;
    const before = this.at;
    this.seek(this.#exact + milliseconds * 1_000 * this.speed);
    if (this.#exact >= this.#range.until) this.playing = false;
    return this.at !== before;
  }

  /** Step by columns of a width (µs); a time inside a column moves to its edge first. */
  step(columns: number, width: number): number {
    const edge = columns > 0 ? Math.floor(this.at / width) : Math.ceil(this.at / width);
    return this.seek((edge + columns) * width);
  }
}

/** The nearest move before or after a time; moves may be in any order. */
export function nearestMove<M extends { at: number }>(
  moves: readonly M[],
  at: number,
  direction: -1 | 1,
): M | null {
  const candidates = moves.filter((m) => (direction < 0 ? m.at < at : m.at > at));
  if (!candidates.length) return null;
  return candidates.reduce((best, m) => (Math.abs(m.at - at) < Math.abs(best.at - at) ? m : best));
}
