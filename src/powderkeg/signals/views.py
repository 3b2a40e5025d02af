"""The signals as an answer: episodes with their evidence, plan, score and base rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice
from typing import Annotated, Any, Final, Literal, TypeAlias

from msgspec import Meta, Struct

from powderkeg.events import SECOND, PositionSide
from powderkeg.maps.field_types import OptionalFloat
from powderkeg.maps.flow.queries import FlowQuery
from powderkeg.maps.flow.views import FlowViewSpec
from powderkeg.signals.coin import CoinSignals
from powderkeg.signals.contract import Episode, Evidence, Kind, Place
from powderkeg.signals.observe.explain import Explanation, WickQuery, explained
from powderkeg.signals.outcomes.base_rate import QUESTIONS, BaseRate, base_rate
from powderkeg.signals.outcomes.known import known
from powderkeg.signals.outcomes.statistics import (
    MonthCount,
    ReliabilityBin,
    TouchCount,
    by_month,
    reliability,
    touch_counts,
)
from powderkeg.signals.outcomes.touches import Touch
from powderkeg.signals.specs import ahead, has_failed
from powderkeg.signals.thresholds import DEFAULT

Category: TypeAlias = Literal["location", "fuel", "flow", "book", "crowd"]
WEIGHTS: Final[dict[Category, float]] = {
    "location": 20, "fuel": 20, "flow": 20, "book": 30, "crowd": 10,
}  # fmt: skip
"""Of the score: how much each kind of evidence counts."""
CATEGORIES: Final[dict[str, Category]] = {
    "distance": "location", "minutes closing": "location", "cluster away by": "location",
    "cluster": "fuel", "fired, estimated": "fuel", "gap 1 carries": "fuel",
    "gap 2 carries": "fuel", "gap 3 carries": "fuel",
    "5-minute volume": "flow", "takers towards it": "flow", "spot delta, deviations": "flow",
    "absorption ratio": "book", "refill": "book", "refilling for": "book", "taken": "book",
    "crowd: funding": "crowd", "crowd": "crowd", "crowding index": "crowd", "funding": "crowd",
}  # fmt: skip
"""Kind of each evidence by its name; what is not here does not count."""


class SignalsQuery(FlowQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Episodes of a coin."""

    limit: Annotated[int, Meta(ge=1, le=500)] = 100
    """Ended episodes and touches returned, the newest of each."""
    type: str = ""
    """Only this kind of signal; empty means all."""
    id: str = ""
    """Only this episode; empty means all."""


class TransitionRow(Struct, frozen=True):
    """An episode entered a state."""

    state: str
    """Its name."""
    time: int
    """Event time, µs UTC."""
    price: float
    """Last price, quote currency."""
    evidence: list[Evidence]
    """What led to it."""


class PlanRow(Struct, frozen=True):
    """Prices of a trade that an episode describes: geometry, not advice."""

    side: PositionSide
    """Side of the position."""
    entry: float
    """Quote currency."""
    stop: float
    """Quote currency, beyond the far edge of the cluster."""
    target: OptionalFloat
    """Quote currency, in the next opposing cluster; null where there is none."""
    reward: OptionalFloat
    """Gross reward over risk, a ratio; null without a target."""


class EpisodeRow(Struct, frozen=True, kw_only=True):
    """One episode."""

    id: str
    """Its identity: the same in every replay."""
    type: Kind
    """Which signal."""
    state: str
    """State now, or its last."""
    open: bool
    """Whether it has not ended."""
    failed: bool
    """Whether it ended otherwise than it set out."""
    ahead: list[str]
    """States left on its usual way, in order; none once it has ended."""
    begun: int
    """Time of its first state, µs UTC."""
    since: int
    """Time of its state now, µs UTC."""
    expires: int
    """Time at which it ends by itself, µs UTC."""
    cluster: Place | None
    """The cluster as it stood when price came near; null for signals of the whole coin."""
    links: list[Place]
    """The clusters of a chain, nearest first."""
    transitions: list[TransitionRow]
    """Its states, in order of time."""
    evidence: list[Evidence]
    """Of the last reading."""
    age: float
    """Seconds since that reading."""
    score: OptionalFloat
    """Weighted evidence that is met, a number up to 100: a ranking, not a probability."""
    plan: PlanRow | None
    """The trade it describes; null where it describes none."""
    base_rate: BaseRate | None
    """What became of others like it; null where it asks no question."""


