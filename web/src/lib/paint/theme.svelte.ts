/** Every colour that a canvas draws with, dark and light; heat itself is in `palettes.ts`. */

export type ThemeName = 'dark' | 'light';

export interface ChartTheme {
  name: ThemeName;
  /** The ground of the chart, of the level chart beside it, and the line between them. */
  ground: string;
  gutter: string;
  rule: string;
  /** Figures on axes, faint lines of a grid, and the strongest ink there is. */
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
  /** Positions really seen: neither side's hue. */
  seen: string;
  /** Body of a rising candle, inside of a falling one, its outline, and the seam that parts both from the heat. */
  rising: string;
  falling: string;
  edge: string;
  seam: string;
  /** A light area over the ground: an 80 % band. */
  band: string;
  /** What the legend shows of cells it hides, and how many there are of them. */
  hidden: string;
  few: string;
  /** Lines over what nothing was heard in; and over what lacks some venues, the wide stroke under the narrow. */
  gap: string;
  partial: readonly [string, string];
}

export const DARK: ChartTheme = {
  name: 'dark',
  ground: '#07080d',
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
  seen: '#b8f04a',
  rising: '#ffffff',
  falling: '#0b0e16',
  edge: '#d5deee',
  seam: 'rgba(7,8,13,0.55)',
  band: 'rgba(232,236,245,0.13)',
  hidden: '#1a2030',
  few: 'rgba(120,132,156,0.28)',
  gap: 'rgba(152,163,184,0.35)',
  partial: ['rgba(7,8,13,0.4)', 'rgba(200,208,224,0.3)'],
};

/** White paper and dark ink: the heaviest cells are the darkest, and candles wear a white seam. */
export const LIGHT: ChartTheme = {
  name: 'light',
  ground: '#ffffff',
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
  seen: '#4d7a00',
  rising: '#ffffff',
  falling: '#10141f',
  edge: '#10141f',
  seam: 'rgba(255,255,255,0.8)',
  band: 'rgba(16,20,31,0.12)',
  hidden: '#e3e7ef',
  few: 'rgba(72,82,104,0.3)',
  gap: 'rgba(72,82,104,0.4)',
  partial: ['rgba(255,255,255,0.5)', 'rgba(72,82,104,0.4)'],
};

/** The theme that is drawn with now: state, so that whatever was drawn with it is drawn anew when it changes. */
export const theme: ChartTheme = $state({ ...DARK });

export function setTheme(name: ThemeName): void {
  Object.assign(theme, name === 'light' ? LIGHT : DARK);
}

export const FONT_FAMILY = "'Inter Variable', system-ui, sans-serif";
export const FONT = `11px ${FONT_FAMILY}`;
