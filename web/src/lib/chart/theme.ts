/** Applies the page theme to the chart library. */
import { ColorType, type IChartApi, type IPriceLine } from 'lightweight-charts';
import { theme } from '../render/theme.svelte';

export function applyChartTheme(chart: IChartApi, priceLine: IPriceLine): void {
  // The library lays out its canvases in a table, which is not a data table.
  chart.chartElement().querySelector('table')?.setAttribute('role', 'presentation');
  const line = {
    color: theme.cross,
    width: 1,
    style: 2,
    labelBackgroundColor: theme.crossLabel,
  } as const;
  chart.applyOptions({
    // Kinetic scrolling is motion the user may have asked to reduce.
    kineticScroll: { touch: !matchMedia('(prefers-reduced-motion: reduce)').matches },
    layout: {
      background: { type: ColorType.Solid, color: theme.background },
      textColor: theme.text,
    },
    grid: { vertLines: { color: theme.faint }, horzLines: { color: theme.faint } },
    crosshair: { vertLine: line, horzLine: line },
  });
  priceLine.applyOptions({ color: theme.ink, axisLabelTextColor: theme.onInk });
}
