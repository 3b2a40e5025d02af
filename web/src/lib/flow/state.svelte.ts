/** Order flow of one coin as the server streams it. */
import { errorMessage } from '../errors';
import { check, WireError } from '../wire/check';
import { unpack } from '../wire/decode';
import { request } from '../wire/query';
import { FlowSeriesAnswer, LadderAnswer, ReadAnswer, TapeAnswer } from '../wire/schema-on-demand';
import { Socket } from '../wire/socket';
import type { Fuel } from './rows';
import { Tape } from './tape';

export interface FlowOptions {
  coin: string;
  venues: readonly string[] | null;
  /** Height of a row, quote currency; 0 lets the server choose. */
  row: number;
  rows: number;
  /** Seconds over which traded volume is summed. */
  window: number;
}

const SERIES_POLL_MS = 5_000;

export class FlowState {
  ladder = $state.raw<LadderAnswer | null>(null);
  /** The newest fuel: it comes less often than the ladder. */
  fuel = $state.raw<Fuel | null>(null);
  read = $state.raw<ReadAnswer | null>(null);
  series = $state.raw<FlowSeriesAnswer | null>(null);
  lost = $state(false);
  error = $state<string | null>(null);
  readonly tape: Tape;
  /** Number of prints received; changes with the tape. */
  printed = $state(0);
  readonly #options: FlowOptions;
  readonly #socket: Socket;
  #seq = -1;
  #timer = 0;

  /** `before`: the same coin and venues with other rows, whose tape is continued. */
  constructor(options: FlowOptions, before: FlowState | null = null) {
    this.#options = options;
    this.tape = before?.continues(options) ? before.tape : new Tape();
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
  continues({ coin, venues }: FlowOptions): boolean {
    return coin === this.#options.coin && venues === this.#options.venues;
  }

  open(): void {
    this.#socket.open();
    void this.#poll();
    this.#timer = window.setInterval(() => void this.#poll(), SERIES_POLL_MS);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#socket.close();
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
    if (ladder.fuelLong.length) this.fuel = { long: ladder.fuelLong, short: ladder.fuelShort };
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
      this.#onTape(check(TapeAnswer, unpack(await request(this.#url('tape') + since))));
    } catch (cause) {
      this.error = errorMessage(cause);
    }
  }

  async #poll(): Promise<void> {
    if (document.visibilityState === 'hidden') return;
    try {
      const raw = await request(`${this.#url('flow')}&span=1d`);
      this.series = check(FlowSeriesAnswer, unpack(raw));
    } catch (cause) {
      this.error = errorMessage(cause);
    }
  }

  #url(view: string): string {
    const { coin, venues } = this.#options;
    return `/v1/${encodeURIComponent(coin)}/${view}?venues=${venues?.join(',') ?? ''}`;
  }
}

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
