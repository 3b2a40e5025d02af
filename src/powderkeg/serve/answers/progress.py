"""Progress of a start, field by field."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

from powderkeg.live.answers import StreamState
from powderkeg.serve.answers.envelope import Source

CoinState: TypeAlias = Literal["waiting", "price", "map", "ready"]
MarketState: TypeAlias = Literal[
    "waiting", "asking", "fetching", "playing", "ready", "failed", "refused"
]


class CoinProgress(Struct, frozen=True):
    """One coin."""

    coin: str
    """The coin."""
    state: CoinState
    """What is known of it: nothing, a price, a map, or all."""
    share: float
    """Fraction of its start that is done."""
    left: float | None
    """Seconds left; null while unknown."""


class MarketStreams(Struct, frozen=True):
    """State of each stream of a market; none where the venue has no such stream."""

    trades: StreamState = "waiting"
    """Trades."""
    book: StreamState = "waiting"
    """Order book."""
    interest: StreamState = "waiting"
    """Open interest."""
    funding: StreamState = "waiting"
    """Funding."""
    liquidations: StreamState = "waiting"
    """Liquidations."""


class MarketProgress(Struct, frozen=True):
    """One market."""

    coin: str
    """Its coin."""
    market: str
    """The market, as venue:SYMBOL."""
    venue: str
    """Its venue."""
    state: MarketState
    """What is being done."""
    requests: int
    """Number of requests for its history."""
    answered: int
    """Number of them answered."""
    share: float
    """Fraction of its start that is done."""
    left: float | None
    """Seconds left; null while unknown."""
    problem: str
    """What failed; empty where nothing did."""
    next: str
    """What is tried next after a failure."""
    tries: int
    """Number of attempts so far."""
    streams: MarketStreams
    """State of its streams."""


class Progress(Struct, frozen=True, tag_field="kind", tag="starting"):
    """What the start is doing, and how far it has come."""

    ready: bool
    """Whether every coin has its history."""
    source: Source
    """Where the data comes from."""
    note: str
    """Why the source is what it is."""
    since: int
    """Time of the start, µs UTC."""
    now: int
    """Time of the server, µs UTC."""
    took: float | None
    """Seconds the whole start took; null before its end."""
    doing: str
    """Current step, in words."""
    share: float
    """Fraction of the start that is done."""
    left: float | None
    """Seconds left; null while unknown."""
    coins: list[CoinProgress]
    """One object per coin."""
    markets: list[MarketProgress]
    """One object per market."""
