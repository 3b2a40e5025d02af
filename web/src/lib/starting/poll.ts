/** Asks a starting server how far it is, until it says that it is ready. */
import { readStarting, type Starting } from './read';

/** Milliseconds between two questions. */
export const EVERY = 300;

export interface Watch {
  onAnswer(starting: Starting): void;
  /** No answer, or one that cannot be read. It is asked again. */
  onTrouble(words: string): void;
}

/** Ask until the answer is ready or the returned function is called. A hidden page does not ask. */
export function watchStarting({ onAnswer, onTrouble }: Watch, every = EVERY): () => void {
  let timer = 0;
  let over = false;
  async function ask(): Promise<boolean> {
    if (document.visibilityState === 'hidden') return false;
    const answer = await fetch('/v1/starting', { headers: { Accept: 'application/json' } });
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    const starting = readStarting(await answer.json());
    if (!over) onAnswer(starting);
    return starting.ready;
  }
  async function turn(): Promise<void> {
    let ready = false;
    try {
      ready = await ask();
    } catch (why) {
      if (!over) onTrouble(why instanceof Error ? why.message : String(why));
    }
    if (!ready && !over) timer = window.setTimeout(() => void turn(), every);
  }
  void turn();
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
