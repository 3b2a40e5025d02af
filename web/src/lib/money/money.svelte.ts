/** The display currency and its rate on the day shown. Reactive. */
import { errorMessage } from '../errors';
import { type Fixings, fixingOf, readFixings, symbolOf } from './fixings';

export class Money {
  /** The display currency, and the requested one while its rates load. */
  ccy = $state('USD');
  requested = $state('USD');
  /** Currencies with rates. */
  known = $state<readonly string[]>(['USD', 'NZD', 'EUR']);
  /** Why the requested currency is not shown. */
  error = $state<string | null>(null);
  /** Time shown, µs: now, or the playback time. */
  at = $state(Date.now() * 1_000);
  #fixings = $state.raw<Fixings | null>(null);

  readonly symbol = $derived(symbolOf(this.ccy));
  readonly fixing = $derived(
    this.#fixings && this.ccy !== 'USD' ? fixingOf(this.#fixings, this.at) : null,
  );
  /** Units of the currency per US dollar. */
  readonly rate = $derived(this.fixing?.value ?? 1);

  /** Dollars in the display currency; `at` (µs) uses the rate of that day. */
  of(dollars: number, at?: number): number {
    const fixings = this.#fixings;
    if (!fixings || this.ccy === 'USD') return dollars;
    return dollars * (at === undefined ? this.rate : fixingOf(fixings, at).value);
  }

  /** An amount in the display currency back in dollars. */
  dollars(amount: number): number {
    return amount / this.rate;
  }

  /** Switch to a currency once its rates are loaded; true on success. */
  async use(ccy: string, load: (url: string) => Promise<unknown> = fetchJson): Promise<boolean> {
    this.requested = ccy;
    this.error = null;
    try {
      const fixings =
        ccy === 'USD' ? null : readFixings(await load(`/v1/rates?ccy=${ccy}&since=2021-01-01`));
      // Another currency may have been requested meanwhile.
      if (this.requested !== ccy) return false;
      this.#fixings = fixings;
      if (fixings) this.known = fixings.currencies;
      this.ccy = ccy;
      return true;
    } catch (cause) {
      this.error = `no rate for ${ccy}: ${errorMessage(cause)}`;
      return false;
    }
  }
}

async function fetchJson(url: string): Promise<unknown> {
  const answer = await fetch(url);
  const body: unknown = await answer.json();
  if (!answer.ok) throw new Error(String((body as { error?: unknown }).error ?? answer.status));
  return body;
}

export const money = new Money();
