/** What each venue declares; venues.json is written by scripts/make_venues.py. */
import declared from './venues.json';

export interface VenueDeclaration {
  label: string;
  /** CSS colours by theme; empty to derive one from the name. */
  dark: string;
  light: string;
}

export const VENUES: Record<string, VenueDeclaration | undefined> = declared;
