"""What every signal is: an episode with one id, states that only move forward, and evidence.

A signal is evidence about a place and a moment, never a forecast. Nothing that is read from the map
alone opens a state beyond an approach: every later one needs prints, books or liquidations too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from powderkeg.events import SECOND, PositionSide
from powderkeg.maps.field_types import OptionalFloat
from powderkeg.signals.scene import Scene
from powderkeg.signals.zones import Zone

Kind: TypeAlias = Literal[
    "approach", "growth", "sweep_reclaim", "hunt_trap", "cascade_chain", "crowded", "whale_bid",
    "confluence", "wick", "stall_short", "absorbed", "large_print", "volume_spike",
    "funding_extreme", "feed_stale",
]  # fmt: skip
Unit: TypeAlias = Literal[
    "fraction of price", "fraction", "ratio", "multiple", "percentile", "dollars", "seconds",
    "coins", "price", "count",
]  # fmt: skip


class Evidence(Struct, frozen=True):
    """One number beside what it needs."""

    name: str
    """What was read."""
    value: OptionalFloat
    """The number, in `unit`; null where it is not known."""
    need: OptionalFloat
    """Threshold in `unit`; null where the number only informs."""
    unit: Unit
    """Unit of the number and of the threshold."""
    met: bool
    """Whether the number reaches its threshold."""
    age: float = 0.0
    """Seconds since the data it rests on."""
    at_most: bool = False
    """Whether the threshold is an upper limit."""


class Move(Struct, frozen=True):
    """What a machine answers: the state to enter, and why."""

    state: str
    evidence: tuple[Evidence, ...] = ()
    links: tuple[Place, ...] = ()
    """The clusters of a chain, where they are found."""


class Transition(Struct, frozen=True):
    """An episode entered a state."""

    state: str
    """Its name."""
    time: int
    """Event time, µs UTC."""
    price: float
    """Last price, quote currency."""
    evidence: tuple[Evidence, ...]
    """What led to it."""


class Place(Struct, frozen=True):
    """The cluster of an episode as it stood when price came near."""

    id: str
    """Of the cluster that is followed."""
    side: PositionSide
    """Whose positions."""
    floor: float
    """Lowest price, quote currency."""
    top: float
    """Highest price, quote currency."""
    notional: float
    """Estimated dollars inside."""
    rank: OptionalFloat
    """Percentile of the notional among the clusters of the coin; null where not known."""


class Plan(Struct, frozen=True):
    """Prices of a trade that the episode describes: geometry, not advice."""

    side: PositionSide
    """Side of the position."""
    entry: float
    """Quote currency."""
    stop: float
    """Quote currency: beyond the far edge of the cluster."""
    target: OptionalFloat
    """Quote currency: in the next opposing cluster; null where there is none."""
    time: int = 0
    """When it was drawn, µs UTC."""

    @property
    def reward(self) -> float:
        """Gross reward over risk; NaN without a target."""
        return abs(self.target - self.entry) / abs(self.entry - self.stop)


class Episode:
    """One episode of one signal, from its first state to its last."""

    __slots__ = (
        "coin", "evidence", "expires", "id", "kind", "links", "marks", "place", "placebo",
        "plan", "read_at", "transitions",
    )  # fmt: skip

    def __init__(self, kind: Kind, scene: Scene, zone: Zone | None, expires: int) -> None:
        """Start at a scene, without a state: `enter` follows.

        Args:
            kind: Of the signal.
            scene: The moment.
            zone: The cluster; None for signals of the whole coin.
            expires: µs.
        """
        self.coin = scene.coin
        self.kind: Kind = kind
        self.place = None if zone is None else place_of(zone)
        self.links: tuple[Place, ...] = ()
        """The clusters of a chain, nearest first."""
        self.expires = expires
        self.placebo = zone is not None and zone.placebo
        """Whether its cluster is a level without one, followed for comparison."""
        where = "" if zone is None else f":{zone.id}"
        self.id = f"{scene.coin}:{kind}{where}:{scene.now // SECOND}"
        self.marks: dict[str, float] = {}
        """What the machine remembers between two scenes."""
        self.transitions: list[Transition] = []
        self.plan: Plan | None = None
        self.evidence: tuple[Evidence, ...] = ()
        """Of the last reading."""
        self.read_at = 0
        """When that was, µs."""

    @property
    def state(self) -> str:
        """State now."""
        return self.transitions[-1].state

    @property
    def since(self) -> int:
        """When it entered its state, µs."""
        return self.transitions[-1].time

    @property
    def begun(self) -> int:
        """When it entered its first state, µs."""
        return self.transitions[0].time

    def time_of(self, state: str) -> int | None:
        """Return when a state was entered, µs; None if it was not."""
        return next((t.time for t in self.transitions if t.state == state), None)

    def enter(self, move: Move, scene: Scene) -> None:
        """Enter a state."""
        if move.evidence:
            self.evidence, self.read_at = move.evidence, scene.now
        self.links = move.links or self.links
        self.transitions.append(Transition(move.state, scene.now, scene.price, move.evidence))


def place_of(zone: Zone) -> Place:
    """Return a cluster as it stands."""
    return Place(zone.id, zone.side, zone.floor, zone.top, zone.notional, zone.rank)


Begin: TypeAlias = Callable[[Scene, Zone], Move | None]
Advance: TypeAlias = Callable[[Episode, Scene, Zone], Move | None]
ReadEvidence: TypeAlias = Callable[[Episode, Scene, Zone], tuple[Evidence, ...]]


class Question(Struct, frozen=True):
    """What an episode is counted by: of those that reached one state, how many another."""

    given: str
    """State that an episode must have reached to count."""
    outcome: str
    """State that is asked for."""
    words: str
    """The question in words."""


class ZoneSignal(Struct, frozen=True):
    """One signal that follows a cluster."""

    kind: Kind
    states: tuple[str, ...]
    """Those on the way, in order: an episode never goes back in them."""
    final: tuple[str, ...]
    """Those that end it, the usual one first; `EXPIRED` left out."""
    begin: Begin
    """Returns the first move, if the signal begins."""
    advance: Advance
    """Returns the next move, if there is one."""
    expires: int
    """µs after which an episode that has not ended is expired."""
    reach: float
    """Distance within which it begins, fraction of price; twice as far it may begin again."""
    again: int = 0
    """µs after which it may begin again wherever price is; 0 for never."""
    every: int = SECOND
    """µs between two times that it is asked to begin."""
    evidence: ReadEvidence | None = None
    """Returns the evidence of now; None where that of the last move is all there is."""
    question: Question | None = None
    """What its episodes are counted by."""
    against: tuple[str, ...] = ()
    """Final states in which it failed, `EXPIRED` and `GONE` left out."""


class CoinSignal(Struct, frozen=True):
    """One signal of a whole coin."""

    kind: Kind
    states: tuple[str, ...]
    """Those on the way, in order."""
    final: tuple[str, ...]
    """Those that end it, the usual one first; `EXPIRED` left out."""
    begin: Callable[[Scene], Move | None]
    """Returns the first move, if the signal begins."""
    advance: Callable[[Episode, Scene], Move | None]
    """Returns the next move, if there is one."""
    expires: int
    """µs after which an episode that has not ended is expired."""
    cooldown: int
    """µs from the end of an episode until the next may begin."""
    against: tuple[str, ...] = ()
    """Final states in which it failed, `EXPIRED` and `GONE` left out."""


EXPIRED: Final = "EXPIRED"
"""State of an episode that ran out of time."""
GONE: Final = "GONE"
"""State of an episode whose cluster is not on the map any more."""
