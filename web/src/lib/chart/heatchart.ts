/** The chart core: lightweight-charts with our own layers. Knows no framework and no server. */
import {
  createChart,
  CrosshairMode,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  LineSeries,
  type LogicalRange,
  type MouseEventParams,
  PriceScaleMode,
  type Time,
  type UTCTimestamp,
} from 'lightweight-charts';
import { axisDecimals, moment, price as priceText } from '../format';
import type { Applied, Counts, HeatGrid } from '../grid/grid';
import { columnsPerCandle } from '../paint/candles';
import { MapPrimitive } from '../paint/primitive';
import { TagLayer } from '../paint/tags';
import { FONT_FAMILY } from '../paint/theme.svelte';
import type { Levels } from '../wire/types';
import { type Cursor, cursorAt } from './cursor';
import { dress } from './dress';
import { priceGestures } from './gestures';
import { placeTags } from './labels';
import { type Reach, steadyReach } from './reach';

export interface View {
  following: boolean;
  /** Columns that arrived since the map was last at the newest. */
  behind: number;
  columnsPerCandle: number;
}

export interface ChartEvents {
  onCursor(cursor: Cursor | null): void;
  /** A click, a tap or a key left the cursor there, or took it away. */
  onPin(price: number | null): void;
  onView(view: View): void;
  /** The visible part changed: a good time to fit the colour scale anew. */
  onSettled(): void;
}

const SETTLED_AFTER = 160;
const PHONE_GUTTER = 78;
const DESK_GUTTER = 184;
const AIR = 18;

export class HeatChart {
  readonly chart: IChartApi;
  readonly #series: ISeriesApi<'Line'>;
  readonly #now: IPriceLine;
  readonly #primitive = new MapPrimitive();
  readonly #tags: TagLayer;
  readonly #events: ChartEvents;
  readonly #host: HTMLElement;
  readonly #undo: (() => void)[] = [];
  #grid: HeatGrid | null = null;
  #zone = 0;
  #narrow = false;
  #following = true;
  #seenCols = 0;
  #settle = 0;
  #frame = 0;
  /** Columns the series holds. */
  #laid = 0;
  #reach: Reach | null = null;
  #cursor: { col: number; price: number } | null = null;
  /** Where the cursor returns to when the pointer leaves: µs and price. */
  #pin: { time: number; price: number } | null = null;
  #touched = false;
  /** Whether a cursor stood there when the finger came down. */
  #stood = false;
  #placing = false;

