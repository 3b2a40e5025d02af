/** Heat as a texture: bytes → colours once, then a few scaled copies a frame. Money is one byte a cell; relief is two, itself and its ground. */
import type { HeatGrid } from '../grid/grid';
import { factorFor, type Level, type Pyramid } from '../grid/pyramid';
import { FINE } from './relief';
import { flattestRow, type Strip } from './strips';

interface Texture {
  level: Level;
  /** The ground under it, of the same size. */
  under: Level | null;
  canvas: HTMLCanvasElement;
  context: CanvasRenderingContext2D;
  image: ImageData;
  words: Uint32Array;
  /** Columns [from, to) that carry the colours of `dye`. */
  from: number;
  to: number;
  dye: number;
}

/** Geometry of one frame, device pixels. */
export interface Frame {
  /** Left edge of column 0 and width of a column. */
  x0: number;
  barSpacing: number;
  /** Width in which the map may be drawn. */
  width: number;
  strips: readonly Strip[];
}

/** Extra columns coloured on either side, so that a pan does not colour every frame. */
const MARGIN = 32;

export class HeatPainter {
  readonly #textures = new Map<Level, Texture>();
  #grid: HeatGrid;
  #lookup: Uint32Array = new Uint32Array(256);
  #relief = false;
  #dye = 0;
  /** First column whose cells changed since the last frame. */
  #changed = Infinity;

  constructor(grid: HeatGrid) {
    this.#grid = grid;
  }

  /** Colours of a byte; of relief, of a byte above each of the shades of the ground. */
  setLookup(lookup: Uint32Array, relief: boolean): void {
    if (relief !== this.#relief) this.#textures.clear();
    this.#lookup = lookup;
    this.#relief = relief;
    this.#dye++;
  }

  /** Say that a column's cells changed; it is coloured again when it is next drawn, once for many changes. */
  columnChanged(col: number): void {
    this.#changed = Math.min(this.#changed, col);
  }

  #recolour(): void {
    for (const texture of this.#textures.values()) {
      if (texture.dye !== this.#dye) continue;
      const from = Math.max(texture.from, Math.floor(this.#changed / texture.level.fx));
      const to = Math.ceil(this.#grid.cols / texture.level.fx);
      if (from > texture.to || from >= to) continue;
      this.#colour(texture, from, to);
      texture.to = Math.max(texture.to, to);
    }
    this.#changed = Infinity;
  }

  draw(ctx: CanvasRenderingContext2D, frame: Frame): void {
    const { x0, barSpacing, strips } = frame;
    if (!strips.length) return;
    if (Number.isFinite(this.#changed)) this.#recolour();
    const first = Math.max(0, Math.floor(-x0 / barSpacing));
    const last = Math.min(this.#grid.cols, Math.ceil((frame.width - x0) / barSpacing));
    if (last <= first) return;
    const texture = this.#texture(factorFor(barSpacing), factorFor(flattestRow(strips)));
    const { fx, fy } = texture.level;
    this.#ready(texture, Math.floor(first / fx), Math.ceil(last / fx));
    ctx.imageSmoothingEnabled = false;
    const sx = first / fx;
    const sw = (last - first) / fx;
    const dx = x0 + first * barSpacing;
    const dw = (last - first) * barSpacing;
    for (const s of strips) {
      const sy = (this.#grid.rows - s.rowTop) / fy;
      ctx.drawImage(texture.canvas, sx, sy, sw, (s.rowTop - s.rowBottom) / fy, dx, s.top, dw, s.bottom - s.top);
    }
  }

  /** The levels of the newest column, carried on to the right. */
  extend(ctx: CanvasRenderingContext2D, frame: Frame, to: number): void {
    const { x0, barSpacing, strips } = frame;
    const from = Math.max(0, x0 + this.#grid.cols * barSpacing);
    if (!strips.length || to <= from) return;
    const texture = this.#texture(1, factorFor(flattestRow(strips)));
    const col = this.#grid.cols - 1;
    this.#ready(texture, col, col + 1);
    ctx.imageSmoothingEnabled = false;
    for (const s of strips) {
      const sy = (this.#grid.rows - s.rowTop) / texture.level.fy;
      const sh = (s.rowTop - s.rowBottom) / texture.level.fy;
      ctx.drawImage(texture.canvas, col, sy, 1, sh, from, s.top, to - from, s.bottom - s.top);
    }
  }

  #texture(fx: number, fy: number): Texture {
    const { above, under }: { above: Pyramid; under: Pyramid | null } = this.#relief ? this.#grid.relief : { above: this.#grid.pyramid, under: null };
    const level = above.level(fx, fy);
    const known = this.#textures.get(level);
    if (known) return known;
    const canvas = document.createElement('canvas');
    canvas.width = level.width;
    canvas.height = level.height;
    const context = canvas.getContext('2d');
    if (!context) throw new Error('expected a 2D canvas context, got none');
    const image = context.createImageData(level.width, level.height);
    const words = new Uint32Array(image.data.buffer);
    const texture = { level, under: under?.level(fx, fy) ?? null, canvas, context, image, words, from: 0, to: 0, dye: -1 };
    this.#textures.set(level, texture);
    return texture;
  }

  /** See that texture columns [from, to) carry today's colours. */
  #ready(texture: Texture, from: number, to: number): void {
    const fresh = texture.dye === this.#dye && texture.to > texture.from;
    if (fresh && from >= texture.from && to <= texture.to) return;
    const left = Math.max(0, from - MARGIN);
    const right = Math.min(texture.level.width, to + MARGIN);
    const joins = fresh && left <= texture.to && right >= texture.from;
    if (!joins) {
      this.#colour(texture, left, right);
      Object.assign(texture, { from: left, to: right, dye: this.#dye });
      return;
    }
    if (left < texture.from) this.#colour(texture, left, texture.from);
    if (right > texture.to) this.#colour(texture, texture.to, right);
    texture.from = Math.min(left, texture.from);
    texture.to = Math.max(right, texture.to);
  }

  #colour(texture: Texture, from: number, to: number): void {
    const { width, height, cells } = texture.level;
    const { words } = texture;
    const lookup = this.#lookup;
    const ground = texture.under?.cells;
    for (let y = 0; y < height; y++) {
      const row = y * width;
      if (ground) for (let i = row + from; i < row + to; i++) words[i] = lookup[((ground[i] >> FINE) << 8) | cells[i]];
      else for (let i = row + from; i < row + to; i++) words[i] = lookup[cells[i]];
    }
    texture.context.putImageData(texture.image, 0, 0, from, 0, to - from, height);
  }
}
