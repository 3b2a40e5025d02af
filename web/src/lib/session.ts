/**
 * One market on the wire: the snapshot over HTTP, then the stream, joined by sequence numbers.
 *
 * Both are asked for at once; the stream begins with the newest column whole, which needs none
 * before it. A hole in the sequence, an unknown stream or a rebase fetches the snapshot anew; the
 * map on the screen stays until the next one is there.
 *
 * In the past there is no stream: each step fetches the columns that are new, one step at a time.
 */
import { HeatGrid, type Applied } from './grid/grid';
import { readLevels, readMap, readMessage, unpack } from './wire/decode';
import { folded } from './grid/difference';
import { Newest } from './play/clock';
import { joined } from './play/join';
import { ask, type Filters, streamAddress, viewAddress } from './wire/query';
import { WireError } from './wire/read';
import { Socket, type SocketState } from './wire/socket';
import type { Column, Hello, Levels, MapSnapshot, Message, Status } from './wire/types';

const NONE = new Uint16Array();

export interface SessionEvents {
  /** `keep` is true when this is the same market as before, `again` when it is fetched anew for the same question. */
  onMap(map: MapSnapshot, grid: HeatGrid, keep: boolean, again: boolean): void;
  onColumn(column: Column, how: Applied): void;
  onLevels(levels: Levels): void;
  onStatus(status: Status): void;
  /** `wait` is what is left until the link is tried again, ms. */
  onLink(state: SocketState, wait: number): void;
  onTrouble(words: string | null): void;
  /** A step in the past is on the screen; the next one waits until all that goes with it is. */
  onStep(): Promise<void>;
}

const RESYNC_EVERY = 2_000;
/** The stream does not carry the difference of two models: it is fetched. */
const DIFFERENCE_EVERY = 60_000;

export class Session {
  /** Frames that could not be read; shown in the settings sheet. */
  dropped = 0;
  readonly #filters: Filters;
  readonly #events: SessionEvents;
  readonly #socket: Socket;
  readonly #abort = new AbortController();
  #grid: HeatGrid | null = null;
  #stream = '';
  #seq = -1;
  #loading = false;
  #again = false;
  #waiting: Message[] = [];
  #timer = 0;
  #first: boolean;
  readonly #steps = new Newest<number>((at) => this.#step(at));

