/** Order flow of one coin: as the server streams it, or as it was at a time of playback. */
import { errorMessage } from '../errors';
import { check, WireError } from '../wire/check';
import { unpack } from '../wire/decode';
import { LatestOnly } from '../wire/latest-only';
import { request } from '../wire/query';
import { FlowSeriesAnswer, LadderAnswer, ReadAnswer, TapeAnswer } from '../wire/schema-on-demand';
import { Socket } from '../wire/socket';
import { type Fuel, rowOf } from './rows';
import { Tape } from './tape';

export interface FlowOptions {
  coin: string;
  venues: readonly string[] | null;
  /** Height of a row, quote currency; 0 lets the server choose. */
  row: number;
  rows: number;
  /** Seconds over which traded volume is summed. */
  window: number;
  /** Whether a time of playback is shown, see `seek`, and nothing is streamed. */
  past?: boolean;
}

const SERIES_POLL_MS = 5_000;
/** Prints shown of a past moment. */
const PAST_PRINTS = 500;
/** Part of the rows at either end in which price recentres the rows of playback. */
const MARGIN = 0.25;

export class FlowState {
  ladder = $state.raw<LadderAnswer | null>(null);
  /** The newest fuel: it comes less often than the ladder. */
  fuel = $state.raw<Fuel | null>(null);
  read = $state.raw<ReadAnswer | null>(null);
  series = $state.raw<FlowSeriesAnswer | null>(null);
  lost = $state(false);
  error = $state<string | null>(null);
  /** Time of playback that is shown, µs; null before the first answer, and live. */
  at = $state<number | null>(null);
  /** Another one with each moment of playback. */
  tape = $state.raw(new Tape());
  /** Number of prints received; changes with the tape. */
  printed = $state(0);
  readonly #options: FlowOptions;
  readonly #socket: Socket;
  readonly #moments = new LatestOnly<number>((at) => this.#show(at));
  #closed = false;
  #seq = -1;
  #timer = 0;

