"""Decodes frames and applies their events to desks; shared by live, replay and tests.

A market is backfilled first: answers are collected until a `BackfillDone` marks them as complete,
and streamed events wait until then. Prints of one market within 100 ms are applied as one run,
which leaves the same state and costs a fraction; the books are read where such a frame ends.
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
from powderkeg.feed.drive import drive
from powderkeg.feed.joining import Joining, as_one
from powderkeg.flow.coin import FRAME
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
from powderkeg.venues import VENUES, VenueReader

PAST = ("candles", "interest", "funding", "trades")
"""Channels of backfill answers."""
_FREE: tuple[type[Event], ...] = (BookDelta, BookSnapshot, Quote)
"""Events independent of prints: they wait neither for a run of prints to end nor for a backfill, so
a book is ready by the time its market joins."""
Watch = Callable[[Event], None]
Play = Callable[[Joining], None]
"""Replays a backfill in the background, and then queues its `MarketReady`."""


class Feed:
    """Readers of all venues, and the desks their events go to."""

    def __init__(self, desks: dict[str, Desk], watch: Watch | None = None) -> None:
        """Feed `desks`, by coin; `watch` is called with each event as it was read."""
        self.desks = desks
        self.watch = watch
        self.readers: dict[str, VenueReader] = {}
        self.unread: dict[str, int] = {}
        """Number of frames that could not be read, by venue. The recording keeps them."""
        self.last_unread = ""
        """The last such error."""
        self.ignored_events = 0
        """Events of markets that are not collected."""
        self.seq = 0
        """Number of the last frame processed."""
        self.coins: dict[str, str] = {}
        """Coin of each market that is collected."""
        self._multipliers: dict[str, float] = {}
        """Coins per unit of a market. Derived from its name, so not in snapshots."""
        self.play: Play | None = None
        """Set when live; a replay plays each backfill at its `MarketReady`."""
        self._pasts: dict[str, Backfill] = {}
        self._joining: dict[str, Joining] = {}
        self._waiting: dict[str, list[Event]] = {}
        self._known: dict[str, int] = {}
        """Last event of each market before the start, µs."""
        self._runs: dict[str, list[Trade | Trades]] = {}
        self._beat = 0

    @property
    def waiting(self) -> list[str]:
        """Markets whose backfill is not complete yet."""
        return list(self._waiting)

    def process(self, frames: Iterable[Frame]) -> list[Ask]:
        """Process a batch and return the requests of the desks."""
        asks: list[Ask] = []
        for frame in frames:
            if self.seq and frame.seq > self.seq + 1:
                asks += self._record_missing(frame)
            self.seq = frame.seq
            beat = frame.received_time // FRAME
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
        return asks + self._flush() if self._runs else asks

    def reader(self, venue: str) -> VenueReader:
        """Return the reader of a venue, made when first wanted."""
        if venue not in self.readers:
            if venue not in VENUES:
                raise WireError(venue, "no such venue is known", b"")
            self.readers[venue] = VENUES[venue].reader("")
        return self.readers[venue]

    def _read(self, frame: Frame) -> list[Ask]:
        events = self._events(frame)
        is_backfill = frame.channel.partition(":")[0] in PAST
        asks: list[Ask] = []
        for native in events:
            if isinstance(native, ClockTick):
                continue
            coins = self._multipliers.get(native.market) or self._multiplier(native.market)
            event = native if coins == 1 else in_coins(native, coins)
            if self.watch is not None and not is_backfill:
                self.watch(event)
            coin = self.coins.get(event.market)
            if coin is None:
                self.ignored_events += not isinstance(event, Link)
            elif is_backfill:
                self._pasts.setdefault(event.market, Backfill(event.market)).add(event)
            elif event.market in self._waiting and not isinstance(event, _FREE):
                self._waiting[event.market].append(event)
            else:
                asks += self._dispatch(coin, event)
        return asks

    def _multiplier(self, market: str) -> float:
        self._multipliers[market] = unit_of(market.partition(":")[2])[1]
        return self._multipliers[market]

    def _events(self, frame: Frame) -> list[Event]:
        """Return the events of a frame. A bug in a reader loses this frame only."""
        try:
            reader = self.readers.get(frame.venue) or self.reader(frame.venue)
            return reader.read(frame.raw, frame.received_time, frame.channel)
        except WireError:
            raise
        except Exception as why:
            raise WireError(frame.venue, f"{type(why).__name__}: {why}", frame.raw) from why

    def _dispatch(self, coin: str, event: Event) -> list[Ask]:
        """Apply an event to its desk, or add a print to the pending run."""
        if isinstance(event, Trade | Trades):
            self._runs.setdefault(event.market, []).append(event)
            return []
        asks: list[Ask] = []
        if not isinstance(event, _FREE) and not isinstance(event, ClockTick):
            asks = self._flush_one(event.market) if event.market in self._runs else asks
        return asks + drive(self.desks[coin], (event,))

    def _flush(self) -> list[Ask]:
        asks: list[Ask] = []
        for market in list(self._runs):
            asks += self._flush_one(market)
        return asks

    def _flush_one(self, market: str) -> list[Ask]:
        run = self._runs.pop(market, None)
        if run is None:
            return []
        return drive(self.desks[self.coins[market]], (as_one(run),))

    # -- control messages

    def _apply_control(self, control: ControlMessage) -> list[Ask]:
        match control:
            case ClockTick():
                asks = self._flush()
                self._share_pooled_stats(control.time)
                for desk in self.desks.values():
                    asks += drive(desk, (control,))
                return asks
            case Started():
                return self._flush() + self._start(control)
            case BackfillDone():
                return self._join(control)
            case MarketReady():
                return self._enter(control.market)
            case Link() | Gap():
                return self._apply_status(control)

    def _apply_status(self, control: Link | Gap) -> list[Ask]:
        """Apply a link state or a gap of a market; it waits until the market has joined."""
        if self.watch is not None:
            self.watch(control)
        coin = self.coins.get(control.market)
        if coin is None:
            return []
        if control.market in self._waiting:
            self._waiting[control.market].append(control)
            return []
        return self._dispatch(coin, control)

    def _record_missing(self, frame: Frame) -> list[Ask]:
        """Apply a gap to every market where frames before `frame` are missing: numbers never jump.

        The `BackfillDone` of a waiting market may be among them, so it joins with the answers it
        has.
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
        """Once an hour, pass every coin the statistics of the other coins' markets."""
        if all(desk.now // HOUR >= at // HOUR for desk in self.desks.values()):
            return
        market_stats = {coin: desk.market_stats() for coin, desk in self.desks.items()}
        for coin, desk in self.desks.items():
            desk.peers = [each for c, stats in market_stats.items() if c != coin for each in stats]

    def _start(self, boot: Started) -> list[Ask]:
        """Restart: reset the readers; every market waits for its backfill."""
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
            asks += drive(
                desk, [Link(name, boot.time, boot.time, "down", "start") for name in desk.markets]
            )
        return asks

    def _join(self, join: BackfillDone) -> list[Ask]:
        """Replay a market's backfill, at once or in the background."""
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
        """Put a backfilled market into its desk, then apply the events that waited."""
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
    """Return whether a frame is a `Started`, after which all markets wait again."""
    try:
        return not frame.venue and isinstance(read_control(frame.raw), Started)
    except WireError:
        return False


def _from(since: int, events: list[Event]) -> list[Event]:
    """Return events without the prints before `since`, which the backfill has too.

    Some venues begin a stream with a list of old prints.
    """
    out: list[Event] = []
    for event in events:
        kept = trades_since(event, since) if isinstance(event, Trade | Trades) else event
        if kept is not None:
            out.append(kept)
    return out
