/**
 * Draws the ladder: one row of the canvas is one price, and the price column is the axis.
 *
 * What a cell shows is laid down as a list first; only cells whose list has changed are drawn again,
 * because text is what costs.
 */
import { decimals, dollars, price as priceText } from '../format';
import { FONT_FAMILY, theme } from '../render/theme.svelte';
import type { LadderAnswer, WallRow } from '../wire/schema-on-demand';
import { type Column, drawIn, drawParts, type Part, same } from './parts';
import { coins, type Fuel, priceOf, rowOf, signedCoins, wallRow, wallText } from './rows';

type Name =
  | 'fuel'
  | 'volume'
  | 'price'
  | 'bid'
  | 'ask'
  | 'sold'
  | 'bought'
  | 'delta'
  | 'stacked'
  | 'largest';
export type Layout = Partial<Record<Name, Column>>;

/** Weights of the columns, in their order. */
const WIDE: [Name, number][] = [
  ['fuel', 58],
  ['volume', 58],
  ['price', 66],
  ['bid', 60],
  ['ask', 60],
  ['sold', 46],
  ['bought', 46],
  ['delta', 52],
  ['stacked', 56],
  ['largest', 46],
];
/** On a phone bid and ask share a column, and delta stands for sold and bought. */
const NARROW: [Name, number][] = [
  ['fuel', 108],
  ['price', 66],
  ['bid', 88],
  ['delta', 58],
  ['stacked', 66],
];
export const HEADS: Record<Name, string> = {
  fuel: 'Fuel, est.',
  volume: 'Volume',
  price: 'Price',
  bid: 'Bid',
  ask: 'Ask',
  sold: 'Sold',
  bought: 'Bought',
  delta: 'Delta',
  stacked: 'Pull/stack',
  largest: 'Largest',
};

export function layOut(width: number, narrow: boolean): Layout {
  const columns = narrow ? NARROW : WIDE;
  const total = columns.reduce((sum, [, weight]) => sum + weight, 0);
  const out: Layout = {};
  let x = 0;
  for (const [name, weight] of columns) {
    out[name] = { x, width: (weight / total) * width };
    x += (weight / total) * width;
  }
  return out;
}

export interface LadderPicture {
  ladder: LadderAnswer;
  fuel: Fuel | null;
  /** Clusters of the map, whose rows are tinted. */
  clusters: readonly { side: 'long' | 'short'; floor: number; top: number }[];
  /** Row under the cursor. */
  cursor: number | null;
  /** Rows with an own note. */
  noted: ReadonlySet<number>;
  narrow: boolean;
  tick: number;
  colours: { rise: string; fall: string; chosen: string; past: string };
}

/** Share of the most fuel from which a row says how much it has. */
const LABELLED = 0.15;
/** Pixels that "pulled 9:59" takes in the font of a phone. */
const DATED_WIDTH = 70;

const largestOf = (values: Float32Array): number => values.reduce((a, b) => Math.max(a, b), 0) || 1;

/** What is drawn, by row, then by cell. */
export type Drawn = readonly (readonly (readonly Part[])[])[];
const FONT = { narrow: `12px ${FONT_FAMILY}`, wide: `11px ${FONT_FAMILY}` };

/** Cells of a row that are drawn alone; of more the whole row, which needs no clipping. */
const FEW = 3;

class Painter {
  /** By row, then what lies below its cells, each of them, and what lies above. */
  readonly #parts: Part[][][];
  readonly #order: readonly Column[];
  readonly #picture: LadderPicture;
  readonly #columns: Layout;
  readonly #row: number;
  readonly #width: number;