  /** `before`: the same coin and venues with other rows, whose tape is continued. */
  constructor(options: FlowOptions, before: FlowState | null = null) {
    this.#options = options;
    if (before?.continues(options)) this.tape = before.tape;
    this.printed = this.tape.length;
    this.#socket = new Socket(() => flowStreamUrl(options, location.origin), {
      onMessage: (raw) => this.receive(new Uint8Array(raw)),
      onState: (state) => {
        if (state === 'connecting') this.#seq = -1;
        this.lost = state === 'waiting';
      },
    });
  }

  /** Whether prints of these options are those of this stream. */
  continues({ coin, venues, past }: FlowOptions): boolean {
    const own = this.#options;
    return coin === own.coin && venues === own.venues && !past && !own.past;
  }

  open(): void {
    if (this.#options.past) return;
    this.#socket.open();
    void this.#poll();
    this.#timer = window.setInterval(() => void this.#poll(), SERIES_POLL_MS);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#moments.cancel();
    this.#socket.close();
  }

  /** Show a time of playback, µs; of several only the latest is fetched. */
  seek(at: number): void {
    this.#moments.request(at);
  }

  async #show(at: number): Promise<void> {
    const moment = `&at=${at}`;
    try {
      // One after another: the server plays all of them back with one desk.
      const ladder = await this.#ladderAt(moment);
      const tape = await this.#answer(TapeAnswer, 'tape', `&limit=${PAST_PRINTS}${moment}`);
      const read = await this.#answer(ReadAnswer, 'read', moment);
      const series = await this.#answer(FlowSeriesAnswer, 'flow', `&span=1d${moment}`);
      if (this.#closed) return;
      this.fuel = null;
      this.#onLadder(ladder);
      const then = new Tape();
      then.append(tape);
      Object.assign(this, { tape: then, printed: then.length, read, series, at, error: null });
    } catch (cause) {
      // What was shown belongs to another time.
      if (!this.#closed)
        Object.assign(this, EMPTY, { tape: new Tape(), error: errorMessage(cause) });
    }
  }

  /** Keep the rows of the moment before while the price stands well within them. */
  async #ladderAt(moment: string): Promise<LadderAnswer> {
    const { row, rows, window } = this.#options;
    const query = `&rows=${rows}&window=${window}${row ? `&row=${row}` : ''}${moment}`;
    const before = this.ladder;
    if (before) {
      const centre = (before.first + Math.floor(rows / 2)) * before.step;
      const same = row ? '' : `&row=${before.step}`;
      const kept = await this.#answer(LadderAnswer, 'ladder', `${query}${same}&centre=${centre}`);
      const place = kept.last === null ? rows / 2 : rowOf(kept, kept.last);
      if (place >= rows * MARGIN && place < rows * (1 - MARGIN)) return kept;
    }
    return this.#answer(LadderAnswer, 'ladder', query);
  }

  async #answer<T>(kind: Parameters<typeof check<T>>[0], view: string, query: string): Promise<T> {
    return check(kind, unpack(await request(this.#url(view) + query)));
  }

  /** Take one message of the stream; an unreadable one is reported, and the next one shown. */
  receive(raw: Uint8Array): void {
    try {
      this.#apply(unpack(raw));
      this.error = null;
    } catch (cause) {
      if (!(cause instanceof WireError)) throw cause;
      this.error = cause.message;
    }
  }

  #apply(raw: Record<string, unknown>): void {
    if (raw['kind'] === 'ladder') this.#onLadder(check(LadderAnswer, raw));
    else if (raw['kind'] === 'read') this.read = check(ReadAnswer, raw);
    else if (raw['kind'] === 'tape') this.#onTape(check(TapeAnswer, raw));
    this.#follow(Number(raw['seq']));
  }

  #onLadder(ladder: LadderAnswer): void {
    const before = this.ladder;
    const { fuelLong: long, fuelShort: short, firedLong, firedShort } = ladder;
    if (long.length) this.fuel = { long, short, firedLong, firedShort };
    else if (before?.first !== ladder.first || before.step !== ladder.step) this.fuel = null;
    this.ladder = ladder;
  }

  /** The first message of a connection repeats prints that are on the tape already. */
  #onTape(tape: TapeAnswer): void {
    const from = tape.time.findIndex((time) => time > this.tape.newest);
    if (from < 0) return;
    const cut = <T extends { subarray(from: number): T }>(values: T): T => values.subarray(from);
    this.tape.append({
      markets: tape.markets,
      time: cut(tape.time),
      market: cut(tape.market),
      price: cut(tape.price),
      size: cut(tape.size),
      notional: cut(tape.notional),
      count: cut(tape.count),
      mark: cut(tape.mark),
    });
    this.printed = this.tape.length;
  }

  /** Messages were missed: of those only prints are not sent again. */
  #follow(seq: number): void {
    const missed = this.#seq >= 0 && seq > this.#seq + 1;
    this.#seq = seq;
    if (missed) void this.#fetchTape();
  }

  async #fetchTape(): Promise<void> {
    try {
      const since = `&limit=4000&since=${this.tape.newest}`;
      this.#onTape(await this.#answer(TapeAnswer, 'tape', since));
    } catch (cause) {
      this.error = errorMessage(cause);
    }
  }

  async #poll(): Promise<void> {
    if (document.visibilityState === 'hidden') return;
    try {
      this.series = await this.#answer(FlowSeriesAnswer, 'flow', '&span=1d');
    } catch (cause) {
      this.error = errorMessage(cause);
    }
  }

  #url(view: string): string {
    const { coin, venues } = this.#options;
    const name = encodeURIComponent(coin);
    const path = view === 'read' ? `read/${name}` : `${name}/${view}`;
    return `/v1/${path}?venues=${venues?.join(',') ?? ''}`;
  }
}

const EMPTY = { ladder: null, fuel: null, read: null, series: null, at: null };

export function flowStreamUrl(options: FlowOptions, origin: string): string {
  const { coin, venues, row, rows, window } = options;
  const q = new URLSearchParams({
    topic: 'flow',
    coin,
    rows: String(rows),
    window: String(window),
  });
  if (row) q.set('row', String(row));
  if (venues) q.set('venues', venues.join(','));
  return `${origin.replace(/^http/, 'ws')}/v1/stream?${q.toString().replaceAll('%2C', ',')}`;
}
