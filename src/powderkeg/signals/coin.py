"""The signals of one coin: clusters that are followed, and episodes that are open or have ended.

Scene by scene every signal is asked for its next move. A level without a cluster is followed beside
each cluster, as far away on the other side: what becomes of it is the base rate.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

from powderkeg.events import MINUTE, SECOND
from powderkeg.signals.clusters.cascade_chain import CASCADE_CHAIN
from powderkeg.signals.context.wick import Wick
from powderkeg.signals.contract import EXPIRED, GONE, CoinSignal, Episode, Move, ZoneSignal
from powderkeg.signals.outcomes.base_rate import Outcomes
from powderkeg.signals.outcomes.touches import Touch, touch_of
from powderkeg.signals.scene import Scene
from powderkeg.signals.specs import COIN_SIGNALS, REACH, ZONE_SIGNALS
from powderkeg.signals.zones import Zone, Zones, mirrored

ENDED: Final = 500
"""Episodes that ended, remembered."""
READ: Final = 5 * SECOND
"""µs between two readings of the evidence of an open episode."""
HOLDING: Final = frozenset(CASCADE_CHAIN.states[1:])
"""States of a chain in which price may be far beyond its first cluster."""
DWELL: Final = 5 * SECOND
"""µs for which a state lasts at least."""


class Running:
    """Episodes of one cluster, or of the coin, by signal."""

    __slots__ = ("closed", "open")

    def __init__(self) -> None:
        """Start without one."""
        self.open: dict[str, Episode] = {}
        self.closed: dict[str, int] = {}
        """When the last episode of a signal ended, µs; until the next may begin."""


class CoinSignals:
    """Signals of one coin."""

    __slots__ = ("_coin", "_running", "ended", "levels", "outcomes", "placebos", "touches",
                 "zones")  # fmt: skip

    def __init__(self) -> None:
        """Start without a cluster."""
        self.zones = Zones()
        self.levels: list[Zone] = []
        """Levels without a cluster that are followed for comparison."""
        self.ended: deque[Episode] = deque(maxlen=ENDED)
        """Episodes that ended, newest last."""
        self.placebos: deque[Episode] = deque(maxlen=ENDED)
        """Those of levels without a cluster."""
        self.outcomes = Outcomes()
        self.touches: list[Touch] = []
        """Of large clusters, and of levels without one, by when price had left them."""
        self._coin = Running()
        self._running: dict[str, Running] = {}
        """Of each cluster that is followed."""

    def followed(self) -> tuple[Zone, ...]:
        """Return clusters, then levels without one."""
        return (*self.zones.standing, *self.levels)

    def open(self) -> list[Episode]:
        """Return the episodes that have not ended, newest state first; placebos left out."""
        running = (self._coin, *self._running.values())
        episodes = [e for each in running for e in each.open.values() if not e.placebo]
        return sorted(episodes, key=lambda e: (-e.since, e.id))

    def episodes(self) -> Iterator[Episode]:
        """Yield all episodes: open ones, then ended ones, each newest first."""
        yield from self.open()
        yield from reversed(self.ended)

    def step(self, scene: Scene) -> list[Episode]:
        """Show every signal a scene, and return the episodes that entered a state."""
        moved: list[Episode | None] = []
        extremes = scene.low, scene.high
        for zone in scene.zones:
            begun = zone.frozen
            away = zone.look(scene.now, scene.price, extremes, self.zones.rules)
            if begun and not zone.frozen:
                self._add_touch(zone, begun, scene.now)
            running = self._running.get(zone.id)
            zone.held = running is not None and _holding(running)
            if running is None:
                if away > REACH or not zone.rank >= self.zones.rules.rank:
                    continue
                running = self._running[zone.id] = Running()
            elif away > REACH and not running.open:
                continue
            if zone.frozen == scene.now and not zone.placebo:
                self._compare(zone, scene)
            moved += [self._ask(signal, scene, zone, running, away) for signal in ZONE_SIGNALS]
        moved += [self._ask_coin(signal, scene) for signal in COIN_SIGNALS]
        self._forget(scene)
        return [episode for episode in moved if episode is not None]

    def add_wick(self, wick: Wick, scene: Scene) -> None:
        """Add a long wick as an episode that has ended, and count it beside its mirror."""
        episode = Episode("wick", scene, None, scene.now)
        episode.id = f"{episode.id}:{wick.side}"
        episode.enter(wick.move, scene)
        self.ended.append(episode)
        self.outcomes.count("wick", scene.now, hit=wick.on_map, placebo=False)
        self.outcomes.count("wick", scene.now, hit=wick.mirror, placebo=True)

    def _add_touch(self, zone: Zone, begun: int, now: int) -> None:
        ended = self.placebos if zone.placebo else self.ended
        running = self._running.get(zone.id) or Running()
        own = [e for e in ended if e.place is not None and e.place.id == zone.id]
        touch = touch_of(zone, begun, now, [*own, *running.open.values()])
        if touch is not None:
            self.touches.append(touch)

    def _compare(self, zone: Zone, scene: Scene) -> None:
        """Follow the level that mirrors a cluster that price has come near to."""
        level = Zone(mirrored(zone, scene.price), scene.now, zone.rank)
        level.placebo = True
        level.id = f"placebo-{level.id}"
        self.levels.append(level)

    def _ask(
        self, signal: ZoneSignal, scene: Scene, zone: Zone, running: Running, away: float
    ) -> Episode | None:
        episode = running.open.get(signal.kind)
        if episode is None:
            if away > signal.reach or scene.now % signal.every:
                return None
            if running.closed and not _armed(signal, scene, running, away):
                return None
            move = signal.begin(scene, zone)
            if move is None:
                return None
            episode = Episode(signal.kind, scene, zone, scene.now + signal.expires)
        else:
            if signal.evidence is not None and scene.now % READ == 0:
                episode.evidence = signal.evidence(episode, scene, zone)
                episode.read_at = scene.now
            move = _due(episode, scene) or signal.advance(episode, scene, zone)
        return self._enter(episode, move, scene, running, signal.final)

    def _ask_coin(self, signal: CoinSignal, scene: Scene) -> Episode | None:
        episode = self._coin.open.get(signal.kind)
        if episode is None:
            if scene.now < self._coin.closed.get(signal.kind, 0) + signal.cooldown:
                return None
            move = signal.begin(scene)
            if move is None:
                return None
            episode = Episode(signal.kind, scene, None, scene.now + signal.expires)
        else:
            move = _due(episode, scene) or signal.advance(episode, scene)
        return self._enter(episode, move, scene, self._coin, signal.final)

    def _enter(
        self, episode: Episode, move: Move | None, scene: Scene, running: Running,
        final: tuple[str, ...],
    ) -> Episode | None:  # fmt: skip
        if move is None or (episode.transitions and scene.now - episode.since < DWELL):
            return None
        episode.enter(move, scene)
        if move.state not in final and move.state != EXPIRED:
            running.open[episode.kind] = episode
            return episode
        running.open.pop(episode.kind, None)
        running.closed[episode.kind] = scene.now
        self._end(episode)
        return episode

    def _end(self, episode: Episode) -> None:
        (self.placebos if episode.placebo else self.ended).append(episode)
        self.outcomes.add(episode)

    def _forget(self, scene: Scene) -> None:
        """Forget levels that price has left, and end episodes whose cluster is gone."""
        if self.levels:
            release = self.zones.rules.release
            self.levels = [
                level
                for level in self.levels
                if level.frozen or level.outside(scene.price) <= release
            ]
        if scene.now % MINUTE:
            return
        followed = {zone.id for zone in self.followed()}
        for name in sorted(self._running.keys() - followed):
            running = self._running.pop(name)
            for episode in running.open.values():
                episode.enter(Move(GONE), scene)
                self._end(episode)


def _holding(running: Running) -> bool:
    """Return whether a chain runs on, wherever price is."""
    chain = running.open.get(CASCADE_CHAIN.kind)
    return chain is not None and chain.state in HOLDING


def _due(episode: Episode, scene: Scene) -> Move | None:
    return Move(EXPIRED) if scene.now >= episode.expires else None


def _armed(signal: ZoneSignal, scene: Scene, running: Running, away: float) -> bool:
    """Return whether a signal may begin again: price has left, or time has passed."""
    closed = running.closed.get(signal.kind)
    if closed is None:
        return True
    passed = 0 < signal.again <= scene.now - closed
    if away < 2 * signal.reach and not passed:
        return False
    del running.closed[signal.kind]
    return True
