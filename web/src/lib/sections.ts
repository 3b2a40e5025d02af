/** Sections of the page. Planned ones are listed, but only available ones are shown. */

export interface Section {
  name: string;
  text: string;
  /** SVG path in a 20×20 box. */
  path: string;
  available: boolean;
}

const SECTIONS: readonly Section[] = [
  { name: 'map', text: 'Map', path: 'M2 4h16M2 8h10M2 12h14M2 16h7', available: true },
  { name: 'flow', text: 'Flow', path: 'M4 17V9M8 17V4M12 17v-6M16 17V7', available: true },
  { name: 'signals', text: 'Signals', path: 'M2 10h4l3-7 3 14 2-7h4', available: true },
  { name: 'paper', text: 'Paper', path: 'M5 2h10v16H5zM8 7h4M8 11h4', available: false },
  {
    name: 'learn',
    text: 'Learn',
    path: 'M10 4L2 8l8 4 8-4zM5 10v4c2 2 8 2 10 0v-4',
    available: false,
  },
];

/**
 * Available sections; all of them with `data-sections="all"` on the document, which only layout
 * tests set.
 */
export function sections(): readonly Section[] {
  return document.documentElement.dataset['sections'] === 'all'
    ? SECTIONS
    : SECTIONS.filter((p) => p.available);
}
