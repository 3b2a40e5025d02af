/** Reads /v1/health, and groups it by venue. Fetched only while its sheet is open. */
import { check } from '../wire/check';
import {
  type ChannelHealth,
  type FeedHealth,
  Health,
  type VenueHealth as VenueFacts,
} from '../wire/schema-on-demand';

/** All that is known of one venue. */
export interface VenueHealth extends VenueFacts {
  name: string;
  /** Connection status by market. */
  markets: FeedHealth['markets'];
  channels: ChannelHealth[];
  incidents: Record<string, number>;
  unread: number;
  problem: string;
}

export interface Feed extends Omit<FeedHealth, 'venues'> {
  venues: VenueHealth[];
  /** Problems of this server rather than of a venue, such as disk or clock. */
  serverProblems: string[];
}

function venueOf(market: string): string {
  return market.split(':', 1)[0];
}

function venue(name: string, feed: FeedHealth): VenueHealth {
  const markets = Object.entries(feed.markets).filter(([market]) => venueOf(market) === name);
  return {
    ...feed.venues[name],
    name,
    markets: Object.fromEntries(markets),
    channels: feed.channels.filter((c) => venueOf(c.market) === name),
    incidents: feed.incidents[name] ?? {},
    unread: feed.unread[name] ?? 0,
    problem: feed.problems[name] ?? '',
  };
}

/** The feed, or null where nothing is collected (demo or replay). */
export function readFeed(raw: unknown): Feed | null {
  const { feed } = check(Health, raw);
  return (
    feed && {
      ...feed,
      venues: Object.keys(feed.venues).map((name) => venue(name, feed)),
      serverProblems: Object.entries(feed.problems)
        .filter(([name]) => !(name in feed.venues))
        .map(([, words]) => words),
    }
  );
}
