/**
 * Trading sessions by hour of the day, UTC. A crypto market never closes; what changes with the hour
 * is who is at a desk, and with it volume and depth.
 *
 * Asia: 00 to 08, the trading day of Tokyo (JPX cash market 00:00 to 06:30) until Hong Kong's close
 * at 08:00 (HKEX). London: 07 to 17, the London Stock Exchange (08:00 to 16:30 UTC in winter,
 * 07:00 to 15:30 in summer). New York: 13 to 21, the New York Stock Exchange
 * (14:30 to 21:00 in winter, 13:30 to 20:00 in summer). Whole hours that hold both halves of the
 * year, so that the table needs no calendar of two time zones.
 */
export const SESSIONS: readonly { name: string; from: number; to: number }[] = [
  { name: 'Asia', from: 0, to: 8 },
  { name: 'London', from: 7, to: 17 },
  { name: 'New York', from: 13, to: 21 },
];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** "Asia · Monday", "London, New York overlap · Friday", "between sessions · Sunday" of µs UTC. */
export function sessionText(micros: number): string {
  if (!(micros > 0)) return '';
  const date = new Date(micros / 1_000);
  const hour = date.getUTCHours();
  const open = SESSIONS.filter(({ from, to }) => hour >= from && hour < to).map(({ name }) => name);
  const names = open.length > 1 ? `${open.join(', ')} overlap` : open[0];
  return `${names ?? 'between sessions'} · ${DAYS[date.getUTCDay()]}`;
}
