/** Times in the URL, readable and in UTC: `2026-02-05T14:30Z`. */

export function parseTime(text: string | null): number | null {
  if (!text || !/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z$/.test(text)) return null;
  const ms = Date.parse(text);
  return Number.isFinite(ms) && ms > 0 ? ms * 1_000 : null;
}

export function formatTime(micros: number): string {
  const text = new Date(Math.floor(micros / 1_000)).toISOString();
  return `${text.slice(17, 19) === '00' ? text.slice(0, 16) : text.slice(0, 19)}Z`;
}
