/** Creates the chart of the library with the options we use. */
import {
  CrosshairMode,
  createChart,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  LineSeries,
  type Time,
} from 'lightweight-charts';
import { moment } from '../format';
import { FONT_FAMILY } from '../render/theme.svelte';

export interface ChartParts {
  chart: IChartApi;
  /** An invisible series of closes: it carries the axes, the crosshair and our primitive. */
  series: ISeriesApi<'Line'>;
  /** The label of the last price. */
  priceLine: IPriceLine;
}

export function createChartParts(host: HTMLElement): ChartParts {
  const chart = createChart(host, {
    autoSize: true,
    layout: { fontFamily: FONT_FAMILY, fontSize: 11, attributionLogo: true },
    rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.01, bottom: 0.01 } },
    // Times are already shifted to the display time zone.
    localization: { timeFormatter: (time: Time) => moment(Number(time) * 1e6, 0) },
    timeScale: {
      borderVisible: false,
      timeVisible: true,
      minBarSpacing: 0.1,
      rightBarStaysOnScroll: true,
    },
    crosshair: { mode: CrosshairMode.Normal },
  });
  const series = chart.addSeries(LineSeries, {
    lineVisible: false,
    crosshairMarkerVisible: false,
    priceLineVisible: false,
    // The library would label the last visible value, which is not the price when scrolled back.
    lastValueVisible: false,
  });
  const priceLine = series.createPriceLine({
    price: 0,
    axisLabelVisible: true,
    lineVisible: false,
  });
  return { chart, series, priceLine };
}
