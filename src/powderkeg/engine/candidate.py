"""One of the candidates that compete for a market: a basis, a closing hazard, and what it learned.

A candidate learns from a window of its records. The one shown tries three windows at once and is
shown with the one that has predicted best; the others wait with the usual one.
"""

from __future__ import annotations

from msgspec import Struct

from powderkeg.engine import weights as w
from powderkeg.engine.exposure import Exposure, Spec
from powderkeg.engine.family import Lesson, centre
from powderkeg.engine.kernels import DEPOSITED
from powderkeg.engine.sweeps import KEPT, QUARTER, Deaths, Hours, Sweeps, tally
from powderkeg.events import DAY, HOUR, SECOND, Floats

CANDIDATES = tuple(
    Spec(basis, m) for basis in ("generic-16", "sharp-10-broad-6") for m in (0.5, 1.0, 2.5, 5.0)
)
FIRST = 1
"""The candidate shown before anything has died: generic, multiplier one, best on real BTC."""
WINDOWS = (7 * DAY, 21 * DAY, KEPT)
USUAL = 1
"""21 days: 14 is as good, 7 and 60 are worse on real BTC."""


class Taught(Struct, frozen=True, eq=False):
    """What a fit is made from, the same for all candidates of a market."""

    at: int
    """µs before which records count."""
    market: str
    deaths: Deaths
    lessons: list[Lesson]
    """Of all markets."""
    share: float
    """Of what dies that this market is told."""
    dispersion: float
    events: int


class Candidate:
    """One exposure table with its sweeps, weights and record of predictions."""

    __slots__ = ("exposure", "fits", "hours", "shares", "sweeps")

    def __init__(self, exposure: Exposure, venue: str) -> None:
        self.exposure = exposure
        self.shares = w.shares(exposure.basis, venue)
        self.sweeps = Sweeps()
        self.hours = Hours()
        self.fits: list[w.Fit | None] = [None] * len(WINDOWS)

    def take(self, records: Floats) -> None:
        """Remember what was crossed."""
        if not len(records):
            return
        slots, crossed = tally(records)
        for i, slot in enumerate(slots.tolist()):
            self.sweeps.add(slot * QUARTER, crossed[i])
            self.hours.add(slot, crossed[i])

    def prior(self, elapsed: float) -> Floats:
        """Return the prior (2, 16) under the rate of opening seen in `elapsed` seconds."""
        rate = self.exposure.ledger[DEPOSITED, :, 0] / elapsed
        return w.prior(self.shares, self.interest(elapsed), rate, self.exposure.hazards)

    def interest(self, elapsed: float) -> float:
        """Return open interest; where none was told, what opens in twelve hours."""
        if self.exposure.oi > 0:
            return self.exposure.oi
        return float(self.exposure.ledger[DEPOSITED, :, 0].sum()) / elapsed * 12 * HOUR / SECOND

    def learn(self, taught: Taught, prior: Floats, window: int, index: int) -> None:
        """Refit one window, as candidate `index`, from its prior (2, 16)."""
        at = taught.at
        crossed, died = taught.deaths.rows(self.sweeps, at - WINDOWS[window], at)
        if not len(crossed) or not self.exposure.ledger[DEPOSITED].any():
            return
        oi = self.exposure.oi if self.exposure.oi > 0 else 1.0
        middle = w.raised(prior, crossed, died, oi)
        if taught.lessons:
            middle = taught.share * centre(
                taught.lessons, taught.market, index, middle / taught.share
            )
        last = self.fits[window]
        self.fits[window] = w.fit(
            crossed, died, middle, oi, start=None if last is None else last.weights,
            dispersion=taught.dispersion, events=taught.events,
        )  # fmt: skip
