/** Parses typed amounts: 2.5M, 300k, $1,200,000. */

const UNITS: Record<string, number> = { '': 1, k: 1e3, m: 1e6, b: 1e9, t: 1e12 };
const PATTERN = /^[^\d.-]{0,4}(\d+(?:\.\d*)?|\.\d+)\s*([kmbt]?)$/i;

/** The amount, or null unless it is above zero. Commas and spaces are thousands separators. */
export function parseAmount(text: string): number | null {
  const match = PATTERN.exec(text.trim().replaceAll(/[,\u2009\s]/g, ''));
  if (!match) return null;
  const amount = Number(match[1]) * UNITS[match[2].toLowerCase()];
  return amount > 0 && Number.isFinite(amount) ? amount : null;
}