  constructor(filters: Filters, keep: boolean, events: SessionEvents) {
    this.#filters = filters;
    this.#first = !keep;
    this.#events = events;
    this.#socket = new Socket(() => streamAddress(filters, location.origin), {
      onMessage: (raw) => this.#read(raw),
      onState: (state, wait) => {
        if (!this.#abort.signal.aborted) events.onLink(state, wait);
      },
    });
  }

  start(): void {
    if (this.#filters.at) {
      this.#events.onLink('open', 0);
      this.seek(this.#filters.at);
      return;
    }
    void this.#load();
    this.#socket.open();
  }

  /** Fetch the map once more: more is known now. The link stays as it is. */
  refresh(): void {
    clearTimeout(this.#timer);
    if (this.#loading) this.#again = true;
    else void this.#load();
  }

  /** Try the server at once instead of at the end of the wait. */
  askNow(): void {
    this.refresh();
    if (!this.#filters.at) this.#socket.hurry();
  }

  /** Show another moment of the past; of moments that come too fast the newest is shown. */
  seek(at: number): void {
    this.#steps.want(at);
  }

  async #step(at: number): Promise<void> {
    if (this.#abort.signal.aborted) return;
    const back = at < (this.#filters.at ?? 0);
    this.#filters.at = at;
    if (back || !(await this.#forward())) await this.#load();
    await this.#events.onStep();
  }

  /** Add the columns since the newest on the screen; false where the map must be fetched whole. */
  async #forward(): Promise<boolean> {
    const grid = this.#grid;
    if (!grid || this.#filters.model === 'difference') return false;
    const { signal } = this.#abort;
    try {
      const levels = ask(viewAddress('levels', this.#filters), signal);
      levels.catch(() => undefined);
      const since = `&since=${grid.time(grid.cols - 1)}`;
      const part = readMap(unpack(await ask(viewAddress('heatmap', this.#filters) + since, signal)));
      const columns = joined(grid, part);
      if (!columns) return false;
      for (const column of columns) this.#events.onColumn(column, grid.apply(column));
      this.#events.onLevels(readLevels(unpack(await levels)));
      this.#events.onStatus({ ...part, kind: 'status', seq: null, eventsPerSecond: 0 });
      this.#events.onTrouble(null);
      return true;
    } catch (why) {
      if (!signal.aborted) this.#events.onTrouble(why instanceof Error ? why.message : String(why));
      return true;
    }
  }

  close(): void {
    this.#abort.abort();
    this.#steps.forget();
    clearTimeout(this.#timer);
    this.#socket.close();
  }

  #read(raw: ArrayBuffer): void {
    let message: Message | null;
    try {
      message = readMessage(new Uint8Array(raw));
    } catch (why) {
      if (!(why instanceof WireError)) throw why;
      this.dropped++;
      this.#resync();
      return;
    }
    if (!message) return;
    // What the stream said before it began anew is not taken again.
    if (message.kind === 'hello') this.#waiting = [];
    if (this.#loading) this.#waiting.push(message);
    else this.#take(message);
  }

  /** The map on the screen goes on where it is this stream's, on its rows and scale, and not from after it. */
  #greet(hello: Hello): void {
    const grid = this.#grid;
    const same = grid && Math.abs(hello.p0 - grid.p0) < 1e-9 && hello.vmin === grid.scale.vmin;
    if (same && hello.stream === this.#stream && hello.seq >= this.#seq) return;
    clearTimeout(this.#timer);
    void this.#load();
  }

  #take(message: Message): void {
    if (message.kind === 'hello') return this.#greet(message);
    if (!this.#inSequence(message)) return;
    switch (message.kind) {
      case 'column':
        this.#column(message);
        break;
      case 'levels':
        this.#events.onLevels(message.levels);
        break;
      case 'status':
        this.#events.onStatus(message);
        break;
      case 'rebase':
        this.#resync();
        break;
    }
  }

  /** False for what the snapshot already holds, and for what follows a hole. */
  #inSequence(message: Exclude<Message, Hello>): boolean {
    if (!('seq' in message) || message.seq === null) return true;
    if (message.kind === 'column' && message.stream !== this.#stream) {
      this.#resync();
      return false;
    }
    if (message.kind === 'column' && message.again && message.seq >= this.#seq) {
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

  #column(column: Column): void {
    // Its cells are those of our map alone; a new column goes on as the one before it.
    if (this.#filters.model === 'difference') column = { ...column, rows: NONE, values: new Uint8Array(), full: false };
    const how = this.#grid?.apply(column) ?? 'unknown';
    if (how === 'full') return this.#resync();
    // Of the column before it, the end may have been missed.
    if (column.again && how === 'appended') this.#resync();
    this.#events.onColumn(column, how);
  }

  #resync(): void {
    if (this.#loading) this.#again = true;
    else this.#later(RESYNC_EVERY * (0.5 + Math.random() / 2));
  }

  #later(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#load(), milliseconds);
  }

  async #load(): Promise<void> {
    if (this.#loading || this.#abort.signal.aborted) return;
    this.#loading = true;
    this.#again = false;
    try {
      const { signal } = this.#abort;
      const levels = ask(viewAddress('levels', this.#filters), signal);
      // Its failure is that of the map, which says it; without this line it would also be an unhandled rejection.
      levels.catch(() => undefined);
      const map = readMap(unpack(await ask(viewAddress('heatmap', this.#filters), signal)));
      if (this.#filters.model === 'difference') {
        Object.assign(map, { cells: folded(map.cells), difference: true });
        this.#later(DIFFERENCE_EVERY);
      }
      this.#adopt(map);
      this.#events.onLevels(readLevels(unpack(await levels)));
      this.#events.onTrouble(null);
      if (!this.#filters.at) this.#socket.hurry();
    } catch (why) {
      if (this.#abort.signal.aborted) return;
      this.#events.onTrouble(why instanceof Error ? why.message : String(why));
      this.#again = true;
    } finally {
      this.#loading = false;
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const message of waiting) this.#take(message);
    if (this.#again) this.#later(RESYNC_EVERY);
  }

  #adopt(map: MapSnapshot): void {
    const grid = new HeatGrid(map);
    const again = this.#grid !== null;
    this.#grid = grid;
    this.#stream = map.stream;
    this.#seq = map.seq;
    this.#events.onMap(map, grid, !this.#first, again);
    this.#first = false;
  }
}
