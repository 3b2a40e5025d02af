"""Frames in, desks changed: the one loop that live, replay and tests share.

A market's past comes first: answers about it are put by until a `BackfillDone` says they are
complete, and what streams meanwhile waits behind it. Prints of one market that come close together
travel as one run, which leaves the same state and costs a fraction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from powderkeg.desk import Ask, Desk
from powderkeg.errors import WireError
from powderkeg.events import (
    HOUR,
    MINUTE,
    BookDelta,
    BookSnapshot,
    ClockTick,
    Event,
    Gap,
    Link,
    Quote,
    Trade,
    Trades,
)
from powderkeg.feed.backfill import Backfill, trades_since
from powderkeg.feed.joining import Joining, as_one
from powderkeg.frames import (
    BackfillDone,
    ControlMessage,
    Frame,
    MarketReady,
    Started,
    markets_of,
    read_control,
)
from powderkeg.instruments import in_coins, unit_of
from powderkeg.venues import VENUES, Venue

PAST = ("candles", "interest", "funding", "trades")
"""Kinds of answers that tell of a past."""
_FREE: tuple[type[Event], ...] = (BookDelta, BookSnapshot, Quote)
"""Events that say nothing to what prints say: they wait neither for a run of prints to end nor for
a past, and so a book stands by the time its market joins."""
Watch = Callable[[Event], None]
Play = Callable[[Joining], None]
"""Sees to it that a past is played, and that `MarketReady` is said of it."""


class Feed:
    """Readers of all venues, and the desks their events go to."""

    def __init__(self, desks: dict[str, Desk], watch: Watch | None = None) -> None:
        """Feed `desks`, by coin; `watch` is told each event as it was read."""
        self.desks = desks
        self.watch = watch
        self.readers: dict[str, Venue] = {}
        self.unread: dict[str, int] = {}
        """Frames that could not be read, by venue. They are kept as they are."""
        self.last_unread = ""
        """Why, the last time."""
        self.ignored_events = 0
        """Events of markets nobody asked for."""
        self.seq = 0
        """Number of the last frame taken."""
        self.coins: dict[str, str] = {}
        """Coin of each market that is collected."""
        self._multipliers: dict[str, float] = {}
        """How many coins one unit of a market is. Told by its name, so never kept."""
        self.play: Play | None = None
        """Live; a replay plays each past where its `MarketReady` stands."""
        self._pasts: dict[str, Backfill] = {}
        self._joining: dict[str, Joining] = {}
        self._waiting: dict[str, list[Event]] = {}
        self._known: dict[str, int] = {}
        """When each market was last heard before the start, µs."""
        self._runs: dict[str, list[Trade | Trades]] = {}
        self._beat = 0

    @property
    def waiting(self) -> list[str]:
        """Markets whose past is not complete yet."""
        return list(self._waiting)

    def process(self, frames: Iterable[Frame]) -> list[Ask]:
        """Take a batch and return what the desks ask for."""
        asks: list[Ask] = []
        for frame in frames:
            if self.seq and frame.seq > self.seq + 1:
                asks += self._record_missing(frame)
            self.seq = frame.seq
            beat = frame.received_time // 1_000_000
            if beat != self._beat:
                asks += self._flush()
                self._beat = beat
            try:
                if frame.venue:
                    asks += self._read(frame)
                else:
                    asks += self._apply_control(read_control(frame.raw))
            except WireError as why:
                name = frame.venue or "shell"
                self.unread[name] = self.unread.get(name, 0) + 1
                self.last_unread = str(why)
        return asks + self._flush()

    def reader(self, venue: str) -> Venue:
        """Return the reader of a venue, made when first wanted."""
        if venue not in self.readers:
            if venue not in VENUES:
                raise WireError(venue, "no such venue is known", b"")
            self.readers[venue] = VENUES[venue]("")
        return self.readers[venue]

    def _read(self, frame: Frame) -> list[Ask]:
        events = self._events(frame)
        told = frame.channel.partition(":")[0] in PAST
        asks: list[Ask] = []
        for said in events:
            if isinstance(said, ClockTick):
                continue
            event = in_coins(said, self._multiplier(said.market))
            if self.watch is not None and not told:
                self.watch(event)
            coin = self.coins.get(event.market)
            if coin is None:
                self.ignored_events += not isinstance(event, Link)
            elif told:
                self._pasts.setdefault(event.market, Backfill(event.market)).add(event)
            elif event.market in self._waiting and not isinstance(event, _FREE):
                self._waiting[event.market].append(event)
            else:
                asks += self._dispatch(coin, event)
        return asks

    def _multiplier(self, market: str) -> float:
        known = self._multipliers.get(market)
        if known is None:
            known = self._multipliers[market] = unit_of(market.partition(":")[2])[1]
        return known

    def _events(self, frame: Frame) -> list[Event]:
        """Return what a frame says. A reader's own mistake costs this frame, and no other venue."""
        try:
            return self.reader(frame.venue).read(frame.raw, frame.received_time, frame.channel)
        except WireError:
            raise
        except Exception as why:
            raise WireError(frame.venue, f"{type(why).__name__}: {why}", frame.raw) from why

    def _dispatch(self, coin: str, event: Event) -> list[Ask]:
        """Give an event to its desk, or let a print wait for the next."""
        if isinstance(event, Trade | Trades):
            self._runs.setdefault(event.market, []).append(event)
            return []
        asks: list[Ask] = []
        if not isinstance(event, _FREE) and not isinstance(event, ClockTick):
            asks += self._flush_one(event.market)
        return asks + self.desks[coin].apply(event)

    def _flush(self) -> list[Ask]:
        asks: list[Ask] = []
        for market in list(self._runs):
            asks += self._flush_one(market)
        return asks

    def _flush_one(self, market: str) -> list[Ask]:
        run = self._runs.pop(market, None)
        if run is None:
            return []
        return self.desks[self.coins[market]].apply(as_one(run))

    # -- words of the shell

    def _apply_control(self, said: ControlMessage) -> list[Ask]:
        match said:
            case ClockTick():
                asks = self._flush()
                self._share_pooled_stats(said.time)
                for desk in self.desks.values():
                    asks += desk.apply(said)
                return asks
            case Started():
                return self._flush() + self._start(said)
            case BackfillDone():
                return self._join(said)
            case MarketReady():
                return self._enter(said.market)
            case Link() | Gap():
                return self._apply_status(said)

    def _apply_status(self, said: Link | Gap) -> list[Ask]:
        """Take what the shell says of a market, once that has joined."""
        if self.watch is not None:
            self.watch(said)
        coin = self.coins.get(said.market)
        if coin is None:
            return []
        if said.market in self._waiting:
            self._waiting[said.market].append(said)
            return []
        return self._dispatch(coin, said)

    def _record_missing(self, frame: Frame) -> list[Ask]:
        """Say of every market that the record has a hole before `frame`: numbers never jump.

        What would have let a market that waits for its past join may lie in the hole, so it joins
        with what of its past is there.
        """
        asks = self._flush()
        for market in [] if _begins(frame) else self.waiting:
            join = BackfillDone(frame.received_time, market, frame.received_time // MINUTE * MINUTE)
            asks += self._enter(market) if market in self._joining else self._join(join)
        why = f"frames {self.seq + 1} to {frame.seq - 1} are not in the record"
        for market, coin in self.coins.items():
            since = self.desks[coin].now or frame.received_time
            asks += self._apply_status(
                Gap(market, frame.received_time, frame.received_time, since, why)
            )
        return asks

    def _share_pooled_stats(self, at: int) -> None:
        """Once an hour, tell every coin what the markets of the others have learned."""
        if all(desk.now // HOUR >= at // HOUR for desk in self.desks.values()):
            return
        market_stats = {coin: desk.market_stats() for coin, desk in self.desks.items()}
        for coin, desk in self.desks.items():
            desk.peers = [each for c, told in market_stats.items() if c != coin for each in told]

    def _start(self, boot: Started) -> list[Ask]:
        """Begin anew: readers remember nothing, every market waits for its past."""
        self.readers.clear()
        self._pasts.clear()
        self._joining.clear()
        self.coins = {m: c for m, c in markets_of(boot).items() if c in self.desks}
        self._waiting = {market: [] for market in self.coins}
        self._known = {
            name: market.last_received
            for desk in self.desks.values()
            for name, market in desk.markets.items()
        }
        asks: list[Ask] = []
        for desk in self.desks.values():
            for market in list(desk.markets):
                asks += desk.apply(Link(market, boot.time, boot.time, "down", "start"))
        return asks

    def _join(self, join: BackfillDone) -> list[Ask]:
        """Let a market live through its past, at once or beside the loop."""
        coin = self.coins.get(join.market)
        if coin is None or join.market not in self._waiting:
            return []
        desk = self.desks[coin]
        desk.backfill_until = max(desk.backfill_until, join.until)
        span = self._known.pop(join.market, 0), join.until
        waiting = _from(max(span), self._waiting[join.market])
        self._waiting[join.market] = []
        heard = next((e.event_time for e in waiting if isinstance(e, Trade | Trades)), join.time)
        past = self._pasts.pop(join.market, Backfill(join.market))
        self._joining[join.market] = joining = Joining(desk, past, span, heard, waiting)
        if not join.in_background:
            return self._enter(join.market)
        if self.play is not None:
            self.play(joining)
        return []

    def _enter(self, market: str) -> list[Ask]:
        """Put a market with its past into its desk, then let it live through what waited."""
        joining = self._joining.pop(market, None)
        if joining is None:
            return []
        coin = self.coins[market]
        asks = joining.enter(self.desks[coin])
        for event in _from(max(joining.since, joining.until), self._waiting.pop(market)):
            asks += self._dispatch(coin, event)
        asks += self._flush_one(market)
        self.desks[coin].catch_up(market, joining.until)
        return asks


def _begins(frame: Frame) -> bool:
    """Tell whether a frame is a start of the program, after which all markets wait anew."""
    try:
        return not frame.venue and isinstance(read_control(frame.raw), Started)
    except WireError:
        return False


def _from(since: int, events: list[Event]) -> list[Event]:
    """Return events without the prints before `since`, which the past tells too.

    Some venues begin a stream with a list of old ones.
    """
    out: list[Event] = []
    for event in events:
        kept = trades_since(event, since) if isinstance(event, Trade | Trades) else event
        if kept is not None:
            out.append(kept)
    return out
