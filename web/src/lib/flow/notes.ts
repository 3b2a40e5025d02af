/** Own notes at a price, kept by this browser, by coin. */

const STORAGE_KEY = 'powderkeg-notes';

export interface Note {
  price: number;
  text: string;
}
type Notes = Record<string, Note[]>;

function all(): Notes {
  try {
    return JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '{}') as Notes;
  } catch {
    // Blocked storage is the user's choice: notes then last until the page is closed.
    return {};
  }
}

export function readNotes(coin: string): Note[] {
  const notes = all()[coin];
  return Array.isArray(notes) ? notes.filter((note) => note.price > 0) : [];
}

/** Return the notes with one set at a price; an empty text removes it. */
export function withNote(notes: readonly Note[], price: number, text: string): Note[] {
  const others = notes.filter((note) => note.price !== price);
  return text.trim() ? [...others, { price, text: text.trim() }] : others;
}

export function saveNotes(coin: string, notes: readonly Note[]): void {
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify({ ...all(), [coin]: notes }));
  } catch {
    // As above.
  }
}
