"""The scorecard that is shipped with the model, field by field: what stored data said of it."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct, field


class RecallShare(Struct, frozen=True):
    """How much lies in the densest tenth of the range that was within reach."""

    share: float
    """Fraction of all."""
    interval: tuple[float, float]
    """95 % interval, fractions."""
    above: dict[str, tuple[float, float]] = {}
    """95 % interval of the difference to each other map, fractions."""


class RecallMap(Struct, frozen=True):
    """Recall of liquidations by one map."""

    volume: RecallShare
    """Of the volume liquidated."""
    events: RecallShare
    """Of the number of liquidations."""
    bits: float
    """Information gain, number of bits a liquidation."""


class Recall(Struct, frozen=True, kw_only=True, tag_field="kind", tag="recall"):
    """Recall of single liquidations by each map."""

    coin: str
    """The coin."""
    bars: str
    """Market of the bars."""
    list: str
    """Market of the liquidations."""
    bankruptcy_gap: float
    """Fraction of price from the bankruptcy price to the liquidation price."""
    start: int = field(name="from")
    """First liquidation, µs UTC."""
    to: int
    """Last liquidation, µs UTC."""
    events: int
    """Number of liquidations."""
    scored: int
    """Number of them scored."""
    outside: int
    """Number of them outside of the range within reach."""
    outside_volume: float
    """Fraction of the volume outside of that range."""
    blocks: int
    """Number of blocks of time resampled."""
    maps: dict[str, RecallMap]
    """Of each map by its name."""


class PublishedHours(Struct, frozen=True, tag_field="kind", tag="hours", kw_only=True):
    """Scores of hours on stored data, mean Poisson deviances over the mean volume."""

    source: str
    """Name of the source file."""
    coin: str
    """The coin."""
    hours: int
    """Number of hours scored."""
    since: str
    """First hour, ISO 8601, UTC."""
    until: str
    """Last hour, ISO 8601, UTC."""
    poisson_deviance: float
    """Ratio for our map."""
    poisson_deviance_causal: float | None = None
    """Ratio for our map, volume known when the hour began; null where not computed."""
    poisson_deviance_strict: float | None = None
    """Ratio for our map, all known when the hour began; null where not computed."""
    path_only_deviance: float | None = None
    """Ratio for the map of the path alone; null in older scorecards."""
    no_map_deviance: float
    """Ratio for no map."""
    static_deviance: float
    """Ratio for the static map."""
    predicted_over_reported: float | None = None
    """Ratio of the volume predicted to the volume reported."""
    verdict_over_path_only: str = ""
    """Whether an edge over the map of the path alone is shown."""
    blocks_ahead_of_path_only: tuple[int, int] | None = None
    """Number of blocks of days ahead of the path alone, and number of all blocks."""
    path_only_minus_ours: tuple[float, float] | None = None
    """95 % interval of the difference of both ratios."""
    recall: Recall | None = None
    """Recall of single liquidations by each map; null where there is no list of them."""


class PublishedFirstDays(Struct, frozen=True, tag_field="kind", tag="first_days", kw_only=True):
    """Scores of a market's first days, mean Poisson deviances over the mean volume."""

    source: str
    """Name of the source file."""
    coin: str
    """The coin."""
    first_day_prior: float
    """Ratio on the first day on pretrained weights."""
    first_day_learning: float
    """Ratio on the first day, learning from the first hour."""
    days_4_7: float
    """Ratio on days four to seven, learning."""
    prior_until: str
    """End of the data that the weights were pretrained on, ISO 8601, UTC."""


class PublishedRecall(Struct, frozen=True, tag_field="kind", tag="recall"):
    """Recall of single liquidations on stored data."""

    source: str
    """Name of the source file."""
    coin: str
    """The coin."""
    recall: Recall
    """Recall by each map."""


class PublishedClosedWorld(Struct, frozen=True, tag_field="kind", tag="closed_world"):
    """Scores against all positions of a venue."""

    source: str
    """Name of the source file."""
    coin: str
    """The coin; empty where several are pooled."""
    emd: float
    """Earth mover's distance to the truth, % of price."""
    emd_naive: float
    """Earth mover's distance of the naive map to the truth, % of price."""
    emd_ratio_to_naive: float
    """Ratio of both."""
    interval: tuple[float, float]
    """95 % interval of that ratio."""
    overlap: float
    """Fraction in common with the truth, both scaled to one."""


PublishedScore: TypeAlias = (
    PublishedHours | PublishedFirstDays | PublishedRecall | PublishedClosedWorld
)


class PublishedAnswer(Struct, frozen=True, kw_only=True):
    """A hypothesis test on stored data, with its placebo."""

    source: str
    """Name of the source file."""
    coin: str
    """The coin."""
    question: str
    """Name of the question."""
    n: int
    """Number of cases."""
    value: float | None
    """Value of the statistic, a ratio or a count as `note` says."""
    placebo: float | None
    """Value of the statistic for the placebo, a ratio or a count as well."""
    low: float | None
    """Low end of the 95 % interval of their difference, a ratio or a count as well."""
    high: float | None
    """High end of the 95 % interval of their difference, a ratio or a count as well."""
    verdict: str
    """Whether an edge is shown."""
    note: str = ""
    """What the statistic is, and what else there is to know."""


class Published(Struct, frozen=True):
    """What stored data said of this model, as shipped with it."""

    version: int
    """Version of the model."""
    scores: list[PublishedScore]
    """Scores by source."""
    answers: list[PublishedAnswer]
    """Hypothesis tests."""
