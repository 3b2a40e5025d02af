/** The cursor shared by the five views, and the display options of each view. */
import { DEFAULT_OPTIONS, type ViewOptions } from './options';

export class ViewState {
  reach = $state<number>(DEFAULT_OPTIONS.reach);
  bands = $state(DEFAULT_OPTIONS.bands);
  observed = $state(DEFAULT_OPTIONS.observed);
  resting = $state(DEFAULT_OPTIONS.resting);
  mode = $state(DEFAULT_OPTIONS.mode);
  venue = $state(DEFAULT_OPTIONS.venue);
  /** Price under the pointer, and the price pinned by click, tap or key. */
  hovered = $state<number | null>(null);
  pin = $state<number | null>(DEFAULT_OPTIONS.pin);
  /** The cursor price marked in every view. */
  readonly price = $derived(this.hovered ?? this.pin);
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  restore(options: ViewOptions): void {
    Object.assign(this, options);
  }

  options(): ViewOptions {
    const { reach, bands, observed, resting, mode, venue, pin } = this;
    return { reach, bands, observed, resting, mode, venue, pin };
  }

  set(change: Partial<ViewOptions>): void {
    Object.assign(this, change);
    this.#onChange();
  }

  /** Pin the cursor at a price; null removes the pin. */
  pinAt(price: number | null): void {
    this.set({ pin: price });
  }

  /**
   * Pin at a price; clear the cursor if it is pinned there already, within `tolerance` (fraction).
   */
  toggle(price: number, tolerance: number): void {
    const pinned = this.pin !== null && Math.abs(price / this.pin - 1) <= tolerance;
    if (pinned) this.clear();
    else this.pinAt(price);
  }

  /** Move the cursor by a fraction of its price, starting at `start` if there is none. */
  nudge(by: number, start: number): void {
    const from = this.price ?? start;
    this.hovered = null;
    this.pinAt(from * (1 + by));
  }

  clear(): void {
    this.hovered = null;
    this.set({ pin: null });
  }
}
