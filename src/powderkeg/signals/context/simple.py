"""S13: a large print, a volume spike, extreme funding, a stale feed."""

from __future__ import annotations

from powderkeg.signals.contract import CoinSignal, Episode, Evidence, Move
from powderkeg.signals.scene import Scene
from powderkeg.signals.thresholds import DEFAULT

RULES = DEFAULT.simple
DAY = DEFAULT.windows.usual


def large_print(scene: Scene) -> Move | None:
    """Report a merged print above the threshold of the day."""
    prints = scene.prints
    if not prints.largest >= prints.large:
        return None
    return Move("SEEN", (Evidence("print", prints.largest, prints.large, "dollars", met=True),))


def _spike(scene: Scene) -> tuple[Evidence, ...]:
    met = scene.volume >= RULES.volume
    return (Evidence("5-minute volume", scene.volume, RULES.volume, "multiple", met),)


def volume_spike(scene: Scene) -> Move | None:
    """Begin at three times the usual volume."""
    return Move("HEAVY", _spike(scene)) if scene.volume >= RULES.volume else None


def volume_calm(episode: Episode, scene: Scene) -> Move | None:
    """End once volume is nearer the usual."""
    del episode
    return Move("CALM", _spike(scene)) if scene.volume < RULES.calm else None


def _funding(scene: Scene) -> tuple[Evidence, ...]:
    value = scene.crowd.funding
    extreme = value >= RULES.percentile or value <= 100 - RULES.percentile
    need = RULES.percentile if value >= 50 else 100 - RULES.percentile
    return (Evidence("funding", value, need, "percentile", extreme, at_most=not value >= 50),)


def funding_extreme(scene: Scene) -> Move | None:
    """Begin where funding is extreme among its last 90 days."""
    found = _funding(scene)
    return Move("EXTREME", found) if found[0].met else None


def funding_eased(episode: Episode, scene: Scene) -> Move | None:
    """End where it is well within: a quarter of the way back."""
    del episode
    slack = 0.25 * (100 - RULES.percentile)
    value = scene.crowd.funding
    inside = 100 - RULES.percentile + slack <= value <= RULES.percentile - slack
    return Move("EASED", _funding(scene)) if inside else None


def _stale(scene: Scene) -> tuple[Evidence, ...]:
    return (Evidence("markets without data", scene.stale, 1, "count", scene.stale > 0),)


def feed_stale(scene: Scene) -> Move | None:
    """Begin where a market has gone quiet."""
    return Move("STALE", _stale(scene)) if scene.stale else None


def feed_back(episode: Episode, scene: Scene) -> Move | None:
    """End where all markets are back."""
    del episode
    return None if scene.stale else Move("BACK", _stale(scene))


def _never(episode: Episode, scene: Scene) -> Move | None:
    del episode, scene


LARGE_PRINT = CoinSignal("large_print", (), ("SEEN",), large_print, _never, DAY, RULES.cooldown)
VOLUME_SPIKE = CoinSignal(
    "volume_spike", ("HEAVY",), ("CALM",), volume_spike, volume_calm, DAY, RULES.cooldown
)
FUNDING_EXTREME = CoinSignal(
    "funding_extreme", ("EXTREME",), ("EASED",), funding_extreme, funding_eased, 7 * DAY,
    RULES.cooldown,
)  # fmt: skip
FEED_STALE = CoinSignal(
    "feed_stale", ("STALE",), ("BACK",), feed_stale, feed_back, DAY, RULES.cooldown
)