  constructor(width: number, height: number, picture: LadderPicture) {
    this.#picture = picture;
    this.#columns = layOut(width, picture.narrow);
    this.#row = height / picture.ladder.rows;
    this.#width = width;
    this.#order = Object.values(this.#columns);
    const cells = this.#order.length + 2;
    this.#parts = Array.from({ length: picture.ladder.rows }, () =>
      Array.from({ length: cells }, () => []),
    );
  }

  /** Draw the cells that differ from `before`, and return what is drawn now. */
  paint(ctx: CanvasRenderingContext2D, before: Drawn): Drawn {
    this.#tints();
    this.#bars();
    this.#figures();
    this.#walls();
    this.#prices();
    this.#cursor();
    ctx.font = this.#picture.narrow ? FONT.narrow : FONT.wide;
    ctx.textBaseline = 'middle';
    for (const [row, cells] of this.#parts.entries())
      this.#drawRow(ctx, row, cells, before[row] ?? []);
    return this.#parts;
  }

  /** Draw what differs of a row. */
  #drawRow(
    ctx: CanvasRenderingContext2D,
    row: number,
    cells: Drawn[number],
    before: Drawn[number],
  ): void {
    const changed = cells.flatMap((parts, i) => (same(parts, before[i]) ? [] : [i]));
    const [first, last] = [0, cells.length - 1];
    const [top, tall] = [this.#top(row), this.#tall(row)];
    if (changed.length > FEW || changed.includes(first) || changed.includes(last)) {
      ctx.clearRect(0, top, this.#width, tall);
      for (const parts of cells) drawParts(ctx, parts);
    } else
      for (const i of changed)
        drawIn(ctx, this.#order[i - 1], [top, tall], [cells[first], cells[i], cells[last]].flat());
  }

  /** On whole pixels of the screen, so that a row can be cleared without its neighbours. */
  #top(row: number): number {
    const ratio = globalThis.devicePixelRatio || 1;
    return Math.round((this.#picture.ladder.rows - 1 - row) * this.#row * ratio) / ratio;
  }

  #tall(row: number): number {
    return this.#top(row - 1) - this.#top(row);
  }

  /** The parts of the cell that a place is in. */
  #cell(row: number, x: number): Part[] {
    const at = this.#order.findIndex((column) => x < column.x + column.width);
    return this.#parts[row][at + 1] ?? [];
  }

  /** A rectangle in the cell where it begins, or in `parts`. */
  #fill(
    colour: string,
    alpha: number,
    x: number,
    row: number,
    width: number,
    inset = 1,
    parts = this.#cell(row, x),
  ): void {
    const top = this.#top(row) + inset;
    parts.push(['fill', colour, alpha, x, top, width, this.#tall(row) - 2 * inset]);
  }

  #write(colour: string, text: string, x: number, row: number, align: CanvasTextAlign): void {
    const y = this.#top(row) + this.#tall(row) / 2 + 0.5;
    this.#cell(row, x).push(['text', colour, text, x, y, align]);
  }

  #box(colour: string, x: number, row: number, width: number, inset = 0): void {
    this.#boxIn(this.#cell(row, x), colour, x, row, width, inset);
  }

  #boxIn(parts: Part[], colour: string, x: number, row: number, width: number, inset = 0): void {
    const top = this.#top(row) + inset + 0.5;
    parts.push(['box', colour, x, top, width, this.#tall(row) - 1 - 2 * inset]);
  }

  #tints(): void {
    const { ladder, clusters } = this.#picture;
    for (const { side, floor, top } of clusters) {
      const colour = side === 'long' ? theme.long : theme.short;
      const to = Math.min(ladder.rows - 1, rowOf(ladder, top));
      for (let row = Math.max(0, rowOf(ladder, floor)); row <= to; row++) {
        const [below] = this.#parts[row];
        this.#fill(colour, 0.09, 0, row, this.#width, 0, below);
        this.#fill(colour, 1, (this.#columns.bid?.x ?? 0) - 2, row, 2, 0, below);
      }
    }
  }

  #bars(): void {
    const { ladder, fuel, colours } = this.#picture;
    const { bid, ask = bid, volume } = this.#columns;
    const traded = ladder.bought.map((bought, row) => bought + ladder.sold[row]);
    const most = {
      book: Math.max(largestOf(ladder.bid), largestOf(ladder.ask)),
      traded: largestOf(traded),
    };
    for (let row = 0; row < ladder.rows; row++) {
      this.#bar(bid, colours.rise, ladder.bid[row] / most.book, row, 0.3);
      this.#bar(ask, colours.fall, ladder.ask[row] / most.book, row, 0.3);
      // The row with most volume, the point of control, stands out.
      const control = traded[row] === most.traded;
      const colour = control ? theme.ink : theme.text;
      this.#bar(volume, colour, traded[row] / most.traded, row, control ? 1 : 0.5, true);
    }
    if (fuel) this.#fuel(fuel);
  }

  /** Fuel grows from the price to the left: longs in blue, shorts in orange. */
  #fuel(fuel: Fuel): void {
    const { long, short, firedLong, firedShort } = fuel;
    const most = Math.max(...[long, short, firedLong, firedShort].map(largestOf));
    for (let row = 0; row < fuel.long.length; row++) {
      const ofLongs = fuel.long[row] >= fuel.short[row];
      const share = (fuel.long[row] + fuel.short[row]) / most;
      const colour = ofLongs ? theme.long : theme.short;
      this.#outline(row, (firedLong[row] ?? 0) / most, (firedShort[row] ?? 0) / most, share);
      this.#bar(this.#columns.fuel, colour, share, row, 0.75, true);
      if (this.#picture.narrow && share > LABELLED)
        this.#label(row, dollars(fuel.long[row] + fuel.short[row]), share);
    }
  }

  /** Fuel that has fired keeps an outline of its old length. */
  #outline(row: number, longs: number, shorts: number, now: number): void {
    const { fuel } = this.#columns;
    const share = Math.max(longs, shorts);
    if (!fuel || !(share > now + 0.02)) return;
    const width = Math.round(Math.min(1, share) * (fuel.width - 4));
    const colour = longs >= shorts ? theme.long : theme.short;
    this.#box(colour, Math.floor(fuel.x + fuel.width - 2 - width) + 0.5, row, width, 1);
  }

  /** Size of the fuel of a row, beside its bar or, on a long one, inside it. */
  #label(row: number, text: string, share: number): void {
    const { fuel } = this.#columns;
    if (!fuel) return;
    const inside = share > 0.5;
    const bar = Math.min(1, share) * (fuel.width - 4);
    const x = fuel.x + fuel.width - (inside ? 8 : bar + 6);
    this.#write(inside ? theme.onInk : theme.text, text, x, row, 'right');
  }

  #bar(
    column: Column | undefined,
    colour: string,
    share: number,
    row: number,
    alpha: number,
    left = false,
  ): void {
    if (!column || !(share > 0.002)) return;
    const width = Math.round(Math.min(1, share) * (column.width - 4) * 2) / 2;
    this.#fill(
      colour,
      alpha,
      left ? column.x + column.width - 2 - width : column.x + 2,
      row,
      width,
    );
  }

  #figures(): void {
    const { ladder, colours, narrow } = this.#picture;
    const { rows, bid, ask, sold, bought, stacked, largest } = ladder;
    for (let row = 0; row < rows; row++) {
      const delta = bought[row] - sold[row];
      this.#text('bid', row, coins(narrow ? Math.max(bid[row], ask[row]) : bid[row]), theme.ink);
      this.#text('ask', row, coins(ask[row]), theme.ink);
      this.#text('sold', row, coins(sold[row]), theme.text);
      this.#text('bought', row, coins(bought[row]), theme.text);
      this.#text('delta', row, signedCoins(delta), delta < 0 ? colours.fall : colours.rise);
      this.#text(
        'stacked',
        row,
        signedCoins(stacked[row]),
        stacked[row] < 0 ? colours.fall : colours.rise,
      );
      this.#text('largest', row, coins(largest[row]), theme.text);
    }
  }

  #text(name: Name, row: number, text: string, colour: string): void {
    const column = this.#columns[name];
    if (!column || !text) return;
    this.#write(colour, text, column.x + column.width - 6, row, 'right');
  }

  #walls(): void {
    const { ladder, colours } = this.#picture;
    const struck = new Set<number>(); // walls that ended come newest first
    for (const wall of ladder.walls) {
      const row = wallRow(ladder, wall);
      const column = this.#columns[wall.side] ?? this.#columns.bid;
      if (!column || row < 0 || row >= ladder.rows) continue;
      const colour = wall.side === 'bid' ? colours.rise : colours.fall;
      if (wall.state === 'standing') this.#box(colour, column.x + 1.5, row, column.width - 3);
      else if (wall.state === 'pulled' && !struck.has(row)) {
        struck.add(row);
        this.#pulled(row, wall);
      }
    }
  }

  /**
   * Strike the price of a wall, and say so where the row is empty, else on a ground over its fuel.
   * Only a phone's column has room for how long ago that was.
   */
  #pulled(row: number, wall: WallRow): void {
    const { ladder, narrow, colours } = this.#picture;
    const { price, fuel } = this.#columns;
    if (!price || !fuel) return;
    const y = Math.round(this.#top(row) + this.#tall(row) / 2) + 0.5;
    const [from, to] = [price.x + 6, price.x + price.width - 6];
    this.#cell(row, price.x).push(['line', colours.chosen, from, to, y]);
    const text = narrow ? wallText(wall, ladder.now) : wall.state;
    const opposite = wall.side === 'bid' ? 'ask' : 'bid';
    if (!narrow && !coins(ladder[opposite][row])) {
      this.#text(opposite, row, text, colours.chosen);
      return;
    }
    this.#fill(theme.background, 0.85, fuel.x + 2, row, narrow ? DATED_WIDTH : fuel.width - 4);
    this.#write(colours.chosen, text, fuel.x + 4, row, 'left');
  }

  #prices(): void {
    const { ladder, tick, noted, colours } = this.#picture;
    const { price } = this.#columns;
    if (!price) return;
    const digits = Math.max(decimals(ladder.step), 0);
    const last = ladder.last === null ? -1 : rowOf(ladder, ladder.last);
    for (let row = 0; row < ladder.rows; row++) {
      const round = (ladder.first + row) % 5 === 0;
      if (row === last) this.#fill(theme.ink, 1, price.x + 1, row, price.width - 2, 0);
      const text =
        row === last
          ? priceText(ladder.last ?? 0, Math.min(decimals(tick), digits + 1))
          : priceText(priceOf(ladder, row), digits);
      this.#text('price', row, text, row === last ? theme.onInk : round ? theme.ink : theme.text);
      if (noted.has(row)) this.#fill(colours.past, 1, price.x + 1, row, 3);
    }
  }

  #cursor(): void {
    const { cursor, ladder, colours } = this.#picture;
    if (cursor === null || cursor < 0 || cursor >= ladder.rows) return;
    const above = this.#parts[cursor].at(-1) ?? [];
    this.#fill(colours.chosen, 0.1, 0, cursor, this.#width, 0, above);
    this.#boxIn(above, colours.chosen, 0.5, cursor, this.#width - 1);
  }
}

/** Draw what differs from `before`, what was returned last, and return what is drawn now. */
export function paintLadder(
  ctx: CanvasRenderingContext2D,
  size: { width: number; height: number },
  picture: LadderPicture,
  before: Drawn = [],
): Drawn {
  return new Painter(size.width, size.height, picture).paint(ctx, before);
}
