/** Runs one task at a time. Of the requests that arrive meanwhile, only the latest is run. */
export class LatestOnly<T> {
  #busy = false;
  #pending: { value: T } | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #task: (value: T) => Promise<void>;
  readonly #delay: number;

  /** With `delay` (ms) a request is debounced: it runs once no other has come for that long. */
  constructor(task: (value: T) => Promise<void>, delay = 0) {
    this.#task = task;
    this.#delay = delay;
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** Whether a newer request waits: the result of the running task is outdated. */
  get pending(): boolean {
    return this.#pending !== null;
  }

  request(value: T): void {
    this.#pending = { value };
    clearTimeout(this.#timer);
    if (this.#delay) this.#timer = setTimeout(() => this.#start(), this.#delay);
    else this.#start();
  }

  /** Drop the waiting request; a running task continues. */
  cancel(): void {
    this.#pending = null;
    clearTimeout(this.#timer);
  }

  #start(): void {
    if (!this.#busy) void this.#run();
  }

  async #run(): Promise<void> {
    this.#busy = true;
    try {
      while (this.#pending) {
        const { value } = this.#pending;
        this.#pending = null;
        await this.#task(value);
      }
    } finally {
      this.#busy = false;
    }
  }
}
