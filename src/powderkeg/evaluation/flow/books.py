"""A synthetic order book with labelled actors: walls, pulled walls, absorbers and their opposites.

Anonymous orders come and go at random around a profile that rises with distance; takers arrive as a
Poisson process. On top of it, scripted actors: resting walls, walls that are cancelled once price
is near, and bursts of takers, half of which meet an order that refills. What each actor did is kept
apart from the book, as the truth that reads are scored against. Prices are whole steps, sizes base
coin, frames 100 ms; everything follows from the seed.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import numpy as np
from msgspec import Struct

from powderkeg.events import SECOND
from powderkeg.flow.books.window import ASK, BID, Levels

FRAME: Final = SECOND // 10
DEPTH: Final = 80
"""Steps of each side with anonymous orders."""
Kind: TypeAlias = Literal["wall", "pulled", "refilling"]


class Actor(Struct):
    """One scripted order and what became of it."""

    kind: Kind
    side: int
    step: int
    born: int
    """µs."""
    size: float
    """Base coin shown now."""
    until: int
    """µs at which it is cancelled at the latest."""
    near: int = 0
    """Steps from the best price at which a pulled wall is cancelled."""
    hidden: float = 0.0
    """Base coin it still refills with."""
    peak: float = 0.0
    """What it refills to."""
    due: int = 0
    """µs of its next refill; 0 for none."""
    ended: int = 0
    """µs at which it was gone; 0 while it stands."""
    was_pulled: bool = False
    """Whether it was cancelled because price was near."""


class Burst(Struct):
    """Twenty seconds of takers on one side."""

    start: int
    stop: int
    side: int
    """Side that is pressed: 0 bids by sellers, 1 asks by buyers."""
    absorbed: bool
    """Whether a refilling order met them."""


class SyntheticBook:
    """The book, stepped frame by frame."""

    def __init__(self, seed: int, middle: int = 10_000) -> None:
        """Start around a step."""
        self.rng = np.random.default_rng(seed)
        self.now = 0
        self.levels: list[dict[int, float]] = [{}, {}]
        """Anonymous size by step, bids and asks."""
        self.actors: list[Actor] = []
        """Those that stand."""
        self.truth: list[Actor] = []
        """All that ever stood."""
        self.bursts: list[Burst] = []
        self.trades: list[tuple[int, int, float]] = []
        """Of the last frame: resting side, step, size."""
        for d in range(1, DEPTH + 1):
            self.levels[BID][middle - d] = self._usual(d)
            self.levels[ASK][middle + d] = self._usual(d)
        self._next = {"wall": 25.0, "pulled": 30.0, "burst": 60.0}

    def _usual(self, d: int) -> float:
        base = 0.6 + 1.6 * (1 - np.exp(-d / 12))
        return float(base * self.rng.lognormal(-0.3, 0.8))

    def best(self, side: int) -> int:
        """Return the best step of a side."""
        steps = [s for s, size in self.levels[side].items() if size > 1e-9]
        steps += [a.step for a in self.actors if a.side == side and a.size > 1e-9]
        return max(steps) if side == BID else min(steps)

    def shown(self, side: int) -> Levels:
        """Return the levels of a side: prices in steps, and sizes."""
        sizes = dict(self.levels[side])
        for actor in self.actors:
            if actor.side == side and actor.size > 0:
                sizes[actor.step] = sizes.get(actor.step, 0.0) + actor.size
        known = {step: size for step, size in sizes.items() if size > 1e-9}
        return np.array(list(known), np.float64), np.array(list(known.values()), np.float64)

    def prints(self) -> Levels:
        """Return the prints of the last frame: prices in steps, and sizes, below 0 for sellers."""
        rows = [(step, size if side == ASK else -size) for side, step, size in self.trades]
        prices, sizes = np.array(rows, np.float64).reshape(-1, 2).T
        return prices, sizes

    def frame(self) -> None:
        """Advance by one frame."""
        self.trades = []
        self._script()
        rng, seconds = self.rng, FRAME / SECOND
        for _ in range(rng.poisson(6 * seconds)):
            self._take(int(rng.integers(2)), float(min(rng.lognormal(-1.2, 1.3), 25)))
        for burst in self.bursts[-1:]:
            if self.now < burst.stop:
                for _ in range(rng.poisson(1.2)):
                    self._take(burst.side, float(min(rng.lognormal(0.3, 0.9), 20)))
        self._refill()
        self._requote()
        self.now += FRAME

    # -- actors

    def _script(self) -> None:
        """Place and cancel scripted orders, and begin bursts."""
        seconds = self.now / SECOND
        for actor in list(self.actors):
            away = abs(actor.step - self.best(actor.side))
            if actor.kind == "pulled" and away <= actor.near:
                actor.was_pulled = True
                self._remove(actor)
            elif self.now >= actor.until:
                self._remove(actor)
        for kind in ("wall", "pulled"):
            if seconds >= self._next[kind]:
                self._next[kind] = seconds + float(self.rng.exponential(40))
                self._place_wall(kind)
        if seconds >= self._next["burst"]:
            self._next["burst"] = seconds + 45 + float(self.rng.exponential(15))
            self._burst()

    def _place_wall(self, kind: Kind) -> None:
        side, away = int(self.rng.integers(2)), int(self.rng.integers(8, 26))
        step = self._behind(side, away)
        if any(actor.side == side and actor.step == step for actor in self.actors):
            return  # one order a price, or nobody could say which of them went
        life = float(self.rng.uniform(40, 240))
        self._place(Actor(
            kind, side, step, self.now, float(self.rng.uniform(25, 60)),
            self.now + round(life * SECOND), near=int(self.rng.integers(2, 6)),
        ))  # fmt: skip

    def _burst(self) -> None:
        side, absorbed = int(self.rng.integers(2)), bool(self.rng.integers(2))
        self.bursts.append(Burst(self.now, self.now + 20 * SECOND, side, absorbed))
        if absorbed:
            self._place(Actor(
                "refilling", side, self._behind(side, 2), self.now, 8.0, self.now + 25 * SECOND,
                hidden=260.0, peak=8.0,
            ))  # fmt: skip

    def _behind(self, side: int, away: int) -> int:
        return self.best(side) + (-away if side == BID else away)

    def _place(self, actor: Actor) -> None:
        self.actors.append(actor)
        self.truth.append(actor)

    def _remove(self, actor: Actor) -> None:
        actor.ended = self.now
        self.actors.remove(actor)

    def _refill(self) -> None:
        for actor in list(self.actors):
            if actor.size > 1e-9:
                continue
            if not actor.hidden > 0:
                self._remove(actor)
            elif not actor.due:
                actor.due = self.now + round(0.15 * SECOND)
            elif self.now >= actor.due:
                actor.size = min(actor.peak, actor.hidden)
                actor.hidden -= actor.size
                actor.due = 0

    # -- the crowd

    def _take(self, side: int, size: float) -> None:
        """Take from the best prices of a resting side."""
        while size > 1e-9:
            step = self.best(side)
            known = self.levels[side].get(step, 0.0)
            took = min(known, size)
            if took > 0:
                self.levels[side][step] = known - took
            size -= took
            for actor in self.actors:
                if actor.side == side and actor.step == step and size > 1e-9:
                    part = min(actor.size, size)
                    actor.size -= part
                    size -= part
                    took += part
            self.trades.append((side, step, took))
            if self.levels[side].get(step, 0.0) <= 1e-9:
                self.levels[side].pop(step, None)
            if len(self.levels[side]) < 2:
                return

    def _requote(self) -> None:
        """Close the spread, and let sizes drift back to their profile."""
        rng = self.rng
        bid, ask = self.best(BID), self.best(ASK)
        while ask - bid > 1 and rng.random() < 0.9:
            if rng.random() < 0.5:
                bid += 1
                self.levels[BID][bid] = self._usual(1) * 0.7
            else:
                ask -= 1
                self.levels[ASK][ask] = self._usual(1) * 0.7
        for side, top in ((BID, bid), (ASK, ask)):
            self._drift(side, top)

    def _drift(self, side: int, top: int) -> None:
        rng, levels = self.rng, self.levels[side]
        sign = -1 if side == BID else 1
        for d in set(rng.integers(0, DEPTH, 14).tolist()):
            step = top + sign * d
            known = levels.get(step, 0.0)
            levels[step] = known + (self._usual(d + 1) - known) * min(1, 0.36 * rng.random())
        for d in range(3):
            if rng.random() < 0.25:
                step = top + sign * d
                known = levels.get(step, 0.0)
                levels[step] = max(0.05, known + (self._usual(d + 1) - known) * 0.5)
        for step in [s for s in levels if not 0 <= (s - top) * sign <= DEPTH]:
            del levels[step]
