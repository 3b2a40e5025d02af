/** Everything drawn on the price pane: heat below the grid, candles and the level chart above it. */
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
import { candles, columnsPerCandle, drawCandles } from './candles';
import { drawBrackets } from './brackets';
import { drawGutter } from './gutter';
import { type Frame, HeatPainter } from './heat';
import { area, edges } from './beyond';
import { hatch, hatching } from './hatch';
import { strips } from './strips';
import { theme } from './theme.svelte';

type Target = Parameters<IPrimitivePaneRenderer['draw']>[0];

/** Share of the pane left free above and below what autoscale must show. */
const HEADROOM = 0.04;

export interface Look {
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
  look: Look = { heat: true, gutter: 160, bars: 0.42 };
  levels: Levels | null = null;
  /** Fractions of the last price that autoscale keeps in sight below and above. */
  reach = { down: 0.02, up: 0.02 };
  onFrame: () => void = () => undefined;
  #grid: HeatGrid | null = null;
  #painter: HeatPainter | null = null;
  #lookup: { words: Uint32Array; relief: boolean } | null = null;
  #at: SeriesAttachedParameter<Time> | null = null;
  readonly #views: readonly IPrimitivePaneView[] = [
    { zOrder: () => 'bottom', renderer: () => ({ draw: (t: Target) => this.#below(t) }) },
    { zOrder: () => 'normal', renderer: () => ({ draw: (t: Target) => this.#above(t) }) },
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
    const seen = grid.extremes(Math.floor(start), Math.ceil(end) + 1);
    if (!seen) return null;
    let { low, high } = seen;
    const last = grid.last();
    if (last.col >= start && last.col <= end) {
      low = Math.min(low, last.close * (1 - this.reach.down));
      high = Math.max(high, last.close * (1 + this.reach.up));
    }
    const air = (high - low) * HEADROOM;
    return { priceRange: { minValue: low - air, maxValue: high + air } };
  }

  setGrid(grid: HeatGrid): void {
    this.#grid = grid;
    this.#painter = new HeatPainter(grid);
    if (this.#lookup) this.#painter.setLookup(this.#lookup.words, this.#lookup.relief);
  }

  setLookup(words: Uint32Array, relief: boolean): void {
    this.#lookup = { words, relief };
    this.#painter?.setLookup(words, relief);
    this.redraw();
  }

  /** The caller asks for the frame. */
  columnChanged(col: number): void {
    this.#painter?.columnChanged(col);
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

  #below(target: Target): void {
    target.useBitmapCoordinateSpace((scope) => {
      const grid = this.#grid;
      const series = this.#series();
      const place = this.columns();
      if (!grid || !series || !place || !this.#painter) return;
      const { context: ctx, horizontalPixelRatio: rx, verticalPixelRatio: ry, bitmapSize } = scope;
      const plot = Math.round((scope.mediaSize.width - this.look.gutter) * rx);
      const edge = (price: number): number => (series.priceToCoordinate(price) ?? 0) * ry;
      const top = Math.max(0, Math.ceil(edge(grid.edge(grid.rows))));
      const bottom = Math.min(bitmapSize.height, Math.floor(edge(grid.edge(0))));
      const rowAt = (y: number): number =>
        Math.min(grid.rows, Math.max(0, grid.rowOf(Math.max(1e-12, series.coordinateToPrice(y / ry) ?? 0))));
      const frame: Frame = {
        x0: place.x0 * rx,
        barSpacing: place.barSpacing * rx,
        width: plot,
        strips: this.look.heat ? strips(top, bottom, rowAt) : [],
      };
      ctx.save();
      ctx.beginPath();
      ctx.rect(0, 0, plot, bitmapSize.height);
      ctx.clip();
      this.#painter.draw(ctx, frame);
      ctx.globalAlpha = 0.65;
      this.#painter.extend(ctx, frame, plot);
      ctx.globalAlpha = 1;
      for (const [kind, spans] of [['all', grid.gaps], ['some', grid.partial]] as const) {
        for (const [from, to] of spans) {
          const pixels = [frame.x0 + from * frame.barSpacing, frame.x0 + to * frame.barSpacing] as const;
          hatch(ctx, kind, pixels, bitmapSize.height, rx);
        }
      }
      this.#unkept(ctx, grid, frame, edge, bitmapSize.height, rx);
      ctx.restore();
    });
  }

  /** Hatch what lies beyond the rows that were kept, where it is in sight. */
  #unkept(ctx: CanvasRenderingContext2D, grid: HeatGrid, frame: Frame, y: (price: number) => number, height: number, ratio: number): void {
    const series = this.#series();
    const seen = [series?.coordinateToPrice(height / ratio) ?? 0, series?.coordinateToPrice(0) ?? Infinity] as const;
    const cols = [Math.floor(-frame.x0 / frame.barSpacing), Math.ceil((frame.width - frame.x0) / frame.barSpacing)] as const;
    const stride = Math.max(1, Math.ceil((2 * ratio) / frame.barSpacing));
    const x = (col: number): number => Math.round(frame.x0 + col * frame.barSpacing);
    for (const side of [1, -1] as const) {
      const found = edges(grid, side, cols, seen, stride);
      if (!found.length || !this.look.heat) continue;
      ctx.fillStyle = hatching(ctx, 'all', ratio) ?? 'transparent';
      ctx.fill(area(found, x, y, side > 0 ? 0 : height));
    }
  }

  #above(target: Target): void {
    target.useBitmapCoordinateSpace((scope) => {
      const grid = this.#grid;
      const series = this.#series();
      const place = this.columns();
      if (!grid || !series || !place) return;
      const { context: ctx, horizontalPixelRatio: rx, verticalPixelRatio: ry, bitmapSize, mediaSize } = scope;
      const gutter = this.look.gutter;
      const plot = mediaSize.width - gutter;
      const y = (price: number): number => (series.priceToCoordinate(price) ?? 0) * ry;
      const per = columnsPerCandle(place.barSpacing);
      const first = Math.floor(-place.x0 / place.barSpacing);
      const last = Math.ceil((plot - place.x0) / place.barSpacing);
      const at = { x0: place.x0 * rx, barSpacing: place.barSpacing * rx, per, ratio: rx };
      drawCandles(ctx, candles(grid, per, first, last), at, y);
      const rows = {
        low: Math.max(0, Math.floor(grid.rowOf(Math.max(1e-12, series.coordinateToPrice(mediaSize.height) ?? 0)))),
        high: Math.min(grid.rows, Math.ceil(grid.rowOf(Math.max(1e-12, series.coordinateToPrice(0) ?? 0)))),
      };
      const left = Math.round(plot * rx);
      const band = {
        left,
        width: bitmapSize.width - left,
        height: bitmapSize.height,
        reach: Math.round(gutter * this.look.bars * rx),
        ratio: rx,
      };
      drawGutter(ctx, band, grid, this.levels, y, rows);
      drawBrackets(ctx, band, this.levels?.clusters ?? [], y);
      priceLine(ctx, Math.round(y(grid.last().close)), bitmapSize.width, rx);
      Object.assign(this.geometry, { width: mediaSize.width, height: mediaSize.height, plot });
    });
    this.onFrame();
  }
}

function priceLine(ctx: CanvasRenderingContext2D, y: number, width: number, ratio: number): void {
  if (!Number.isFinite(y)) return;
  ctx.fillStyle = theme.ink;
  const dot = Math.max(1, Math.round(ratio));
  for (let x = 0; x < width; x += 4 * dot) ctx.fillRect(x, y, dot, dot);
}
