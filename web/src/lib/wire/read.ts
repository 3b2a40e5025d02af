/** Typed reads of untyped records; errors name the field, the expected type and the value found. */

import { WireError } from './check';

export type Fields = Record<string, unknown>;

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === 'object' ? 'an object' : `${typeof value} ${String(value).slice(0, 40)}`;
}

function fail(path: string, expected: string, value: unknown): never {
  throw new WireError(`expected ${expected} at ${path}, got ${describe(value)}`);
}

export function fields(value: unknown, path = '$'): Fields {
  if (
    typeof value !== 'object' ||
    value === null ||
    Array.isArray(value) ||
    ArrayBuffer.isView(value)
  )
    fail(path, 'an object', value);
  return value as Fields;
}

export function number(o: Fields, key: string): number {
  const value = o[key];
  if (typeof value !== 'number') fail(`$.${key}`, 'a number', value);
  return value;
}

/** A finite number, or the fallback if it is missing, NaN or infinite. */
export function numberOr<T>(o: Fields, key: string, fallback: T): number | T {
  const value = o[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : fallback;
}

export function text(o: Fields, key: string): string {
  const value = o[key];
  if (typeof value !== 'string') fail(`$.${key}`, 'text', value);
  return value;
}

export function textOr(o: Fields, key: string, fallback = ''): string {
  const value = o[key];
  return typeof value === 'string' ? value : fallback;
}

export function oneOf<T extends string>(o: Fields, key: string, choices: readonly T[]): T {
  const value = o[key];
  if (!choices.includes(value as T)) fail(`$.${key}`, `one of ${choices.join(', ')}`, value);
  return value as T;
}

export function list(o: Fields, key: string): unknown[] {
  const value = o[key];
  if (!Array.isArray(value)) fail(`$.${key}`, 'an array', value);
  return value;
}

export function bytes(o: Fields, key: string, length?: number): Uint8Array {
  const value = o[key];
  if (!(value instanceof Uint8Array)) fail(`$.${key}`, 'bytes', value);
  if (length !== undefined && value.length !== length) {
    throw new WireError(`expected ${length} bytes at $.${key}, got ${value.length}`);
  }
  return value;
}

/** Little-endian float64 bytes, or plain numbers. */
export function doubles(value: unknown, path: string, length?: number): Float64Array {
  let out: Float64Array;
  if (value instanceof Uint8Array) {
    if (value.length % 8)
      throw new WireError(`expected whole float64 at ${path}, got ${value.length} bytes`);
    out = new Float64Array(value.slice().buffer);
  } else if (Array.isArray(value)) {
    out = Float64Array.from(value, (x) => (typeof x === 'number' ? x : NaN));
  } else fail(path, 'float64 bytes or an array', value);
  return checkLength(out, path, length);
}

function checkLength<T extends Float32Array | Float64Array>(
  out: T,
  path: string,
  length?: number,
): T {
  if (length !== undefined && out.length !== length) {
    throw new WireError(`expected ${length} numbers at ${path}, got ${out.length}`);
  }
  return out;
}

/** Little-endian float32, copied because frames are rarely aligned; or plain numbers. */
export function floats(value: unknown, path: string, length?: number): Float32Array {
  let out: Float32Array;
  if (value instanceof Uint8Array) {
    if (value.length % 4)
      throw new WireError(`expected whole float32 at ${path}, got ${value.length} bytes`);
    out = new Float32Array(value.slice().buffer);
  } else if (Array.isArray(value)) {
    out = Float32Array.from(value, (x) => (typeof x === 'number' ? x : NaN));
  } else fail(path, 'float32 bytes or an array', value);
  return checkLength(out, path, length);
}