class Statistic(Struct, frozen=True):
    """What became of all episodes of one signal."""

    type: Kind
    """Which signal."""
    rate: BaseRate
    """Its base rate."""


class Signals(Struct, frozen=True, kw_only=True):
    """Episodes of a coin: open ones, then ended ones, each newest first."""

    episodes: list[EpisodeRow]
    """Failed and expired ones stay."""
    statistics: list[Statistic]
    """Base rates of the signals that ask a question."""
    months: list[MonthCount]
    """The same by month."""
    reliability: list[ReliabilityBin]
    """Whether base rates came true that were said beforehand, all signals together."""
    touches: list[Touch]
    """What became of large clusters that price came to, newest first."""
    touched: list[TouchCount]
    """How many of them had each outcome, beside levels without a cluster."""
    followed: int
    """Number of clusters that are followed; those of now unless a past time is played back."""
    version: int
    """Version of the thresholds."""


def score(evidence: tuple[Evidence, ...]) -> float:
    """Return the share of the weighted evidence that is met, 0 to 100; NaN of none."""
    kinds: dict[Category, list[bool]] = {}
    for each in evidence:
        if (category := CATEGORIES.get(each.name)) and not math.isnan(each.value):
            kinds.setdefault(category, []).append(each.met)
    total = sum(WEIGHTS[category] for category in kinds)
    met = sum(WEIGHTS[category] * sum(each) / len(each) for category, each in kinds.items())
    return 100 * met / total if total else math.nan


def _plan(episode: Episode) -> PlanRow | None:
    plan = episode.plan
    return None if plan is None else PlanRow(
        plan.side, plan.entry, plan.stop, plan.target, plan.reward
    )  # fmt: skip


def episode_row(episode: Episode, rate: BaseRate | None, now: int, *, is_open: bool) -> EpisodeRow:
    """Return an episode, beside what became of others like it, as it is shown at `now`, µs."""
    return EpisodeRow(
        id=episode.id,
        type=episode.kind,
        state=episode.state,
        open=is_open,
        failed=has_failed(episode.kind, episode.state),
        ahead=ahead(episode) if is_open else [],
        begun=episode.begun,
        since=episode.since,
        expires=episode.expires,
        cluster=episode.place,
        links=list(episode.links),
        transitions=[
            TransitionRow(t.state, t.time, t.price, list(t.evidence)) for t in episode.transitions
        ],
        evidence=list(episode.evidence),
        age=max(now - episode.read_at, 0) / SECOND,
        score=score(episode.evidence),
        plan=_plan(episode),
        base_rate=rate,
    )


def signals_of(signals: CoinSignals, query: SignalsQuery, now: int) -> Signals:
    """Return the episodes of a coin.

    Args:
        signals: The coin's.
        query: Which of them.
        now: µs; a time that is asked for comes before it.
    """
    now, then = query.at or now, known(signals, query.at)
    rates: dict[Kind, BaseRate | None] = {
        kind: base_rate(kind, then.outcomes) for kind in QUESTIONS
    }

    def rows(episodes: Sequence[Episode], most: int | None, *, is_open: bool) -> list[EpisodeRow]:
        chosen = (e for e in episodes if query.type in ("", e.kind) and query.id in ("", e.id))
        return [
            episode_row(each, rates.get(each.kind), now, is_open=is_open)
            for each in islice(chosen, most)
        ]

    opened = rows(then.opened, None, is_open=True)
    return Signals(
        episodes=opened + rows(then.ended, query.limit, is_open=False),
        statistics=[Statistic(kind, rate) for kind, rate in rates.items() if rate is not None],
        months=by_month(then.outcomes.cases),
        reliability=reliability(then.outcomes.cases),
        touches=[t for t in reversed(then.touches) if not t.placebo][: query.limit],
        touched=touch_counts(then.touches),
        followed=len(signals.zones.standing),
        version=DEFAULT.version,
    )


def _of_coin(coin: Any, query: SignalsQuery, _: None) -> Signals:
    return signals_of(coin.signals, query, coin.now)


SIGNAL_VIEWS: Final = {
    "signals": FlowViewSpec(SignalsQuery, Signals, _of_coin, keeps_past=True, graded=True),
    "wick": FlowViewSpec(WickQuery, Explanation, lambda coin, query, _: explained(coin, query)),
}
"""Views by the name they have in the address."""
