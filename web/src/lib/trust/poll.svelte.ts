/** Answers of a URL while a component is mounted: polled, or one for each URL. */
import { errorMessage } from '../errors';
import { unpack } from '../wire/decode';
import { LatestOnly } from '../wire/latest-only';
import { request } from '../wire/query';

export interface Polled<T> {
  /** Undefined until the first answer. */
  readonly value: T | undefined;
  readonly error: string;
}

/**
 * Poll a URL, and immediately when it changes. Call during component initialisation. An empty URL
 * stops polling and clears the value.
 */
export function polled<T>(
  url: () => string,
  read: (raw: unknown) => T,
  interval: number,
): Polled<T> {
  let value = $state.raw<T | undefined>(undefined);
  let error = $state('');
  $effect(() => {
    const target = url();
    const abort = new AbortController();
    let timer = 0;
    async function poll(): Promise<void> {
      try {
        value = read(unpack(await request(target, abort.signal)));
        error = '';
      } catch (cause) {
        if (abort.signal.aborted) return;
        error = errorMessage(cause);
      }
      timer = window.setTimeout(() => void poll(), interval);
    }
    if (target) void poll();
    else value = undefined;
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  });
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
