"""Health of each venue and channel: rate, lag, age, silence, and link state of each market.

Staleness is per channel and symbol, from the venue's own cadence, because a socket that answers
pings may have stopped sending one market. Heartbeats are not data.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence

from powderkeg.events import (
    SECOND,
    BookDelta,
    BookSnapshot,
    ClockTick,
    Event,
    Funding,
    Gap,
    Link,
    Liquidation,
    Mark,
    OpenInterest,
    Quote,
    Ratio,
    Trade,
    Trades,
)
from powderkeg.live.answers import ChannelHealth, ChannelState, LinkState, StreamState
from powderkeg.live.timekeeping.clock import Offset
from powderkeg.venues.base import Channel, ChannelKind

GRACE = 5 * SECOND
"""µs after a connection that a channel may take to its first message, whatever its cadence."""
SETTLE = 2 * SECOND
"""µs after a connection that subscriptions may take; until then a gap is still open."""
MAPPED: tuple[ChannelKind, ...] = ("trades", "book", "mark")
"""Channels whose silence is a gap in the map."""
UNSEEN: tuple[ChannelKind, ...] = ("instruments", "clock")
"""Polled for our own use: they produce no events."""
_KINDS: dict[type[Event], ChannelKind] = {
    Trade: "trades",
    Trades: "trades",
    BookSnapshot: "book",
    BookDelta: "book",
    Quote: "book",
    Mark: "mark",
    Funding: "funding",
    OpenInterest: "oi",
    Liquidation: "liquidations",
    Ratio: "ratio",
}


class Meter:
    """One channel of one market."""

    __slots__ = ("_starts", "count", "expected_interval", "lag", "last", "since")

    def __init__(self, expected_interval: int) -> None:
        self.expected_interval = expected_interval
        self.count = 0
        self.last = 0
        """Time of the last event, µs; 0 for never."""
        self.since = 0
        """Time its socket came up, µs; 0 while it is down."""
        self.lag = 0
        """Latency of the last event, µs."""
        self._starts: deque[tuple[int, int]] = deque(maxlen=12)
        """Times at least five seconds apart, and the count before each."""

    def received(self, event_time: int, received_time: int, n: int) -> None:
        """Count an event of `n` parts."""
        if not self._starts or received_time - self._starts[-1][0] >= 5 * SECOND:
            self._starts.append((received_time, self.count))
        self.count += n
        self.last = received_time
        self.lag = received_time - event_time

    def rate(self, at: int) -> float:
        """Return events per second over the last minute."""
        if not self._starts:
            return 0.0
        since, count = self._starts[0]
        return (self.count - count) / max((at - since) / SECOND, 1.0)

    def forget(self) -> None:
        """Reset the rate: after a clock change its times mean nothing."""
        self._starts.clear()

    def stale(self, at: int) -> bool:
        """Return whether it has been silent for more than twice its cadence."""
        if not self.expected_interval or not self.since:
            return False
        first = self.since + max(GRACE, 2 * self.expected_interval)
        return at > max(first, self.last + 2 * self.expected_interval)


class Health:
    """All channels of all venues."""

    def __init__(self) -> None:
        """Start without channels."""
        self.meters: dict[tuple[str, ChannelKind], Meter] = {}
        self.offsets: dict[str, Offset] = {}
        self.states: dict[str, LinkState] = {}
        self.problems: dict[str, str] = {}
        """Last refusal or misconfiguration by venue, for people to read."""
        self.counts: Counter[tuple[str, str]] = Counter()
        """Reconnects, gaps, refusals and so on, by venue and name."""
        self.recorded_since: int | None = None
        """Time of the oldest message still stored, µs UTC; None where nothing is."""
        self._down: dict[str, set[int]] = {}
        self._lost: dict[str, int] = {}
        """Last event of each market that is down or silent, µs."""
        self._due: dict[str, int] = {}
        """When the gap of a market that came back may be closed, µs."""

    def expect(self, channels: Iterable[Channel], stream: int | None = None) -> None:
        """Register channels: of the socket `stream`, or polled."""
        for channel in channels:
            key = channel.market, channel.kind
            if channel.kind in UNSEEN:
                continue
            if key not in self.meters:
                self.meters[key] = Meter(channel.expected_interval)
            self.states.setdefault(channel.market, "down")
            if stream is not None:
                self._down.setdefault(channel.market, set()).add(stream)

    def answered(self, channels: Iterable[Channel], at: int) -> None:
        """Record that a request for channels was answered."""
        for channel in channels:
            meter = self.meters.get((channel.market, channel.kind))
            if meter is not None:
                meter.since = meter.since or at

    def reset_polling(self, venue: str) -> None:
        """Record that a venue is not polled any more, until it answers again."""
        for (market, _), meter in self.meters.items():
            if market.partition(":")[0] == venue:
                meter.since = 0

    def clock_moved(self, at: int) -> None:
        """Adjust to a correction of our clock, now `at` µs: no event may lie after it."""
        self.offsets.clear()
        for meter in self.meters.values():
            meter.last, meter.since = min(meter.last, at), min(meter.since, at)
            meter.forget()
        self._lost = {market: min(since, at) for market, since in self._lost.items()}
        self._due = {market: min(due, at + SETTLE) for market, due in self._due.items()}

    def end(self) -> None:
        """Mark everything as down."""
        for meter in self.meters.values():
            meter.since = 0
        self.states = dict.fromkeys(self.states, "down")

    def received(self, event: Event) -> None:
        """Count a decoded event."""
        if isinstance(event, ClockTick):
            return
        venue = event.market.partition(":")[0]
        if isinstance(event, Gap | Link):
            self._count_fault(venue, event)
            return
        kind = _KINDS.get(type(event))
        meter = self.meters.get((event.market, kind)) if kind else None
        if meter is None:
            return
        meter.received(
            event.event_time,
            event.received_time,
            len(event.times) if isinstance(event, Trades) else 1,
        )
        if isinstance(event, Trade | Trades | BookDelta):
            self.offsets.setdefault(venue, Offset()).add_event(
                event.event_time, event.received_time
            )

    def _count_fault(self, venue: str, event: Gap | Link) -> None:
        if isinstance(event, Gap):
            self.counts[venue, "gaps"] += 1
        elif event.state == "refused":
            self.counts[venue, "refusals"] += 1
            self.problems[venue] = f"the venue refused: {event.channel}"

    def up(self, stream: int, channels: Sequence[Channel], at: int) -> list[Link]:
        """Record that a socket is open; return the changes of link state."""
        out: list[Link] = []
        for channel in channels:
            self.meters[channel.market, channel.kind].since = at
        for market in dict.fromkeys(c.market for c in channels):
            self._down.setdefault(market, set()).discard(stream)
            if not self._down[market] and self.states[market] == "down":
                out += self._set_state(market, "up", at)
                if market in self._lost:
                    self._due[market] = at + SETTLE
        return out

    def down(self, stream: int, channels: Sequence[Channel], at: int, why: str) -> list[Link]:
        """Record that a socket is closed; return the changes of link state."""
        for channel in channels:
            self.meters[channel.market, channel.kind].since = 0
        out: list[Link] = []
        for market in dict.fromkeys(c.market for c in channels):
            self._down.setdefault(market, set()).add(stream)
            if self.states[market] != "down":
                last = max(
                    self.meters[c.market, c.kind].last for c in channels if c.market == market
                )
                self._lost.setdefault(market, last or at)
            out += self._set_state(market, "down", at, why)
        return out

    def check(self, at: int) -> list[Link | Gap]:
        """Return changes of link state due to silence or its end, and gaps that are now closed."""
        silent = {market for (market, _), meter in self.meters.items() if meter.stale(at)}
        out: list[Link | Gap] = []
        for market, state in list(self.states.items()):
            if state == "up" and market in silent:
                if since := self._missing_since(market, at):
                    self._lost.setdefault(market, since)
                out += self._set_state(market, "stale", at, self._silence_reason(market, at))
            elif state == "stale" and market not in silent:
                self._due.setdefault(market, at)
                out += self._set_state(market, "up", at)
        for market in [m for m, due in self._due.items() if due <= at and self.states[m] == "up"]:
            del self._due[market]
            since = self._lost.pop(market, 0)
            if since:
                out.append(Gap(market, at, at, since, "the link was down or silent"))
        return out

    def _missing_since(self, market: str, at: int) -> int:
        """Return since when the map lacks data of a market, µs; 0 where it does not.

        An old reading of open interest or a ratio changes the link state, but is no gap.
        """
        last = [
            meter.last or meter.since
            for (name, kind), meter in self.meters.items()
            if name == market and kind in MAPPED and meter.stale(at)
        ]
        return min(last, default=0)

    def silent(self, channels: Iterable[Channel], at: int, patience: float) -> str:
        """Return the first channel silent for `patience` times its limit, or nothing."""
        for channel in channels:
            meter = self.meters[channel.market, channel.kind]
            if meter.stale(at):
                limit = max(2 * meter.expected_interval, GRACE)
                if at - max(meter.last, meter.since) > patience * limit:
                    return f"{channel.market} {channel.kind}"
        return ""

    def _silence_reason(self, market: str, at: int) -> str:
        names = [k for (m, k), meter in self.meters.items() if m == market and meter.stale(at)]
        return f"silent: {', '.join(names)}"

    def _set_state(self, market: str, state: LinkState, at: int, why: str = "") -> list[Link]:
        if self.states.get(market) == state:
            return []
        self.states[market] = state
        return [Link(market, at, at, state, why)]

    def rows(self, at: int) -> list[ChannelHealth]:
        """Return one row per channel, for the health view."""
        return [
            ChannelHealth(
                market=market,
                channel=kind,
                count=meter.count,
                rate=round(meter.rate(at), 2),
                lag=meter.lag / SECOND,
                age=(at - meter.last) / SECOND if meter.last else None,
                expected_interval=meter.expected_interval / SECOND,
                state=self._state_of(meter, at),
            )
            for (market, kind), meter in sorted(self.meters.items())
        ]

    def stream(self, market: str, kind: ChannelKind) -> StreamState:
        """Return whether a channel is up, waiting for its first message, down, or not there."""
        meter = self.meters.get((market, kind))
        if meter is None:
            return "none"
        if not meter.since:
            return (
                "down"
                if market in self._lost or market.partition(":")[0] in self.problems
                else "waiting"
            )
        return "up" if meter.last or not meter.expected_interval else "waiting"

    def _state_of(self, meter: Meter, at: int) -> ChannelState:
        if not meter.since:
            return "down"
        if meter.stale(at):
            return "stale"
        return "up" if meter.last else "waiting"
