/** The newest of many questions: asked when they pause, never two at once. */

export class Latest<Q, A> {
  readonly #ask: (question: Q) => Promise<A>;
  readonly #put: (answer: A, question: Q) => void;
  readonly #wrong: (why: unknown) => void;
  readonly #pause: number;
  #next: Q | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #busy = false;
  #over = false;

  /** `pause` is in milliseconds. An answer is handed on only while no newer question waits. */
  constructor(ask: (q: Q) => Promise<A>, put: (a: A, q: Q) => void, wrong: (why: unknown) => void, pause: number) {
    this.#ask = ask;
    this.#put = put;
    this.#wrong = wrong;
    this.#pause = pause;
  }

  want(question: Q): void {
    this.#next = question;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#turn(), this.#pause);
  }

  /** Forget the question that waits. */
  drop(): void {
    this.#next = undefined;
    clearTimeout(this.#timer);
  }

  close(): void {
    this.#over = true;
    this.drop();
  }

  async #turn(): Promise<void> {
    // The answer under way asks the next question when it comes.
    if (this.#busy || this.#next === undefined) return;
    const question = this.#next;
    this.#next = undefined;
    this.#busy = true;
    try {
      const answer = await this.#ask(question);
      if (!this.#over && this.#next === undefined) this.#put(answer, question);
    } catch (why) {
      if (!this.#over) this.#wrong(why);
    } finally {
      this.#busy = false;
    }
    if (this.#next !== undefined && !this.#over) void this.#turn();
  }
}
