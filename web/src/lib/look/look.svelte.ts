/** The one cursor of five views, and what each view shows of its own. */
import { type LookPlace, PLAIN } from './place';

export class Look {
  reach = $state<number>(PLAIN.reach);
  bands = $state(PLAIN.bands);
  seen = $state(PLAIN.seen);
  mode = $state(PLAIN.mode);
  venue = $state(PLAIN.venue);
  /** Price under a moving pointer, and the one that a click, a tap or an arrow key left behind. */
  live = $state<number | null>(null);
  pin = $state<number | null>(PLAIN.pin);
  /** The price that every view marks. */
  readonly price = $derived(this.live ?? this.pin);
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  take(place: LookPlace): void {
    Object.assign(this, place);
  }

  place(): LookPlace {
    const { reach, bands, seen, mode, venue, pin } = this;
    return { reach, bands, seen, mode, venue, pin };
  }

  set(change: Partial<LookPlace>): void {
    Object.assign(this, change);
    this.#changed();
  }

  /** A click, a tap or a key leaves the cursor at a price, or takes it away. */
  pinAt(price: number | null): void {
    this.set({ pin: price });
  }

  /** As `pinAt`; at the same place again, to a fraction of the price, the cursor goes. */
  toggle(price: number, same: number): void {
    const again = this.pin !== null && Math.abs(price / this.pin - 1) <= same;
    if (again) this.clear();
    else this.pinAt(price);
  }

  /** Move the cursor by a fraction of its price; from `start` where there is none. */
  nudge(by: number, start: number): void {
    const from = this.price ?? start;
    this.live = null;
    this.pinAt(from * (1 + by));
  }

  clear(): void {
    this.live = null;
    this.set({ pin: null });
  }
}
