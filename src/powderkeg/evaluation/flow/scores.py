"""Precision, recall and false alarms of the order-flow reads on labelled synthetic books."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from powderkeg.evaluation.flow.books import FRAME, Actor, SyntheticBook
from powderkeg.events import HOUR, SECOND
from powderkeg.flow.books.absorption import AbsorptionReads, Pressure
from powderkeg.flow.books.walls import Wall, Walls
from powderkeg.flow.books.window import ASK, BID, BookWindow
from powderkeg.flow.thresholds import DEFAULT, Thresholds

LENGTH: Final = 600 * SECOND
SEEDS: Final = 100
"""First of the seeds that no threshold was fitted on."""
WARM: Final = 120 * SECOND
"""Absorption is scored from here on: its usual window is not known before."""
_SLACK: Final = 3 * FRAME
"""How far a wall's beginning may be from the truth."""


class Score(Struct, frozen=True):
    """Hits and misses of one kind of read."""

    found: int
    """Reads."""
    true: int
    """Reads that are right."""
    wanted: int
    """Episodes there were."""
    met: int
    """Episodes that were read."""
    hours: float

    @property
    def precision(self) -> float:
        """Share of reads that are right; 1 without reads."""
        return self.true / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Share of episodes that were read; 1 where there were none."""
        return self.met / self.wanted if self.wanted else 1.0

    @property
    def false_alarms(self) -> float:
        """Wrong reads an hour."""
        return (self.found - self.true) / self.hours

    def plus(self, other: Score) -> Score:
        """Return the score of both samples together."""
        return Score(
            self.found + other.found, self.true + other.true, self.wanted + other.wanted,
            self.met + other.met, self.hours + other.hours,
        )  # fmt: skip


class Played(Struct):
    """What was read of a synthetic book."""

    book: SyntheticBook
    stood: list[Wall]
    """Every wall, as last seen standing."""
    ended: list[Wall]
    pressures: list[Pressure]


def play(seed: int, length: int = LENGTH, rules: Thresholds = DEFAULT) -> Played:
    """Read a synthetic book for `length` µs."""
    book, window = SyntheticBook(seed), BookWindow([1.0])
    walls, absorption = Walls(1, rules), AbsorptionReads(1, rules.absorption)
    out = Played(book, [], [], [])
    stood: dict[tuple[int, int, int], Wall] = {}
    while book.now < length:
        book.frame()
        window.add_trades(0, *book.prints())
        absorption.roll(0, window.load(0, book.shown(BID), book.shown(ASK)))
        out.ended += walls.frame(window, book.now)
        stood |= {(wall.side, wall.step, wall.since): wall for wall in walls.standing()}
        out.pressures += absorption.frame(window, book.now)
        window.end_frame()
    out.stood = list(stood.values())
    return out


def scores(seeds: Iterable[int], length: int = LENGTH) -> dict[str, Score]:
    """Return the scores of all reads by name, over one book a seed."""
    out: dict[str, Score] = {}
    anywhere = replace(DEFAULT, pulls=replace(DEFAULT.pulls, near=10**6, approach=-(10**6), born=0))
    for seed in seeds:
        played = play(seed, length)
        each = {
            "walls": _walls(played),
            "pulled_walls": _pulled(played),
            "pulled_walls_without_approach": _pulled(play(seed, length, anywhere)),
            "absorption": _absorption(played),
        }
        out = {name: score.plus(out[name]) if out else score for name, score in each.items()}
    return out


def report(seeds: Iterable[int], length: int = LENGTH) -> dict[str, float]:
    """Return precision, recall and false alarms an hour of each read."""
    return {
        f"{name}_{figure}": round(float(getattr(score, figure)), 4)
        for name, score in scores(seeds, length).items()
        for figure in ("precision", "recall", "false_alarms")
    }


def _match(actors: list[Actor], wall: Wall) -> int | None:
    """Return the number of the actor that a wall is."""
    return next(
        (
            n
            for n, actor in enumerate(actors)
            if (actor.side, actor.step) == (wall.side, wall.step)
            and actor.born - _SLACK <= wall.since <= (actor.ended or 2**62) + _SLACK
        ),
        None,
    )


def _large(played: Played) -> list[Actor]:
    """Return the scripted walls, pulled or not, that stood long enough to be one."""
    book, least = played.book, DEFAULT.walls.persist + 2 * FRAME
    return [
        actor
        for actor in book.truth
        if actor.kind != "refilling" and (actor.ended or book.now) - actor.born >= least
    ]


def _walls(played: Played) -> Score:
    actors = _large(played)
    matches = [_match(actors, wall) for wall in played.stood if wall.peak]
    met = {n for n in matches if n is not None}
    right = sum(n is not None for n in matches)
    return Score(len(matches), right, len(actors), len(met), played.book.now / HOUR)


def _pulled(played: Played) -> Score:
    actors = [actor for actor in _large(played) if actor.was_pulled]
    matches = [_match(actors, wall) for wall in played.ended if wall.end == "pulled"]
    met = {n for n in matches if n is not None}
    right = sum(n is not None for n in matches)
    return Score(len(matches), right, len(actors), len(met), played.book.now / HOUR)


class Pressed(Protocol):
    """A burst of takers, as far as reads are matched with it."""

    @property
    def start(self) -> int:
        """Return when it begins, µs."""
        ...

    @property
    def stop(self) -> int:
        """Return when it ends, µs."""
        ...

    @property
    def side(self) -> int:
        """Return the side that is pressed: 0 bids by sellers, 1 asks by buyers."""
        ...


class Episode(Struct):
    """Absorbing reads of one side without a pause longer than a window."""

    side: int
    since: int
    until: int

    def meets(self, burst: Pressed) -> bool:
        """Return whether it is of a burst, or of the window after it."""
        late = self.since > burst.stop + DEFAULT.absorption.window
        return self.side == burst.side and not late and self.until >= burst.start


def episodes(reads: Iterable[Pressure]) -> list[Episode]:
    """Return the episodes of absorption in the reads of one book."""
    out: list[Episode] = []
    for side in (BID, ASK):
        for read in (r for r in reads if r.absorbed and r.side == side):
            follows = bool(out) and out[-1].side == side
            if follows and read.time - out[-1].until <= DEFAULT.absorption.window:
                out[-1].until = read.time
            else:
                out.append(Episode(side, read.time, read.time))
    return out


def _absorption(played: Played) -> Score:
    book = played.book
    known = [burst for burst in book.bursts if burst.absorbed]
    wanted = [burst for burst in known if burst.start >= WARM and burst.stop <= book.now]
    found = episodes(played.pressures)
    right = sum(any(episode.meets(burst) for burst in known) for episode in found)
    met = sum(any(episode.meets(burst) for episode in found) for burst in wanted)
    return Score(len(found), right, len(wanted), met, book.now / HOUR)
