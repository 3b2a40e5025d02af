/** Start-up progress of the server; null once it is ready. */

import { watchStarting } from './poll';
import type { Starting } from './read';
import { readyCount } from './text';

export interface StartupEvents {
  /** This coin has more data than at the previous poll. */
  onProgress(coin: string): void;
  onReady(): void;
}

const STEPS = ['waiting', 'price', 'map', 'ready'] as const;

export class StartupState {
  now = $state.raw<Starting | null>(null);
  error = $state('');
  /** Seconds after server start at which this page first saw a check pass, by "COIN check". */
  passed = $state.raw<ReadonlyMap<string, number>>(new Map());
  #updatedAt = 0;
  #stop: (() => void) | null = null;
  readonly #events: StartupEvents;

  constructor(events: StartupEvents) {
    this.#events = events;
  }

  start(): void {
    if (this.#stop) return;
    this.passed = new Map();
    this.#stop = watchStarting({
      onAnswer: (answer) => this.update(answer),
      onError: (message) => (this.error = message),
    });
  }

  stop(): void {
    this.#stop?.();
    this.#stop = this.now = null;
    this.error = '';
  }

  /** Seconds since the server started; `clock` is this page's, ms. */
  elapsed(clock: number): number {
    if (!this.now) return NaN;
    return (this.now.now - this.now.since) / 1e6 + Math.max(0, clock - this.#updatedAt) / 1_000;
  }

  /** The passed checks of one coin. */
  passedOf(coin: string): ReadonlyMap<string, number> {
    const own = [...this.passed].filter(([name]) => name.startsWith(`${coin} `));
    return new Map(own.map(([name, at]) => [name.slice(coin.length + 1), at]));
  }

  update(answer: Starting): void {
    const before = this.now;
    this.#updatedAt = Date.now();
    this.error = '';
    this.now = answer;
    if (before) this.#recordPassed(before, answer);
    for (const { coin } of answer.coins)
      if (progress(answer, coin) > (before ? progress(before, coin) : 0))
        this.#events.onProgress(coin);
    if (answer.ready) this.#events.onReady();
  }

  #recordPassed(before: Starting, now: Starting): void {
    const at = (now.now - now.since) / 1e6;
    const added = now.coins.flatMap(({ coin }) => {
      const was = passedChecks(before, coin);
      return passedChecks(now, coin)
        .filter((name) => !was.includes(name))
        .map((name): [string, number] => [`${coin} ${name}`, at]);
    });
    if (added.length) this.passed = new Map([...this.passed, ...added]);
  }
}

const step = (starting: Starting, coin: string): number =>
  STEPS.indexOf(starting.coins.find((c) => c.coin === coin)?.state ?? 'waiting');

/** Increases with the state of a coin and with each of its complete markets. */
function progress(starting: Starting, coin: string): number {
  return step(starting, coin) * 1_000 + readyCount(starting, coin);
}

/** Names of the passed checks of a coin, see `readiness.ts`. */
function passedChecks(starting: Starting, coin: string): string[] {
  const out = ['price', 'map', 'past'].slice(0, step(starting, coin));
  return starting.markets.some((m) => m.coin === coin && m.streams.interest === 'up')
    ? [...out, 'interest']
    : out;
}
