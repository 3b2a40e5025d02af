"""What every simulated venue is to the server: answers, topics, and frames, without a socket."""

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
    """What goes to all who subscribed to `topic`."""

    topic: str
    kind: Kind
    body: bytes


class Session:
    """One socket as a venue sees it: what it asked for, and how to answer.

    Args:
        say: Puts a frame into the socket's queue.
        path: Where it connected, with its query.
    """

    def __init__(self, say: Callable[[bytes], None], path: str, number: int) -> None:
        self.say = say
        self.path = path
        self.number = number
        self.topics: set[str] = set()
        self.note: dict[str, Any] = {}
        """What a venue remembers of it."""


class RefusedError(Exception):
    """A request that a venue answers with an error of its own."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.body.decode())
        self.reply = reply


class MockExchange:
    """One venue's wire. The server calls `answer`, `connect`, `on_message` and `publish_update`."""

    name: str

    def __init__(self, markets: list[Market], clock: Callable[[], int]) -> None:
        """Serve these markets; `clock` tells the venue's time in µs."""
        self.markets = {market.spec.symbol: market for market in markets}
        self.clock = clock
        self.wanted: Callable[[str], bool] = lambda _topic: True
        """Whether anyone listens to a topic; frames of others need not be made."""
        self._liquidations_sent: deque[tuple[Market, LiquidationFill]] = deque(maxlen=_RECENT)
        """Forced closes told last, at the time they were stamped with."""
        self.flags: dict[str, Any] = {}
        """Faults that change what is said rather than how it is delivered."""

    def millis(self) -> int:
        """Return the venue's time, ms, skewed where a fault says so."""
        return self.clock() // 1000 + self._skew()

    def stamp(self, at: int) -> int:
        """Return a time as the venue stamps it, ms."""
        return at // 1000 + self._skew()

    def _skew(self) -> int:
        return int(self.flags.get("clock_skew", 0))

    def remember(self, market: Market, told: list[LiquidationFill]) -> None:
        """Keep forced closes for those who subscribe later."""
        skew = self._skew() * 1000
        self._liquidations_sent.extend(
            (market, replace(death, at=death.at + skew)) for death in told
        )

    def replayed_liquidations(self) -> list[tuple[Market, LiquidationFill]]:
        """Return the forced closes told last; `stamp` gives each the time it was told with."""
        skew = self._skew() * 1000
        return [
            (market, replace(death, at=death.at - skew))
            for market, death in self._liquidations_sent
        ]

    def answer(self, path: str, query: Query, body: bytes) -> Reply:
        """Return the answer to a REST request.

        Raises:
            RefusedError: The venue would answer with an error.
        """
        raise NotImplementedError

    def connect(self, session: Session) -> bool:
        """Greet a new socket; return whether the path is one the venue serves."""
        raise NotImplementedError

    def on_message(self, session: Session, text: str) -> None:
        """Act on what a client said."""
        raise NotImplementedError

    def told(self, market: Market, market_update: MarketUpdate) -> list[LiquidationFill]:
        """Return which forced closes the venue tells in this step: all, as they happen."""
        del market
        return market_update.liquidations

    def publish_update(
        self, market: Market, market_update: MarketUpdate, told: list[LiquidationFill]
    ) -> Iterator[Frame]:
        """Yield the frames one market's news makes, for topics that are wanted.

        Args:
            market: Where it happened.
            market_update: What happened.
            told: The forced closes to tell.
        """
        raise NotImplementedError

    def again(self, market: Market, market_update: MarketUpdate) -> Iterator[Frame]:
        """Yield only trades and book frames, of news made to raise the load."""
        for frame in self.publish_update(market, market_update, []):
            if frame.kind in {"trades", "book"}:
                yield frame

    def restart(self, market: Market) -> Iterator[Frame]:
        """Start a market's book ids anew as this venue does, and yield what it says then."""
        del market
        yield from ()

    def on_timer(self, session: Session) -> bool:
        """Do what is due on a socket; return whether it may stay open."""
        del session
        return True

    def begin(self, asked: Fault) -> None:
        """Begin a fault that changes what is said."""
        self.flags[asked.fault] = round(asked.skew * 1000) if asked.fault == "clock_skew" else asked

    def encode_frame(self, session: Session, frame: Frame) -> bytes:
        """Return a frame as this socket gets it."""
        del session
        return frame.body

    def replay(self) -> bool:
        """Return whether a fault makes liquidations be said again to who subscribes."""
        return "replay_on_subscribe" in self.flags

    def find(self, symbol: str) -> Market | None:
        """Return a market by its symbol."""
        return self.markets.get(symbol)


def number(query: Query, name: str, other: int) -> int:
    """Return a whole number of a query, or `other` where it is missing or none."""
    text = query.get(name, "")
    return int(text) if text.lstrip("-").isdigit() else other
