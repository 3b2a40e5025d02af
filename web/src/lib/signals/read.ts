/** Reads the episodes of a coin, and says when they were received. */
import { check } from '../wire/check';
import { type EpisodeRow, SignalsAnswer } from '../wire/schema-on-demand';

export interface Received {
  answer: SignalsAnswer;
  /** Wall clock of this browser, ms. */
  at: number;
}

/** Seconds without an answer after which the age of the last one is shown. */
export const LATE_AFTER = 6;

const moment = (at: number | null | undefined): string => (at ? `&at=${at}` : '');

/** Episodes of a coin, now or as known at a time, µs: all open ones, and the newest ended. */
export const signalsUrl = (coin: string, at?: number | null, ended = 200): string =>
  `/v1/${encodeURIComponent(coin)}/signals?limit=${ended}${moment(at)}`;

/** One episode alone, which may be older than those listed. */
export const episodeUrl = (coin: string, id: string, at?: number | null): string =>
  `/v1/${encodeURIComponent(coin)}/signals?id=${encodeURIComponent(id)}${moment(at)}`;

/** The map around an episode, now or as drawn at a time, µs; empty without a span. */
export const episodeMapUrl = (coin: string, span: string, at?: number | null): string =>
  span ? `/v1/${encodeURIComponent(coin)}/heatmap?span=${span}${moment(at)}` : '';

export const readSignals = (raw: unknown): Received => ({
  answer: check(SignalsAnswer, raw),
  at: Date.now(),
});

/** The episode asked for, or the newest: open ones first. */
export const chosenOf = (episodes: readonly EpisodeRow[], id: string): EpisodeRow | null =>
  episodes.find((each) => each.id === id) ?? episodes[0] ?? null;
