/** Long wicks that have an episode, and where they are on the map. */
import { type HeatGrid, HIGH, LOW } from '../grid/grid';
import { stateWord } from '../signals/states';
import { check } from '../wire/check';
import { type EpisodeRow, SignalsAnswer } from '../wire/schema-on-demand';

export interface Wick {
  /** Of its episode. */
  id: string;
  /** Start and end of its candle, µs UTC. */
  from: number;
  to: number;
  /** Where it ended, quote currency. */
  price: number;
  /** Whose liquidations a wick in this direction would be: of longs it is the lower one. */
  side: 'long' | 'short';
  /** What it is explained by, in words. */
  word: string;
}

/** Length of the candles whose wicks are looked at, µs. */
const CANDLE = 900e6;

export const wicksUrl = (coin: string): string =>
  `/v1/${encodeURIComponent(coin)}/signals?type=wick&limit=200`;

export function wickOf({ id, type, begun, state, evidence }: EpisodeRow): Wick | null {
  const price = evidence.find(({ name }) => name === 'ends at')?.value;
  if (type !== 'wick' || price === null || price === undefined) return null;
  const to = Math.floor(begun / CANDLE) * CANDLE;
  const side = id.endsWith(':short') ? 'short' : 'long';
  return { id, from: to - CANDLE, to, price, side, word: stateWord(state) };
}

/** Oldest first, as they are met from left to right; with the coin they are of. */
export function readWicks(raw: unknown): { coin: string; wicks: Wick[] } {
  const { coin, episodes } = check(SignalsAnswer, raw);
  const wicks = episodes.map(wickOf).filter((wick) => wick !== null);
  return { coin, wicks: wicks.sort((a, b) => a.from - b.from) };
}

/** The column of its candle that reached farthest; null where the map has none with a price. */
export function columnOf(grid: Pick<HeatGrid, 't0' | 'step' | 'cols' | 'ohlc'>, wick: Wick) {
  const first = Math.max(0, Math.floor((wick.from - grid.t0) / grid.step));
  const last = Math.min(grid.cols, Math.ceil((wick.to - grid.t0) / grid.step));
  const [part, sign] = wick.side === 'long' ? [LOW, -1] : [HIGH, 1];
  let found: number | null = null;
  let farthest = -Infinity;
  for (let col = first; col < last; col++) {
    const reached = sign * grid.ohlc[col * 5 + part];
    if (reached > farthest) [found, farthest] = [col, reached];
  }
  return found;
}

/** Middle of the drawn candle that holds a column, in columns; see `candles`. */
export function middleOf(grid: Pick<HeatGrid, 't0' | 'step' | 'cols'>, col: number, per: number) {
  const shift = Math.round(grid.t0 / grid.step) % per;
  return Math.floor((col + shift) / per) * per - shift + per / 2 - 0.5;
}
