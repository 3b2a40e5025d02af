/**
 * Everything we draw on the price pane: heat below the grid, candles and the level chart above it.
 */
import type {
  AutoscaleInfo,
  IPrimitivePaneRenderer,
  IPrimitivePaneView,
  ISeriesApi,
  ISeriesPrimitive,
  Logical,
  SeriesAttachedParameter,
  Time,
} from 'lightweight-charts';
import type { HeatGrid } from '../grid/grid';
import type { Levels } from '../wire/types';
import { drawBrackets } from './brackets';
import { candles, columnsPerCandle, drawCandles } from './candles';
import { drawGutter } from './gutter';
import { hatch, hatching } from './hatch';
import { type Frame, HeatRenderer } from './heat';
import { area, edges } from './out-of-range';
import { strips } from './strips';
import { theme } from './theme.svelte';

type Target = Parameters<IPrimitivePaneRenderer['draw']>[0];

/** Margin above and below the autoscaled range, as a share of it. */
const HEADROOM = 0.04;

export interface RenderOptions {
  heat: boolean;
  gutter: number;
  /** Longest bar of the level chart, as a share of the gutter. */
  bars: number;
}

/** Geometry of the last frame in CSS pixels, for labels and gestures. */
export interface Geometry {
  width: number;
  height: number;
  plot: number;
}

