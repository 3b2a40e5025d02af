/** Formats venue status and advises on problems. */
import type { ChannelHealth } from '../wire/schema-on-demand';
import type { VenueHealth } from './read';

const CHANNELS: Record<string, string> = {
  trades: 'Trades',
  book: 'Order book',
  mark: 'Mark price',
  funding: 'Funding',
  oi: 'Open interest',
  liquidations: 'Liquidations',
  ratio: 'Long/short ratio',
};

/** Events per second. */
export function rate(x: number): string {
  if (!Number.isFinite(x)) return '–';
  if (x >= 9.95) return Math.round(x).toLocaleString('en-US');
  if (x > 0 && x < 0.05) return '<0.1';
  return x ? x.toFixed(1) : '0';
}

const ORDER = Object.keys(CHANNELS);

/** Channels in display order. */
export function inDisplayOrder(channels: readonly ChannelHealth[]): ChannelHealth[] {
  return [...channels].sort((a, b) => ORDER.indexOf(a.channel) - ORDER.indexOf(b.channel));
}

export function channelName(kind: string): string {
  return CHANNELS[kind] ?? kind;
}

/** Status of a channel; an irregular one without events yet is "none yet". */
export function channelState(c: ChannelHealth): string {
  if (c.state === 'waiting') return c.expectedInterval ? 'waiting' : 'none yet';
  return c.state;
}

export const LIQUIDATIONS: Record<VenueHealth['liquidations'], string> = {
  all: 'All reported',
  sample: 'Sampled: the venue reports only some of them',
  none: 'Not reported: levels are based on open interest and price only',
};

/** Seconds; anything longer comes from a clock that was never set. */
const TEN_YEARS = 315_576_000;

/** A duration in its natural unit: 3 ms, 1.2 s, 4 min. */
export function span(seconds: number | null): string {
  if (seconds === null || !(Math.abs(seconds) < TEN_YEARS)) return '–';
  const size = Math.abs(seconds);
  if (size < 0.9995) return `${Math.round(size * 1000)} ms`;
  if (size < 9.95 && !Number.isInteger(size)) return `${size.toFixed(1)} s`;
  if (size < 90) return `${Math.round(size)} s`;
  if (size < 5_400) return `${Math.round(size / 60)} min`;
  return `${Math.round(size / 3_600)} h`;
}

export function skewText(skew: number | null): string {
  if (skew === null) return 'unknown';
  // Differences below this cannot be measured over a network.
  if (Math.abs(skew) < 0.05) return 'in sync';
  return `${span(skew)} ${skew > 0 ? 'ahead of' : 'behind'} ours`;
}

export function limitText(v: VenueHealth): string {
  if (!v.weightLimit) return 'no limit published';
  return `${v.weightUsed.toLocaleString('en-US')} of ${v.weightLimit.toLocaleString('en-US')} in ${span(v.window)}`;
}

/** "2 reconnects, 1 gap", most frequent first; routine events are left out. */
export function incidentText(v: VenueHealth): string {
  const all = Object.entries(v.incidents).filter(
    ([what]) => what !== 'book snapshots' && what !== 'renewals',
  );
  if (v.unread) all.push(['unreadable messages', v.unread]);
  if (!all.length) return 'none';
  return all
    .sort((a, b) => b[1] - a[1])
    .map(([what, n]) => `${n.toLocaleString('en-US')} ${n === 1 ? what.replace(/s$/, '') : what}`)
    .join(', ');
}

interface Advice {
  pattern: RegExp;
  problem: string;
  action: string;
}

const ADVICE: readonly Advice[] = [
  {
    pattern: /not served at this location|HTTP (403|451)/,
    problem: 'Not available at your location',
    action: 'Point POWDERKEG_HOSTS at a host with access, or exclude the venue with --venues.',
  },
  {
    pattern: /HTTP (418|429)/,
    problem: 'Rate limit reached',
    action: 'Resumes automatically; nothing to do.',
  },
  {
    pattern: /recording has stopped/,
    problem: 'Recording has stopped',
    action: 'Free disk space, then restart. The map stays live but is not stored.',
  },
  {
    pattern: /(begun again|restarted) after an error/,
    problem: 'A component failed and was restarted',
    action: 'No action needed. If it happens again, please report it with the terminal output.',
  },
  {
    pattern: /system clock/,
    problem: 'The clock of the server is wrong',
    action: 'Set it or enable NTP. The map is still correct.',
  },
  {
    pattern: /events (of|from) the future/,
    problem: 'The map has stopped',
    action:
      'A wrong clock dated events in the future. Fix the clock and restart; future events are skipped.',
  },
  {
    pattern: /cannot connect|ClientConnector/,
    problem: 'Cannot connect',
    action: 'Check the network, firewall and host name. Retrying automatically.',
  },
  {
    pattern: /the venue refused/,
    problem: 'Request rejected',
    action: 'Check that the venue lists this coin. Other channels are not affected.',
  },
  {
    pattern: /HTTP 0|Timeout/,
    problem: 'Request timed out',
    action: 'Regular requests are retried. If history is missing on the map, restart.',
  },
  {
    pattern: /HTTP 5\d\d/,
    problem: 'Venue server error',
    action: 'Retrying automatically; nothing to do.',
  },
];
const UNKNOWN: Omit<Advice, 'pattern'> = {
  problem: 'Unknown problem',
  action: 'Run `powderkeg doctor` to see which step fails.',
};

/** Explains a problem and what to do about it. */
export function advice(message: string): { problem: string; action: string } {
  return ADVICE.find(({ pattern }) => pattern.test(message)) ?? UNKNOWN;
}
