/** What the figures of a venue's health mean, in plain words, and what a person can do. */
import type { ChannelHealth, VenueHealth } from './read';

const CHANNELS: Record<string, string> = {
  trades: 'Trades',
  book: 'Order book',
  mark: 'Mark price',
  funding: 'Funding',
  oi: 'Open interest',
  liquidations: 'Liquidations',
  ratio: 'Long/short ratio',
};

/** Events a second, as short as it can be said. */
export function rate(x: number): string {
  if (!Number.isFinite(x)) return '–';
  if (x >= 9.95) return Math.round(x).toLocaleString('en-US');
  if (x > 0 && x < 0.05) return '<0.1';
  return x ? x.toFixed(1) : '0';
}

const ORDER = Object.keys(CHANNELS);

/** Channels in the order in which they matter. */
export function byWeight(channels: readonly ChannelHealth[]): ChannelHealth[] {
  return [...channels].sort((a, b) => ORDER.indexOf(a.channel) - ORDER.indexOf(b.channel));
}

export function channelName(kind: string): string {
  return CHANNELS[kind] ?? kind;
}

/** The state of a channel; silence says nothing of one that may be silent for days. */
export function channelState(c: ChannelHealth): string {
  if (c.state === 'waiting') return c.cadence ? 'waiting' : 'none yet';
  return c.state;
}

export const LIQUIDATIONS: Record<VenueHealth['liquidations'], string> = {
  all: 'Every one is reported',
  sample: 'A sample only: more happen than are reported',
  none: 'Not reported by this venue: its levels rest on open interest and price alone',
};

/** Seconds; a longer span is a clock that was never set. */
const TEN_YEARS = 315_576_000;

/** A span of seconds in its best unit: 3 ms, 1.2 s, 4 min. */
export function span(seconds: number | null): string {
  if (seconds === null || !(Math.abs(seconds) < TEN_YEARS)) return '–';
  const size = Math.abs(seconds);
  if (size < 0.9995) return `${Math.round(size * 1000)} ms`;
  if (size < 9.95 && !Number.isInteger(size)) return `${size.toFixed(1)} s`;
  if (size < 90) return `${Math.round(size)} s`;
  if (size < 5_400) return `${Math.round(size / 60)} min`;
  return `${Math.round(size / 3_600)} h`;
}

export function skewWords(skew: number | null): string {
  if (skew === null) return 'not known yet';
  // Below this, over a network, clocks cannot be distinguished.
  if (Math.abs(skew) < 0.05) return 'same as ours';
  return `${span(skew)} ${skew > 0 ? 'ahead of' : 'behind'} ours`;
}

export function limitWords(v: VenueHealth): string {
  if (!v.limit) return 'no limit published';
  return `${v.used.toLocaleString('en-US')} of ${v.limit.toLocaleString('en-US')} in ${span(v.window)}`;
}

/** "2 reconnects, 1 gap", most frequent first; what is a part of normal work is left out. */
export function incidentWords(v: VenueHealth): string {
  const all = Object.entries(v.incidents).filter(([what]) => what !== 'book snapshots' && what !== 'renewals');
  if (v.unread) all.push(['unreadable messages', v.unread]);
  if (!all.length) return 'none';
  return all
    .sort((a, b) => b[1] - a[1])
    .map(([what, n]) => `${n.toLocaleString('en-US')} ${n === 1 ? what.replace(/s$/, '') : what}`)
    .join(', ');
}

interface Advice {
  sign: RegExp;
  what: string;
  todo: string;
}

const ADVICE: readonly Advice[] = [
  {
    sign: /not served at this location|HTTP (403|451)/,
    what: 'It does not serve your location',
    todo: 'Point POWDERKEG_HOSTS at a host that may ask it, or leave it out with --venues.',
  },
  { sign: /HTTP (418|429)/, what: 'Too much was asked', todo: 'It waits and goes on by itself; nothing to do.' },
  {
    sign: /recording has stopped/,
    what: 'Recording has stopped',
    todo: 'Free space on the disk, then start again. The map goes on meanwhile, but is not kept.',
  },
  {
    sign: /begun again after an error/,
    what: 'An error of ours ended a part, and it was begun again',
    todo: 'It goes on by itself. If this comes back, please report it with the lines of the terminal.',
  },
  {
    sign: /system clock/,
    what: 'The clock of the machine that runs powderkeg is wrong',
    todo: 'Set it, or let it be set over the network (NTP). The map is right meanwhile.',
  },
  {
    sign: /events of the future/,
    what: 'The map stands still',
    todo: 'A wrong clock dated it ahead. Start again once the clock is right: what is stored of the future is left out.',
  },
  {
    sign: /cannot connect|ClientConnector/,
    what: 'It cannot be reached',
    todo: 'Check the network, a firewall and the name of the host. It is tried again and again.',
  },
  { sign: /the venue refused/, what: 'It refused a request', todo: 'Check that the venue lists this coin. The other channels go on.' },
  {
    sign: /HTTP 0|Timeout/,
    what: 'An answer did not come in time',
    todo: 'What is asked regularly is asked again; if history is missing on the map, start again.',
  },
  { sign: /HTTP 5\d\d/, what: 'It fails on its side', todo: 'It is asked again by itself; nothing to do.' },
];
const UNKNOWN: Omit<Advice, 'sign'> = { what: 'Something is wrong', todo: 'Run `powderkeg doctor` to see which step fails.' };

/** A problem in plain words, and what to do about it. */
export function advice(problem: string): { what: string; todo: string } {
  return ADVICE.find(({ sign }) => sign.test(problem)) ?? UNKNOWN;
}
