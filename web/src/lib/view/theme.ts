/** Applies the theme the user chose, or that of the system, to the page and to the canvases. */
import { setTheme, theme } from '../render/theme.svelte';

export const THEME_SETTINGS = ['auto', 'dark', 'light'] as const;
export type ThemeSetting = (typeof THEME_SETTINGS)[number];

const LIGHT = '(prefers-color-scheme: light)';

/**
 * Apply a theme, including the browser's own bars. index.html does the same before the first paint.
 */
export function applyTheme(setting: ThemeSetting): void {
  const light = setting === 'light' || (setting === 'auto' && matchMedia(LIGHT).matches);
  setTheme(light ? 'light' : 'dark');
  document.documentElement.dataset['theme'] = theme.name;
  document.querySelector('meta[name=theme-color]')?.setAttribute('content', theme.background);
}

/** Apply the current setting, and again whenever the system theme changes. */
export function followSystemTheme(setting: () => ThemeSetting): void {
  applyTheme(setting());
  matchMedia(LIGHT).addEventListener('change', () => applyTheme(setting()));
}
