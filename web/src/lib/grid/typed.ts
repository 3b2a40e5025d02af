/** Dollars as a person types them: 2.5M, 300k, $1,200,000. */

const UNITS: Record<string, number> = { '': 1, k: 1e3, m: 1e6, b: 1e9, t: 1e12 };
const FORM = /^[^\d.-]{0,4}(\d+(?:\.\d*)?|\.\d+)\s*([kmbt]?)$/i;

/** Null where no amount above zero can be read. Commas and spaces only part thousands. */
export function typedMoney(words: string): number | null {
  const found = FORM.exec(words.trim().replaceAll(/[,\u2009\s]/g, ''));
  if (!found) return null;
  const amount = Number(found[1]) * UNITS[found[2].toLowerCase()];
  return amount > 0 && Number.isFinite(amount) ? amount : null;
}
