/** Reads answers fetched on demand: evaluation, comparison, observed positions, row bands. */
import { readPretrained } from '../wire/decode';
import { type Fields, fields, floats, list, number, numberOr, text, textOr } from '../wire/read';
import type { Pretrained, Side } from '../wire/types';

export interface Skill {
  value: number | null;
  /** 95 % interval. */
  low: number | null;
  high: number | null;
  /** Hours. */
  n: number;
}

/** Estimated size of one side and leverage tier, dollars, with its 80 % band. */
export interface Tier {
  side: string;
  tier: number;
  size: number;
  low: number;
  high: number;
  /** Share based on liquidations rather than the prior; null if the size is zero. */
  measured: number | null;
}

export interface Reliability {
  /** Dollars per hour and side, means of a group. */
  predicted: number;
  actual: number;
  n: number;
}

export interface Evaluation {
  market: string;
  venue: string;
  hours: number;
  /** Skill over the path-only model, over no map, and over the static map. */
  skills: { pathOnly: Skill; noMap: Skill; static: Skill };
  verdict: string;
  /** Share of hours and sides whose liquidations were within the 80 % band. */
  covered: number | null;
  counted: number;
  reliability: Reliability[];
  /** Share of liquidations the venue's feed reports, with its band. */
  reported: {
    share: number;
    low: number;
    high: number;
    measured: boolean;
    sampled: boolean;
  } | null;
  /** Liquidations observed, and the effective number the fit is based on. */
  events: number;
  reports: number;
  pretrained: Pretrained | null;
  tiers: Tier[];
}

export interface Evaluations {
  markets: Evaluation[];
  blindSpots: string[];
  published: Published;
}

function readSkill(value: unknown): Skill {
  const o = fields(value ?? {}, 'skill');
  return {
    value: numberOr(o, 'value', null),
    low: numberOr(o, 'low', null),
    high: numberOr(o, 'high', null),
    n: numberOr(o, 'n', 0),
  };
}

function readEvaluation(value: unknown, i: number): Evaluation {
  const o = fields(value, `$.markets[${i}]`);
  const covered = fields(o['coverage_80'] ?? {}, '$.coverage_80');
  const reported = o['reporting'] ? fields(o['reporting'], '$.reporting') : null;
  return {
    market: text(o, 'market'),
    venue: text(o, 'venue'),
    hours: numberOr(o, 'hours', 0),
    skills: {
      pathOnly: readSkill(o['skill_over_path_only']),
      noMap: readSkill(o['skill_over_no_map']),
      static: readSkill(o['skill_over_static']),
    },
    verdict: text(o, 'verdict'),
    covered: numberOr(covered, 'value', null),
    counted: numberOr(covered, 'n', 0),
    reliability: list(o, 'reliability').map((each) => {
      const g = fields(each, '$.reliability');
      return {
        predicted: number(g, 'predicted'),
        actual: number(g, 'actual'),
        n: numberOr(g, 'n', 0),
      };
    }),
    reported: reported && {
      share: number(reported, 'share'),
      low: numberOr(reported, 'low', NaN),
      high: numberOr(reported, 'high', NaN),
      measured: reported['measured'] === true,
      sampled: reported['sampled'] === true,
    },
    events: numberOr(o, 'events', 0),
    reports: numberOr(o, 'reports', 0),
    pretrained: readPretrained(o['pretrained']),
    tiers: ((o['tiers'] ?? []) as unknown[]).map((each) =>
      readTier(each, numberOr(o, 'price', NaN)),
    ),
  };
}

/** Tiers are sized in base coin; `price` converts to dollars. */
function readTier(value: unknown, price: number): Tier {
  const t = fields(value, '$.tiers');
  return {
    side: text(t, 'side'),
    tier: number(t, 'tier'),
    size: number(t, 'size') * price,
    low: number(t, 'low') * price,
    high: number(t, 'high') * price,
    measured: numberOr(t, 'measured', null),
  };
}

/** Published evaluation on stored data, shipped with the model. */
export interface Published {
  /** Poisson deviances; `pathOnly` is NaN in older scorecards. */
  hours: {
    coin: string;
    n: number;
    since: string;
    until: string;
    ours: number;
    pathOnly: number;
    noMap: number;
    static: number;
  }[];
  answers: {
    coin: string;
    question: string;
    n: number;
    value: number;
    placebo: number;
    low: number;
    high: number;
    verdict: string;
  }[];
}

