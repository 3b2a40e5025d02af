"""Which of several predictors is shown: the one that has missed least, if that is no accident.

A few violent hours hold most of the volume, so most of the deviance. Whoever was luckiest in them
leads; on real data, following the leader was worse than staying with any one candidate. So the
lead must be large against how much the hourly differences vary.
"""

from __future__ import annotations

import math

import numpy as np

from powderkeg.events import Floats

LEAD = 0.03
"""How much less deviance, as a fraction, it takes to be shown instead: the map must not flicker."""
SURE = 1.1
"""Standard errors that the mean hourly difference must be away from zero. Above one: a single hour
that differs, however much, is exactly one."""


def deviance(actual: Floats, expected: Floats, floor: float) -> float:
    """Return the summed Poisson deviance of volumes (n,), >= 0; zero where they are equal.

    What is expected counts as `floor` at least: an hour of which nothing was said is not infinitely
    wrong.
    """
    mean = np.maximum(expected, max(floor, 1e-300))
    ratio = np.where(actual > 0, np.maximum(actual, 1e-300) / mean, 1.0)
    return float(2 * (actual * np.log(ratio) - actual + mean).sum())


class Contest:
    """Deviances of predictors that said something of the same hours."""

    __slots__ = ("hours", "products", "shown", "sums")

    def __init__(self, entrants: int, shown: int) -> None:
        """Show one of so many entrants."""
        self.shown = shown
        self.hours = 0
        self.sums = np.zeros(entrants)
        """Deviance of each so far."""
        self.products = np.zeros((entrants, entrants))
        """Sum of the products of every two, for the variance of their difference."""

    def add(self, deviances: list[float]) -> None:
        """Take how far each was from the truth of an hour."""
        row = np.array(deviances)
        self.hours += 1
        self.sums += row
        self.products += np.outer(row, row)

    def choose(self) -> None:
        """Show the leader, if it leads by enough and surely."""
        leader = int(self.sums.argmin())
        if leader == self.shown or self.hours < 2:
            return
        lead = float(self.sums[self.shown] - self.sums[leader])
        if lead >= LEAD * self.sums[self.shown] and lead > SURE * self._error(leader):
            self.shown = leader

    def _error(self, other: int) -> float:
        """Return the standard error of the summed difference between the one shown and another."""
        i, j, n = self.shown, other, self.hours
        square = self.products[i, i] + self.products[j, j] - 2 * self.products[i, j]
        mean = (self.sums[i] - self.sums[j]) / n
        return math.sqrt(max(float(square) - n * mean**2, 0.0) * n / (n - 1))
