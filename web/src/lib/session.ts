/**
 * One market: the snapshot over HTTP, then the stream, joined by sequence numbers.
 *
 * Both are requested at once; the stream starts with the complete newest column. A sequence gap, an
 * unknown stream or a rebase triggers a refetch of the snapshot; the map stays on screen meanwhile.
 *
 * Playback has no stream: each step fetches the new columns, one step at a time.
 */
import { errorMessage } from './errors';
import { encodeDifference } from './grid/difference';
import { type ApplyResult, HeatGrid } from './grid/grid';
import { columnsToAppend } from './playback/append';
import { WireError } from './wire/check';
import { type Message, readLevels, readMap, readMessage, unpack } from './wire/decode';
import { LatestOnly } from './wire/latest-only';
import { type Filters, request, streamUrl, viewUrl } from './wire/query';
import { Socket, type SocketState } from './wire/socket';
import type { Column, Hello, Levels, MapSnapshot, Reported } from './wire/types';

const NONE = new Uint16Array();

export interface SessionEvents {
  /**
   * `keep`: keep the visible range, the market is the same as before. `refetch`: a newer snapshot
   * of the same session.
   */
  onMap(map: MapSnapshot, grid: HeatGrid, keep: boolean, refetch: boolean): void;
  onColumn(column: Column, result: ApplyResult): void;
  onLevels(levels: Levels): void;
  onStatus(status: Reported): void;
  /** `wait` is the time to the next connection attempt, ms. */
  onConnection(state: SocketState, wait: number): void;
  onError(message: string | null): void;
  /** A playback step is on screen; the next one waits for the returned promise. */
  onStep(): Promise<void>;
}

const RESYNC_EVERY = 2_000;
/** The stream does not carry model differences: they are polled. */
const DIFFERENCE_EVERY = 60_000;

export class Session {
  /** Unreadable frames; shown in the settings. */
  dropped = 0;
  readonly #filters: Filters;
  readonly #events: SessionEvents;
  readonly #socket: Socket;
  readonly #abort = new AbortController();
  #grid: HeatGrid | null = null;
  #stream = '';
  #seq = -1;
  #loading = false;
  #reloadPending = false;
  #buffered: Message[] = [];
  #timer = 0;
  #first: boolean;
  readonly #steps = new LatestOnly<number>((at) => this.#step(at));

