/** Canvas colours of the dark and the light theme; heat is in `palettes.ts`. */

export type ThemeName = 'dark' | 'light';

export interface ChartTheme {
  name: ThemeName;
  /** Background of the chart and of the level chart, and the line between them. */
  background: string;
  gutter: string;
  rule: string;
  /** Axis text, grid lines, and the strongest foreground. */
  text: string;
  faint: string;
  ink: string;
  /** Text on `ink`. */
  onInk: string;
  cross: string;
  crossLabel: string;
  onCross: string;
  long: string;
  short: string;
  /** Observed positions: a hue of neither side. */
  observed: string;
  /**
   * Body of a rising candle, inside of a falling one, border, and the outline that separates both
   * from heat.
   */
  rising: string;
  falling: string;
  edge: string;
  outline: string;
  /** Fill of an 80 % band. */
  band: string;
  /** Legend colours of hidden cells, and of their histogram. */
  hidden: string;
  hiddenCount: string;
  /** Hatching of gaps; and of partial gaps, wide stroke under narrow. */
  gap: string;
  partial: readonly [string, string];
}

export const DARK: ChartTheme = {
  name: 'dark',
  background: '#07080d',
  gutter: '#0a0d15',
  rule: '#1f2638',
  text: '#a7b1c4',
  faint: 'rgba(255,255,255,0.06)',
  ink: '#e8ecf5',
  onInk: '#07080d',
  cross: 'rgba(255,255,255,0.55)',
  crossLabel: '#2a3346',
  onCross: '#ffffff',
  long: '#4fc3f7',
  short: '#ff8a65',
  observed: '#b8f04a',
  rising: '#ffffff',
  falling: '#0b0e16',
  edge: '#d5deee',
  outline: 'rgba(7,8,13,0.55)',
  band: 'rgba(232,236,245,0.13)',
  hidden: '#1a2030',
  hiddenCount: 'rgba(120,132,156,0.28)',
  gap: 'rgba(152,163,184,0.35)',
  partial: ['rgba(7,8,13,0.4)', 'rgba(200,208,224,0.3)'],
};

/** Light theme: large cells are dark, and candles have a white outline. */
export const LIGHT: ChartTheme = {
  name: 'light',
  background: '#ffffff',
  gutter: '#f6f7fa',
  rule: '#c9d0dc',
  text: '#485268',
  faint: 'rgba(16,20,31,0.08)',
  ink: '#10141f',
  onInk: '#ffffff',
  cross: 'rgba(16,20,31,0.6)',
  crossLabel: '#39445a',
  onCross: '#ffffff',
  long: '#00648f',
  short: '#ad3c14',
  observed: '#4d7a00',
  rising: '#ffffff',
  falling: '#10141f',
  edge: '#10141f',
  outline: 'rgba(255,255,255,0.8)',
  band: 'rgba(16,20,31,0.12)',
  hidden: '#e3e7ef',
  hiddenCount: 'rgba(72,82,104,0.3)',
  gap: 'rgba(72,82,104,0.4)',
  partial: ['rgba(255,255,255,0.5)', 'rgba(72,82,104,0.4)'],
};

/** The current theme. Reactive, so that canvases redraw when it changes. */
export const theme: ChartTheme = $state({ ...DARK });

export function setTheme(name: ThemeName): void {
  Object.assign(theme, name === 'light' ? LIGHT : DARK);
}

export const FONT_FAMILY = "'Inter Variable', system-ui, sans-serif";
export const FONT = `11px ${FONT_FAMILY}`;
