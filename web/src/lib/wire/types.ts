/** Types of server messages as the page uses them; `schema.ts` has every field with its unit. */
import type {
  BarsAnswer,
  Cluster,
  CumulativeAnswer,
  HeatmapAnswer,
  Hello,
  LevelsAnswer,
  Status,
  VenueStatus,
  VenuesAnswer,
} from './schema';

export type {
  Cluster,
  Coins,
  Column,
  Fit,
  Grade,
  Hello,
  Pretrained,
  Rebase,
  Sides as Totals,
  Status,
  VenueShare,
  VenueStatus as Venue,
} from './schema';

export type Source = Hello['source'];
export type Side = Cluster['side'];
/** `joining`: the history of the market is still loading. */
export type FeedStatus = VenueStatus['state'];

/** Model metadata, part of every answer. */
export type Trust = Pick<Status, 'model' | 'priorOnly' | 'fit' | 'grade'>;

/** What a map or a status message reports of the model and its data. */
export type Reported = Trust & Pick<Status, 'venues' | 'source' | 'note'>;

/** An answer about a time and a price: without them it cannot be shown. */
export type Priced<T> = T & { price: number; mark: number; asOf: number };

/**
 * Cells column by column: column i at [i*rows, (i+1)*rows), row 0 the lowest price; and five
 * numbers of `ohlc` per column, NaN without data.
 */
export type MapSnapshot = Priced<
  Omit<HeatmapAnswer, 'kind' | 'age' | 'mode' | 'coverage' | 'coding'>
> & {
  /**
   * Whether cells are a difference of two models (see `grid/difference.ts`) rather than dollars.
   */
  difference?: boolean;
};
export type Levels = Priced<LevelsAnswer>;
export type Bars = Pick<BarsAnswer, 'reach' | 'long' | 'short' | 'ratio' | 'bands'>;
export type Cumulative = Pick<CumulativeAnswer, 'distance' | 'notional' | 'low' | 'high'>;
export type ByVenue = Pick<VenuesAnswer, 'p0' | 'dp' | 'rows' | 'venues'>;
