/** The chart: lightweight-charts with our own layers. Independent of Svelte and of the server. */
import {
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  type LogicalRange,
  type MouseEventParams,
  PriceScaleMode,
  type Time,
  type UTCTimestamp,
} from 'lightweight-charts';
import { axisDecimals, price as priceText } from '../format';
import type { ApplyResult, Counts, HeatGrid } from '../grid/grid';
import { columnsPerCandle } from '../render/candles';
import { MapPrimitive } from '../render/primitive';
import { TagLayer } from '../render/tags';
import type { Levels } from '../wire/types';
import { type AutoscaleRange, stableAutoscale } from './autoscale';
import { createChartParts } from './create';
import { cursorAt } from './cursor';
import type { ChartEvents } from './events';
import { priceGestures } from './gestures';
import { layOutTags } from './labels';
import { applyChartTheme } from './theme';

const SETTLED_AFTER = 160;
const PHONE_GUTTER = 78;
const DESK_GUTTER = 184;
const RIGHT_MARGIN = 18;

export class HeatChart {
  readonly chart: IChartApi;
  readonly #series: ISeriesApi<'Line'>;
  readonly #priceLine: IPriceLine;
  readonly #primitive = new MapPrimitive();
  readonly #tags: TagLayer;
  readonly #events: ChartEvents;
  readonly #host: HTMLElement;
  readonly #cleanups: (() => void)[] = [];
  #grid: HeatGrid | null = null;
  #zone = 0;
  #narrow = false;
  #following = true;
  #lastSeenCols = 0;
  #settleTimer = 0;
  #frame = 0;
  /** Columns already in the series. */
  #seriesCols = 0;
  #autoscale: AutoscaleRange | null = null;
  #cursor: { col: number; price: number } | null = null;
  /** Where the cursor returns when the pointer leaves: µs and price. */
  #pin: { time: number; price: number } | null = null;
  #touched = false;
  /** Whether the cursor was visible when the finger went down. */
  #cursorWasShown = false;
  #movingCursor = false;

