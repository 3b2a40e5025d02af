"""Clock discipline: keeps our time right where the system's clock and the venues' disagree.

The majority of venues is believed over any one of them and over the system.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median_low
from typing import Final

from powderkeg.events import MINUTE, SECOND
from powderkeg.live.health import Health
from powderkeg.live.timekeeping import clock
from powderkeg.live.timekeeping.future import day
from powderkeg.log import get_logger

log = get_logger("live")

AGREE: Final = 5 * SECOND
"""µs within which clocks agree: answers may be late, and so may we."""
WRONG: Final = MINUTE
"""µs by which system time must be off at a start for the venues to overrule it."""
SLEW: Final = 0.01
"""µs of correction per µs: users of our time never see a step."""
LEAD: Final = 5 * SECOND
"""µs the maps may be ahead of time: less is network and venue jitter."""


def consensus(readings: Iterable[int], venues: int) -> int | None:
    """Return how far the venues' time is ahead of ours, µs; None where too few agree.

    Args:
        readings: Recent reading of each venue, µs.
        venues: How many there are: at least two readings are needed, or that of the only one.
    """
    votes = list(readings)
    if len(votes) < min(2, venues) or not votes:
        return None
    middle = median_low(votes)
    near = sum(abs(vote - middle) <= AGREE for vote in votes)
    return middle if 2 * near > len(votes) else None


def time_is_known(readings: dict[str, int], venues: int) -> bool:
    """Return whether the current time is known, which a start needs first.

    Args:
        readings: By how much each venue that answered is ahead of us, µs.
        venues: How many are asked.
    """
    confirmed = any(abs(ahead) <= WRONG for ahead in readings.values())
    return confirmed or consensus(readings.values(), venues) is not None


def correct_clock(readings: dict[str, int], venues: int) -> int:
    """Set our clock by the venues' if system time is off by more than a minute.

    Returns:
        µs by which our time was moved; 0 almost always.
    """
    ahead = consensus(readings.values(), venues)
    if ahead is None or abs(ahead) <= WRONG:
        return 0
    clock.CLOCK.move(ahead)
    return ahead


class Discipline:
    """Keeps our clock right by the venues', and reports when the system's is wrong."""

    def __init__(self, health: Health, venues: int) -> None:
        """Use the clocks of `venues` venues."""
        self._health = health
        self._venues = venues
        self._agreed = False
        """Whether there has been a consensus since the start: from then on our time is right."""
        self._checked_at = clock.steady()
        self._reported_drift = 0
        """Drift of system time when it was last reported, µs; 0 while it is right."""
        self._lead = False

    def check(self, newest: int) -> None:
        """Compare all clocks, and correct ours.

        Args:
            newest: Time of the map that is furthest ahead, µs.
        """
        ahead, drift = self._consensus(), clock.CLOCK.drift()
        step = self._step(ahead, drift)
        if step:
            clock.CLOCK.move(step)
            self._health.clock_moved(clock.now())
        else:
            self._slew(ahead, drift)
        self._agreed = self._agreed or ahead is not None
        self._report_drift(known=ahead is not None)
        self._report_lead(newest - clock.now())

    def _consensus(self) -> int | None:
        readings = [offset.ahead(clock.now()) for offset in self._health.offsets.values()]
        return consensus((each for each in readings if each is not None), self._venues)

    def _step(self, ahead: int | None, drift: int) -> int:
        """Return the step that corrects our time, µs; 0 where it is right or the truth unknown."""
        if ahead is None:
            heard = self._agreed or self._health.offsets
            return drift if abs(drift) > AGREE and not heard else 0
        if abs(drift - ahead) <= AGREE < abs(drift):
            return drift
        return ahead if abs(ahead) > WRONG and not self._agreed else 0

    def _slew(self, ahead: int | None, drift: int) -> None:
        """Slew towards system time, or towards the venues where the two disagree."""
        at, before = clock.steady(), self._checked_at
        self._checked_at = at
        most = round((at - before) * SLEW)
        if ahead is None or abs(drift - ahead) <= AGREE:
            clock.CLOCK.move(max(-most, min(most, drift)))
        elif abs(ahead) > AGREE:
            clock.CLOCK.move(max(-most, min(most, ahead)))

    def _report_drift(self, *, known: bool) -> None:
        """Report once that the system's clock is off, and once that it is right again."""
        drift = clock.CLOCK.drift()
        if abs(drift) > AGREE:
            used = "the venues' time is used" if known else "time goes on as it was before"
            words = f"the system clock is off by {drift / SECOND:+.0f} s: {used}"
            self._health.problems["clock"] = words
            if abs(drift - self._reported_drift) > AGREE:
                self._reported_drift = drift
                self._health.counts["clock", "jumps"] += 1
                log.warning("system_clock_off", seconds=round(drift / SECOND, 3), action=used)
        elif self._reported_drift:
            self._reported_drift = 0
            self._health.problems.pop("clock", None)
            log.info("system_clock_correct")

    def _report_lead(self, lead: int) -> None:
        """Report a map that is ahead of time: it stands still until then."""
        before, self._lead = self._lead, lead > LEAD
        if self._lead:
            until = day(clock.now() + lead)
            words = f"the map stands until {until}: it holds events of the future"
            self._health.problems["map"] = words
            if not before:
                self._health.counts["map", "leads"] += 1
                log.warning("map_ahead_of_time", until=until)
        elif before:
            self._health.problems.pop("map", None)
