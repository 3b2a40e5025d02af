/**
 * A WebSocket that reconnects.
 *
 * Jittered back-off. Reopened whenever the page becomes visible again: after a phone has slept, a
 * socket may look open although the connection is gone, and close() may never complete.
 */

export interface SocketEvents {
  onMessage(raw: ArrayBuffer): void;
  /** `wait` is the time to the next attempt, ms; 0 except for `waiting`. */
  onState(state: SocketState, wait: number): void;
}

export type SocketState = 'connecting' | 'open' | 'waiting' | 'closed';

const CONNECT_TIMEOUT = 5_000;
const IDLE_TIMEOUT = 12_000;
const REOPEN_DELAY = 750;
const MAX_BACKOFF = 20_000;

/** Back-off in ms before attempt `tries`, jittered so that clients do not reconnect at once. */
export function backoff(tries: number, random: number): number {
  return Math.min(MAX_BACKOFF, 400 * 2 ** tries) * (0.5 + random / 2);
}

export class Socket {
  #socket: WebSocket | null = null;
  #tries = 0;
  #retry = 0;
  #watchdog = 0;
  #reopenTimer = 0;
  #lastMessageAt = 0;
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
    this.#lastMessageAt = Date.now();
    socket.onopen = () => {
      this.#events.onState('open', 0);
    };
    socket.onmessage = (event: MessageEvent<unknown>) => {
      this.#lastMessageAt = Date.now();
      this.#tries = 0;
      if (event.data instanceof ArrayBuffer) this.#events.onMessage(event.data);
    };
    socket.onclose = () => this.#backOff();
    this.#watchdog = window.setInterval(() => this.#check(), 1_000);
  }

  /** Reconnect now instead of after the back-off: the server has just responded. */
  reconnectNow(): void {
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
    const idle = Date.now() - this.#lastMessageAt;
    const connecting = this.#socket?.readyState === WebSocket.CONNECTING;
    if (idle > (connecting ? CONNECT_TIMEOUT : IDLE_TIMEOUT)) this.#backOff();
  }

  #backOff(): void {
    this.#drop();
    if (this.#closed) return;
    const wait = backoff(this.#tries++, Math.random());
    this.#events.onState('waiting', wait);
    this.#retry = window.setTimeout(() => this.open(), wait);
  }

  /** Drop the socket without waiting for the close handshake. */
  #drop(): void {
    clearTimeout(this.#retry);
    clearInterval(this.#watchdog);
    clearTimeout(this.#reopenTimer);
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
    clearTimeout(this.#reopenTimer);
    this.#reopenTimer = window.setTimeout(() => {
      this.#tries = 0;
      this.open();
    }, REOPEN_DELAY);
  }
}