  constructor(host: HTMLElement, tags: HTMLElement, events: ChartEvents) {
    this.#host = host;
    this.#events = events;
    this.#tags = new TagLayer(tags);
    const { chart, series, priceLine } = createChartParts(host);
    this.chart = chart;
    this.#series = series;
    this.#priceLine = priceLine;
    this.applyTheme();
    this.#series.attachPrimitive(this.#primitive);
    this.#primitive.onFrame = () => this.#label();
    this.chart.subscribeCrosshairMove(this.#onCrosshair);
    this.chart.subscribeClick(this.#onClick);
    const onPointerDown = (event: PointerEvent): void => {
      this.#touched = event.pointerType === 'touch';
      this.#cursorWasShown = this.#cursor !== null;
    };
    host.addEventListener('pointerdown', onPointerDown, true);
    this.#cleanups.push(() => host.removeEventListener('pointerdown', onPointerDown, true));
    this.chart.timeScale().subscribeVisibleLogicalRangeChange(this.#onRange);
    this.#cleanups.push(
      priceGestures(host, {
        axisFrom: () => this.#primitive.geometry.width,
        zoom: (factor, anchor) => this.zoomPrice(factor, anchor),
        auto: () => this.chart.priceScale('right').setAutoScale(true),
      }),
    );
  }

  destroy(): void {
    clearTimeout(this.#settleTimer);
    cancelAnimationFrame(this.#frame);
    for (const cleanup of this.#cleanups) cleanup();
    this.chart.remove();
  }

  /** Redraw in the current theme. */
  applyTheme(): void {
    applyChartTheme(this.chart, this.#priceLine);
    this.#primitive.redraw();
  }

  /** Narrow layout: no room for text beside the level chart. */
  setNarrow(narrow: boolean): void {
    this.#narrow = narrow;
    this.#primitive.options.gutter = narrow ? PHONE_GUTTER : DESK_GUTTER;
    this.#primitive.options.bars = narrow ? 0.26 : 0.3;
    if (this.#grid && this.#following) this.follow();
    this.#primitive.redraw();
  }

  /**
   * Show a map. `keep` preserves the visible time range, so that a refetch does not move the chart.
   */
  setGrid(grid: HeatGrid, tick: number, keep: boolean): void {
    const before = this.#grid;
    const range = keep && before ? this.chart.timeScale().getVisibleLogicalRange() : null;
    this.#grid = grid;
    if (!keep) this.#autoscale = null;
    const { close } = grid.last();
    const digits = axisDecimals(close, tick);
    this.#series.applyOptions({
      priceFormat: {
        type: 'custom',
        formatter: (x: number) => priceText(x, digits),
        minMove: 10 ** -digits,
      },
    });
    this.#fill(grid);
    this.#priceLine.applyOptions({ price: close });
    this.#primitive.setGrid(grid);
    if (range && before && before.step === grid.step) {
      const shift = (before.t0 - grid.t0) / grid.step;
      this.chart
        .timeScale()
        .setVisibleLogicalRange({ from: range.from + shift, to: range.to + shift });
    } else {
      this.#lastSeenCols = grid.cols;
      this.follow(true);
      this.chart.priceScale('right').setAutoScale(true);
    }
    this.#primitive.redraw();
  }

  /** Handle a change of the newest columns; changes between two frames are drawn once. */
  columnApplied(result: ApplyResult): void {
    const grid = this.#grid;
    if (!grid || result === 'unknown') return;
    this.#primitive.columnChanged(grid.cols - 1);
    if (!this.#frame) this.#frame = requestAnimationFrame(() => this.#updateSeries());
    if (result === 'appended') {
      if (this.#following) this.#lastSeenCols = grid.cols;
      this.#emitStatus();
    }
  }

  #updateSeries(): void {
    this.#frame = 0;
    const grid = this.#grid;
    if (!grid) return;
    for (let col = Math.max(0, this.#seriesCols - 1); col < grid.cols; col++) {
      const value = grid.close(col);
      const time = this.#time(grid, col);
      this.#series.update(Number.isNaN(value) ? { time } : { time, value });
    }
    this.#seriesCols = grid.cols;
    const { close } = grid.last();
    if (!Number.isNaN(close)) this.#priceLine.applyOptions({ price: close });
    this.#primitive.redraw();
  }

  setLevels(levels: Levels | null): void {
    this.#primitive.levels = levels;
    if (levels)
      this.#primitive.autoscale = this.#autoscale = stableAutoscale(
        this.#autoscale,
        levels.clusters,
        levels.mark,
      );
    this.#primitive.redraw();
  }

  /** Set what a tag says of its cluster beside size and distance. */
  setTagWord(word: TagLayer['word']): void {
    this.#tags.word = word;
    this.#primitive.redraw();
  }

  setLookup(words: Uint32Array, relief = false): void {
    this.#primitive.setLookup(words, relief);
  }

  setHeat(on: boolean): void {
    this.#primitive.options.heat = on;
    this.#primitive.redraw();
  }

  setLogarithmic(on: boolean): void {
    const mode = on ? PriceScaleMode.Logarithmic : PriceScaleMode.Normal;
    this.chart.priceScale('right').applyOptions({ mode });
  }

  /** Time zone offset in seconds, positive east of UTC. */
  setZone(seconds: number): void {
    if (seconds === this.#zone) return;
    this.#zone = seconds;
    if (!this.#grid) return;
    const range = this.chart.timeScale().getVisibleLogicalRange();
    this.#fill(this.#grid);
    if (range) this.chart.timeScale().setVisibleLogicalRange(range);
  }

  /** Scroll to the newest column; `fit` also shows the whole span. */
  follow(fit = false): void {
    const grid = this.#grid;
    const scale = this.chart.timeScale();
    const width = scale.width() || this.#host.clientWidth - 60;
    if (!grid || width <= 0) return;
    const room = Math.max(80, width - this.#primitive.options.gutter - RIGHT_MARGIN);
    const range = scale.getVisibleLogicalRange();
    const shown = range && !fit ? ((range.to - range.from) * room) / width : grid.cols;
    const spacing = room / Math.max(10, shown);
    const to = grid.cols - 0.5 + (width - room) / spacing;
    scale.setVisibleLogicalRange({ from: to - width / spacing, to });
    this.#lastSeenCols = grid.cols;
  }

  zoomPrice(factor: number, anchor: number): void {
    const scale = this.chart.priceScale('right');
    const shown = scale.getVisibleRange();
    if (!shown) return;
    const centre = shown.to - (shown.to - shown.from) * anchor;
    scale.setAutoScale(false);
    scale.setVisibleRange({
      from: centre - (centre - shown.from) * factor,
      to: centre + (shown.to - centre) * factor,
    });
  }

  /** Move the crosshair by whole cells, starting at the last price. */
  moveCursor(cols: number, rows: number): void {
    const grid = this.#grid;
    if (!grid) return;
    const from = this.#cursor ?? { col: grid.cols - 1, price: grid.last().close };
    const col = Math.min(grid.cols - 1, Math.max(0, from.col + cols));
    const row = Math.min(grid.rows - 1, Math.max(0, Math.floor(grid.rowOf(from.price)) + rows));
    const price = Math.sqrt(grid.edge(row) * grid.edge(row + 1));
    this.#setPin(col, price);
    this.#showPin();
  }

  /** Pin the cursor at a price and a time in µs (default: the newest column); null clears it. */
  setPin(price: number | null, time: number | null = null): void {
    const grid = this.#grid;
    this.#pin = price === null || !grid ? null : { time: time ?? grid.time(grid.cols - 1), price };
    this.#showPin();
  }

  clearCursor(): void {
    this.#setPin(0, null);
    this.#showPin();
  }

  #setPin(col: number, price: number | null): void {
    this.#pin = price === null || !this.#grid ? null : { time: this.#grid.time(col), price };
    this.#events.onPin(price);
  }

  /** Move the cursor back to the pin, or hide it. */
  #showPin(): void {
    const grid = this.#grid;
    const pin = this.#pin;
    if (!grid || !pin) {
      this.chart.clearCrosshairPosition();
      this.#setCursor(null, NaN);
      return;
    }
    const col = Math.min(grid.cols - 1, Math.max(0, Math.round((pin.time - grid.t0) / grid.step)));
    this.#movingCursor = true;
    this.chart.setCrosshairPosition(pin.price, this.#time(grid, col), this.#series);
    this.#movingCursor = false;
    this.#setCursor(col, pin.price);
  }

  /** Histogram of the visible cell bytes, of money or of relief. */
  histogram(relief: boolean): Counts | null {
    const grid = this.#grid;
    const range = this.chart.timeScale().getVisibleLogicalRange();
    const { height } = this.#primitive.geometry;
    if (!grid || !range || !height) return null;
    const top = this.#series.coordinateToPrice(0);
    const bottom = this.#series.coordinateToPrice(height);
    if (top === null || bottom === null) return null;
    const low = grid.rowOf(Math.max(1e-12, bottom));
    return grid.histogram(range.from, range.to, low, grid.rowOf(Math.max(1e-12, top)), relief);
  }

  #time(grid: HeatGrid, col: number): UTCTimestamp {
    return (Math.round(grid.time(col) / 1e6) + this.#zone) as UTCTimestamp;
  }

  #fill(grid: HeatGrid): void {
    this.#seriesCols = grid.cols;
    this.#series.setData(
      Array.from({ length: grid.cols }, (_, i) => {
        const value = grid.close(i);
        const time = this.#time(grid, i);
        // A column without data still takes its place on the time axis.
        return Number.isNaN(value) ? { time } : { time, value };
      }),
    );
  }

  #label(): void {
    const { height, width } = this.#primitive.geometry;
    const levels = this.#primitive.levels;
    if (!levels || !this.#grid) {
      this.#tags.clear();
      return;
    }
    const y = (price: number): number => this.#series.priceToCoordinate(price) ?? -1;
    const layout = {
      height,
      line: this.#narrow ? 34 : 23,
      each: this.#narrow ? 5 : 8,
      priceY: y(this.#grid.last().close),
    };
    this.#tags.show(
      layOutTags(levels.clusters, y, layout),
      this.#host.clientWidth - width + 4,
      levels.mark,
      this.#narrow,
    );
  }

  #onClick = (param: MouseEventParams<Time>): void => {
    const grid = this.#grid;
    const price = param.point && this.#series.coordinateToPrice(param.point.y);
    if (!grid || price === undefined || price === null || param.logical === undefined) return;
    // A tap clears a visible cursor; with a mouse there always is one.
    if (this.#touched && this.#cursorWasShown) this.clearCursor();
    else {
      this.#setPin(Math.min(grid.cols - 1, Math.max(0, Math.round(param.logical))), price);
      if (this.#touched) requestAnimationFrame(() => this.#showPin());
    }
  };

  #onCrosshair = (param: MouseEventParams<Time>): void => {
    if (this.#movingCursor) return;
    if (!param.point || param.logical === undefined) {
      // The library is about to hide its crosshair: show the pin on the next frame.
      if (this.#pin) requestAnimationFrame(() => this.#pin && this.#showPin());
      else this.#setCursor(null, NaN);
      return;
    }
    const price = this.#series.coordinateToPrice(param.point.y);
    if (price !== null) this.#setCursor(param.logical, price);
  };

  #setCursor(logical: number | null, price: number): void {
    const grid = this.#grid;
    if (!grid || logical === null) {
      this.#cursor = null;
      this.#events.onCursor(null);
      return;
    }
    const spacing = this.#primitive.columns()?.barSpacing ?? 1;
    const cursor = cursorAt(grid, logical, price, columnsPerCandle(spacing));
    this.#cursor = cursor && { col: cursor.col, price: cursor.price };
    this.#events.onCursor(cursor);
  }

  #onRange = (range: LogicalRange | null): void => {
    const grid = this.#grid;
    if (!range || !grid) return;
    const following = range.to >= grid.cols - 1 && range.from < grid.cols - 1;
    if (following !== this.#following) {
      this.#following = following;
      // Zoom around the newest column while following, around the pointer when scrolled back.
      this.chart.timeScale().applyOptions({ rightBarStaysOnScroll: following });
    }
    if (following) this.#lastSeenCols = grid.cols;
    this.#emitStatus();
    clearTimeout(this.#settleTimer);
    this.#settleTimer = window.setTimeout(() => this.#events.onSettled(), SETTLED_AFTER);
  };

  #emitStatus(): void {
    const spacing = this.#primitive.columns()?.barSpacing ?? 1;
    this.#events.onStatus({
      following: this.#following,
      behind: Math.max(0, (this.#grid?.cols ?? 0) - this.#lastSeenCols),
      columnsPerCandle: columnsPerCandle(spacing),
    });
  }
}
