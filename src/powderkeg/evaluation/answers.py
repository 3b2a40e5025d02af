"""What is answered of a map's accuracy, field by field; the docstrings are published in the API."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

from powderkeg.engine.calibration.pooling import PretrainedWeights
from powderkeg.evaluation.published import Published
from powderkeg.events import PositionSide

Verdict: TypeAlias = Literal["edge shown", "no edge shown", "too few hours"]


class Pretrained(Struct, frozen=True):
    """Where weights were learned that a market did not learn itself."""

    market: str
    """Market they were learned on, in words."""
    since: int
    """Start of the data, µs UTC."""
    until: int
    """End of the data, µs UTC, exclusive."""
    reports: float
    """Effective number of liquidations learned from."""
    version: int
    """Version of the model they belong to."""


def pretrained_of(weights: PretrainedWeights) -> Pretrained:
    """Return where weights come from."""
    return Pretrained(
        weights.market, weights.since, weights.until, weights.reports, weights.version
    )


class SkillScore(Struct, frozen=True):
    """Skill over a null model, with its 95 % interval by resampling whole days."""

    value: float | None
    """Fraction: one minus our deviance over the null model's; null where nothing was reported."""
    low: float | None
    """Low end of the 95 % interval, a fraction; null below three days."""
    high: float | None
    """High end of the 95 % interval, a fraction; null below three days."""
    n: int
    """Number of hours compared."""


class Deviances(Struct, frozen=True):
    """Mean Poisson deviance of an hour and side over the mean volume; 0 is perfect."""

    ours: float | None
    """Ratio for our map; null where nothing was reported."""
    path_only: float | None
    """Ratio for the map of the path alone; null where it is not known for every hour."""
    no_map: float | None
    """Ratio for no map; null where it is not known for every hour."""
    static: float | None
    """Ratio for the static map; null where it is not known for every hour."""


class BandCoverage(Struct, frozen=True):
    """How often the 80 % band held what was liquidated."""

    value: float | None
    """Fraction of hours and sides inside their band; null where there are none."""
    n: int
    """Number of hours and sides."""


class ReliabilityGroup(Struct, frozen=True):
    """One of ten groups of hours and sides of like prediction."""

    predicted: float
    """Mean dollars an hour and side that were predicted."""
    actual: float
    """Mean dollars an hour and side that were liquidated."""
    n: int
    """Number of hours and sides."""


class Reporting(Struct, frozen=True):
    """How much of what is liquidated a market's feed reports."""

    share: float
    """Fraction of liquidations reported."""
    low: float
    """Low end of its 80 % band, a fraction."""
    high: float
    """High end of its 80 % band, a fraction."""
    measured: bool
    """Whether it was measured against complete feeds."""
    sampled: bool
    """Whether the feed is a sample."""


class TierSize(Struct, frozen=True):
    """What stands in one tier of one side now."""

    side: PositionSide
    """Whose positions."""
    tier: int
    """Effective leverage, a number."""
    size: float
    """Base coin."""
    low: float
    """Low end of the 80 % band, base coin."""
    high: float
    """High end of the 80 % band, base coin."""
    measured: float | None
    """Fraction that is measured rather than prior; null where nothing stands."""


class Figures(Struct, frozen=True, kw_only=True):
    """Scores of one market's hours; null where there is too little data."""

    hours: int
    """Number of hours scored."""
    since: int | None
    """Start of the first hour, µs UTC; null where there is none."""
    until: int | None
    """End of the last hour, µs UTC; null where there is none."""
    deviance: Deviances
    """Of our map and of each null model."""
    skill_over_path_only: SkillScore
    """Over a map of the path alone."""
    skill_over_no_map: SkillScore
    """Over no map."""
    skill_over_static: SkillScore
    """Over the static map."""
    verdict: Verdict
    """An edge is shown where all three intervals lie above zero."""
    predicted_over_reported: float | None
    """Ratio of the volume predicted to the volume reported; null where nothing was reported."""
    coverage_80: BandCoverage
    """Of the 80 % band."""
    reliability: list[ReliabilityGroup]
    """Up to ten groups of rising prediction."""


class MarketScores(Figures, frozen=True, kw_only=True):
    """Scores of one market, and the model behind its map."""

    coin: str
    """The coin."""
    market: str
    """The market, as venue:SYMBOL."""
    venue: str
    """Its venue."""
    price: float | None
    """Mark price, quote currency, at which `reliability` is in dollars; null where not known."""
    fitted: int | None
    """Time of the last fit, µs UTC; null before the first."""
    new_liquidations: int
    """Number of liquidation reports that were new to the last fit."""
    events: int
    """Number of liquidation reports so far."""
    prior_only: bool
    """Whether nothing has been learned yet."""
    version: int
    """Version of the model."""
    basis: str
    """Name of its classes."""
    window_days: float
    """Number of days it learns from."""
    reports: float
    """Effective number of liquidations learned from."""
    pretrained: Pretrained | None
    """Where its weights come from; null once it has its own."""
    model_error: float
    """Standard deviation of the log of the model error, a ratio."""
    oi_cap_factor: list[float]
    """Factor of longs and of shorts that holds the map within open interest."""
    reporting: Reporting | None
    """How much its feed reports; null where the venue reports none."""
    tiers: list[TierSize]
    """What stands now, by side and tier."""


class LedgerScores(Figures, frozen=True, kw_only=True):
    """Scores of one market from the maps that were kept in a store's folder."""

    market: str
    """The market, as venue:SYMBOL."""
    venue: str
    """Its venue."""
    maps: int
    """Number of maps kept."""
    versions: list[int]
    """Versions of the model among them."""


class NullModels(Struct, frozen=True):
    """What each null model is, in words."""

    path_only: str
    """The map of the path alone."""
    no_map: str
    """No map."""
    static: str
    """The static map."""


class Explanations(Struct, frozen=True, kw_only=True):
    """What scores mean, and what they cannot say."""

    caution: str
    """What a map is not."""
    blind_spots: list[str]
    """What the model cannot know, a sentence each."""
    nulls: NullModels
    """The null models."""
    published: Published
    """Scores on stored data."""


class Scores(Explanations, frozen=True, kw_only=True):
    """Accuracy of the maps of now so far."""

    markets: list[MarketScores]
    """One object per market."""


class Ledger(Explanations, frozen=True, kw_only=True, tag_field="kind", tag="ledger"):
    """Accuracy of the maps that were kept in a store's folder."""

    notes: list[str]
    """What could not be read, a sentence each."""
    markets: list[LedgerScores]
    """One object per market."""
