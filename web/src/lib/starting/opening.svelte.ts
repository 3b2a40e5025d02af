/** The state of a server that has just begun, as the page knows it: null once all is ready. */
import { ready as readyMarkets } from './words';
import { watchStarting } from './poll';
import type { Starting } from './read';

export interface OpeningEvents {
  /** More is known of this coin than at the answer before. */
  onMore(coin: string): void;
  onReady(): void;
}

const STEPS = ['waiting', 'price', 'map', 'ready'] as const;

export class Opening {
  now = $state.raw<Starting | null>(null);
  trouble = $state('');
  /** Seconds after the server's start at which this page saw a thing become true, by coin and name. */
  seen = $state.raw<ReadonlyMap<string, number>>(new Map());
  #heard = 0;
  #stop: (() => void) | null = null;
  readonly #events: OpeningEvents;

  constructor(events: OpeningEvents) {
    this.#events = events;
  }

  start(): void {
    if (this.#stop) return;
    this.seen = new Map();
    this.#stop = watchStarting({ onAnswer: (answer) => this.take(answer), onTrouble: (words) => (this.trouble = words) });
  }

  stop(): void {
    this.#stop?.();
    this.#stop = this.now = null;
    this.trouble = '';
  }

  /** Seconds since the server began; `clock` is this page's, ms. */
  elapsed(clock: number): number {
    if (!this.now) return NaN;
    return (this.now.now - this.now.since) / 1e6 + Math.max(0, clock - this.#heard) / 1_000;
  }

  /** What this page saw of one coin. */
  of(coin: string): ReadonlyMap<string, number> {
    const own = [...this.seen].filter(([name]) => name.startsWith(`${coin} `));
    return new Map(own.map(([name, at]) => [name.slice(coin.length + 1), at]));
  }

  take(answer: Starting): void {
    const before = this.now;
    this.#heard = Date.now();
    this.trouble = '';
    this.now = answer;
    if (before) this.#note(before, answer);
    for (const { coin } of answer.coins) if (progress(answer, coin) > (before ? progress(before, coin) : 0)) this.#events.onMore(coin);
    if (answer.ready) this.#events.onReady();
  }

  #note(before: Starting, now: Starting): void {
    const at = (now.now - now.since) / 1e6;
    const fresh = now.coins.flatMap(({ coin }) => {
      const was = holds(before, coin);
      return holds(now, coin).filter((name) => !was.includes(name)).map((name): [string, number] => [`${coin} ${name}`, at]);
    });
    if (fresh.length) this.seen = new Map([...this.seen, ...fresh]);
  }
}

const step = (starting: Starting, coin: string): number => STEPS.indexOf(starting.coins.find((c) => c.coin === coin)?.state ?? 'waiting');

/** Grows with the state of a coin and with every market of it that is complete. */
function progress(starting: Starting, coin: string): number {
  return step(starting, coin) * 1_000 + readyMarkets(starting, coin);
}

/** Names of the claims that hold of a coin, see `rely.ts`. */
function holds(starting: Starting, coin: string): string[] {
  const out = ['price', 'map', 'past'].slice(0, step(starting, coin));
  return starting.markets.some((m) => m.coin === coin && m.streams.interest === 'up') ? [...out, 'interest'] : out;
}
