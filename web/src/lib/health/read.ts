/** The answer of /v1/health as records. Fetched only while its sheet is open. */
import { type Fields, fields, list, number, numberOr, oneOf, textOr } from '../wire/read';
import type { LampState } from '../wire/types';

export type ChannelState = LampState | 'waiting';

/** One kind of data of one market; times in seconds. */
export interface ChannelHealth {
  market: string;
  channel: string;
  count: number;
  /** Events a second over the last minute. */
  rate: number;
  /** From the venue's time of the last event to ours. */
  lag: number;
  /** Since the last event; null for one that was never heard. */
  age: number | null;
  /** Longest silence that is normal; 0 where silence says nothing. */
  cadence: number;
  state: ChannelState;
}

export interface VenueHealth {
  name: string;
  /** State of its links by market. */
  markets: Record<string, LampState>;
  channels: ChannelHealth[];
  /** Their clock ahead of ours, and the way of a message to us, seconds; null until known. */
  skew: number | null;
  delay: number | null;
  used: number;
  limit: number;
  /** Seconds over which the limit counts. */
  window: number;
  liquidations: 'all' | 'sample' | 'none';
  skipped: Record<string, number>;
  incidents: Record<string, number>;
  unread: number;
  problem: string;
}

export interface Feed {
  venues: VenueHealth[];
  waiting: number;
  recorded: number;
  recording: boolean;
  unread: number;
  lastUnread: string;
  /** What is wrong with a part of ours, such as the store or the clock, and not with a venue. */
  ours: string[];
}

function venueOf(market: string): string {
  return market.split(':', 1)[0];
}

function channel(value: unknown, i: number): ChannelHealth {
  const o = fields(value, `$.channels[${i}]`);
  return {
    market: textOr(o, 'market'),
    channel: textOr(o, 'channel'),
    count: number(o, 'count'),
    rate: number(o, 'rate'),
    lag: numberOr(o, 'lag', 0),
    age: numberOr(o, 'age', null),
    cadence: numberOr(o, 'cadence', 0),
    state: oneOf(o, 'state', ['up', 'joining', 'stale', 'waiting', 'down'] as const),
  };
}

function counts(o: Fields, key: string): Record<string, number> {
  return (o[key] ?? {}) as Record<string, number>;
}

function venue(name: string, value: unknown, feed: Fields, channels: ChannelHealth[]): VenueHealth {
  const o = fields(value, `$.venues.${name}`);
  const markets = Object.entries(fields(feed['markets'], '$.markets')).filter(([market]) => venueOf(market) === name);
  return {
    name,
    markets: Object.fromEntries(markets) as Record<string, LampState>,
    channels: channels.filter((c) => venueOf(c.market) === name),
    skew: numberOr(o, 'skew', null),
    delay: numberOr(o, 'delay', null),
    used: numberOr(o, 'weight_used', 0),
    limit: numberOr(o, 'weight_limit', 0),
    window: numberOr(o, 'window', 0),
    liquidations: oneOf(o, 'liquidations', ['all', 'sample', 'none'] as const),
    skipped: counts(o, 'skipped'),
    incidents: counts(fields(feed['incidents'], '$.incidents'), name),
    unread: counts(feed, 'unread')[name] ?? 0,
    problem: textOr(fields(feed['problems'], '$.problems'), name),
  };
}

/** The feed of an answer, or null where nothing is collected: a demo, or a replay. */
export function readFeed(value: unknown): Feed | null {
  const answer = fields(value);
  if (answer['feed'] === null || answer['feed'] === undefined) return null;
  const feed = fields(answer['feed'], '$.feed');
  const channels = list(feed, 'channels').map(channel);
  const venues = Object.entries(fields(feed['venues'], '$.venues'));
  const names = new Set(venues.map(([name]) => name));
  const problems = fields(feed['problems'], '$.problems');
  return {
    venues: venues.map(([name, each]) => venue(name, each, feed, channels)),
    waiting: numberOr(feed, 'waiting_frames', 0),
    recorded: numberOr(feed, 'recorded_frames', 0),
    recording: feed['recording'] === true,
    unread: numberOr(feed, 'unread_frames', 0),
    lastUnread: textOr(feed, 'last_unread'),
    ours: Object.keys(problems).filter((name) => !names.has(name)).map((name) => textOr(problems, name)),
  };
}
