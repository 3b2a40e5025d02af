/** The clock of playback: where it stands, how fast it goes, and that steps never pile up. Pure. */

/** Seconds of market time a second; 1 is as it happened. */
export const SPEEDS = [1, 10, 60, 300, 1000] as const;
export type Speed = (typeof SPEEDS)[number];

export interface Range {
  since: number;
  until: number;
  /** Distance of times that can be told apart. */
  stride: number;
}

/** A time within the range, rounded down to what can be told apart; all in µs. */
export function within(at: number, range: Range): number {
  const clamped = Math.min(Math.max(at, range.since), range.until);
  return Math.max(range.since, Math.floor(clamped / range.stride) * range.stride);
}

/** Playback of a range. It holds the exact time, and tells the time to ask for. */
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
    return within(this.#exact, this.#range);
  }

  seek(at: number): number {
    this.#exact = Math.min(Math.max(at, this.#range.since), this.#range.until);
    return this.at;
  }

  /** Let `milliseconds` of the wall pass; stops at the end. Returns whether the time to ask for changed. */
  tick(milliseconds: number): boolean {
    if (!this.playing || !(milliseconds > 0)) return false;
    const before = this.at;
    this.seek(this.#exact + milliseconds * 1_000 * this.speed);
    if (this.#exact >= this.#range.until) this.playing = false;
    return this.at !== before;
  }

  /** Move by columns of a width; a time inside a column goes to its edge first. */
  step(columns: number, width: number): number {
    const edge = columns > 0 ? Math.floor(this.at / width) : Math.ceil(this.at / width);
    return this.seek((edge + columns) * width);
  }
}

/** Does one thing at a time: while one is under way only the newest wish is kept. */
export class Newest<T> {
  #busy = false;
  #next: { wish: T } | null = null;
  readonly #work: (wish: T) => Promise<void>;

  constructor(work: (wish: T) => Promise<void>) {
    this.#work = work;
  }

  get busy(): boolean {
    return this.#busy;
  }

  want(wish: T): void {
    this.#next = { wish };
    if (!this.#busy) void this.#run();
  }

  forget(): void {
    this.#next = null;
  }

  async #run(): Promise<void> {
    this.#busy = true;
    try {
      while (this.#next) {
        const { wish } = this.#next;
        this.#next = null;
        await this.#work(wish);
      }
    } finally {
      this.#busy = false;
    }
  }
}

/** The nearest move before or after a time, of moves in any order. */
export function neighbour<M extends { at: number }>(moves: readonly M[], at: number, way: -1 | 1): M | null {
  const beyond = moves.filter((m) => (way < 0 ? m.at < at : m.at > at));
  if (!beyond.length) return null;
  return beyond.reduce((best, m) => (Math.abs(m.at - at) < Math.abs(best.at - at) ? m : best));
}
