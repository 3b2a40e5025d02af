/** The settings of this browser. */
import { readSettings, type Settings, saveSettings } from '../url';
import { applyTheme } from '../view/theme';

export class Preferences {
  settings = $state<Settings>(readSettings());
  /** Offset of the displayed time zone from UTC, seconds. */
  readonly zone = $derived(this.settings.zone === 'utc' ? 0 : -new Date().getTimezoneOffset() * 60);
  readonly #onCurrency: (ccy: string) => void;

  constructor(onCurrency: (ccy: string) => void) {
    this.#onCurrency = onCurrency;
  }

  set(change: Partial<Settings>): void {
    Object.assign(this.settings, change);
    if (change.currency) this.#onCurrency(change.currency);
    if (change.theme) applyTheme(change.theme);
    saveSettings($state.snapshot(this.settings));
  }
}
