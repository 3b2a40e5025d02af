"""What the signals of a coin know: now, or as it was known at an earlier time.

Nothing is taken away from the outcomes, and an episode keeps the evidence of each of its states, so
the past is what they hold up to that time.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

from msgspec import Struct

from powderkeg.signals.coin import CoinSignals
from powderkeg.signals.contract import Episode
from powderkeg.signals.outcomes.base_rate import Outcomes
from powderkeg.signals.outcomes.touches import Touch


class Known(Struct, frozen=True):
    """Episodes and outcomes at one time."""

    opened: Sequence[Episode]
    """Those that have not ended, newest state first."""
    ended: Sequence[Episode]
    """Those that have, newest first."""
    outcomes: Outcomes
    """What became of them."""
    touches: Sequence[Touch]
    """Of large clusters, and of levels without one, by when price had left them."""


def known(signals: CoinSignals, at: int = 0) -> Known:
    """Return what is known, or what was known at a time, µs.

    The evidence of an open episode is kept for its states only: of a past time it is that which led
    to its last state.
    """
    opened, ended = signals.open(), list(reversed(signals.ended))
    if not at:
        return Known(opened, ended, signals.outcomes, signals.touches)
    then = [_as_of(each, at) for each in (*opened, *ended) if each.begun <= at]
    done = {each.id for each in ended if each.since <= at}
    return Known(
        sorted((e for e in then if e.id not in done), key=lambda e: (-e.since, e.id)),
        [e for e in then if e.id in done],
        signals.outcomes.until(at),
        [touch for touch in signals.touches if touch.ended <= at],
    )


def _as_of(episode: Episode, at: int) -> Episode:
    """Return an episode as it stood; one that has not moved since is returned as it is."""
    if episode.since <= at and episode.read_at <= at:
        return episode
    then = copy(episode)
    then.transitions = [move for move in episode.transitions if move.time <= at]
    reading = next((move for move in reversed(then.transitions) if move.evidence), None)
    then.evidence, then.read_at = (reading.evidence, reading.time) if reading else ((), then.since)
    if then.plan is not None and then.plan.time > at:
        then.plan = None
    return then
