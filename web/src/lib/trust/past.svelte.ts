/** Answers of now, or of a past time, while a component is mounted. */
import { errorMessage } from '../errors';
import { unpack } from '../wire/decode';
import { LatestOnly } from '../wire/latest-only';
import { request } from '../wire/query';
import { type Polled, polled } from './poll.svelte';

/**
 * Fetch each URL once; of those that come while one is fetched only the latest, so that playback
 * may change it faster than it is answered. Call during component initialisation. An empty URL
 * clears the value.
 */
function fetched<T>(url: () => string, read: (raw: unknown) => T): Polled<T> {
  let value = $state.raw<T | undefined>(undefined);
  let error = $state('');
  const urls = new LatestOnly<string>(async (target) => {
    try {
      const answer = target ? read(unpack(await request(target))) : undefined;
      [value, error] = [answer, ''];
    } catch (cause) {
      [value, error] = [undefined, errorMessage(cause)];
    }
  });
  $effect(() => {
    urls.request(url());
  });
  $effect(() => () => urls.cancel());
  return {
    get value() {
      return value;
    },
    get error() {
      return error;
    },
  };
}

/**
 * The answer of now, polled, or that of a past time, µs, fetched once for each. Call during
 * component initialisation.
 */
export function liveOrPast<T>(
  at: () => number | null | undefined,
  url: (at?: number | null) => string,
  read: (raw: unknown) => T,
  interval: number,
): Polled<T> {
  const live = polled(() => (at() ? '' : url()), read, interval);
  const past = fetched(() => (at() ? url(at()) : ''), read);
  const chosen = (): Polled<T> => (at() ? past : live);
  return {
    get value() {
      return chosen().value;
    },
    get error() {
      return chosen().error;
    },
  };
}
