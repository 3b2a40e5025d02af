/** Reads the history index (times available for playback) and accumulated levels. */
import { type Fields, fields, floats, list, number, oneOf, text } from '../wire/read';
import type { Side } from '../wire/types';

export interface Move {
  at: number;
  start: number;
  end: number;
  change: number;
  low: number;
  high: number;
}

export interface History {
  since: number;
  until: number;
  stride: number;
  steps: number[];
  moves: Move[];
  /** Whether past maps are replayed exactly, rather than rebuilt from stored columns. */
  exact: boolean;
}

export function readHistory(o: Fields): History {
  return {
    since: number(o, 'since'),
    until: number(o, 'until'),
    stride: number(o, 'stride'),
    steps: list(o, 'steps').map(Number),
    exact: o['exact'] === true,
    moves: list(o, 'moves').map((value, i) => {
      const m = fields(value, `$.moves[${i}]`);
      return {
        at: number(m, 'at'),
        start: number(m, 'start'),
        end: number(m, 'end'),
        change: number(m, 'change'),
        low: number(m, 'low'),
        high: number(m, 'high'),
      };
    }),
  };
}

export interface Zone {
  side: Side;
  floor: number;
  top: number;
  peak: number;
  mean: number;
  dollarHours: number;
  change: number;
  distance: number;
}

export interface Accumulated {
  span: string;
  drawn: number;
  cols: number;
  step: number;
  mark: number;
  p0: number;
  dp: number;
  rows: number;
  long: Float32Array;
  short: Float32Array;
  zones: Zone[];
}

export function readAccumulated(o: Fields): Accumulated {
  const rows = number(o, 'rows');
  return {
    span: text(o, 'span'),
    drawn: number(o, 'drawn'),
    cols: number(o, 'cols'),
    step: number(o, 'step'),
    mark: number(o, 'mark'),
    p0: number(o, 'p0'),
    dp: number(o, 'dp'),
    rows,
    long: floats(o['long'], '$.long', rows),
    short: floats(o['short'], '$.short', rows),
    zones: list(o, 'zones').map((value, i) => {
      const z = fields(value, `$.zones[${i}]`);
      return {
        side: oneOf(z, 'side', ['long', 'short'] as const),
        floor: number(z, 'floor'),
        top: number(z, 'top'),
        peak: number(z, 'peak'),
        mean: number(z, 'mean'),
        dollarHours: number(z, 'dollar_hours'),
        change: number(z, 'change'),
        distance: number(z, 'distance'),
      };
    }),
  };
}
