import { encode } from '@msgpack/msgpack';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Session, type SessionEvents } from '../src/lib/session';
import { Connection } from '../src/lib/wire/connection.svelte';
import { backoff } from '../src/lib/wire/socket';
import { P0, STEP, snapshot, T0, wireColumn, wireLevels, wireMap } from './fixtures';

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
  receive(message: unknown): void {
    this.onmessage?.({ data: encode(message).slice().buffer });
  }
}

const filters = {
  coin: 'BTC',
  span: '3d',
  venues: null,
  tiers: null,
  side: 'both' as const,
  model: 'calibrated' as const,
};
const hello = (seq: number, change: object = {}) => ({
  kind: 'hello',
  stream: 'a',
  seq,
  p0: P0,
  vmin: 1e4,
  now: 1,
  source: 'live',
  ...change,
});
const newest = T0 + 11 * STEP;
let seq = 10;
let requests: string[] = [];
let failing = false;

function events() {
  return {
    onMap: vi.fn(),
    onColumn: vi.fn(),
    onLevels: vi.fn(),
    onStatus: vi.fn(),
    onConnection: vi.fn(),
    onError: vi.fn(),
    onStep: vi.fn(async () => undefined),
  } satisfies SessionEvents;
}

async function settle(milliseconds = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
  requests = [];
  seq = 10;
  failing = false;
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.stubGlobal('fetch', (address: string) => {
    requests.push(address);
    if (failing) return Promise.resolve(new Response('{"error":"no such coin"}', { status: 404 }));
    const body = address.includes('heatmap') ? wireMap(snapshot(12, 20, { seq })) : wireLevels(20);
    return Promise.resolve(new Response(encode(body).slice()));
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function started(): Promise<{
  received: ReturnType<typeof events>;
  socket: FakeSocket;
  session: Session;
}> {
  const received = events();
  const session = new Session(filters, false, received);
  session.start();
  const socket = FakeSocket.all[0];
  socket.connect();
  socket.receive(hello(10));
  await settle();
  return { received, socket, session };
}

describe('a session', () => {
  it('fetches the snapshot, then follows the stream', async () => {
    const { received, socket, session } = await started();
    expect(received.onMap).toHaveBeenCalledOnce();
    expect(received.onLevels).toHaveBeenCalledOnce();
    socket.receive(wireColumn(11, newest, { r: new Uint8Array([1, 0]), v: new Uint8Array([77]) }));
    expect(received.onColumn.mock.calls[0][1]).toBe('changed');
    const grid = received.onMap.mock.calls[0][1] as { value(c: number, r: number): number };
    expect(grid.value(11, 1)).toBe(77);
    session.close();
  });

  it('keeps its map when the stream continues after missed messages', async () => {
    const { received, socket, session } = await started();
    socket.receive(hello(40));
    socket.receive(
      wireColumn(40, newest, { full: true, resync: true, v: new Uint8Array(20).fill(9) }),
    );
    socket.receive(wireColumn(41, newest));
    await settle(5_000);
    expect(received.onMap).toHaveBeenCalledOnce();
    expect(received.onColumn).toHaveBeenCalledTimes(2);
    session.close();
  });

  it('refetches if the stream restarted, or has other rows or another scale', async () => {
    const { received, socket, session } = await started();
    socket.receive(hello(2));
    await settle();
    expect(received.onMap).toHaveBeenCalledTimes(2);
    socket.receive(hello(10, { p0: P0 + 0.1 }));
    await settle();
    expect(received.onMap).toHaveBeenCalledTimes(3);
    socket.receive(hello(10, { vmin: 10 }));
    await settle();
    expect(received.onMap).toHaveBeenCalledTimes(4);
    session.close();
  });

  it('refetches if the end of a column may have been missed', async () => {
    const { received, socket, session } = await started();
    socket.receive(
      wireColumn(40, newest + STEP, { full: true, resync: true, v: new Uint8Array(20) }),
    );
    expect(received.onColumn.mock.calls[0][1]).toBe('appended');
    await settle(2_000);
    expect(received.onMap).toHaveBeenCalledTimes(2);
    session.close();
  });

  it('ignores messages the snapshot includes, and refetches after a gap', async () => {
    const { received, socket, session } = await started();
    socket.receive(wireColumn(10, newest));
    expect(received.onColumn).not.toHaveBeenCalled();
    seq = 20;
    socket.receive(wireColumn(13, newest));
    expect(received.onColumn).not.toHaveBeenCalled();
    await settle(2_000);
    expect(received.onMap).toHaveBeenCalledTimes(2);
    expect(received.onMap.mock.calls[1][2]).toBe(true);
    socket.receive(wireColumn(21, newest));
    expect(received.onColumn).toHaveBeenCalledOnce();
    session.close();
  });

  it('buffers messages while the snapshot is loading', async () => {
    const received = events();
    const session = new Session(filters, false, received);
    session.start();
    const socket = FakeSocket.all[0];
    socket.connect();
    socket.receive(hello(9));
    socket.receive(wireColumn(10, newest));
    socket.receive(wireColumn(11, newest));
    await settle();
    expect(received.onColumn).toHaveBeenCalledOnce();
    session.close();
  });

  it('refetches on a rebase, another stream, or unreadable bytes', async () => {
    const { received, socket, session } = await started();
    socket.receive({ kind: 'rebase', stream: 'a', seq: 11 });
    await settle(2_000);
    socket.receive(wireColumn(11, newest, { stream: 'b' }));
    await settle(2_000);
    socket.onmessage?.({ data: new Uint8Array([0xc1]).buffer });
    await settle(2_000);
    expect(received.onMap).toHaveBeenCalledTimes(4);
    expect(session.dropped).toBe(1);
    session.close();
  });

  it('reports the error message of the server, and retries', async () => {
    failing = true;
    const { received, session } = await started();
    expect(received.onError).toHaveBeenLastCalledWith('no such coin');
    FakeSocket.all[0].onclose?.();
    failing = false;
    await settle(2_000);
    expect(received.onError).toHaveBeenLastCalledWith(null);
    // The socket reconnects without waiting for its back-off.
    expect(FakeSocket.all.at(-1)!.closed).toBe(false);
    session.close();
  });

  it('refetches the map over the same socket', async () => {
    const { received, session } = await started();
    session.refresh();
    session.refresh();
    await settle(2_000);
    expect(received.onMap.mock.calls.map((call) => call[2] as boolean)).toEqual([
      false,
      true,
      true,
    ]);
    expect(received.onMap.mock.calls.map((call) => call[3] as boolean)).toEqual([
      false,
      true,
      true,
    ]);
    expect(FakeSocket.all).toHaveLength(1);
    session.close();
  });
  it('retries immediately on request', async () => {
    const { received, socket, session } = await started();
    socket.onclose?.();
    const [state, wait] = received.onConnection.mock.lastCall as unknown as [string, number];
    expect(state).toBe('waiting');
    expect(wait).toBeGreaterThan(0);
    const before = requests.length;
    session.retryNow();
    expect(FakeSocket.all).toHaveLength(2);
    await settle();
    expect(requests.length).toBeGreaterThan(before);
    expect(received.onConnection).toHaveBeenLastCalledWith('connecting', 0);
    session.close();
  });
  it('reconnects until closed', async () => {
    const { received, socket, session } = await started();
    socket.onclose?.();
    expect(received.onConnection).toHaveBeenLastCalledWith('waiting', expect.any(Number));
    await settle(500);
    expect(FakeSocket.all).toHaveLength(2);
    await settle(9_000);
    expect(FakeSocket.all.length).toBeGreaterThan(2);
    session.close();
    const count = FakeSocket.all.length;
    await settle(60_000);
    expect(FakeSocket.all).toHaveLength(count);
  });

  it('opens a new socket when the page becomes visible', async () => {
    const { socket, session } = await started();
    document.dispatchEvent(new Event('visibilitychange'));
    await settle(800);
    expect(FakeSocket.all).toHaveLength(2);
    expect(socket.closed).toBe(true);
    session.close();
  });

  it('drops an idle socket', async () => {
    const { socket, session } = await started();
    await settle(14_000);
    expect(socket.closed).toBe(true);
    session.close();
  });
});

describe('back-off', () => {
  it('grows, is jittered, and is capped', () => {
    expect(backoff(0, 0)).toBe(200);
    expect(backoff(3, 1)).toBe(3_200);
    expect(backoff(40, 1)).toBe(20_000);
  });
});

describe('connection state', () => {
  it('is lost after a break but not during the first attempt, and has the time of the next attempt', () => {
    const connection = new Connection();
    const stateAfter = (state: 'connecting' | 'open' | 'waiting' | 'closed', wait = 0) => {
      connection.update(state, wait);
      return [connection.lost, connection.retryAt > 0];
    };
    expect(stateAfter('connecting')).toEqual([false, false]);
    expect(stateAfter('open')).toEqual([false, false]);
    expect(stateAfter('closed')).toEqual([false, false]);
    expect(stateAfter('waiting', 400)).toEqual([true, true]);
    expect(stateAfter('connecting')).toEqual([true, false]);
    expect(stateAfter('open')).toEqual([false, false]);
  });
});
