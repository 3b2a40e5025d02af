"""What is answered of the feed, field by field; the docstrings are published in the API."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

from powderkeg.venues.base import ChannelKind

LinkState: TypeAlias = Literal["up", "down", "stale"]
ChannelState: TypeAlias = Literal["up", "down", "stale", "waiting"]
StreamState: TypeAlias = Literal["up", "down", "waiting", "none"]


class ChannelHealth(Struct, frozen=True):
    """One channel of one market."""

    market: str
    """The market, as venue:SYMBOL."""
    channel: ChannelKind
    """What it carries."""
    count: int
    """Number of events so far."""
    rate: float
    """Events per second over the last minute."""
    lag: float
    """Seconds from the venue's time of the last event to ours."""
    age: float | None
    """Seconds since the last event; null where there was none."""
    expected_interval: float
    """Seconds between two events at most while all is well; 0 where they are irregular."""
    state: ChannelState
    """Whether its link is up, and whether it has been silent for twice the expected interval."""


class VenueHealth(Struct, frozen=True):
    """One venue's clock, request budget and completeness."""

    skew: float | None
    """Seconds by which the venue's clock is ahead of ours; null until known."""
    delay: float | None
    """Seconds that an event takes from there to here; null until known."""
    weight_used: float
    """Number of request weights used in the window."""
    weight_limit: float
    """Number of request weights allowed in the window."""
    window: float
    """Length of the window, seconds."""
    liquidations: Literal["all", "sample", "none"]
    """How much of its liquidations the venue reports."""
    skipped: dict[str, int]
    """Number of messages left out, by reason."""


class LoopLag(Struct, frozen=True):
    """How late the event loop was."""

    recent: float = 0.0
    """Greatest lag of the last minute, seconds."""
    worst: float = 0.0
    """Greatest lag since the start, seconds."""


class FeedHealth(Struct, frozen=True, kw_only=True):
    """State of everything that is collected."""

    at: int
    """Time of this report, µs UTC."""
    markets: dict[str, LinkState]
    """State of each market's link."""
    channels: list[ChannelHealth]
    """State of each channel."""
    venues: dict[str, VenueHealth]
    """State of each venue."""
    incidents: dict[str, dict[str, int]]
    """Number of incidents by venue and kind."""
    problems: dict[str, str]
    """What is wrong, in words, by venue or component."""
    unread_frames: int
    """Number of messages that could not be read."""
    unread: dict[str, int]
    """Number of messages that could not be read, by venue."""
    last_unread: str
    """Why the last of them could not be read."""
    hosts: dict[str, str] = {}
    """Hosts used instead of a venue's own."""
    lag: LoopLag = LoopLag()
    """Of the event loop."""
    waiting_frames: int = 0
    """Number of messages received and not yet applied."""
    recorded_frames: int = 0
    """Number of messages stored."""
    recorded_since: int | None = None
    """Time of the oldest message still stored, µs UTC: books and the reads that rest on them can be
    played again from then on. The oldest are deleted first; null where nothing is stored."""
    recording: bool = False
    """Whether messages are being stored."""
