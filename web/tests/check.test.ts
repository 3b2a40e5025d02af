import { describe, expect, it } from 'vitest';
import { check, record, type Schema, WireError } from '../src/lib/wire/check';

const Leaf: Schema<{ topPrice: number | null }> = record({ top_price: { maybe: 'n' } });
const Other: Schema<unknown> = record({ kind: '|other', name: 's' });
const Root: Schema<Record<string, unknown>> = record({
  side: '|long|short',
  leaves: [Leaf],
  pair: ['n', 'n'],
  by_venue: { each: Leaf },
  rows: 'float32',
  index: 'uint16',
  cells: 'uint8',
  parts: [{ by: 'kind', kinds: { other: Other } }],
  leaf: { maybe: Leaf },
  'resync?': 'b',
});
const whole = {
  side: 'long',
  leaves: [{ top_price: 1 }],
  pair: [1, 2],
  by_venue: { some_venue: { top_price: 2 } },
  rows: new Uint8Array(Float32Array.of(1.5, 2.5).buffer),
  index: new Uint8Array([1, 0, 2, 1]),
  cells: new Uint8Array([7]),
  parts: [{ kind: 'other', name: 'a' }],
  leaf: null,
};

describe('a value of a shape', () => {
  it('has its names in camelCase, its arrays decoded, and nothing else', () => {
    expect(check(Root, { ...whole, newer: 1 })).toEqual({
      side: 'long',
      leaves: [{ topPrice: 1 }],
      pair: [1, 2],
      byVenue: { some_venue: { topPrice: 2 } },
      rows: Float32Array.of(1.5, 2.5),
      index: Uint16Array.of(1, 258),
      cells: Uint8Array.of(7),
      parts: [{ kind: 'other', name: 'a' }],
      leaf: null,
    });
  });

  it('may have arrays as plain numbers, and optional fields', () => {
    const read = check(Root, { ...whole, rows: [[1, null], [2]], resync: true });
    expect(read['rows']).toEqual(Float32Array.of(1, NaN, 2));
    expect(read['resync']).toBe(true);
  });

  it.each([null, undefined, NaN, Infinity])('is null where it is not known: %s', (value) => {
    expect(check(Leaf, { top_price: value })).toEqual({ topPrice: null });
  });
});

describe('an invalid value', () => {
  it.each([
    [{ side: 'up' }, 'expected one of long, short at $.side, got string up'],
    [{ leaves: {} }, 'expected an array at $.leaves, got an object'],
    [{ leaves: [{ top_price: 'x' }] }, 'expected a number at $.leaves[0].top_price, got string x'],
    [{ pair: [1] }, 'expected an array of 2 at $.pair, got an array of 1'],
    [{ by_venue: { a: 1 } }, 'expected an object at $.by_venue.a, got number 1'],
    [{ rows: new Uint8Array(5) }, 'expected whole float32 at $.rows, got 5 bytes'],
    [{ rows: 5 }, 'expected float32 bytes or an array at $.rows, got number 5'],
    [{ parts: [{ kind: 'x' }] }, 'expected one of other at $.parts[0].kind, got string x'],
    [{ leaf: [1] }, 'expected an object at $.leaf, got an array of 1'],
    [{ resync: 1 }, 'expected true or false at $.resync, got number 1'],
    [{ side: undefined }, 'expected one of long, short at $.side, got nothing'],
  ])('names field, expectation and value: %j', (change, words) => {
    expect(() => check(Root, { ...whole, ...change })).toThrow(new WireError(words));
  });

  it('is an object, not bytes', () => {
    expect(() => check(Leaf, new Uint8Array(1))).toThrow('expected an object at $, got an object');
    expect(() => check(Leaf, null)).toThrow('expected an object at $, got null');
  });
});
