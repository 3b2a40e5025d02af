/** The one display currency: what a US dollar is worth on the day of what is shown. Reading it in a component follows it. */
import { type Fixings, fixingOf, readFixings, symbolOf } from './fixings';

export class Money {
  /** The currency amounts are shown in now, and the one that was asked for while its rates come. */
  ccy = $state('USD');
  asked = $state('USD');
  /** All currencies there is a rate of. */
  known = $state<readonly string[]>(['USD', 'NZD', 'EUR']);
  /** Why the currency that was asked for is not shown. */
  trouble = $state<string | null>(null);
  /** µs of what is shown: now, or where playback stands. */
  at = $state(Date.now() * 1_000);
  #fixings = $state.raw<Fixings | null>(null);

  readonly symbol = $derived(symbolOf(this.ccy));
  readonly fixing = $derived(this.#fixings && this.ccy !== 'USD' ? fixingOf(this.#fixings, this.at) : null);
  /** Units of the currency a US dollar. */
  readonly rate = $derived(this.fixing?.value ?? 1);

  /** Dollars in the currency shown; `at` takes the rate of another day, such as that of a column. */
  of(dollars: number, at?: number): number {
    const fixings = this.#fixings;
    if (!fixings || this.ccy === 'USD') return dollars;
    return dollars * (at === undefined ? this.rate : fixingOf(fixings, at).value);
  }

  /** Back to dollars, by the rate of what is shown. */
  dollars(amount: number): number {
    return amount / this.rate;
  }

  /** Show amounts in a currency once its rates are here; true when they are. */
  async use(ccy: string, fetched: (address: string) => Promise<unknown> = askJson): Promise<boolean> {
    this.asked = ccy;
    this.trouble = null;
    try {
      const fixings = ccy === 'USD' ? null : readFixings(await fetched(`/v1/rates?ccy=${ccy}&since=2021-01-01`));
      // Another currency may have been asked for meanwhile.
      if (this.asked !== ccy) return false;
      this.#fixings = fixings;
      if (fixings) this.known = fixings.currencies;
      this.ccy = ccy;
      return true;
    } catch (why) {
      this.trouble = `no rate of ${ccy}: ${why instanceof Error ? why.message : String(why)}`;
      return false;
    }
  }
}

async function askJson(address: string): Promise<unknown> {
  const answer = await fetch(address);
  const body: unknown = await answer.json();
  if (!answer.ok) throw new Error(String((body as { error?: unknown }).error ?? answer.status));
  return body;
}

export const money = new Money();
