/** Polls /v1/starting until the server is ready. */
import { errorMessage } from '../errors';
import { readStarting, type Starting } from './read';

/** Poll interval, ms. */
export const POLL_MS = 300;

export interface Watch {
  onAnswer(starting: Starting): void;
  /** No answer, or an unreadable one. Polling continues. */
  onError(message: string): void;
}

/** Poll until ready, or until the returned function is called. A hidden page does not poll. */
export function watchStarting({ onAnswer, onError }: Watch, interval = POLL_MS): () => void {
  let timer = 0;
  let stopped = false;
  async function fetchStarting(): Promise<boolean> {
    if (document.visibilityState === 'hidden') return false;
    const answer = await fetch('/v1/starting', { headers: { Accept: 'application/json' } });
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    const starting = readStarting(await answer.json());
    if (!stopped) onAnswer(starting);
    return starting.ready;
  }
  async function poll(): Promise<void> {
    let ready = false;
    try {
      ready = await fetchStarting();
    } catch (cause) {
      if (!stopped) onError(errorMessage(cause));
    }
    if (!ready && !stopped) timer = window.setTimeout(() => void poll(), interval);
  }
  void poll();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
