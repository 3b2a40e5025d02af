/** The colour scale: fitted to the visible cells, or locked by the user. */
import type { Counts, HeatGrid } from '../grid/grid';
import { autoRange, type ColourRange, groundRange, reliefRange } from '../grid/scale';
import { lockFromDollars, lockInDollars } from '../money/locks';
import { money } from '../money/money.svelte';
import type { ScaleLock, Shade } from '../url';

/** Smallest change of a fitted colour range that is applied, in bytes of the scale. */
const MIN_REFIT = 3;
/** Smallest change of the legend's range that is applied, in bytes of the scale. */
const MIN_LEGEND_CHANGE = 8;

const change = (current: ColourRange, next: ColourRange): number =>
  Math.max(Math.abs(next.lo - current.lo), Math.abs(next.hi - current.hi));

export class ColourScale {
  shade = $state<Shade>('relief');
  locked = $state<ScaleLock | null>(null);
  /** The lock of the other shade. */
  #otherLock: ScaleLock | null = null;
  range = $state.raw<ColourRange>({ lo: 130, hi: 225 });
  /** The colour range of the ground, in relief. */
  ground = $state.raw<ColourRange>({ lo: 100, hi: 160 });
  /** The part of the scale that the legend shows. */
  legend = $state.raw<ColourRange>({ lo: 90, hi: 240 });
  histogram = $state.raw<Uint32Array | null>(null);
  /** Counts the visible cells; set by the mounted chart. */
  sample: (relief: boolean) => Counts | null = () => null;
  readonly #grid: () => HeatGrid | null;
  readonly #onChange: () => void;

  /** `grid` is the map shown; `onChange` is called when shade or lock change. */
  constructor(grid: () => HeatGrid | null, onChange: () => void) {
    this.#grid = grid;
    this.#onChange = onChange;
  }

  /** Switch between relief and money; each has its own lock. */
  setShade(shade: Shade): void {
    if (shade === this.shade) return;
    this.shade = shade;
    [this.locked, this.#otherLock] = [this.#otherLock, this.locked];
    this.refit(true);
    this.#onChange();
  }

  lock(range: ColourRange): void {
    const scale = this.#grid()?.scale;
    if (!scale) return;
    this.range = range;
    this.locked = lockFromDollars([scale.at(range.lo), scale.at(range.hi)]);
    this.#onChange();
  }

  unlock(): void {
    this.locked = null;
    this.refit(true);
    this.#onChange();
  }

  /** Change the display currency. Locked scales keep their colours and are converted. */
  async setCurrency(ccy: string): Promise<void> {
    const ends = [this.locked, this.#otherLock].map(lockInDollars);
    if (!(await money.use(ccy))) return;
    const [shown, other] = ends.map(lockFromDollars);
    this.locked = shown ?? this.locked;
    this.#otherLock = other ?? this.#otherLock;
    this.refit(true);
    this.#onChange();
  }

  /** Fit to the visible cells unless locked. `force` applies small changes too. */
  refit(force = false): void {
    const grid = this.#grid();
    const counts = grid && !grid.difference ? this.sample(this.shade === 'relief') : null;
    if (!grid || !counts) return;
    this.histogram = counts.cells;
    const ground = counts.ground && groundRange(counts.ground, grid.scale);
    if (ground && (force || change(this.ground, ground) >= MIN_REFIT)) this.ground = ground;
    this.#fitRange(grid, counts, force);
    const legend = { lo: Math.max(1, this.range.lo - 30), hi: Math.min(255, this.range.hi + 14) };
    if (force || change(this.legend, legend) > MIN_LEGEND_CHANGE) this.legend = legend;
  }

  #fitRange({ scale }: HeatGrid, { cells, ground }: Counts, force: boolean): void {
    // Null while the rates of the lock's currency are loading.
    const locked = lockInDollars(this.locked);
    if (locked) {
      const [lo, hi] = locked.map((usd) => scale.position(usd));
      this.range = { lo, hi };
      return;
    }
    const fitted = ground ? reliefRange({ cells, ground }, scale) : autoRange(cells, scale);
    if (fitted && (force || change(this.range, fitted) >= MIN_REFIT)) this.range = fitted;
  }
}
