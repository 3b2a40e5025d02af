/** The latest data of the market shown: map, levels, venues and model. */
import type { ApplyResult, HeatGrid } from '../grid/grid';
import { money } from '../money/money.svelte';
import { hasData, missing } from '../venue-status';
import type {
  Column,
  Fit,
  Levels,
  MapSnapshot,
  Reported,
  Source,
  Trust,
  Venue,
} from '../wire/types';

export class MapStore {
  snapshot = $state.raw<MapSnapshot | null>(null);
  grid = $state.raw<HeatGrid | null>(null);
  levels = $state.raw<Levels | null>(null);
  venues = $state.raw<Venue[]>([]);
  source = $state<Source | null>(null);
  /** Reason for the data source. */
  note = $state('');
  trust = $state.raw<Trust | null>(null);
  /** The newest fit since this page was opened. */
  newFit = $state.raw<Fit | null>(null);
  price = $state(NaN);
  /** Time of the last message, ms; 0 before the first. */
  lastMessageAt = $state(0);
  /** Whether the next map keeps the visible range of the chart. */
  keepView = true;

  /** Apply a snapshot. `refetch`: it belongs to the same session as the one before. */
  applySnapshot(map: MapSnapshot, grid: HeatGrid, keep: boolean, refetch: boolean): void {
    this.keepView = keep;
    this.#received(map);
    if (refetch) this.#updateTrust(map);
    else this.trust = map;
    this.price = map.price;
    if (!keep) this.levels = null;
    this.snapshot = map;
    money.at = map.asOf;
    this.grid = grid;
  }

  /** Note a column that the session has applied to the grid. */
  columnApplied(column: Column, result: ApplyResult): void {
    this.lastMessageAt = Date.now();
    this.price = column.k[3] || this.price;
    if (result === 'appended') this.#markMissing();
  }

  applyLevels(levels: Levels): void {
    this.lastMessageAt = Date.now();
    this.levels = levels;
  }

  applyStatus(status: Reported): void {
    this.#received(status);
    this.#updateTrust(status);
  }

  /** Seconds since the newest data of any selected venue, at `now` (ms). */
  age(now: number): number {
    if (!this.lastMessageAt) return Infinity;
    const since = Math.max(0, (now - this.lastMessageAt) / 1_000);
    const ages = this.venues.filter((v) => v.on && hasData(v)).map((v) => v.age ?? 0);
    const newest = Math.min(...ages);
    return since + (Number.isFinite(newest) ? newest : 0);
  }

  #received({ venues, source, note }: Pick<Reported, 'venues' | 'source' | 'note'>): void {
    this.lastMessageAt = Date.now();
    this.venues = venues;
    this.source = source;
    this.note = note;
  }

  /** A column that starts while a selected venue is down is partial. */
  #markMissing(): void {
    const down = missing(this.venues).filter((v) => v.state === 'down');
    if (down.length) this.grid?.markMissing(down.map((v) => v.name));
  }

  /** Update the model metadata; announce a new fit. */
  #updateTrust(trust: Trust): void {
    const before = this.trust?.fit;
    if (before && trust.fit?.at && trust.fit.at > (before.at ?? 0)) this.newFit = trust.fit;
    this.trust = trust;
  }
}
