"""What is answered of the server itself and of all its coins."""

from __future__ import annotations

from msgspec import Struct

from powderkeg.evaluation.answers import Scores
from powderkeg.live.answers import FeedHealth
from powderkeg.maps.field_types import Float64Array
from powderkeg.maps.views.grade import Grade
from powderkeg.maps.views.screener import ScreenerRow
from powderkeg.serve.answers.envelope import CoinHealth, Source


class ErrorAnswer(Struct, frozen=True):
    """Why a request was refused."""

    error: str
    """What was expected, and what was found."""


class Coins(Struct, frozen=True):
    """The coins served, and where their data comes from."""

    coins: list[str]
    """Names of the coins."""
    source: Source
    """Where the data comes from."""
    ready: bool
    """Whether every coin has its history."""
    progress: str
    """Current step of the start; empty once ready."""
    note: str
    """Why the source is what it is."""
    version: str
    """Version of the program."""


class Health(Struct, frozen=True):
    """State of the server, of its coins and of the feed."""

    source: Source
    """Where the data comes from."""
    note: str
    """Why the source is what it is."""
    ready: bool
    """Whether every coin has its history."""
    coins: dict[str, CoinHealth]
    """State of each coin."""
    feed: FeedHealth | None
    """State of the feed; null where nothing is collected."""


class ScoresAnswer(Scores, frozen=True, kw_only=True):
    """Accuracy of the maps of now so far."""

    source: Source
    """Where the data comes from."""
    note: str
    """Why the source is what it is."""


class ScreenerCoin(ScreenerRow, frozen=True, kw_only=True):
    """One coin at a glance; null where nothing is known of it yet."""

    coin: str
    """The coin."""
    known: bool
    """Whether anything is known of it yet."""
    why: str
    """Why nothing is known, in words; empty where something is."""
    tick: float | None = None
    """Step of price worth showing, quote currency."""
    grade: Grade | None = None
    """How good its map is."""
    age: float | None = None
    """Seconds since the time of its map."""
    as_of: int | None = None
    """Time of its map, µs UTC."""
    coverage: float | None = None
    """Fraction of its venues that were heard in the last 10 seconds."""
    partial: bool = False
    """Whether some venue was not heard."""


class ScreenerAnswer(Struct, frozen=True, tag_field="kind", tag="screener"):
    """Every coin at a glance: the calibrated map of all venues and tiers."""

    source: Source
    """Where the data comes from."""
    note: str
    """Why the source is what it is."""
    now: int
    """Time of the server, µs UTC."""
    coins: list[ScreenerCoin]
    """One object per coin."""


class Rates(Struct, frozen=True, eq=False, tag_field="kind", tag="rates"):
    """What a US dollar was worth by day, by the fixings of the ECB."""

    ccy: str
    """The currency."""
    currencies: list[str]
    """All currencies there are rates of."""
    unit: str
    """Unit of the rates, in words."""
    as_of: int
    """Start of the day of `rate`, µs UTC."""
    rate: float
    """Latest rate: number of units of the currency a US dollar."""
    stale: bool
    """Whether it is older than a week."""
    source: str
    """Who published the rates."""
    days: list[str]
    """Days of `values`, ISO 8601."""
    values: Float64Array
    """Number of units of the currency a US dollar, by day."""
