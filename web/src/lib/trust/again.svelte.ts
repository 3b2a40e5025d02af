/** An answer that is asked again and again while somebody looks, and at once when the question changes. */
import { unpack } from '../wire/decode';
import { ask } from '../wire/query';
import type { Fields } from '../wire/read';

export interface Asked<T> {
  /** Undefined until the first answer. */
  readonly value: T | undefined;
  readonly trouble: string;
}

/** Call while a component is made. An empty address asks nothing and forgets. */
export function again<T>(address: () => string, read: (o: Fields) => T, every: number): Asked<T> {
  let value = $state.raw<T | undefined>(undefined);
  let trouble = $state('');
  $effect(() => {
    const where = address();
    const abort = new AbortController();
    let timer = 0;
    async function turn(): Promise<void> {
      try {
        value = read(unpack(await ask(where, abort.signal)));
        trouble = '';
      } catch (why) {
        if (abort.signal.aborted) return;
        trouble = why instanceof Error ? why.message : String(why);
      }
      timer = window.setTimeout(() => void turn(), every);
    }
    if (where) void turn();
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
    get trouble() {
      return trouble;
    },
  };
}
