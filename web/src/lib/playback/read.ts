/** Reads the history index (times available for playback) and accumulated levels. */
import { check } from '../wire/check';
import { priced, sized } from '../wire/decode';
import { AccumulatedAnswer, HistoryAnswer } from '../wire/schema-on-demand';
import type { Priced } from '../wire/types';

export type { Move, Zone } from '../wire/schema-on-demand';
export type History = HistoryAnswer;

export const historyUrl = (coin: string): string => `/v1/${encodeURIComponent(coin)}/history`;

export const readHistory = (raw: unknown): History => check(HistoryAnswer, raw);

export function readAccumulated(raw: unknown): Priced<AccumulatedAnswer> {
  const levels = priced(check(AccumulatedAnswer, raw));
  sized(levels.long, levels.rows, '$.long');
  sized(levels.short, levels.rows, '$.short');
  return levels;
}