  constructor(host: HTMLElement, tags: HTMLElement, events: ChartEvents) {
    this.#host = host;
    this.#events = events;
    this.#tags = new TagLayer(tags);
    this.chart = createChart(host, {
      autoSize: true,
      layout: { fontFamily: FONT_FAMILY, fontSize: 11, attributionLogo: true },
      rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.01, bottom: 0.01 } },
      // Times are already moved to the clock of the reader.
      localization: { timeFormatter: (time: Time) => moment(Number(time) * 1e6, 0) },
      timeScale: { borderVisible: false, timeVisible: true, minBarSpacing: 0.1, rightBarStaysOnScroll: true },
      crosshair: { mode: CrosshairMode.Normal },
    });
    this.#series = this.chart.addSeries(LineSeries, {
      lineVisible: false,
      crosshairMarkerVisible: false,
      priceLineVisible: false,
      // The library would label the last value in sight, which in history is not the price.
      lastValueVisible: false,
    });
    this.#now = this.#series.createPriceLine({ price: 0, axisLabelVisible: true, lineVisible: false });
    this.dress();
    this.#series.attachPrimitive(this.#primitive);
    this.#primitive.onFrame = () => this.#label();
    this.chart.subscribeCrosshairMove(this.#onCrosshair);
    this.chart.subscribeClick(this.#onClick);
    const touch = (event: PointerEvent): void => {
      this.#touched = event.pointerType === 'touch';
      this.#stood = this.#cursor !== null;
    };
    host.addEventListener('pointerdown', touch, true);
    this.#undo.push(() => host.removeEventListener('pointerdown', touch, true));
    this.chart.timeScale().subscribeVisibleLogicalRangeChange(this.#onRange);
    this.#undo.push(
      priceGestures(host, {
        axisFrom: () => this.#primitive.geometry.width,
        zoom: (factor, about) => this.zoomPrice(factor, about),
        auto: () => this.chart.priceScale('right').setAutoScale(true),
      }),
    );
  }

  destroy(): void {
    clearTimeout(this.#settle);
    cancelAnimationFrame(this.#frame);
    for (const undo of this.#undo) undo();
    this.chart.remove();
  }

  /** Take the colours of the theme of now. */
  dress(): void {
    dress(this.chart, this.#now);
    this.#primitive.redraw();
  }

  /** A window too narrow for words beside the level chart. */
  setNarrow(narrow: boolean): void {
    this.#narrow = narrow;
    this.#primitive.look.gutter = narrow ? PHONE_GUTTER : DESK_GUTTER;
    this.#primitive.look.bars = narrow ? 0.26 : 0.3;
    if (this.#grid && this.#following) this.follow();
    this.#primitive.redraw();
  }

  /** Show a map. `keep` holds the time range, so that a refetch never moves the picture. */
  setGrid(grid: HeatGrid, tick: number, keep: boolean): void {
    const before = this.#grid;
    const range = keep && before ? this.chart.timeScale().getVisibleLogicalRange() : null;
    this.#grid = grid;
    if (!keep) this.#reach = null;
    const { close } = grid.last();
    const digits = axisDecimals(close, tick);
    this.#series.applyOptions({
      priceFormat: { type: 'custom', formatter: (x: number) => priceText(x, digits), minMove: 10 ** -digits },
    });
    this.#fill(grid);
    this.#now.applyOptions({ price: close });
    this.#primitive.setGrid(grid);
    if (range && before && before.step === grid.step) {
      const shift = (before.t0 - grid.t0) / grid.step;
      this.chart.timeScale().setVisibleLogicalRange({ from: range.from + shift, to: range.to + shift });
    } else {
      this.#seenCols = grid.cols;
      this.follow(true);
      this.chart.priceScale('right').setAutoScale(true);
    }
    this.#primitive.redraw();
  }

  /** Take a change of the newest column; whatever comes between two frames is laid out once. */
  applied(how: Applied): void {
    const grid = this.#grid;
    if (!grid || how === 'unknown') return;
    this.#primitive.columnChanged(grid.cols - 1);
    if (!this.#frame) this.#frame = requestAnimationFrame(() => this.#layOut());
    if (how === 'appended') {
      if (this.#following) this.#seenCols = grid.cols;
      this.#tell();
    }
  }

  #layOut(): void {
    this.#frame = 0;
    const grid = this.#grid;
    if (!grid) return;
    for (let col = Math.max(0, this.#laid - 1); col < grid.cols; col++) {
      const value = grid.close(col);
      const time = this.#time(grid, col);
      this.#series.update(Number.isNaN(value) ? { time } : { time, value });
    }
    this.#laid = grid.cols;
    const { close } = grid.last();
    if (!Number.isNaN(close)) this.#now.applyOptions({ price: close });
    this.#primitive.redraw();
  }

  setLevels(levels: Levels | null): void {
    this.#primitive.levels = levels;
    if (levels) this.#primitive.reach = this.#reach = steadyReach(this.#reach, levels.clusters, levels.mark);
    this.#primitive.redraw();
  }

  setLookup(words: Uint32Array, relief = false): void {
    this.#primitive.setLookup(words, relief);
  }

  setHeat(on: boolean): void {
    this.#primitive.look.heat = on;
    this.#primitive.redraw();
  }

  setLogarithmic(on: boolean): void {
    const mode = on ? PriceScaleMode.Logarithmic : PriceScaleMode.Normal;
    this.chart.priceScale('right').applyOptions({ mode });
  }

  /** Seconds that local time is ahead of UTC. */
  setZone(seconds: number): void {
    if (seconds === this.#zone) return;
    this.#zone = seconds;
    if (!this.#grid) return;
    const range = this.chart.timeScale().getVisibleLogicalRange();
    this.#fill(this.#grid);
    if (range) this.chart.timeScale().setVisibleLogicalRange(range);
  }

  /** Back to the newest column; `whole` also shows the whole span. */
  follow(whole = false): void {
    const grid = this.#grid;
    const scale = this.chart.timeScale();
    const width = scale.width() || this.#host.clientWidth - 60;
    if (!grid || width <= 0) return;
    const room = Math.max(80, width - this.#primitive.look.gutter - AIR);
    const range = scale.getVisibleLogicalRange();
    const shown = range && !whole ? ((range.to - range.from) * room) / width : grid.cols;
    const spacing = room / Math.max(10, shown);
    const to = grid.cols - 0.5 + (width - room) / spacing;
    scale.setVisibleLogicalRange({ from: to - width / spacing, to });
    this.#seenCols = grid.cols;
  }

  zoomPrice(factor: number, about: number): void {
    const scale = this.chart.priceScale('right');
    const shown = scale.getVisibleRange();
    if (!shown) return;
    const centre = shown.to - (shown.to - shown.from) * about;
    scale.setAutoScale(false);
    scale.setVisibleRange({ from: centre - (centre - shown.from) * factor, to: centre + (shown.to - centre) * factor });
  }

  /** Move the crosshair by whole cells; from the newest price when there is none. */
  moveCursor(cols: number, rows: number): void {
    const grid = this.#grid;
    if (!grid) return;
    const from = this.#cursor ?? { col: grid.cols - 1, price: grid.last().close };
    const col = Math.min(grid.cols - 1, Math.max(0, from.col + cols));
    const row = Math.min(grid.rows - 1, Math.max(0, Math.floor(grid.rowOf(from.price)) + rows));
    const price = Math.sqrt(grid.edge(row) * grid.edge(row + 1));
    this.#keep(col, price);
    this.#toPin();
  }

  /** Show the cursor at a price, at a time in µs or at the newest column; null takes it away. */
  setPin(price: number | null, time: number | null = null): void {
    const grid = this.#grid;
    this.#pin = price === null || !grid ? null : { time: time ?? grid.time(grid.cols - 1), price };
    this.#toPin();
  }

  clearCursor(): void {
    this.#keep(0, null);
    this.#toPin();
  }

  #keep(col: number, price: number | null): void {
    this.#pin = price === null || !this.#grid ? null : { time: this.#grid.time(col), price };
    this.#events.onPin(price);
  }

  /** The cursor goes back to where it was left, or away. */
  #toPin(): void {
    const grid = this.#grid;
    const pin = this.#pin;
    if (!grid || !pin) {
      this.chart.clearCrosshairPosition();
      this.#point(null, NaN);
      return;
    }
    const col = Math.min(grid.cols - 1, Math.max(0, Math.round((pin.time - grid.t0) / grid.step)));
    this.#placing = true;
    this.chart.setCrosshairPosition(pin.price, this.#time(grid, col), this.#series);
    this.#placing = false;
    this.#point(col, pin.price);
  }

  /** Count of cell bytes in sight, of money or of relief. */
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
    this.#laid = grid.cols;
    this.#series.setData(
      Array.from({ length: grid.cols }, (_, i) => {
        const value = grid.close(i);
        const time = this.#time(grid, i);
        // A column in which nothing was heard still takes its place on the time axis.
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
    const room = {
      height,
      line: this.#narrow ? 34 : 23,
      each: this.#narrow ? 5 : 8,
      priceY: y(this.#grid.last().close),
    };
    this.#tags.show(placeTags(levels.clusters, y, room), this.#host.clientWidth - width + 4, levels.mark, this.#narrow);
  }

  #onClick = (param: MouseEventParams<Time>): void => {
    const grid = this.#grid;
    const price = param.point && this.#series.coordinateToPrice(param.point.y);
    if (!grid || price === undefined || price === null || param.logical === undefined) return;
    // A finger's tap takes a standing cursor away; a mouse always carries one.
    if (this.#touched && this.#stood) this.clearCursor();
    else {
      this.#keep(Math.min(grid.cols - 1, Math.max(0, Math.round(param.logical))), price);
      if (this.#touched) requestAnimationFrame(() => this.#toPin());
    }
  };

  #onCrosshair = (param: MouseEventParams<Time>): void => {
    if (this.#placing) return;
    if (!param.point || param.logical === undefined) {
      // The library is in the middle of taking its cross away: ours is put back after it.
      if (this.#pin) requestAnimationFrame(() => this.#pin && this.#toPin());
      else this.#point(null, NaN);
      return;
    }
    const price = this.#series.coordinateToPrice(param.point.y);
    if (price !== null) this.#point(param.logical, price);
  };

  #point(logical: number | null, price: number): void {
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
      // While following, a zoom holds the newest column in place; in history it holds the pointer's.
      this.chart.timeScale().applyOptions({ rightBarStaysOnScroll: following });
    }
    if (following) this.#seenCols = grid.cols;
    this.#tell();
    clearTimeout(this.#settle);
    this.#settle = window.setTimeout(() => this.#events.onSettled(), SETTLED_AFTER);
  };

  #tell(): void {
    const spacing = this.#primitive.columns()?.barSpacing ?? 1;
    this.#events.onView({
      following: this.#following,
      behind: Math.max(0, (this.#grid?.cols ?? 0) - this.#seenCols),
      columnsPerCandle: columnsPerCandle(spacing),
    });
  }
}
