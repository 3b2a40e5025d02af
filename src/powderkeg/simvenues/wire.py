"""The interface of a simulated venue: REST answers, topics and frames, without a socket."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from powderkeg.simvenues.faults import Fault
from powderkeg.simvenues.market.feed import LiquidationFill, Market, MarketUpdate

Kind: TypeAlias = Literal["trades", "book", "mark", "liquidations", "other"]
Query: TypeAlias = Mapping[str, str]

encode: Final = msgspec.json.encode
_RECENT: Final = 5


class Reply(Struct, frozen=True):
    """The answer to a REST request."""

    body: bytes
    status: int = 200
    weight: int = 1
    headers: tuple[tuple[str, str], ...] = ()


class Frame(Struct, frozen=True):
    """A message to every socket subscribed to `topic`."""

    topic: str
    kind: Kind
    body: bytes


class Session:
    """One client connection as a venue sees it: its subscriptions, and how to send to it.

    Args:
        send: Puts a frame into the socket's queue.
        path: Path and query it connected to.
        number: Running number of the connection.
    """

    def __init__(self, send: Callable[[bytes], None], path: str, number: int) -> None:
        self.send = send
        self.path = path
        self.number = number
        self.topics: set[str] = set()
        self.state: dict[str, Any] = {}
        """The venue's own data about it."""


class RefusedError(Exception):
    """A request that a venue answers with an error of its own."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.body.decode())
        self.reply = reply


class MockExchange:
    """One venue's wire. The server calls `answer`, `connect`, `on_message` and `publish_update`."""

    name: str

    def __init__(self, markets: list[Market], clock: Callable[[], int]) -> None:
        """Serve these markets; `clock` returns the venue's time in µs."""
        self.markets = {market.spec.symbol: market for market in markets}
        self.clock = clock
        self.is_subscribed: Callable[[str], bool] = lambda _topic: True
        """Whether any socket is subscribed to a topic; frames of other topics need not be built."""
        self._liquidations_sent: deque[tuple[Market, LiquidationFill]] = deque(maxlen=_RECENT)
        """The last forced closes sent, with the times they were stamped with."""
        self.flags: dict[str, Any] = {}
        """Faults that change the content of messages rather than their delivery."""

    def millis(self) -> int:
        """Return the venue's time, ms, skewed while that fault is on."""
        return self.clock() // 1000 + self._skew()

    def stamp(self, at: int) -> int:
        """Return a time as the venue stamps it, ms."""
        return at // 1000 + self._skew()

    def _skew(self) -> int:
        return int(self.flags.get("clock_skew", 0))

    def keep_liquidations(self, market: Market, liquidations: list[LiquidationFill]) -> None:
        """Keep forced closes for later subscribers."""
        skew = self._skew() * 1000
        self._liquidations_sent.extend(
            (market, replace(liquidation, at=liquidation.at + skew)) for liquidation in liquidations
        )

    def replayed_liquidations(self) -> list[tuple[Market, LiquidationFill]]:
        """Return the last forced closes sent; `stamp` gives each the time it was sent with."""
        skew = self._skew() * 1000
        return [
            (market, replace(liquidation, at=liquidation.at - skew))
            for market, liquidation in self._liquidations_sent
        ]

    def answer(self, path: str, query: Query, body: bytes) -> Reply:
        """Return the answer to a REST request.

        Raises:
            RefusedError: The venue would answer with an error.
        """
        raise NotImplementedError

    def connect(self, session: Session) -> bool:
        """Set up a new connection; return whether the venue serves its path."""
        raise NotImplementedError

    def on_message(self, session: Session, text: str) -> None:
        """Handle a message of a client."""
        raise NotImplementedError

    def reported_liquidations(
        self, market: Market, market_update: MarketUpdate
    ) -> list[LiquidationFill]:
        """Return the forced closes the venue reports in this step: all, as they happen."""
        del market
        return market_update.liquidations

    def publish_update(
        self, market: Market, market_update: MarketUpdate, liquidations: list[LiquidationFill]
    ) -> Iterator[Frame]:
        """Yield the frames of one market's update, for topics with subscribers.

        Args:
            market: The market.
            market_update: Its update.
            liquidations: The forced closes to report.
        """
        raise NotImplementedError

    def padding_frames(self, market: Market, market_update: MarketUpdate) -> Iterator[Frame]:
        """Yield only trades and book frames, of an update that pads the load."""
        for frame in self.publish_update(market, market_update, []):
            if frame.kind in {"trades", "book"}:
                yield frame

    def restart(self, market: Market) -> Iterator[Frame]:
        """Reset a market's book ids as this venue does, and yield the frames it sends then."""
        del market
        yield from ()

    def on_timer(self, session: Session) -> bool:
        """Run what is due on a connection; return whether it may stay open."""
        del session
        return True

    def begin_fault(self, asked: Fault) -> None:
        """Begin a fault that changes the content of messages."""
        self.flags[asked.fault] = round(asked.skew * 1000) if asked.fault == "clock_skew" else asked

    def encode_frame(self, session: Session, frame: Frame) -> bytes:
        """Return a frame as sent to this connection."""
        del session
        return frame.body

    def replays_liquidations(self) -> bool:
        """Return whether a fault repeats past liquidations to new subscribers."""
        return "replay_on_subscribe" in self.flags

    def find(self, symbol: str) -> Market | None:
        """Return a market by its symbol."""
        return self.markets.get(symbol)


def number(query: Query, name: str, default: int) -> int:
    """Return an integer of a query, or `default` where it is missing or not one."""
    text = query.get(name, "")
    return int(text) if text.lstrip("-").isdigit() else default
