/** The resting orders beside a ladder, fetched while they are shown. */
import { errorMessage } from '../errors';
import { check } from '../wire/check';
import { unpack } from '../wire/decode';
import { LatestOnly } from '../wire/latest-only';
import { request } from '../wire/query';
import { ZonesAnswer } from '../wire/schema-on-demand';

export interface ZonesOptions {
  coin: string;
  venues: readonly string[] | null;
  /** Rows of the ladder. */
  step: number;
  first: number;
  rows: number;
  /** Playback time, µs; null means now. */
  at: number | null;
}
const STORAGE_KEY = 'powderkeg-resting';

export class ZonesState {
  zones = $state.raw<ZonesAnswer | null>(null);
  error = $state<string | null>(null);
  readonly #latest = new LatestOnly<ZonesOptions>((options) => this.#fetch(options));

  /** Show the orders of these rows; of several requests only the latest is fetched. */
  ask(options: ZonesOptions): void {
    this.#latest.request(options);
  }
  clear(): void {
    this.#latest.cancel();
    this.zones = this.error = null;
  }
  async #fetch(options: ZonesOptions): Promise<void> {
    try {
      this.zones = check(ZonesAnswer, unpack(await request(zonesUrl(options))));
      this.error = null;
    } catch (cause) {
      this.zones = null;
      this.error = errorMessage(cause);
    }
  }
}

export function zonesUrl({ coin, venues, step, first, rows, at }: ZonesOptions): string {
  const q = new URLSearchParams({ venues: venues?.join(',') ?? '' });
  q.set('row', String(step));
  q.set('rows', String(rows));
  q.set('centre', String((first + Math.floor(rows / 2)) * step));
  if (at) q.set('at', String(at));
  return `/v1/${encodeURIComponent(coin)}/zones?${q.toString().replaceAll('%2C', ',')}`;
}

/** Whether resting orders were shown last, by this browser. */
export function rememberedResting(): boolean {
  try {
    return localStorage.getItem(STORAGE_KEY) === 'true';
  } catch {
    // Blocked storage is the user's choice: they are then off at first.
    return false;
  }
}
export function rememberResting(on: boolean): void {
  try {
    localStorage.setItem(STORAGE_KEY, String(on));
  } catch {
    // As above.
  }
}
