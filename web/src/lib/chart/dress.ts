/** The chart library in the colours of our theme. */
import { ColorType, type IChartApi, type IPriceLine } from 'lightweight-charts';
import { theme } from '../paint/theme.svelte';

export function dress(chart: IChartApi, now: IPriceLine): void {
  // The library lays its canvases out in a table, which is no table to read.
  chart.chartElement().querySelector('table')?.setAttribute('role', 'presentation');
  const line = { color: theme.cross, width: 1, style: 2, labelBackgroundColor: theme.crossLabel } as const;
  chart.applyOptions({
    // A fling goes on by itself, which is motion that somebody may not want.
    kineticScroll: { touch: !matchMedia('(prefers-reduced-motion: reduce)').matches },
    layout: { background: { type: ColorType.Solid, color: theme.ground }, textColor: theme.text },
    grid: { vertLines: { color: theme.faint }, horzLines: { color: theme.faint } },
    crosshair: { vertLine: line, horzLine: line },
  });
  now.applyOptions({ color: theme.ink, axisLabelTextColor: theme.onInk });
}
