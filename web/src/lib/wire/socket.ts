/**
 * A WebSocket that comes back by itself.
 *
 * Jittered back-off; reopened whenever the page becomes visible again, because a phone that slept
 * leaves a socket that looks open and is dead, and whose close() may never be answered.
 */

export interface SocketEvents {
  onMessage(raw: ArrayBuffer): void;
  /** `wait` is what is left until it is tried again, ms; 0 but for `waiting`. */
  onState(state: SocketState, wait: number): void;
}

export type SocketState = 'connecting' | 'open' | 'waiting' | 'closed';

const CONNECT_WITHIN = 5_000;
const SILENT_AFTER = 12_000;
const SETTLE = 750;
const LONGEST_WAIT = 20_000;

/** Milliseconds to wait before try number `tries`, spread so that a thousand pages do not return at once. */
export function backoff(tries: number, chance: number): number {
  return Math.min(LONGEST_WAIT, 400 * 2 ** tries) * (0.5 + chance / 2);
}

export class Socket {
  #socket: WebSocket | null = null;
  #tries = 0;
  #retry = 0;
  #watch = 0;
  #settle = 0;
  #heard = 0;
  #closed = false;
  #address: () => string;
  #events: SocketEvents;

  constructor(address: () => string, events: SocketEvents) {
    this.#address = address;
    this.#events = events;
    document.addEventListener('visibilitychange', this.#onVisible);
    addEventListener('pageshow', this.#onShow);
    addEventListener('online', this.#onOnline);
  }

  open(): void {
    this.#drop();
    this.#closed = false;
    this.#events.onState('connecting', 0);
    const socket = new WebSocket(this.#address());
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#heard = Date.now();
    socket.onopen = () => {
      this.#events.onState('open', 0);
    };
    socket.onmessage = (event: MessageEvent<unknown>) => {
      this.#heard = Date.now();
      this.#tries = 0;
      if (event.data instanceof ArrayBuffer) this.#events.onMessage(event.data);
    };
    socket.onclose = () => this.#wait();
    this.#watch = window.setInterval(() => this.#check(), 1_000);
  }

  /** Try at once instead of at the end of the wait: the server has just been heard. */
  hurry(): void {
    if (this.#socket || this.#closed) return;
    this.#tries = 0;
    this.open();
  }

  close(): void {
    this.#closed = true;
    this.#drop();
    document.removeEventListener('visibilitychange', this.#onVisible);
    removeEventListener('pageshow', this.#onShow);
    removeEventListener('online', this.#onOnline);
    this.#events.onState('closed', 0);
  }

  #check(): void {
    const silent = Date.now() - this.#heard;
    const connecting = this.#socket?.readyState === WebSocket.CONNECTING;
    if (silent > (connecting ? CONNECT_WITHIN : SILENT_AFTER)) this.#wait();
  }

  #wait(): void {
    this.#drop();
    if (this.#closed) return;
    const wait = backoff(this.#tries++, Math.random());
    this.#events.onState('waiting', wait);
    this.#retry = window.setTimeout(() => this.open(), wait);
  }

  /** Let go of the socket without waiting for it to agree. */
  #drop(): void {
    clearTimeout(this.#retry);
    clearInterval(this.#watch);
    clearTimeout(this.#settle);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #onVisible = (): void => {
    if (document.visibilityState === 'visible') this.#reopen();
  };

  #onShow = (event: PageTransitionEvent): void => {
    if (event.persisted) this.#reopen();
  };

  #onOnline = (): void => this.#reopen();

  #reopen(): void {
    if (this.#closed) return;
    clearTimeout(this.#settle);
    this.#settle = window.setTimeout(() => {
      this.#tries = 0;
      this.open();
    }, SETTLE);
  }
}
