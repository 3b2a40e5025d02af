import { encode } from '@msgpack/msgpack';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Session, type SessionEvents } from '../src/lib/session';
import { Link } from '../src/lib/wire/link.svelte';
import { backoff } from '../src/lib/wire/socket';
import { P0, snapshot, STEP, T0, wireColumn, wireLevels, wireMap } from './market';

class FakeSocket {
  static readonly CONNECTING = 0;
  static all: FakeSocket[] = [];
  readyState = 0;
  binaryType = '';
  closed = false;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly address: string;
  constructor(address: string) {
    this.address = address;
    FakeSocket.all.push(this);
  }
  close(): void {
    this.closed = true;
  }
  connect(): void {
    this.readyState = 1;
    this.onopen?.();
  }
  say(message: unknown): void {
    this.onmessage?.({ data: encode(message).slice().buffer });
  }
}

const filters = { coin: 'BTC', span: '3d', venues: null, tiers: null, side: 'both' as const, model: 'calibrated' as const };
const hello = (seq: number, change: object = {}) => ({ kind: 'hello', stream: 'a', seq, p0: P0, vmin: 1e4, now: 1, source: 'live', ...change });
const newest = T0 + 11 * STEP;
let seq = 10;
let asked: string[] = [];
let refuse = false;

function events() {
  return {
    onMap: vi.fn(), onColumn: vi.fn(), onLevels: vi.fn(), onStatus: vi.fn(), onLink: vi.fn(), onTrouble: vi.fn(), onStep: vi.fn(async () => undefined),
  } satisfies SessionEvents;
}

