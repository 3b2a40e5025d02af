/** The map behind the price of an episode, coloured for what is in sight. */
import type { HeatGrid } from '../grid/grid';
import { autoRange, groundRange, reliefRange } from '../grid/scale';
import { HeatRenderer } from '../render/heat';
import { lookup, type PaletteName } from '../render/palettes';
import { reliefLookup } from '../render/relief';
import { strips } from '../render/strips';
import type { Extent } from './chart';

export interface Look {
  palette: PaletteName;
  light: boolean;
  relief: boolean;
}

/** One map and how it is coloured. */
export class EpisodeHeat {
  readonly grid: HeatGrid;
  readonly #look: Look;
  readonly #renderer: HeatRenderer;

  constructor(grid: HeatGrid, look: Look) {
    this.grid = grid;
    this.#look = look;
    this.#renderer = new HeatRenderer(grid);
  }

  /** Colours by byte for the cells within times and prices; null where there are none. */
  #words(times: Extent, prices: Extent): Uint32Array | null {
    const { grid } = this;
    const { palette, light, relief } = this.#look;
    const counts = grid.histogram(
      grid.colOf(times.from),
      grid.colOf(times.to),
      grid.rowOf(prices.from),
      grid.rowOf(prices.to),
      relief,
    );
    if (!counts.ground) {
      const range = autoRange(counts.cells, grid.scale);
      return range && lookup(palette, range.lo, range.hi, false, light);
    }
    const above = reliefRange({ cells: counts.cells, ground: counts.ground }, grid.scale);
    const under = groundRange(counts.ground, grid.scale);
    return above && under && reliefLookup(palette, above, under, false, light);
  }

  /** Draw in CSS pixels; `width` and `height` are those of the plot. */
  draw(
    ctx: CanvasRenderingContext2D,
    [width, height]: readonly [number, number],
    times: Extent,
    prices: Extent,
  ): void {
    const { grid } = this;
    const words = this.#words(times, prices);
    if (!words) return;
    this.#renderer.setLookup(words, this.#look.relief);
    const size = prices.to - prices.from;
    const y = (price: number): number => ((prices.to - price) / size) * height;
    const rowAt = (at: number): number =>
      Math.max(0, Math.min(grid.rows, grid.rowOf(prices.to - (at / height) * size)));
    const top = Math.max(0, Math.ceil(y(grid.edge(grid.rows))));
    const bottom = Math.min(Math.floor(height), Math.floor(y(grid.edge(0))));
    const barSpacing = (width * grid.step) / (times.to - times.from);
    const x0 = ((grid.t0 - times.from) / (times.to - times.from)) * width;
    this.#renderer.draw(ctx, { x0, barSpacing, width, strips: strips(top, bottom, rowAt) });
  }
}
