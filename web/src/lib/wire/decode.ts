/** Decodes MessagePack frames and answers into the types of `types.ts`. */
import { decode } from './msgpack';
import {
  bytes,
  doubles,
  type Fields,
  fields,
  floats,
  list,
  number,
  numberOr,
  oneOf,
  text,
  textOr,
  WireError,
} from './read';
import type {
  Bars,
  ByVenue,
  Cluster,
  Coins,
  Column,
  Cumulative,
  Levels,
  MapSnapshot,
  Message,
  Pretrained,
  Source,
  Totals,
  Trust,
  Venue,
} from './types';

const SOURCES: readonly Source[] = ['live', 'replay', 'simulated'];

export function unpack(raw: Uint8Array | ArrayBuffer): Fields {
  try {
    return fields(decode(raw instanceof Uint8Array ? raw : new Uint8Array(raw)));
  } catch (cause) {
    // Invalid UTF-8 is a TypeError of the decoder.
    throw cause instanceof WireError
      ? cause
      : new WireError(`unreadable MessagePack: ${String(cause)}`);
  }
}

export function readCoins(value: unknown): Coins {
  const o = fields(value);
  return {
    coins: list(o, 'coins').map(String),
    source: oneOf(o, 'source', SOURCES),
    ready: o['ready'] !== false,
    progress: textOr(o, 'progress'),
    note: textOr(o, 'note'),
  };
}

function readVenues(o: Fields): Venue[] {
  return list(o, 'venues').map((value, i) => {
    const v = fields(value, `$.venues[${i}]`);
    return {
      name: text(v, 'name'),
      market: textOr(v, 'market'),
      on: v['on'] !== false,
      age: numberOr(v, 'age', Infinity),
      state: oneOf(v, 'state', ['up', 'joining', 'stale', 'down'] as const),
      oi: numberOr(v, 'oi', 0),
      share: numberOr(v, 'share', 0),
    };
  });
}

export function readPretrained(value: unknown): Pretrained | null {
  if (!value) return null;
  const o = fields(value, '$.pretrained');
  return {
    market: text(o, 'market'),
    since: number(o, 'since'),
    until: number(o, 'until'),
    reports: numberOr(o, 'reports', 0),
  };
}