async function settle(milliseconds = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
  asked = [];
  seq = 10;
  refuse = false;
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.stubGlobal('fetch', (address: string) => {
    asked.push(address);
    if (refuse) return Promise.resolve(new Response('{"error":"no such coin"}', { status: 404 }));
    const body = address.includes('heatmap') ? wireMap(snapshot(12, 20, { seq })) : wireLevels(20);
    return Promise.resolve(new Response(encode(body).slice()));
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function started(): Promise<{ heard: ReturnType<typeof events>; socket: FakeSocket; session: Session }> {
  const heard = events();
  const session = new Session(filters, false, heard);
  session.start();
  const socket = FakeSocket.all[0];
  socket.connect();
  socket.say(hello(10));
  await settle();
  return { heard, socket, session };
}

describe('one market on the wire', () => {
  it('fetches the snapshot at once, then follows the stream', async () => {
    const { heard, socket, session } = await started();
    expect(heard.onMap).toHaveBeenCalledOnce();
    expect(heard.onLevels).toHaveBeenCalledOnce();
    socket.say(wireColumn(11, newest, { r: new Uint8Array([1, 0]), v: new Uint8Array([77]) }));
    expect(heard.onColumn.mock.calls[0][1]).toBe('changed');
    const grid = heard.onMap.mock.calls[0][1] as { value(c: number, r: number): number };
    expect(grid.value(11, 1)).toBe(77);
    session.close();
  });

  it('keeps its map when the stream goes on with it, whatever lies between', async () => {
    const { heard, socket, session } = await started();
    socket.say(hello(40));
    socket.say(wireColumn(40, newest, { full: true, again: true, v: new Uint8Array(20).fill(9) }));
    socket.say(wireColumn(41, newest));
    await settle(5_000);
    expect(heard.onMap).toHaveBeenCalledOnce();
    expect(heard.onColumn).toHaveBeenCalledTimes(2);
    session.close();
  });

  it('fetches anew where the stream began again, or stands on other rows or another scale', async () => {
    const { heard, socket, session } = await started();
    socket.say(hello(2));
    await settle();
    expect(heard.onMap).toHaveBeenCalledTimes(2);
    socket.say(hello(10, { p0: P0 + 0.1 }));
    await settle();
    expect(heard.onMap).toHaveBeenCalledTimes(3);
    socket.say(hello(10, { vmin: 10 }));
    await settle();
    expect(heard.onMap).toHaveBeenCalledTimes(4);
    session.close();
  });

  it('fetches anew when a column has passed that it may have seen in part only', async () => {
    const { heard, socket, session } = await started();
    socket.say(wireColumn(40, newest + STEP, { full: true, again: true, v: new Uint8Array(20) }));
    expect(heard.onColumn.mock.calls[0][1]).toBe('appended');
    await settle(2_000);
    expect(heard.onMap).toHaveBeenCalledTimes(2);
    session.close();
  });

  it('passes over what the snapshot already holds and fetches anew after a hole', async () => {
    const { heard, socket, session } = await started();
    socket.say(wireColumn(10, newest));
    expect(heard.onColumn).not.toHaveBeenCalled();
    seq = 20;
    socket.say(wireColumn(13, newest));
    expect(heard.onColumn).not.toHaveBeenCalled();
    await settle(2_000);
    expect(heard.onMap).toHaveBeenCalledTimes(2);
    expect(heard.onMap.mock.calls[1][2]).toBe(true);
    socket.say(wireColumn(21, newest));
    expect(heard.onColumn).toHaveBeenCalledOnce();
    session.close();
  });

  it('holds back frames that come while the snapshot is on its way', async () => {
    const heard = events();
    const session = new Session(filters, false, heard);
    session.start();
    const socket = FakeSocket.all[0];
    socket.connect();
    socket.say(hello(9));
    socket.say(wireColumn(10, newest));
    socket.say(wireColumn(11, newest));
    await settle();
    expect(heard.onColumn).toHaveBeenCalledOnce();
    session.close();
  });

  it('fetches anew on a rebase, another stream, or bytes it cannot read', async () => {
    const { heard, socket, session } = await started();
    socket.say({ kind: 'rebase', seq: 11 });
    await settle(2_000);
    socket.say(wireColumn(11, newest, { stream: 'b' }));
    await settle(2_000);
    socket.onmessage?.({ data: new Uint8Array([0xc1]).buffer });
    await settle(2_000);
    expect(heard.onMap).toHaveBeenCalledTimes(4);
    expect(session.dropped).toBe(1);
    session.close();
  });

  it('says the words of the server when it refuses, and tries again', async () => {
    refuse = true;
    const { heard, session } = await started();
    expect(heard.onTrouble).toHaveBeenLastCalledWith('no such coin');
    FakeSocket.all[0].onclose?.();
    refuse = false;
    await settle(2_000);
    expect(heard.onTrouble).toHaveBeenLastCalledWith(null);
    // The socket, refused as well, does not sit out its wait.
    expect(FakeSocket.all.at(-1)!.closed).toBe(false);
    session.close();
  });

  it('fetches the map once more when more is known, over the same socket', async () => {
    const { heard, session } = await started();
    session.refresh();
    session.refresh();
    await settle(2_000);
    expect(heard.onMap.mock.calls.map((call) => call[2] as boolean)).toEqual([false, true, true]);
    expect(heard.onMap.mock.calls.map((call) => call[3] as boolean)).toEqual([false, true, true]);
    expect(FakeSocket.all).toHaveLength(1);
    session.close();
  });
  it('asks a silent server at once when it is told to', async () => {
    const { heard, socket, session } = await started();
    socket.onclose?.();
    const [state, wait] = heard.onLink.mock.lastCall as unknown as [string, number];
    expect(state).toBe('waiting');
    expect(wait).toBeGreaterThan(0);
    const before = asked.length;
    session.askNow();
    expect(FakeSocket.all).toHaveLength(2);
    await settle();
    expect(asked.length).toBeGreaterThan(before);
    expect(heard.onLink).toHaveBeenLastCalledWith('connecting', 0);
    session.close();
  });
  it('comes back by itself, and only while it is open', async () => {
    const { heard, socket, session } = await started();
    socket.onclose?.();
    expect(heard.onLink).toHaveBeenLastCalledWith('waiting', expect.any(Number));
    await settle(500);
    expect(FakeSocket.all).toHaveLength(2);
    await settle(9_000);
    expect(FakeSocket.all.length).toBeGreaterThan(2);
    session.close();
    const made = FakeSocket.all.length;
    await settle(60_000);
    expect(FakeSocket.all).toHaveLength(made);
  });

  it('opens a new socket when the page is seen again, for the old one may be dead', async () => {
    const { socket, session } = await started();
    document.dispatchEvent(new Event('visibilitychange'));
    await settle(800);
    expect(FakeSocket.all).toHaveLength(2);
    expect(socket.closed).toBe(true);
    session.close();
  });

  it('drops a silent socket', async () => {
    const { socket, session } = await started();
    await settle(14_000);
    expect(socket.closed).toBe(true);
    session.close();
  });
});

describe('waiting to reconnect', () => {
  it('grows, is spread, and has an end', () => {
    expect(backoff(0, 0)).toBe(200);
    expect(backoff(3, 1)).toBe(3_200);
    expect(backoff(40, 1)).toBe(20_000);
  });
});

describe('the link, for the eye', () => {
  it('is lost when it broke, not while it is made, and says when it is tried again', () => {
    const link = new Link();
    const after = (state: 'connecting' | 'open' | 'waiting' | 'closed', wait = 0) => {
      link.take(state, wait);
      return [link.lost, link.retryAt > 0];
    };
    expect(after('connecting')).toEqual([false, false]);
    expect(after('open')).toEqual([false, false]);
    expect(after('closed')).toEqual([false, false]);
    expect(after('waiting', 400)).toEqual([true, true]);
    expect(after('connecting')).toEqual([true, false]);
    expect(after('open')).toEqual([false, false]);
  });
});
