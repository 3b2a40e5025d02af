"""Which time it is, where the system's clock and the venues' do not agree.

Venues are a crowd: what most of them say is believed, over one of them and over the system.
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
"""µs within which clocks count as one: answers may be late, and so may we."""
WRONG: Final = MINUTE
"""µs by which system time must be off at a start for the venues to be believed against it."""
SLEW: Final = 0.01
"""µs of correction a µs of time: nothing that rests on our time sees a step."""
LEAD: Final = 5 * SECOND
"""µs the maps may be ahead of time: less is the network's and the venues' own disorder."""


def crowd(told: Iterable[int], venues: int) -> int | None:
    """Return how far venues say their time is ahead of ours, µs; None where too few agree.

    Args:
        told: What each venue that was heard of late says, µs.
        venues: How many there are: two must have been heard, or the only one.
    """
    votes = list(told)
    if len(votes) < min(2, venues) or not votes:
        return None
    middle = median_low(votes)
    near = sum(abs(vote - middle) <= AGREE for vote in votes)
    return middle if 2 * near > len(votes) else None


def settled(told: dict[str, int], venues: int) -> bool:
    """Tell whether it is known which time it is, before anything else is.

    Args:
        told: By how much each venue that answered is ahead of us, µs.
        venues: How many are asked.
    """
    confirmed = any(abs(ahead) <= WRONG for ahead in told.values())
    return confirmed or crowd(told.values(), venues) is not None


def settle(told: dict[str, int], venues: int) -> int:
    """Set our clock by the venues' where they say system time is off by more than a minute.

    Returns:
        µs by which our time was moved; 0 almost always.
    """
    ahead = crowd(told.values(), venues)
    if ahead is None or abs(ahead) <= WRONG:
        return 0
    clock.CLOCK.move(ahead)
    return ahead


class Discipline:
    """Keeps our clock right while the venues speak, and says when the system's is not."""

    def __init__(self, health: Health, venues: int) -> None:
        """Listen to `venues` venues."""
        self._health = health
        self._venues = venues
        self._agreed = False
        """Whether the crowd has spoken since the start: from then on our time is right."""
        self._looked = clock.steady()
        self._wrong = 0
        """How far system time was off when that was told, µs."""
        self._lead = False

    def check(self, newest: int) -> None:
        """Look at all clocks, and move ours where it must be.

        Args:
            newest: The time at which the map stands that is furthest ahead, µs.
        """
        ahead, drift = self._crowd(), clock.CLOCK.drift()
        step = self._step(ahead, drift)
        if step:
            clock.CLOCK.move(step)
            self._health.moved(clock.now())
        else:
            self._slew(ahead, drift)
        self._agreed = self._agreed or ahead is not None
        self._tell(known=ahead is not None)
        self._tell_lead(newest - clock.now())

    def _crowd(self) -> int | None:
        told = [offset.ahead(clock.now()) for offset in self._health.offsets.values()]
        return crowd((each for each in told if each is not None), self._venues)

    def _step(self, ahead: int | None, drift: int) -> int:
        """Return how far our time is off, µs: where it is known what is right, and we are not."""
        if ahead is None:
            heard = self._agreed or self._health.offsets
            return drift if abs(drift) > AGREE and not heard else 0
        if abs(drift - ahead) <= AGREE < abs(drift):
            return drift
        return ahead if abs(ahead) > WRONG and not self._agreed else 0

    def _slew(self, ahead: int | None, drift: int) -> None:
        """Follow the system slowly; against the venues nobody is followed but they."""
        at, before = clock.steady(), self._looked
        self._looked = at
        most = round((at - before) * SLEW)
        if ahead is None or abs(drift - ahead) <= AGREE:
            clock.CLOCK.move(max(-most, min(most, drift)))
        elif abs(ahead) > AGREE:
            clock.CLOCK.move(max(-most, min(most, ahead)))

    def _tell(self, *, known: bool) -> None:
        """Say once that the system's clock is off, and once that it is right again."""
        drift = clock.CLOCK.drift()
        if abs(drift) > AGREE:
            used = "the venues' time is used" if known else "time goes on as it was before"
            words = f"the system clock is off by {drift / SECOND:+.0f} s: {used}"
            self._health.problems["clock"] = words
            if abs(drift - self._wrong) > AGREE:
                self._wrong = drift
                self._health.counts["clock", "jumps"] += 1
                log.warning("system_clock_off", seconds=round(drift / SECOND, 3), action=used)
        elif self._wrong:
            self._wrong = 0
            self._health.problems.pop("clock", None)
            log.info("system_clock_correct")

    def _tell_lead(self, lead: int) -> None:
        """Say that a map is ahead of time: it stands still until time has come there."""
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