  constructor(filters: Filters, keep: boolean, events: SessionEvents) {
    this.#filters = filters;
    this.#first = !keep;
    this.#events = events;
    this.#socket = new Socket(() => streamUrl(filters, location.origin), {
      onMessage: (raw) => this.#onMessage(raw),
      onState: (state, wait) => {
        if (!this.#abort.signal.aborted) events.onConnection(state, wait);
      },
    });
  }

  start(): void {
    if (this.#filters.at) {
      this.#events.onConnection('open', 0);
      this.seek(this.#filters.at);
      return;
    }
    void this.#load();
    this.#socket.open();
  }

  /** Refetch the map, because the server has more history now. The connection stays open. */
  refresh(): void {
    clearTimeout(this.#timer);
    if (this.#loading) this.#reloadPending = true;
    else void this.#load();
  }

  /** Refetch and reconnect now instead of after the back-off. */
  retryNow(): void {
    this.refresh();
    if (!this.#filters.at) this.#socket.reconnectNow();
  }

  /** Show another time of playback; if several are pending only the latest is shown. */
  seek(at: number): void {
    this.#steps.request(at);
  }

  async #step(at: number): Promise<void> {
    if (this.#abort.signal.aborted) return;
    const back = at < (this.#filters.at ?? 0);
    this.#filters.at = at;
    if (back || !(await this.#forward())) await this.#load();
    await this.#events.onStep();
  }

  /** Append the columns since the newest one shown; false if the whole map must be fetched. */
  async #forward(): Promise<boolean> {
    const grid = this.#grid;
    if (!grid || this.#filters.model === 'difference') return false;
    const { signal } = this.#abort;
    try {
      const levels = request(viewUrl('levels', this.#filters), signal);
      levels.catch(() => undefined);
      const since = `&since=${grid.time(grid.cols - 1)}`;
      const part = readMap(
        unpack(await request(viewUrl('heatmap', this.#filters) + since, signal)),
      );
      const columns = columnsToAppend(grid, part);
      if (!columns) return false;
      for (const column of columns) this.#events.onColumn(column, grid.apply(column));
      this.#events.onLevels(readLevels(unpack(await levels)));
      this.#events.onStatus(part);
      this.#events.onError(null);
      return true;
    } catch (cause) {
      if (!signal.aborted) this.#events.onError(errorMessage(cause));
      return true;
    }
  }

  close(): void {
    this.#abort.abort();
    this.#steps.cancel();
    clearTimeout(this.#timer);
    this.#socket.close();
  }

  #onMessage(raw: ArrayBuffer): void {
    let message: Message | null;
    try {
      message = readMessage(new Uint8Array(raw));
    } catch (cause) {
      if (!(cause instanceof WireError)) throw cause;
      this.dropped++;
      this.#resync();
      return;
    }
    if (!message) return;
    // Messages before a new hello belong to the previous connection.
    if (message.kind === 'hello') this.#buffered = [];
    if (this.#loading) this.#buffered.push(message);
    else this.#handle(message);
  }

  /**
   * Keep the map if it belongs to this stream, has the same rows and scale, and is not ahead of it.
   */
  #onHello(hello: Hello): void {
    const grid = this.#grid;
    const same = grid && Math.abs(hello.p0 - grid.p0) < 1e-9 && hello.vmin === grid.scale.vmin;
    if (same && hello.stream === this.#stream && hello.seq >= this.#seq) return;
    clearTimeout(this.#timer);
    void this.#load();
  }

  #handle(message: Message): void {
    if (message.kind === 'hello') {
      this.#onHello(message);
      return;
    }
    if (!this.#inSequence(message)) return;
    switch (message.kind) {
      case 'column':
        this.#onColumn(message);
        break;
      case 'levels':
        this.#events.onLevels(message);
        break;
      case 'status':
        this.#events.onStatus(message);
        break;
      case 'rebase':
        this.#resync();
        break;
    }
  }

  /** False for messages the snapshot already includes, and after a sequence gap. */
  #inSequence(message: Exclude<Message, Hello>): boolean {
    if (message.kind === 'column' && message.stream !== this.#stream) {
      this.#resync();
      return false;
    }
    if (message.kind === 'column' && message.resync && message.seq >= this.#seq) {
      this.#seq = message.seq;
      return true;
    }
    if (message.seq <= this.#seq) return false;
    if (message.seq !== this.#seq + 1) {
      this.#resync();
      return false;
    }
    this.#seq = message.seq;
    return true;
  }

  #onColumn(column: Column): void {
    // The cells are those of our map, not of the difference: repeat the previous column.
    if (this.#filters.model === 'difference')
      column = { ...column, r: NONE, v: new Uint8Array(), full: false };
    const result = this.#grid?.apply(column) ?? 'unknown';
    if (result === 'full') {
      this.#resync();
      return;
    }
    // The end of the previous column may have been missed.
    if (column.resync && result === 'appended') this.#resync();
    this.#events.onColumn(column, result);
  }

  #resync(): void {
    if (this.#loading) this.#reloadPending = true;
    else this.#scheduleLoad(RESYNC_EVERY * (0.5 + Math.random() / 2));
  }

  #scheduleLoad(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#load(), milliseconds);
  }

  async #load(): Promise<void> {
    if (this.#loading || this.#abort.signal.aborted) return;
    this.#loading = true;
    this.#reloadPending = false;
    try {
      const { signal } = this.#abort;
      const levels = request(viewUrl('levels', this.#filters), signal);
      // A failure is reported with the map's; this avoids an unhandled rejection.
      levels.catch(() => undefined);
      const map = readMap(unpack(await request(viewUrl('heatmap', this.#filters), signal)));
      if (this.#filters.model === 'difference') {
        Object.assign(map, { cells: encodeDifference(map.cells), difference: true });
        this.#scheduleLoad(DIFFERENCE_EVERY);
      }
      this.#applySnapshot(map);
      this.#events.onLevels(readLevels(unpack(await levels)));
      this.#events.onError(null);
      if (!this.#filters.at) this.#socket.reconnectNow();
    } catch (cause) {
      if (this.#abort.signal.aborted) return;
      this.#events.onError(errorMessage(cause));
      this.#reloadPending = true;
    } finally {
      this.#loading = false;
    }
    const buffered = this.#buffered;
    this.#buffered = [];
    for (const message of buffered) this.#handle(message);
    if (this.#reloadPending) this.#scheduleLoad(RESYNC_EVERY);
  }

  #applySnapshot(map: MapSnapshot): void {
    const grid = new HeatGrid(map);
    const refetch = this.#grid !== null;
    this.#grid = grid;
    this.#stream = map.stream;
    this.#seq = map.seq;
    this.#events.onMap(map, grid, !this.#first, refetch);
    this.#first = false;
  }
}
