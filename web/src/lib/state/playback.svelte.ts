/** Playback: whether its controls are open, and the time shown. */
import type { Filters } from '../wire/query';

export interface PlaybackEvents {
  /** Another source of data is needed: playback starts or ends. */
  onReopen(): void;
  /** Move within playback, µs. */
  onSeek(at: number): void;
}

export class Playback {
  /** Whether the playback bar is open. */
  open = $state(false);
  readonly #filters: Filters;
  readonly #events: PlaybackEvents;

  constructor(filters: Filters, events: PlaybackEvents) {
    this.#filters = filters;
    this.#events = events;
  }

  /** Whether a past time is shown. */
  get active(): boolean {
    return Boolean(this.#filters.at);
  }

  /** Go to a time, µs; null returns to live, or to the end of a replay. */
  seek(at: number | null): void {
    const before = this.#filters.at ?? null;
    this.#filters.at = at;
    if (at === null || before === null) this.#events.onReopen();
    else this.#events.onSeek(at);
  }
}
