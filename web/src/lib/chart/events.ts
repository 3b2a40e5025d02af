/** What the chart reports to the page. */
import type { Cursor } from './cursor';

export interface ChartStatus {
  following: boolean;
  /** Columns that arrived since the chart last showed the newest one. */
  behind: number;
  columnsPerCandle: number;
}

export interface ChartEvents {
  onCursor(cursor: Cursor | null): void;
  /** A click, tap or key pinned the cursor at a price, or cleared it. */
  onPin(price: number | null): void;
  onStatus(status: ChartStatus): void;
  /** The visible range changed and settled: time to refit the colour scale. */
  onSettled(): void;
}
