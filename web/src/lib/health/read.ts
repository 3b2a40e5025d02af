/** Reads /v1/health. Fetched only while its sheet is open. */
import { type Fields, fields, list, number, numberOr, oneOf, textOr } from '../wire/read';
import type { FeedStatus } from '../wire/types';

export type ChannelState = FeedStatus | 'waiting';

/** One data channel of one market; times in seconds. */
export interface ChannelHealth {
  market: string;
  channel: string;
  count: number;
  /** Events a second over the last minute. */
  rate: number;
  /** Receive time of the last event minus its venue time. */
  lag: number;
  /** Since the last event; null if there was none. */
  age: number | null;
  /** Longest normal interval between events; 0 for irregular channels. */
  expectedInterval: number;
  state: ChannelState;
}

export interface VenueHealth {
  name: string;
  /** Connection status by market. */
  markets: Record<string, FeedStatus>;
  channels: ChannelHealth[];
  /** Their clock minus ours, and one-way latency, seconds; null until known. */
  skew: number | null;
  delay: number | null;
  used: number;
  limit: number;
  /** Window of the rate limit, seconds. */
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
  /** Problems of this server rather than of a venue, such as disk or clock. */
  serverProblems: string[];
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
    expectedInterval: numberOr(o, 'expected_interval', 0),
    state: oneOf(o, 'state', ['up', 'joining', 'stale', 'waiting', 'down'] as const),
  };
}

function counts(o: Fields, key: string): Record<string, number> {
  return (o[key] ?? {}) as Record<string, number>;
}

function venue(name: string, value: unknown, feed: Fields, channels: ChannelHealth[]): VenueHealth {
  const o = fields(value, `$.venues.${name}`);
  const markets = Object.entries(fields(feed['markets'], '$.markets')).filter(
    ([market]) => venueOf(market) === name,
  );
  return {
    name,
    markets: Object.fromEntries(markets) as Record<string, FeedStatus>,
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

/** The feed, or null where nothing is collected (demo or replay). */
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
    serverProblems: Object.keys(problems)
      .filter((name) => !names.has(name))
      .map((name) => textOr(problems, name)),
  };
}
