/**
 * Draws heat from textures: bytes are coloured once, then copied scaled. Money has one byte per
 * cell, relief two (itself and its ground).
 */
import type { HeatGrid } from '../grid/grid';
import { factorFor, type Level, type Pyramid } from '../grid/pyramid';
import { SHADE_SHIFT } from './relief';
import { flattestRow, type Strip } from './strips';

interface Texture {
  level: Level;
  /** The ground, of the same size. */
  under: Level | null;
  canvas: HTMLCanvasElement;
  context: CanvasRenderingContext2D;
  image: ImageData;
  words: Uint32Array;
  /** Columns [from, to) coloured with this version of the colour map. */
  from: number;
  to: number;
  colormapVersion: number;
}

/** Geometry of one frame, device pixels. */
export interface Frame {
  /** Left edge of column 0 and width of a column. */
  x0: number;
  barSpacing: number;
  /** Width of the plot. */
  width: number;
  strips: readonly Strip[];
}

/** Extra columns coloured on either side, so that panning does not colour in every frame. */
const MARGIN = 32;

export class HeatRenderer {
  readonly #textures = new Map<Level, Texture>();
  #grid: HeatGrid;
  #lookup: Uint32Array = new Uint32Array(256);
  #relief = false;
  #colormapVersion = 0;
  /** First column whose cells changed since the last frame. */
  #changed = Infinity;

  constructor(grid: HeatGrid) {
    this.#grid = grid;
  }

  /** Set the colour of every byte; for relief, of every byte over every shade of the ground. */
  setLookup(lookup: Uint32Array, relief: boolean): void {
    if (relief !== this.#relief) this.#textures.clear();
    this.#lookup = lookup;
    this.#relief = relief;
    this.#colormapVersion++;
  }

  /** Mark a column as changed; it is recoloured on the next draw. */
  columnChanged(col: number): void {
    this.#changed = Math.min(this.#changed, col);
  }

  #recolourChanged(): void {
    for (const texture of this.#textures.values()) {
      if (texture.colormapVersion !== this.#colormapVersion) continue;
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
    if (Number.isFinite(this.#changed)) this.#recolourChanged();
    const first = Math.max(0, Math.floor(-x0 / barSpacing));
    const last = Math.min(this.#grid.cols, Math.ceil((frame.width - x0) / barSpacing));
    if (last <= first) return;
    const texture = this.#texture(factorFor(barSpacing), factorFor(flattestRow(strips)));
    const { fx, fy } = texture.level;
    this.#ensureColoured(texture, Math.floor(first / fx), Math.ceil(last / fx));
    ctx.imageSmoothingEnabled = false;
    const sx = first / fx;
    const sw = (last - first) / fx;
    const dx = x0 + first * barSpacing;
    const dw = (last - first) * barSpacing;
    for (const s of strips) {
      const sy = (this.#grid.rows - s.rowTop) / fy;
      ctx.drawImage(
        texture.canvas,
        sx,
        sy,
        sw,
        (s.rowTop - s.rowBottom) / fy,
        dx,
        s.top,
        dw,
        s.bottom - s.top,
      );
    }
  }

  /** Extend the levels of the newest column to the right edge. */
  extend(ctx: CanvasRenderingContext2D, frame: Frame, to: number): void {
    const { x0, barSpacing, strips } = frame;
    const from = Math.max(0, x0 + this.#grid.cols * barSpacing);
    if (!strips.length || to <= from) return;
    const texture = this.#texture(1, factorFor(flattestRow(strips)));
    const col = this.#grid.cols - 1;
    this.#ensureColoured(texture, col, col + 1);
    ctx.imageSmoothingEnabled = false;
    for (const s of strips) {
      const sy = (this.#grid.rows - s.rowTop) / texture.level.fy;
      const sh = (s.rowTop - s.rowBottom) / texture.level.fy;
      ctx.drawImage(texture.canvas, col, sy, 1, sh, from, s.top, to - from, s.bottom - s.top);
    }
  }

  #texture(fx: number, fy: number): Texture {
    const { above, under }: { above: Pyramid; under: Pyramid | null } = this.#relief
      ? this.#grid.relief
      : { above: this.#grid.pyramid, under: null };
    const level = above.level(fx, fy);
    const cached = this.#textures.get(level);
    if (cached) return cached;
    const canvas = document.createElement('canvas');
    canvas.width = level.width;
    canvas.height = level.height;
    const context = canvas.getContext('2d');
    if (!context) throw new Error('expected a 2D canvas context, got none');
    const image = context.createImageData(level.width, level.height);
    const words = new Uint32Array(image.data.buffer);
    const texture = {
      level,
      under: under?.level(fx, fy) ?? null,
      canvas,
      context,
      image,
      words,
      from: 0,
      to: 0,
      colormapVersion: -1,
    };
    this.#textures.set(level, texture);
    return texture;
  }

  /** Ensure that texture columns [from, to) are coloured with the current colour map. */
  #ensureColoured(texture: Texture, from: number, to: number): void {
    const current = texture.colormapVersion === this.#colormapVersion && texture.to > texture.from;
    if (current && from >= texture.from && to <= texture.to) return;
    const left = Math.max(0, from - MARGIN);
    const right = Math.min(texture.level.width, to + MARGIN);
    const adjoins = current && left <= texture.to && right >= texture.from;
    if (!adjoins) {
      this.#colour(texture, left, right);
      Object.assign(texture, { from: left, to: right, colormapVersion: this.#colormapVersion });
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
      if (ground)
        for (let i = row + from; i < row + to; i++)
          words[i] = lookup[((ground[i] >> SHADE_SHIFT) << 8) | cells[i]];
      else for (let i = row + from; i < row + to; i++) words[i] = lookup[cells[i]];
    }
    texture.context.putImageData(texture.image, 0, 0, from, 0, to - from, height);
  }
}