function readPublished(value: unknown): Published {
  const o = fields(value ?? {}, '$.published');
  const rows = (name: string): Fields[] =>
    ((o[name] ?? []) as unknown[]).map((each) => fields(each, `$.published.${name}`));
  return {
    hours: rows('scores')
      .filter((s) => s['kind'] === 'hours')
      .map((s) => ({
        coin: text(s, 'coin'),
        n: number(s, 'hours'),
        since: text(s, 'since').slice(0, 10),
        until: text(s, 'until').slice(0, 10),
        ours: number(s, 'poisson_deviance'),
        pathOnly: numberOr(s, 'path_only_deviance', NaN),
        noMap: number(s, 'no_map_deviance'),
        static: number(s, 'static_deviance'),
      })),
    answers: rows('answers').map((a) => ({
      coin: text(a, 'coin'),
      question: text(a, 'question'),
      n: number(a, 'n'),
      value: numberOr(a, 'value', NaN),
      placebo: numberOr(a, 'placebo', NaN),
      low: numberOr(a, 'low', NaN),
      high: numberOr(a, 'high', NaN),
      verdict: text(a, 'verdict'),
    })),
  };
}

export function readEvaluations(o: Fields): Evaluations {
  return {
    markets: list(o, 'markets').map(readEvaluation),
    blindSpots: ((o['blind_spots'] ?? []) as unknown[]).map(String),
    published: readPublished(o['published']),
  };
}

export interface Comparison {
  ours: number;
  theirs: number;
  /** Overlap, 0 to 1, and earth mover's distance, % of price; null if one map is empty. */
  overlap: number | null;
  distance: number | null;
  why: string[];
}

export function readComparison(o: Fields): Comparison {
  const totals = fields(o['totals'], '$.totals');
  return {
    ours: number(totals, 'calibrated'),
    theirs: number(totals, 'static'),
    overlap: numberOr(o, 'overlap', null),
    distance: numberOr(o, 'distance', null),
    why: list(o, 'why').map(String),
  };
}

/** Observed positions by their reported liquidation price, on their own rows. */
export interface Observed {
  p0: number;
  dp: number;
  long: Float32Array;
  short: Float32Array;
  dollars: Record<Side, number>;
  /** Observed size over open interest, by side; null if unknown. */
  share: Record<Side, number | null>;
  snapshotAge: number | null;
  accounts: number;
  origin: string;
}

export function readObserved(o: Fields): Observed {
  const rows = number(o, 'rows');
  const dollars = fields(o['dollars'], '$.dollars');
  const share = fields(o['share'], '$.share');
  return {
    p0: number(o, 'p0'),
    dp: number(o, 'dp'),
    long: floats(o['long'], '$.long', rows),
    short: floats(o['short'], '$.short', rows),
    dollars: { long: numberOr(dollars, 'long', 0), short: numberOr(dollars, 'short', 0) },
    share: { long: numberOr(share, 'long', null), short: numberOr(share, 'short', null) },
    snapshotAge: numberOr(o, 'snapshot_age', null),
    accounts: numberOr(o, 'accounts', 0),
    origin: textOr(o, 'origin'),
  };
}

/** 80 % band of every row, dollars, with its grid. */
export interface RowBands {
  p0: number;
  rows: number;
  ends: Record<Side, { low: Float32Array; high: Float32Array }>;
}

/** Null for playback and for the static map, which have no bands. */
export function readRowBands(o: Fields): RowBands | null {
  const bands = fields(o['bands'] ?? {}, '$.bands');
  const rows = number(o, 'rows');
  if (!bands['long'] || !bands['short']) return null;
  const side = (name: Side): { low: Float32Array; high: Float32Array } => {
    const [low, high] = list(bands, name);
    return {
      low: floats(low, `$.bands.${name}`, rows),
      high: floats(high, `$.bands.${name}`, rows),
    };
  };
  return { p0: number(o, 'p0'), rows, ends: { long: side('long'), short: side('short') } };
}
