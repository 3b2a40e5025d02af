/** Answers of a URL while a component is mounted: polled. */
import { errorMessage } from '../errors';
import { unpack } from '../wire/decode';
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