function readTrust(o: Fields): Trust {
  const fit = o['fit'] ? fields(o['fit'], '$.fit') : null;
  const grade = o['grade'] ? fields(o['grade'], '$.grade') : null;
  return {
    model: text(o, 'model'),
    priorOnly: o['prior_only'] === true,
    fit: fit && {
      version: numberOr(fit, 'version', 0),
      at: numberOr(fit, 'at', null),
      newLiquidations: numberOr(fit, 'new_liquidations', 0),
      reports: numberOr(fit, 'reports', 0),
      pretrained: readPretrained(fit['pretrained']),
      pathOnly: ((fit['path_only'] ?? []) as unknown[]).map(String),
      why: textOr(fit, 'why'),
    },
    grade: grade && {
      letter: text(grade, 'letter'),
      parts: fields(grade['parts'], '$.grade.parts') as Record<string, string>,
      why: textOr(grade, 'why'),
    },
  };
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

export function readMap(o: Fields): MapSnapshot {
  const cols = number(o, 'cols');
  const rows = number(o, 'rows');
  return {
    coin: text(o, 'coin'),
    source: oneOf(o, 'source', SOURCES),
    note: textOr(o, 'note'),
    asOf: number(o, 'as_of'),
    now: number(o, 'now'),
    ...readTrust(o),
    stream: text(o, 'stream'),
    seq: number(o, 'seq'),
    t0: number(o, 't0'),
    step: number(o, 'step'),
    cols,
    rows,
    p0: number(o, 'p0'),
    dp: number(o, 'dp'),
    vmin: number(o, 'vmin'),
    vmax: number(o, 'vmax'),
    cells: columns(bytes(o, 'cells', cols * rows), cols, rows),
    ohlc: floats(o['ohlc'], '$.ohlc', cols * 5),
    gaps: list(o, 'gaps') as [number, number][],
    partial: (o['partial'] ?? []) as [number, number][],
    price: number(o, 'price'),
    mark: number(o, 'mark'),
    tick: number(o, 'tick'),
    venues: readVenues(o),
    tiers: list(o, 'tiers').map(Number),
    span: text(o, 'span'),
    spans: list(o, 'spans').map(String),
  };
}

function readTotals(value: unknown, path: string): Record<string, Totals> {
  const out: Record<string, Totals> = {};
  for (const [name, each] of Object.entries(fields(value, path))) {
    const o = fields(each, `${path}.${name}`);
    out[name] = { long: number(o, 'long'), short: number(o, 'short') };
  }
  return out;
}

function readCluster(value: unknown, i: number): Cluster {
  const o = fields(value, `$.clusters[${i}]`);
  return {
    side: oneOf(o, 'side', ['long', 'short'] as const),
    floor: number(o, 'floor'),
    top: number(o, 'top'),
    peak: number(o, 'peak'),
    notional: number(o, 'notional'),
    distance: number(o, 'distance'),
    tier: numberOr(o, 'tier', 0),
    tiers: (o['tiers'] ?? {}) as Record<string, number>,
    age: numberOr(o, 'age', 0),
    low: numberOr(o, 'low', NaN),
    high: numberOr(o, 'high', NaN),
    measured: numberOr(o, 'measured', NaN),
    concentration: numberOr(o, 'concentration', null),
    expectedFill: (o['expected_fill'] ?? null) as [number, number] | null,
  };
}

export function readLevels(o: Fields): Levels {
  const rows = number(o, 'rows');
  return {
    coin: text(o, 'coin'),
    asOf: number(o, 'as_of'),
    mark: number(o, 'mark'),
    price: number(o, 'price'),
    p0: number(o, 'p0'),
    dp: number(o, 'dp'),
    rows,
    long: floats(o['long'], '$.long', rows),
    short: floats(o['short'], '$.short', rows),
    tiers: readTotals(o['tiers'], '$.tiers'),
    clusters: list(o, 'clusters').map(readCluster),
    reach: number(o, 'reach'),
    within: Object.values(fields(o['within'], '$.within')).reduce<number>(
      (sum, usd) => sum + Number(usd),
      0,
    ),
    venues: readTotals(o['venues'], '$.venues'),
  };
}

export function readBars(o: Fields): Bars {
  return {
    reach: number(o, 'reach'),
    long: number(o, 'long'),
    short: number(o, 'short'),
    // Null if one side is empty.
    ratio: numberOr(o, 'ratio', NaN),
    longShare: numberOr(o, 'long_share', NaN),
    bands: (o['bands'] ?? {}) as Bars['bands'],
  };
}

export function readCumulative(o: Fields): Cumulative {
  const distance = doubles(o['distance'], '$.distance');
  return {
    distance,
    notional: doubles(o['notional'], '$.notional', distance.length),
    low: doubles(o['low'] ?? [], '$.low'),
    high: doubles(o['high'] ?? [], '$.high'),
  };
}

export function readByVenue(o: Fields): ByVenue {
  const rows = number(o, 'rows');
  return {
    p0: number(o, 'p0'),
    dp: number(o, 'dp'),
    rows,
    venues: list(o, 'venues').map((value, i) => {
      const v = fields(value, `$.venues[${i}]`);
      return {
        name: text(v, 'name'),
        long: number(v, 'long'),
        short: number(v, 'short'),
        oi: numberOr(v, 'oi', 0),
        share: numberOr(v, 'share', 0),
        usd: floats(v['levels'], `$.venues[${i}].levels`, rows),
      };
    }),
  };
}

function readColumn(o: Fields): Column {
  const full = o['full'] === true;
  const raw = bytes(o, 'r');
  if (raw.length % 2) throw new WireError(`expected whole uint16 at $.r, got ${raw.length} bytes`);
  const rows = new Uint16Array(raw.slice().buffer);
  return {
    kind: 'column',
    stream: text(o, 'stream'),
    seq: number(o, 'seq'),
    t: number(o, 't'),
    k: list(o, 'k').map((x) => (typeof x === 'number' ? x : NaN)),
    rows,
    values: bytes(o, 'v', full ? undefined : rows.length),
    full,
    resync: o['resync'] === true,
  };
}

/** One frame of the stream, or null for an unknown kind (from a newer server). */
export function readMessage(raw: Uint8Array | ArrayBuffer): Message | null {
  const o = unpack(raw);
  switch (o['kind']) {
    case 'hello':
      return {
        kind: 'hello',
        stream: text(o, 'stream'),
        seq: number(o, 'seq'),
        p0: numberOr(o, 'p0', NaN),
        vmin: numberOr(o, 'vmin', NaN),
        now: number(o, 'now'),
        source: oneOf(o, 'source', SOURCES),
      };
    case 'column':
      return readColumn(o);
    case 'rebase':
      return { kind: 'rebase' };
    case 'levels':
      return { kind: 'levels', seq: numberOr(o, 'seq', null), levels: readLevels(o) };
    case 'status':
      return {
        kind: 'status',
        seq: numberOr(o, 'seq', null),
        now: number(o, 'now'),
        source: oneOf(o, 'source', SOURCES),
        note: textOr(o, 'note'),
        venues: readVenues(o),
        ...readTrust(o),
        eventsPerSecond: numberOr(o, 'events_per_s', 0),
      };
    default:
      return null;
  }
}
