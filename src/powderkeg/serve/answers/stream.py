"""Messages of the stream; ``levels`` is the answer of the view of that name."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from powderkeg.maps.field_types import ByteArray, IndexArray
from powderkeg.maps.views.grade import Grade
from powderkeg.serve.answers.compose import ANSWERS
from powderkeg.serve.answers.envelope import Fit, Source, StreamedEnvelope, VenueStatus
from powderkeg.serve.answers.progress import Progress


class Message(Struct, kw_only=True, tag_field="kind"):
    """What every message carries."""

    stream: str = ""
    """Name of the stream."""
    seq: int = 0
    """Sequence number, one more than that of the message before."""


class Hello(Message, kw_only=True, tag="hello"):
    """The first message: which rows and scale the columns use."""

    p0: float
    """Natural log of the price at the lower edge of row 0."""
    vmin: float
    """Dollars of byte 1."""
    now: int
    """Time of the server, µs UTC."""
    source: Source
    """Where the data comes from."""


class Column(Message, kw_only=True, tag="column"):
    """The newest column, or what has changed of it."""

    t: int
    """Start of the column, µs UTC."""
    k: list[float | None]
    """Open, high, low and close price, and volume in base coin; null where nothing traded."""
    full: bool
    """Whether `v` holds all rows."""
    as_of: int
    """Time of the map, µs UTC."""
    r: IndexArray
    """Index of the rows in `v`; empty where it holds all."""
    v: ByteArray
    """Bytes of dollars by row, on the scale of the heatmap."""
    resync: bool | UnsetType = UNSET
    """True where messages may have been missed, else absent: the column is complete, and `seq` is
    that of the last message."""


class Rebase(Message, kw_only=True, tag="rebase"):
    """Rows or scale have changed: the heatmap must be fetched again."""


class Status(Message, kw_only=True, tag="status"):
    """What the map rests on, every two seconds."""

    now: int
    """Time of the server, µs UTC."""
    source: Source
    """Where the data comes from."""
    note: str
    """Why the source is what it is."""
    coverage: float
    """Fraction of the chosen venues that were heard in the last 10 seconds."""
    venues: list[VenueStatus]
    """One object per venue."""
    model: str
    """What the weights rest on, in words."""
    prior_only: bool | None
    """Whether nothing has been learned yet."""
    fit: Fit | None
    """The last fit."""
    grade: Grade | None
    """How good the map is."""
    events: int
    """Number of events so far."""


MESSAGES: tuple[type[Struct], ...] = (Hello, Column, Rebase, ANSWERS["levels"], Status, Progress)
"""Every message; the last is that of the topic `starting`."""
Sent = Message | StreamedEnvelope