export class MapPrimitive implements ISeriesPrimitive<Time> {
  readonly geometry: Geometry = { width: 0, height: 0, plot: 0 };
  options: RenderOptions = { heat: true, gutter: 160, bars: 0.42 };
  levels: Levels | null = null;
  /** Fractions of the last price that autoscale keeps visible below and above. */
  autoscale = { down: 0.02, up: 0.02 };
  onFrame: () => void = () => undefined;
  #grid: HeatGrid | null = null;
  #renderer: HeatRenderer | null = null;
  #lookup: { words: Uint32Array; relief: boolean } | null = null;
  #at: SeriesAttachedParameter<Time> | null = null;
  readonly #views: readonly IPrimitivePaneView[] = [
    { zOrder: () => 'bottom', renderer: () => ({ draw: (t: Target) => this.#drawBelow(t) }) },
    { zOrder: () => 'normal', renderer: () => ({ draw: (t: Target) => this.#drawAbove(t) }) },
  ];

  attached(at: SeriesAttachedParameter<Time>): void {
    this.#at = at;
  }

  detached(): void {
    this.#at = null;
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return this.#views;
  }

  autoscaleInfo(start: Logical, end: Logical): AutoscaleInfo | null {
    const grid = this.#grid;
    if (!grid) return null;
    const extremes = grid.extremes(Math.floor(start), Math.ceil(end) + 1);
    if (!extremes) return null;
    let { low, high } = extremes;
    const last = grid.last();
    if (last.col >= start && last.col <= end) {
      low = Math.min(low, last.close * (1 - this.autoscale.down));
      high = Math.max(high, last.close * (1 + this.autoscale.up));
    }
    const margin = (high - low) * HEADROOM;
    return { priceRange: { minValue: low - margin, maxValue: high + margin } };
  }

  setGrid(grid: HeatGrid): void {
    this.#grid = grid;
    this.#renderer = new HeatRenderer(grid);
    if (this.#lookup) this.#renderer.setLookup(this.#lookup.words, this.#lookup.relief);
  }

  setLookup(words: Uint32Array, relief: boolean): void {
    this.#lookup = { words, relief };
    this.#renderer?.setLookup(words, relief);
    this.redraw();
  }

  /** The caller requests the frame. */
  columnChanged(col: number): void {
    this.#renderer?.columnChanged(col);
  }

  redraw(): void {
    this.#at?.requestUpdate();
  }

  /** Left edge of column 0 and the width of a column, CSS pixels. */
  columns(): { x0: number; barSpacing: number } | null {
    const scale = this.#at?.chart.timeScale();
    const a = scale?.logicalToCoordinate(0 as Logical) ?? null;
    const b = scale?.logicalToCoordinate(1000 as Logical) ?? null;
    if (a === null || b === null) return null;
    const barSpacing = (b - a) / 1000;
    return { x0: a - barSpacing / 2, barSpacing };
  }

  #series(): ISeriesApi<'Line'> | null {
    return (this.#at?.series as ISeriesApi<'Line'> | undefined) ?? null;
  }

  #drawBelow(target: Target): void {
    target.useBitmapCoordinateSpace((scope) => {
      const grid = this.#grid;
      const series = this.#series();
      const columns = this.columns();
      if (!grid || !series || !columns || !this.#renderer) return;
      const { context: ctx, horizontalPixelRatio: rx, verticalPixelRatio: ry, bitmapSize } = scope;
      const plot = Math.round((scope.mediaSize.width - this.options.gutter) * rx);
      const edge = (price: number): number => (series.priceToCoordinate(price) ?? 0) * ry;
      const top = Math.max(0, Math.ceil(edge(grid.edge(grid.rows))));
      const bottom = Math.min(bitmapSize.height, Math.floor(edge(grid.edge(0))));
      const rowAt = (y: number): number =>
        Math.min(
          grid.rows,
          Math.max(0, grid.rowOf(Math.max(1e-12, series.coordinateToPrice(y / ry) ?? 0))),
        );
      const frame: Frame = {
        x0: columns.x0 * rx,
        barSpacing: columns.barSpacing * rx,
        width: plot,
        strips: this.options.heat ? strips(top, bottom, rowAt) : [],
      };
      ctx.save();
      ctx.beginPath();
      ctx.rect(0, 0, plot, bitmapSize.height);
      ctx.clip();
      this.#renderer.draw(ctx, frame);
      ctx.globalAlpha = 0.65;
      this.#renderer.extend(ctx, frame, plot);
      ctx.globalAlpha = 1;
      for (const [kind, spans] of [
        ['all', grid.gaps],
        ['some', grid.partial],
      ] as const) {
        for (const [from, to] of spans) {
          const pixels = [
            frame.x0 + from * frame.barSpacing,
            frame.x0 + to * frame.barSpacing,
          ] as const;
          hatch(ctx, kind, pixels, bitmapSize.height, rx);
        }
      }
      this.#drawOutOfRange(ctx, grid, frame, edge, bitmapSize.height, rx);
      ctx.restore();
    });
  }

  /** Hatch visible prices outside the stored rows. */
  #drawOutOfRange(
    ctx: CanvasRenderingContext2D,
    grid: HeatGrid,
    frame: Frame,
    y: (price: number) => number,
    height: number,
    ratio: number,
  ): void {
    const series = this.#series();
    const prices = [
      series?.coordinateToPrice(height / ratio) ?? 0,
      series?.coordinateToPrice(0) ?? Infinity,
    ] as const;
    const cols = [
      Math.floor(-frame.x0 / frame.barSpacing),
      Math.ceil((frame.width - frame.x0) / frame.barSpacing),
    ] as const;
    const stride = Math.max(1, Math.ceil((2 * ratio) / frame.barSpacing));
    const x = (col: number): number => Math.round(frame.x0 + col * frame.barSpacing);
    for (const side of [1, -1] as const) {
      const outside = edges(grid, side, cols, prices, stride);
      if (!outside.length || !this.options.heat) continue;
      ctx.fillStyle = hatching(ctx, 'all', ratio) ?? 'transparent';
      ctx.fill(area(outside, x, y, side > 0 ? 0 : height));
    }
  }

  #drawAbove(target: Target): void {
    target.useBitmapCoordinateSpace((scope) => {
      const grid = this.#grid;
      const series = this.#series();
      const columns = this.columns();
      if (!grid || !series || !columns) return;
      const {
        context: ctx,
        horizontalPixelRatio: rx,
        verticalPixelRatio: ry,
        bitmapSize,
        mediaSize,
      } = scope;
      const gutter = this.options.gutter;
      const plot = mediaSize.width - gutter;
      const y = (price: number): number => (series.priceToCoordinate(price) ?? 0) * ry;
      const per = columnsPerCandle(columns.barSpacing);
      const first = Math.floor(-columns.x0 / columns.barSpacing);
      const last = Math.ceil((plot - columns.x0) / columns.barSpacing);
      const at = { x0: columns.x0 * rx, barSpacing: columns.barSpacing * rx, per, ratio: rx };
      drawCandles(ctx, candles(grid, per, first, last), at, y);
      const rows = {
        low: Math.max(
          0,
          Math.floor(grid.rowOf(Math.max(1e-12, series.coordinateToPrice(mediaSize.height) ?? 0))),
        ),
        high: Math.min(
          grid.rows,
          Math.ceil(grid.rowOf(Math.max(1e-12, series.coordinateToPrice(0) ?? 0))),
        ),
      };
      const left = Math.round(plot * rx);
      const band = {
        left,
        width: bitmapSize.width - left,
        height: bitmapSize.height,
        maxBar: Math.round(gutter * this.options.bars * rx),
        ratio: rx,
      };
      drawGutter(ctx, band, grid, this.levels, y, rows);
      drawBrackets(ctx, band, this.levels?.clusters ?? [], y);
      drawPriceLine(ctx, Math.round(y(grid.last().close)), bitmapSize.width, rx);
      Object.assign(this.geometry, { width: mediaSize.width, height: mediaSize.height, plot });
    });
    this.onFrame();
  }
}

function drawPriceLine(
  ctx: CanvasRenderingContext2D,
  y: number,
  width: number,
  ratio: number,
): void {
  if (!Number.isFinite(y)) return;
  ctx.fillStyle = theme.ink;
  const dot = Math.max(1, Math.round(ratio));
  for (let x = 0; x < width; x += 4 * dot) ctx.fillRect(x, y, dot, dot);
}
