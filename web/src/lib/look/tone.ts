/** Light or dark: what the user chose, or what the system says, for the page and for what is drawn. */
import { setTheme, theme } from '../paint/theme.svelte';

export const TONES = ['auto', 'dark', 'light'] as const;
export type Tone = (typeof TONES)[number];

const LIGHT = '(prefers-color-scheme: light)';

/** Wear a tone; the browser's own bars follow. index.html does the same before the first paint. */
export function wear(tone: Tone): void {
  const light = tone === 'light' || (tone === 'auto' && matchMedia(LIGHT).matches);
  setTheme(light ? 'light' : 'dark');
  document.documentElement.dataset['theme'] = theme.name;
  document.querySelector('meta[name=theme-color]')?.setAttribute('content', theme.ground);
}

/** Wear the tone of now, and follow the system for as long as it is left to it. */
export function followSystem(tone: () => Tone): void {
  wear(tone());
  matchMedia(LIGHT).addEventListener('change', () => wear(tone()));
}
