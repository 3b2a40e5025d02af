"""Resting whales, and what walls have in common with others that ended: repeated, layered.

A resting whale is a wall among the largest half percent of all walls seen, once it has stood for a
minute. Pulled walls of one side and size within ten minutes are repeated; walls of about one size
that vanish within a second were layered. Both describe the book: why orders were cancelled cannot
be seen.

Source: docs/orderflow.md, "Whales".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np
from msgspec import Struct

from powderkeg.events import Floats
from powderkeg.flow.books.walls import Wall
from powderkeg.flow.thresholds import DEFAULT, PullRules, WhaleRules


class Whale(Struct, frozen=True):
    """A resting whale."""

    wall: Wall
    notional: float
    """What it shows now, quote currency."""
    threshold: float
    """Notional from which a wall is a whale, quote currency."""


class RestingWhales:
    """Resting whales among the walls of all books of a coin."""

    __slots__ = ("_known", "_notionals", "rules")

    def __init__(self, rules: WhaleRules = DEFAULT.whales) -> None:
        """Start without walls."""
        self.rules = rules
        self._known: dict[tuple[int, int, int, int], None] = {}
        """Walls that stand and have been counted: book, side, step, since."""
        self._notionals: deque[float] = deque(maxlen=rules.memory)
        """Of walls when first seen standing, quote currency, newest last."""

    @property
    def threshold(self) -> float | None:
        """Notional from which a wall is a whale, quote currency; None until enough are known."""
        if len(self._notionals) < self.rules.warm_up:
            return None
        return float(np.quantile(np.array(self._notionals), self.rules.quantile))

    def frame(self, standing: Iterable[Wall], steps: Floats, now: int) -> list[Whale]:
        """Count walls that are new, and return the whales among those that stand.

        Args:
            standing: All walls that stand.
            steps: Height of a step of each book, quote currency, shape (books,).
            now: µs.
        """
        walls = list(standing)
        sizes = [wall.size * wall.step * float(steps[wall.book]) for wall in walls]
        keys = [(wall.book, wall.side, wall.step, wall.since) for wall in walls]
        self._notionals.extend(
            size for key, size in zip(keys, sizes, strict=True) if key not in self._known
        )
        self._known = dict.fromkeys(keys)
        threshold = self.threshold
        if threshold is None:
            return []
        return [
            Whale(wall, size, threshold)
            for wall, size in zip(walls, sizes, strict=True)
            if size >= threshold and now - wall.since >= self.rules.persist
        ]


class WallEnd(Struct, frozen=True):
    """A wall that ended, and how many ended like it."""

    time: int
    """µs."""
    wall: Wall
    repeats: int
    """Pulls of its book, side and size up to it, itself included; 0 where it was not pulled."""
    layers: int
    """Walls of about its size that vanished with it, itself included; 0 where it was traded."""
    repeated: bool
    layered: bool


def wall_ends(ended: Sequence[tuple[int, Wall]], rules: PullRules = DEFAULT.pulls) -> list[WallEnd]:
    """Return what walls that ended have in common.

    Args:
        ended: Times, µs, rising, and walls.
        rules: Thresholds.
    """
    return [_described(ended, n, rules) for n in range(len(ended))]


def _described(ended: Sequence[tuple[int, Wall]], n: int, rules: PullRules) -> WallEnd:
    time, wall = ended[n]
    alike = [(at, each) for at, each in ended if (each.book, each.side) == (wall.book, wall.side)]
    repeats = _repeats(alike, time, wall, rules) if wall.end == "pulled" else 0
    layers = _layers(alike, time, wall, rules) if wall.end != "traded" else 0
    return WallEnd(time, wall, repeats, layers, repeats >= rules.repeats, layers >= rules.layers)


def _repeats(alike: list[tuple[int, Wall]], time: int, wall: Wall, rules: PullRules) -> int:
    """Return how many pulls of its size there were in the minutes before, itself included."""
    return sum(
        each.end == "pulled"
        and 0 <= time - at <= rules.repeat_within
        and abs(each.peak - wall.peak) <= rules.repeat_size * wall.peak
        for at, each in alike
    )


def _layers(alike: list[tuple[int, Wall]], time: int, wall: Wall, rules: PullRules) -> int:
    """Return the most walls of about one size, this among them, that vanished within a second."""
    span = rules.layer_within
    gone = [
        (at, each.peak) for at, each in alike if each.end != "traded" and abs(at - time) <= span
    ]
    return max(
        _most_alike([peak for at, peak in gone if begin <= at <= begin + span], wall.peak, rules)
        for begin, _ in gone
        if begin <= time
    )


def _most_alike(peaks: list[float], size: float, rules: PullRules) -> int:
    """Return the most sizes around one of them whose spread over their mean is small enough."""
    ordered = np.sort(np.array(peaks))
    counts = [
        stop - start
        for start in range(len(ordered))
        for stop in range(start + 1, len(ordered) + 1)
        if ordered[start] <= size <= ordered[stop - 1]
        and _spread(ordered[start:stop]) < rules.layer_spread
    ]
    return max(counts)


def _spread(sizes: Floats) -> float:
    """Return the standard deviation over the mean."""
    return float(sizes.std() / sizes.mean())
