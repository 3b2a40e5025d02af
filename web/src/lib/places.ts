/** The places of the page. A place is listed when it is planned and shown when it is made. */

export interface PlaceItem {
  name: string;
  text: string;
  /** Drawn in a box of 20. */
  path: string;
  made: boolean;
}

const PLACES: readonly PlaceItem[] = [
  { name: 'map', text: 'Map', path: 'M2 4h16M2 8h10M2 12h14M2 16h7', made: true },
  { name: 'flow', text: 'Flow', path: 'M4 17V9M8 17V4M12 17v-6M16 17V7', made: false },
  { name: 'signals', text: 'Signals', path: 'M2 10h4l3-7 3 14 2-7h4', made: false },
  { name: 'paper', text: 'Paper', path: 'M5 2h10v16H5zM8 7h4M8 11h4', made: false },
  { name: 'learn', text: 'Learn', path: 'M10 4L2 8l8 4 8-4zM5 10v4c2 2 8 2 10 0v-4', made: false },
];

/** The places that are made; with `data-places="all"` on the document, which only tests of the layout set, all of them. */
export function places(): readonly PlaceItem[] {
  return document.documentElement.dataset['places'] === 'all' ? PLACES : PLACES.filter((p) => p.made);
}
