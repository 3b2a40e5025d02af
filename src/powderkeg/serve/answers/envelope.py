"""What every answer says of itself: time, age, source, model, coverage."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import UNSET, Struct, UnsetType

from powderkeg.evaluation.answers import Pretrained
from powderkeg.maps.heatmap.coin_view import Mode
from powderkeg.maps.views.grade import Grade
from powderkeg.market.counts import Counts

Source: TypeAlias = Literal["live", "replay", "simulated"]
FeedState: TypeAlias = Literal["up", "joining", "stale", "down"]


class VenueStatus(Struct):
    """One venue of a coin."""

    name: str
    """Name of the venue."""
    market: str
    """Its market, as venue:SYMBOL."""
    on: bool
    """Whether it was asked for."""
    age: float | None
    """Seconds since its newest data; null where there is none."""
    state: FeedState
    """State of its feed; joining while its history is requested or played."""
    oi: float | None
    """Open interest, base coin; 0 where it is not known, null of the past."""
    share: float | None
    """Fraction of the open interest of all venues; null of the past."""


class Fit(Struct, frozen=True):
    """What the weights of a map rest on."""

    version: int
    """Version of the model."""
    at: int | None
    """Time of the last fit, µs UTC; null before the first."""
    new_liquidations: int
    """Number of liquidations that were new to it."""
    why: str
    """Why the weights were fitted, in words."""
    markets: int
    """Number of markets that have been fitted."""
    reports: float
    """Effective number of liquidations learned from, over the chosen markets."""
    pretrained: Pretrained | None
    """Where the weights come from while all chosen markets rest on pretrained ones."""
    path_only: list[str]
    """Venues of which no volume is known: their map is of the path alone."""

    @property
    def since(self) -> int:
        """Since when a map has been based on this fit, µs."""
        return self.pretrained.until if self.pretrained else self.at or 0


class Envelope(Struct, kw_only=True):
    """What every answer about a coin says of itself."""

    coin: str
    """The coin."""
    source: Source
    """Where the data comes from."""
    note: str
    """Why the source is what it is, such as which venues did not answer."""
    as_of: int | None
    """Time of the map, µs UTC; null where there is none yet."""
    now: int
    """Time of the server, µs UTC; a replay stands at its own."""
    age: float | None
    """Seconds between both; null where there is no map yet."""
    model: str
    """What the weights rest on, in words."""
    mode: Mode
    """The model asked for."""
    prior_only: bool | None
    """Whether nothing has been learned yet; null of the past."""
    fit: Fit | None
    """The last fit; null of a time before it."""
    grade: Grade | None
    """How good the map is; null of the past."""
    coverage: float
    """Fraction of the chosen venues that were heard in the last 10 seconds."""
    price: float | None
    """Price of the last trade, quote currency; of the past the close of its column."""
    mark: float | None
    """Mark price of the leading market, quote currency."""
    tick: float
    """Step of price worth showing, quote currency."""
    venues: list[VenueStatus]
    """One object per venue."""


class StreamedEnvelope(Envelope, kw_only=True):
    """An envelope that names the stream which continues the answer."""

    stream: str = ""
    """Name of the stream; empty where nothing is streamed."""
    seq: int = 0
    """Sequence number of its last message that the answer contains."""


class HeatmapEnvelope(StreamedEnvelope, kw_only=True):
    """The envelope of a heatmap."""

    coding: Literal["rows-delta"] | UnsetType = UNSET
    """Layout of `cells` in MessagePack, absent in JSON: row by row, shape (rows, cols) or
    (5, rows, cols), as differences along time modulo 256, the first column from 0."""


class CoinHealth(Envelope, kw_only=True):
    """One coin's envelope, and what it has counted."""

    counts: Counts
    """Events so far."""
