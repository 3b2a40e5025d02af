import { encode } from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import { check, WireError } from '../src/lib/wire/check';
import {
  readBars,
  readByVenue,
  readCumulative,
  readLevels,
  readMap,
  readMessage,
  unpack,
} from '../src/lib/wire/decode';
import { Coins } from '../src/lib/wire/schema';
import {
  envelope,
  snapshot,
  T0,
  wireBars,
  wireColumn,
  wireCurve,
  wireLevels,
  wireMap,
} from './fixtures';

const packed = (o: unknown) => unpack(encode(o));

describe('the snapshot', () => {
  it('decodes cells, candles and times exactly', () => {
    const map = snapshot();
    const read = readMap(packed(wireMap(map)));
    expect(read.cells).toEqual(map.cells);
    expect(read.ohlc).toEqual(map.ohlc);
    expect(read.t0).toBe(T0);
    expect(read.venues[0].state).toBe('up');
    expect(read.priorOnly).toBe(true);
  });

  it('reads the basis of the weights', () => {
    const pretrained = { market: 'BTC on Binance', since: 1, until: 2, reports: 292.3, version: 4 };
    const fit = { version: 4, at: null, why: '', markets: 0, reports: 12.4, pretrained };
    const raw = { ...fit, new_liquidations: 3, path_only: ['okx'] };
    const read = readMap(packed({ ...wireMap(snapshot()), fit: raw }));
    expect(read.fit).toEqual({ ...fit, newLiquidations: 3, pathOnly: ['okx'] });
  });

  it.each(['price', 'mark', 'as_of'])('cannot be shown without %s', (field) => {
    expect(() => readMap(packed({ ...wireMap(snapshot()), [field]: null }))).toThrow(
      `expected a number at $.${field}, got null`,
    );
  });

  it.each([
    ['cells', new Uint8Array(3), /expected 240 numbers at \$\.cells, got 3/],
    ['cells', 'no', /expected uint8 bytes or an array at \$\.cells, got string no/],
    ['ohlc', new Uint8Array(8), /expected 60 numbers at \$\.ohlc, got 2/],
    ['ohlc', new Uint8Array(7), /whole float32/],
    ['ohlc', 5, /float32 bytes or an array/],
    ['t0', null, /expected a number at \$\.t0, got null/],
    ['source', 'other', /one of live, replay, simulated/],
    ['spans', {}, /expected an array at \$\.spans, got an object/],
    ['coin', [1], /expected text at \$\.coin, got an array of 1/],
  ])('reports an invalid %s', (field, value, words) => {
    expect(() => readMap(packed({ ...wireMap(snapshot()), [field]: value }))).toThrow(words);
  });

  it('rejects anything but a message', () => {
    expect(() => unpack(new Uint8Array([0xc1]))).toThrow(WireError);
    expect(() => unpack(encode([1]).slice().buffer)).toThrow(/expected an object/);
    expect(() => unpack(new Uint8Array([0x81, 0xa1, 0xff, 0x01]))).toThrow(
      /unreadable MessagePack/,
    );
  });
});

describe('the other answers', () => {
  it('reads levels from bytes and from plain numbers', () => {
    const levels = readLevels(packed(wireLevels(20)));
    expect(levels.long[3]).toBe(2e6);
    expect(levels.short[3]).toBe(1e6);
    expect([levels.clusters[0].low, levels.clusters[0].high]).toEqual([null, null]);
    expect(levels.tiers['100'].short).toBe(2);
  });

  it('reads totals, curve, venues and coins', () => {
    expect(readBars(packed(wireBars())).ratio).toBe(2);
    expect(readBars(packed(wireBars({ short: 0, ratio: null }))).ratio).toBeNull();
    const curve = (change: object) => readCumulative(packed(wireCurve({ ...change })));
    expect(curve({ distance: [-0.1, 0, 0.1], notional: [5, 0, 6] }).notional[2]).toBe(6);
    const raw = new Uint8Array(Float64Array.of(-0.1, 0.1).buffer);
    expect([...curve({ distance: raw, notional: [1, 2] }).distance]).toEqual([-0.1, 0.1]);
    expect(() => curve({ distance: [0], notional: [1, 2] })).toThrow(/expected 1 numbers/);
    expect(() => curve({ distance: new Uint8Array(4) })).toThrow(/whole float64/);
    expect(() => curve({ distance: 'x' })).toThrow(/float64 bytes or an array/);
    const okx = { name: 'okx', long: 1, short: 2, oi: 0, share: 0, levels: [3, 4] };
    const grid = { kind: 'venues', p0: 1, dp: 0.1, rows: 2 };
    const by = readByVenue(packed({ ...envelope, ...grid, venues: [okx] }));
    expect(by.venues[0].levels[1]).toBe(4);
    const coins = { coins: ['BTC'], source: 'live', ready: true, progress: '', note: '' };
    expect(check(Coins, { ...coins, version: '0' }).coins).toEqual(['BTC']);
  });
});

describe('frames of the stream', () => {
  it('reads each kind and ignores unknown ones', () => {
    expect(
      readMessage(
        encode({ kind: 'hello', stream: 'a', seq: 1, p0: 1, vmin: 1, now: 2, source: 'live' }),
      )?.kind,
    ).toBe('hello');
    expect(readMessage(encode({ kind: 'rebase', stream: 'a', seq: 1 }))?.kind).toBe('rebase');
    expect(readMessage(encode(wireLevels(4)))?.kind).toBe('levels');
    const down = { ...envelope.venues[0], age: null, state: 'down' };
    const read = readMessage(encode({ ...envelope, kind: 'status', venues: [down], events: 1 }));
    expect(read?.kind === 'status' && read.venues[0].age).toBeNull();
    expect(readMessage(encode({ kind: 'weather' }))).toBeNull();
  });

  it('reads the changed rows of a column as little-endian pairs', () => {
    const read = readMessage(
      encode(
        wireColumn(1, T0, {
          r: new Uint8Array([1, 0, 2, 1]),
          v: new Uint8Array([7, 8]),
          k: [1, null, 1, 1, 1],
        }),
      ),
    );
    expect(read?.kind === 'column' && [...read.r]).toEqual([1, 258]);
    expect(read?.kind === 'column' && read.k[1]).toBeNull();
  });

  it('rejects rows without values and truncated rows', () => {
    expect(() => readMessage(encode(wireColumn(1, T0, { r: new Uint8Array([1, 0]) })))).toThrow(
      /expected 1 numbers at \$\.v/,
    );
    expect(() => readMessage(encode(wireColumn(1, T0, { r: new Uint8Array([1]) })))).toThrow(
      /whole uint16/,
    );
  });
});
