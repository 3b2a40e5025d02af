import { encode } from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import { WireError } from '../src/lib/wire/check';
import { decode } from '../src/lib/wire/msgpack';

const VALUES: unknown[] = [
  null,
  true,
  false,
  0,
  1,
  127,
  128,
  255,
  256,
  65_535,
  65_536,
  2 ** 32 - 1,
  2 ** 32,
  1_790_000_000_000_000,
  -1,
  -32,
  -33,
  -128,
  -129,
  -32_768,
  -32_769,
  -(2 ** 31),
  -(2 ** 31) - 1,
  0.5,
  -1e300,
  94_123.4,
  '',
  'a',
  'é · 1',
  'x'.repeat(31),
  'x'.repeat(32),
  'x'.repeat(300),
  'x'.repeat(70_000),
  [],
  [1, [2, [3]]],
  Array.from({ length: 15 }, (_, i) => i),
  Array.from({ length: 70_000 }, () => 1),
  { a: 1, b: { c: [1, 'two', null] } },
  Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`k${i}`, i])),
];

describe('one MessagePack value', () => {
  it.each(VALUES.map((v) => [JSON.stringify(v).slice(0, 30), v]))(
    'reads back what the library writes: %s',
    (_, value) => {
      expect(JSON.stringify(decode(encode(value)))).toBe(JSON.stringify(value));
    },
  );

  it.each([0, 1, 255, 256, 65_536])('reads %i bytes as a view, not a copy', (length) => {
    const raw = encode(new Uint8Array(length).fill(7));
    const read = decode(raw) as Uint8Array;
    expect(read).toEqual(new Uint8Array(length).fill(7));
    expect(read.buffer).toBe(raw.buffer);
  });

  it('reads float32 and NaN', () => {
    expect(decode(encode(1.5, { forceFloat32: true }))).toBe(1.5);
    expect(decode(encode(NaN))).toBeNaN();
  });

  it('rejects every truncation of a message', () => {
    const raw = encode({ a: [1, 'two', 3.5, 2 ** 40], b: new Uint8Array(40) });
    for (let n = 0; n < raw.length; n++)
      expect(() => decode(raw.subarray(0, n))).toThrow(WireError);
  });

  it('rejects trailing bytes, extensions, and lengths beyond the message', () => {
    expect(() => decode(new Uint8Array([1, 2]))).toThrow(/after the value/);
    expect(() => decode(new Uint8Array([0xd4, 1, 2]))).toThrow(/format byte 0xd4/);
    expect(() => decode(new Uint8Array([0xdd, 255, 255, 255, 255]))).toThrow(/bytes left/);
    expect(() => decode(new Uint8Array(64).fill(0x91))).toThrow(WireError);
  });

  it('prevents prototype pollution', () => {
    decode(encode({ ['__proto__']: { polluted: true } }));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
