/** Decodes MessagePack frames and answers, and checks what their schema cannot express. */
import { check, fail, object, WireError } from './check';
import { decode } from './msgpack';
import {
  BarsAnswer,
  Column,
  CumulativeAnswer,
  HeatmapAnswer,
  Hello,
  LevelsAnswer,
  Rebase,
  Status,
  VenuesAnswer,
} from './schema';
import type { Bars, ByVenue, Cumulative, Levels, MapSnapshot, Priced } from './types';

export type Message = Hello | Column | Rebase | Levels | Status;

export function unpack(raw: Uint8Array | ArrayBuffer): Record<string, unknown> {
  let value: unknown;
  try {
    value = decode(raw instanceof Uint8Array ? raw : new Uint8Array(raw));
  } catch (cause) {
    // Invalid UTF-8 is a TypeError of the decoder.
    throw cause instanceof WireError
      ? cause
      : new WireError(`unreadable MessagePack: ${String(cause)}`);
  }
  return object(value);
}

/** Require as many elements as others say there are. */
export function sized(array: ArrayLike<unknown>, length: number, path: string): void {
  if (array.length !== length)
    throw new WireError(`expected ${length} numbers at ${path}, got ${array.length}`);
}

/** Require time and prices, without which an answer cannot be shown. */
export function priced<
  T extends { price: number | null; mark: number | null; asOf: number | null },
>(answer: T): Priced<T> {
  if (answer.price === null) fail('$.price', 'a number', null);
  if (answer.mark === null) fail('$.mark', 'a number', null);
  if (answer.asOf === null) fail('$.as_of', 'a number', null);
  return answer as Priced<T>;
}

/** Cells arrive row by row as differences along time, modulo 256; returned column by column. */
function columns(rowwise: Uint8Array, cols: number, rows: number): Uint8Array {
  const out = new Uint8Array(cols * rows);
  for (let r = 0, i = 0; r < rows; r++) {
    let v = 0;
    for (let c = 0; c < cols; c++, i++) {
      v = (v + rowwise[i]) & 255;
      out[c * rows + r] = v;
    }
  }
  return out;
}

export function readMap(raw: unknown): MapSnapshot {
  const map = priced(check(HeatmapAnswer, raw));
  const { cols, rows } = map;
  sized(map.cells, cols * rows, '$.cells');
  sized(map.ohlc, cols * 5, '$.ohlc');
  return { ...map, cells: columns(map.cells, cols, rows) };
}

export function readLevels(raw: unknown): Levels {
  const levels = priced(check(LevelsAnswer, raw));
  sized(levels.long, levels.rows, '$.long');
  sized(levels.short, levels.rows, '$.short');
  return levels;
}

export const readBars = (raw: unknown): Bars => check(BarsAnswer, raw);

export function readCumulative(raw: unknown): Cumulative {
  const curve = check(CumulativeAnswer, raw);
  sized(curve.notional, curve.distance.length, '$.notional');
  return curve;
}

export function readByVenue(raw: unknown): ByVenue {
  const by = check(VenuesAnswer, raw);
  by.venues.forEach((v, i) => {
    sized(v.levels, by.rows, `$.venues[${i}].levels`);
  });
  return by;
}

function readColumn(raw: unknown): Column {
  const column = check(Column, raw);
  if (!column.full) sized(column.v, column.r.length, '$.v');
  return column;
}

/** One frame of the stream, or null for an unknown kind (from a newer server). */
export function readMessage(bytes: Uint8Array | ArrayBuffer): Message | null {
  const raw = unpack(bytes);
  switch (raw['kind']) {
    case 'hello':
      return check(Hello, raw);
    case 'column':
      return readColumn(raw);
    case 'rebase':
      return check(Rebase, raw);
    case 'levels':
      return readLevels(raw);
    case 'status':
      return check(Status, raw);
    default:
      return null;
  }
}
