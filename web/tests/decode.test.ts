import { encode } from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import {
  readBars,
  readByVenue,
  readCoins,
  readCumulative,
  readLevels,
  readMap,
  readMessage,
  unpack,
} from '../src/lib/wire/decode';
import { WireError } from '../src/lib/wire/read';
import { snapshot, T0, wireColumn, wireLevels, wireMap } from './fixtures';

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

  it('reads the basis of the weights, or defaults', () => {
    const pretrained = { market: 'BTC on Binance', since: 1, until: 2, reports: 292.3 };
    const fit = {
      version: 4,
      at: null,
      new_liquidations: 0,
      why: '',
      reports: 12.4,
      pretrained,
      path_only: ['okx'],
    };
    const read = (raw: object) => readMap(packed({ ...wireMap(snapshot()), fit: raw })).fit!;
    expect(read(fit)).toEqual({
      version: 4,
      at: null,
      newLiquidations: 0,
      why: '',
      reports: 12.4,
      pretrained,
      pathOnly: ['okx'],
    });
    expect(read({ version: 3 })).toEqual({
      version: 3,
      at: null,
      newLiquidations: 0,
      why: '',
      reports: 0,
      pretrained: null,
      pathOnly: [],
    });
  });

  it.each([
    ['cells', new Uint8Array(3), /expected 240 bytes at \$\.cells, got 3/],
    ['cells', 'no', /expected bytes at \$\.cells, got string no/],
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
    expect(levels.clusters[0].low).toBeNaN();
    expect(levels.tiers['100'].short).toBe(2);
  });

  it('reads totals, curve, venues and coins', () => {
    expect(
      readBars(packed({ reach: 0.05, long: 2, short: 1, ratio: 2, long_share: 0.6 })).longShare,
    ).toBe(0.6);
    expect(
      readBars(packed({ reach: 0.05, long: 2, short: 0, ratio: null, long_share: 1 })).ratio,
    ).toBeNaN();
    expect(
      readCumulative(packed({ distance: [-0.1, 0, 0.1], notional: [5, 0, 6] })).notional[2],
    ).toBe(6);
    const curve = readCumulative(
      packed({ distance: new Uint8Array(Float64Array.of(-0.1, 0.1).buffer), notional: [1, 2] }),
    );
    expect([...curve.distance]).toEqual([-0.1, 0.1]);
    expect(() => readCumulative(packed({ distance: [0], notional: [1, 2] }))).toThrow(
      /expected 1 numbers/,
    );
    expect(() => readCumulative(packed({ distance: new Uint8Array(4), notional: [] }))).toThrow(
      /whole float64/,
    );
    expect(() => readCumulative(packed({ distance: 'x', notional: [] }))).toThrow(
      /float64 bytes or an array/,
    );
    const by = readByVenue(
      packed({
        p0: 1,
        dp: 0.1,
        rows: 2,
        venues: [{ name: 'okx', long: 1, short: 2, levels: [3, 4] }],
      }),
    );
    expect(by.venues[0].usd[1]).toBe(4);
    expect(by.venues[0].share).toBe(0);
    expect(readCoins({ coins: ['BTC'], source: 'live' }).coins).toEqual(['BTC']);
  });
});

describe('frames of the stream', () => {
  it('reads each kind and ignores unknown ones', () => {
    expect(
      readMessage(encode({ kind: 'hello', stream: 'a', seq: 1, now: 2, source: 'live' }))?.kind,
    ).toBe('hello');
    expect(readMessage(encode({ kind: 'rebase', p0: 1 }))?.kind).toBe('rebase');
    expect(readMessage(encode(wireLevels(4)))?.kind).toBe('levels');
    const status = {
      kind: 'status',
      now: 1,
      source: 'live',
      venues: [{ name: 'x', state: 'down' }],
      model: 'm',
    };
    const read = readMessage(encode(status));
    expect(read?.kind === 'status' && read.venues[0].age).toBe(Infinity);
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
    expect(read?.kind === 'column' && [...read.rows]).toEqual([1, 258]);
    expect(read?.kind === 'column' && read.k[1]).toBeNaN();
  });

  it('rejects rows without values and truncated rows', () => {
    expect(() => readMessage(encode(wireColumn(1, T0, { r: new Uint8Array([1, 0]) })))).toThrow(
      /expected 1 bytes at \$\.v/,
    );
    expect(() => readMessage(encode(wireColumn(1, T0, { r: new Uint8Array([1]) })))).toThrow(
      /whole uint16/,
    );
  });
});
