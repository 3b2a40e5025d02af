/** Venue colours, told apart in every kind of colour sight and unlike the long and short pair. */

const COLOURS: Record<string, string> = {
  binance: '#f2c14e',
  bybit: '#b79cff',
  okx: '#e8ecf5',
  bitget: '#3fb68b',
  hyperliquid: '#ff7fb0',
  deribit: '#8f9bb3',
};
const OTHERS = ['#9ad05b', '#7fa8ff', '#d9a066', '#c78bd9'];

export function venueColour(name: string): string {
  const known = COLOURS[name];
  if (known) return known;
  let sum = 0;
  for (const c of name) sum += c.charCodeAt(0);
  return OTHERS[sum % OTHERS.length];
}
