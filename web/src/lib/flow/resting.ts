/** Resting orders on the map: bids and asks by minute and row, each in a palette of its own. */
import type {
  IChartApi,
  IPrimitivePaneRenderer,
  IPrimitivePaneView,
  ISeriesPrimitive,
  Logical,
  SeriesAttachedParameter,
  Time,
} from 'lightweight-charts';
import type { ZonesAnswer } from '../wire/schema-on-demand';

export type Rgb = readonly [number, number, number];
export interface RestingColours {
  bid: Rgb;
  ask: Rgb;
  /** Of minutes and prices that no book showed. */
  unseen: Rgb;
}
/** One pixel a column and row, the highest price on top. */
export interface RestingImage {
  width: number;
  height: number;
  pixels: Uint8ClampedArray<ArrayBuffer>;
}

/** Share of all sizes that are paler than the darkest colour: a few walls do not fade the rest. */
const FULL = 0.98;
/** Opacity of the smallest and of the largest size, of 255: the map stays visible below. */
const FAINT = 20;
const STRONG = 225;
/** Opacity of what no book showed while there were some. */
const UNSEEN = 34;
/** Part of the range above which colours turn towards white, so that walls stand out. */
const BRIGHT = 0.75;

/** Size from which the colour is full. */
export function fullSize(mean: Float32Array): number {
  const sorted = mean.slice().sort();
  return sorted.length ? sorted[Math.round((sorted.length - 1) * FULL)] : 0;
}

export function restingImage(zones: ZonesAnswer, colours: RestingColours): RestingImage {
  const { cols, rows } = zones;
  const pixels = new Uint8ClampedArray(cols * rows * 4);
  const most = fullSize(zones.mean);
  const shown = new Float32Array(cols * rows);
  paintUnseen(pixels, zones, colours.unseen);
  for (let i = 0; i < zones.mean.length; i++) {
    const share = Math.sqrt(Math.min(1, zones.mean[i] / most));
    const [r, g, b] = lit(zones.side[i] ? colours.ask : colours.bid, share);
    const line = (rows - 1 - zones.row[i]) * cols;
    for (let col = zones.start[i]; col < zones.start[i] + zones.length[i]; col++) {
      // Where venues cross, the larger side is shown.
      if (shown[line + col] > zones.mean[i]) continue;
      shown[line + col] = zones.mean[i];
      pixels.set([r, g, b, FAINT + (STRONG - FAINT) * share], (line + col) * 4);
    }
  }
  return { width: cols, height: rows, pixels };
}

/** The colour, towards white for the largest sizes. */
function lit(colour: Rgb, share: number): Rgb {
  const white = Math.max(0, (share - BRIGHT) / (1 - BRIGHT)) * 0.5;
  const mixed = (x: number): number => x + (255 - x) * white;
  return [mixed(colour[0]), mixed(colour[1]), mixed(colour[2])];
}

function paintUnseen(pixels: Uint8ClampedArray, zones: ZonesAnswer, [r, g, b]: Rgb): void {
  const { cols, rows, first, step } = zones;
  for (let col = 0; col < cols; col++) {
    const low = Math.round(zones.lowest[col] / step) - first;
    const high = Math.round(zones.highest[col] / step) - first;
    if (Number.isNaN(low) && Number.isNaN(high)) continue;
    for (let row = 0; row < rows; row++)
      if (!(row >= low && row <= high))
        pixels.set([r, g, b, UNSEEN], ((rows - 1 - row) * cols + col) * 4);
  }
}

/** Red, green and blue of a colour of the style sheet, such as #6ee7c8. */
export function rgb(hex: string): Rgb {
  const n = Number.parseInt(hex.replace('#', ''), 16);
  return [(n >> 16) & 255, (n >> 8) & 255, n & 255];
}

/** The time axis of the map: start of its first column and length of one, µs. */
export interface Axis {
  t0: number;
  step: number;
}

/** Draws the image above the heat and below the candles. */
export class RestingLayer implements ISeriesPrimitive<Time> {
  /** Part of the pane at the right that the level chart takes, pixels. */
  gutter = 0;
  axis: () => Axis | null = () => null;
  #chart: IChartApi | null = null;
  #at: SeriesAttachedParameter<Time> | null = null;
  #zones: ZonesAnswer | null = null;
  #picture: HTMLCanvasElement | null = null;
  readonly #views: readonly IPrimitivePaneView[] = [
    { zOrder: () => 'bottom', renderer: () => ({ draw: (target) => this.#draw(target) }) },
  ];

  attached(at: SeriesAttachedParameter<Time>): void {
    this.#at = at;
    this.#chart = at.chart as unknown as IChartApi;
  }
  detached(): void {
    this.#at = this.#chart = null;
  }
  paneViews(): readonly IPrimitivePaneView[] {
    return this.#views;
  }

  /** Null draws nothing. */
  show(zones: ZonesAnswer | null, colours: RestingColours): void {
    this.#zones = zones;
    this.#picture = zones && pictureOf(restingImage(zones, colours));
    this.#at?.requestUpdate();
  }

  #draw(target: Parameters<IPrimitivePaneRenderer['draw']>[0]): void {
    const [zones, picture, axis] = [this.#zones, this.#picture, this.axis()];
    const [scale, series] = [this.#chart?.timeScale(), this.#at?.series];
    if (!zones || !picture || !axis || !scale || !series) return;
    target.useBitmapCoordinateSpace(
      ({ context, horizontalPixelRatio, verticalPixelRatio, mediaSize }) => {
        // The library knows places of whole columns only.
        const [a, b] = [0, 1000].map((n) => scale.logicalToCoordinate(n as Logical) ?? 0);
        const spacing = (b - a) / 1000;
        const x = (time: number): number => a + ((time - axis.t0) / axis.step - 0.5) * spacing;
        const y = (row: number): number =>
          series.priceToCoordinate((zones.first + row) * zones.step) ?? 0;
        const [left, right] = [x(zones.t0), x(zones.t0 + zones.cols * zones.column)];
        const [top, bottom] = [y(zones.rows), y(0)];
        context.save();
        context.scale(horizontalPixelRatio, verticalPixelRatio);
        context.beginPath();
        context.rect(0, 0, mediaSize.width - this.gutter, mediaSize.height);
        context.clip();
        context.imageSmoothingEnabled = false;
        context.drawImage(picture, left, top, right - left, bottom - top);
        context.restore();
      },
    );
  }
}

function pictureOf({ width, height, pixels }: RestingImage): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  canvas.getContext('2d')?.putImageData(new ImageData(pixels, width, height), 0, 0);
  return canvas;
}
