/**
 * Reads answers and messages by the shapes in `schema.ts`: checks every field, decodes binary
 * arrays and converts names to camelCase. Errors name the field, what was expected and what was
 * found.
 */

export class WireError extends Error {
  override name = 'WireError';
}

/**
 * A shape: `n`, `s`, `b`, a dtype, or `|one|of`; `[item]` or `[first, second]`; or an object:
 * `maybe` null, a map with `each` value alike, `kinds` chosen `by` a field, or a record.
 */
export type Shape =
  | string
  | readonly Shape[]
  | { readonly maybe: Shape }
  | { readonly each: Shape }
  | { readonly by: string; readonly kinds: Readonly<Record<string, Schema<unknown>>> }
  | Schema<unknown>;

/** The shape of a record of type T: shapes by wire name, which ends in `?` if it may be absent. */
export interface Schema<T> {
  readonly fields: Readonly<Record<string, Shape>>;
  /** Never set; carries the type. */
  readonly of?: T;
}

export const record = <T>(fields: Readonly<Record<string, Shape>>): Schema<T> => ({ fields });

type Raw = Record<string, unknown>;
const TYPES: Record<string, [string, string]> = {
  n: ['number', 'a number'],
  s: ['string', 'text'],
  b: ['boolean', 'true or false'],
};
const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
};

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === 'object' ? 'an object' : `${typeof value} ${String(value).slice(0, 40)}`;
}

export function fail(path: string, expected: string, value: unknown): never {
  throw new WireError(`expected ${expected} at ${path}, got ${describe(value)}`);
}

export function object(value: unknown, path = '$'): Raw {
  const plain = typeof value === 'object' && value && !Array.isArray(value);
  return plain && !ArrayBuffer.isView(value) ? (value as Raw) : fail(path, 'an object', value);
}

function list(value: unknown, path: string): unknown[] {
  return Array.isArray(value) ? value : fail(path, 'an array', value);
}

/** Little-endian bytes, copied because frames are rarely aligned; or plain numbers. */
function binary(dtype: keyof typeof ARRAYS, value: unknown, path: string): unknown {
  const Numbers = ARRAYS[dtype];
  if (Array.isArray(value)) return Numbers.from(value.flat().map((x) => Number(x ?? NaN)));
  if (!(value instanceof Uint8Array)) fail(path, `${dtype} bytes or an array`, value);
  if (Numbers === Uint8Array) return value;
  if (value.length % Numbers.BYTES_PER_ELEMENT)
    throw new WireError(`expected whole ${dtype} at ${path}, got ${value.length} bytes`);
  return new Numbers(value.slice().buffer);
}

function scalar(shape: string, value: unknown, path: string): unknown {
  if (shape in ARRAYS) return binary(shape as keyof typeof ARRAYS, value, path);
  const [type, words] = TYPES[shape] ?? [];
  if (type) return typeof value === type ? value : fail(path, words, value);
  const choices = shape.slice(1).split('|');
  return choices.includes(value as string)
    ? value
    : fail(path, `one of ${choices.join(', ')}`, value);
}

/** Not finite is how MessagePack writes a number that is not known. */
const missing = (value: unknown): boolean =>
  value === null || value === undefined || (typeof value === 'number' && !Number.isFinite(value));

function walk(shape: Shape, value: unknown, path: string): unknown {
  if (typeof shape === 'string') return scalar(shape, value, path);
  if (Array.isArray(shape)) return walkList(shape as readonly Shape[], value, path);
  if ('maybe' in shape) return missing(value) ? null : walk(shape.maybe, value, path);
  const raw = object(value, path);
  if ('each' in shape)
    return Object.fromEntries(
      Object.entries(raw).map(([key, each]) => [key, walk(shape.each, each, `${path}.${key}`)]),
    );
  if ('by' in shape) {
    scalar(`|${Object.keys(shape.kinds).join('|')}`, raw[shape.by], `${path}.${shape.by}`);
    return walk(shape.kinds[String(raw[shape.by])], value, path);
  }
  return walkRecord(shape as Schema<unknown>, raw, path);
}

function walkList(shape: readonly Shape[], value: unknown, path: string): unknown[] {
  const items = list(value, path);
  if (shape.length > 1 && items.length !== shape.length)
    fail(path, `an array of ${shape.length}`, items);
  return items.map((each, i) => walk(shape[i] ?? shape[0], each, `${path}[${i}]`));
}

const names = new Map<string, string>();

/** The name of a field in the page: `as_of` is `asOf`. */
function camel(name: string): string {
  let known = names.get(name);
  if (known === undefined) {
    known = name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
    names.set(name, known);
  }
  return known;
}

function walkRecord(schema: Schema<unknown>, raw: Raw, path: string): Raw {
  const out: Raw = {};
  for (const [field, shape] of Object.entries(schema.fields)) {
    const optional = field.endsWith('?');
    const key = optional ? field.slice(0, -1) : field;
    if (optional && raw[key] === undefined) continue;
    out[camel(key)] = walk(shape, raw[key], `${path}.${key}`);
  }
  return out;
}

/** Read a value of a record's type. Throws a WireError that names the invalid field. */
export function check<T>(schema: Schema<T>, value: unknown, path = '$'): T {
  return walk(schema, value, path) as T;
}
