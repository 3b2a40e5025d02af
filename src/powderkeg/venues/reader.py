"""A venue's reader: requests, a stream decoder and a table of REST decoders around one state.

Trap: a hostile frame may make a decoder recurse too deep; that is a `WireError` too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypeAlias, TypeVar

import msgspec
from msgspec import Raw, Struct

from powderkeg.errors import WireError
from powderkeg.events import HOUR, Event, Link
from powderkeg.instruments import Instrument, TierTable
from powderkeg.venues.base import Limits, Poll, Stream


class Decoder(Protocol):
    """Turns bytes into values of a type."""

    def decode(self, raw: bytes | Raw, /) -> Any:
        """Return the decoded value."""
        ...


Make: TypeAlias = Callable[[str, Any, int], list[Event]]
"""Takes a symbol, the decoded rows, and when they were received in µs."""
Makers: TypeAlias = Mapping[str, tuple[Decoder, Make]]
"""How to read a kind of answer or of frame, by its name."""

UNREADABLE = "row that cannot be read"
"""Counted where the other rows of a frame or answer could be read."""
PARTIAL = "instruments beyond the first page"
"""Counted where a venue has listed only some of its instruments."""

Unwrap: TypeAlias = Callable[[bytes, str], bytes | Raw]
"""Takes an answer and its kind, and returns what the decoder of this kind reads."""


class RefusalError(Exception):
    """The venue refused a request or a subscription, in its own words."""


class _Envelope(Struct):
    code: str
    msg: str = ""
    data: Raw = Raw()


_coded: msgspec.json.Decoder[_Envelope] = msgspec.json.Decoder(_Envelope, strict=False)
_parts = msgspec.json.Decoder(list[Raw])

_R = TypeVar("_R")
_M = TypeVar("_M")


def decoder(row: object) -> msgspec.json.Decoder[Any]:
    """Return a decoder of a type that takes numbers sent as strings."""
    return msgspec.json.Decoder(row, strict=False)


def count(skipped: dict[str, int], reason: str, times: int = 1) -> None:
    """Count what was left out, by reason."""
    if times:
        skipped[reason] = skipped.get(reason, 0) + times


def of_each(
    rows: Sequence[_R], make: Callable[[_R], list[_M]], skip: Callable[[str, int], object]
) -> list[_M]:
    """Return the events of all rows; count the rows `make` cannot convert.

    Raises:
        ValueError: No row can be converted.
    """
    out, wrong = list[_M](), list[ValueError]()
    for row in rows:
        try:
            out += make(row)
        except ValueError as why:
            wrong.append(why)
    if wrong and len(wrong) == len(rows):
        raise wrong[0]
    skip(UNREADABLE, len(wrong))
    return out


class Rows:
    """Decodes a list of rows, skipping and counting the bad ones.

    The rows of one frame belong to many traders, and often to many markets. Do not use it where
    many rows form one thing, such as a book or a table of tiers.

    Args:
        row: Type of one row.
        skip: Counts what was left out, by reason and number.
    """

    __slots__ = ("_all", "_one", "_skip")

    def __init__(self, row: object, skip: Callable[[str, int], object]) -> None:
        self._all, self._one = decoder(list[row]), decoder(row)
        self._skip = skip

    def decode(self, raw: bytes | Raw, /) -> list[Any]:
        """Return the rows that can be read, and count the others.

        Raises:
            MsgspecError: It is no list, or none of its rows can be read.
        """
        try:
            return self._all.decode(raw)
        except msgspec.ValidationError:
            chunks = _parts.decode(raw)
            rows = [row for part in chunks if (row := self._read(part)) is not None]
            if not rows:
                raise
            self._skip(UNREADABLE, len(chunks) - len(rows))
            return rows

    def readable(self, chunks: Sequence[Raw]) -> list[Any]:
        """Return the rows that can be read, possibly none, and count the others."""
        rows = [row for part in chunks if (row := self._read(part)) is not None]
        self._skip(UNREADABLE, len(chunks) - len(rows))
        return rows

    def _read(self, part: Raw) -> Any:
        """Return a row, None where it cannot be read."""
        try:
            return self._one.decode(part)
        except msgspec.ValidationError:
            return None


def op(what: str, args: Sequence[object]) -> bytes:
    """Return a message of the form ``{"op": "subscribe", "args": [...]}``."""
    return msgspec.json.encode({"op": what, "args": args})


def resubscribe(args: Sequence[object]) -> tuple[bytes, bytes]:
    """Return the messages that end a subscription and begin it again, for a whole book."""
    return (op("unsubscribe", args), op("subscribe", args))


class VenueState:
    """What a venue's frames and answers have said so far, shared by its decoders.

    They keep nothing else that decides how a frame is read, so nothing can differ between them.

    Args:
        name: First half of the market ids.
    """

    __slots__ = ("instruments", "intervals", "name", "server_time", "skipped", "tiers")
    STATE_FIELDS: ClassVar[tuple[str, ...]] = ()
    """Keys under which snapshots keep what decides how the next frame is read. The attribute has
    the same name without the underscore."""
    ANSWER_FIELDS: ClassVar[tuple[str, ...]] = ()
    """The same, of keys below ``answers``."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.instruments: dict[str, Instrument] = {}
        """By symbol, from the venue's own answers so far."""
        self.tiers: dict[str, TierTable] = {}
        """By symbol, as above."""
        self.intervals: dict[str, int] = {}
        """Between payments of funding, µs, by symbol."""
        self.server_time = 0
        """The venue's clock in its last answer, µs; 0 before the first."""
        self.skipped: dict[str, int] = {}
        """Frames and rows that were understood and left out on purpose, counted by reason."""

    def skip(self, reason: str, times: int = 1) -> list[Event]:
        """Count what was skipped, and return no events."""
        count(self.skipped, reason, times)
        return []

    def rows(self, row: object) -> Rows:
        """Return a decoder of lists that counts here what it leaves out."""
        return Rows(row, self.skip)

    def interval(self, symbol: str) -> int:
        """Return µs between funding payments: eight hours unless the venue says otherwise."""
        return self.intervals.get(symbol, 8 * HOUR)

    def state_dict(self) -> dict[str, Any]:
        """Return what decides how the next frame is read: plain values and records."""
        saved = self._values(self.STATE_FIELDS)
        return saved | ({"answers": self._values(self.ANSWER_FIELDS)} if self.ANSWER_FIELDS else {})

    def load_state(self, saved: dict[str, Any]) -> None:
        """Restore the state of another reader of this venue."""
        for key in self.STATE_FIELDS:
            setattr(self, key.removeprefix("_"), saved[key])
        for key in self.ANSWER_FIELDS:
            setattr(self, key.removeprefix("_"), saved["answers"][key])

    def _values(self, keys: tuple[str, ...]) -> dict[str, Any]:
        return {key: getattr(self, key.removeprefix("_")) for key in keys}


def coded(success: str) -> Unwrap:
    """Return what unwraps answers of the form ``{"code": "0", "msg": "", "data": [...]}``.

    Args:
        success: The code of an answer that is no refusal.
    """

    def unwrap(raw: bytes, _: str) -> Raw:
        answer = _coded.decode(raw)
        if answer.code != success:
            raise RefusalError(answer.msg or f"code {answer.code}")
        return answer.data

    return unwrap


class VenueReader(Struct, frozen=True, kw_only=True):
    """One venue's wire, without a socket: what to ask, and how to read what comes back."""

    name: str
    """First half of the market ids."""
    limits: Limits
    state: VenueState
    stream: Callable[[bytes, int], list[Event]]
    """Returns the events of a frame of a socket, received at a time in µs."""
    answers: Makers
    """How to read each kind of answer: the part of `Poll.channel` before the colon."""
    unwrap: Unwrap = lambda raw, _: raw
    """Takes an answer out of its envelope; raises `RefusalError` where it is a refusal."""
    symbol: Callable[[str], str]
    """Returns the venue's symbol of a coin's perpetual."""
    streams: Callable[[Sequence[str]], list[Stream]]
    """Returns the sockets that carry all channels of these symbols."""
    polls: Callable[[Sequence[str]], list[Poll]]
    """Returns the repeated requests: instruments first, and the venue's clock."""
    past: Callable[[str, int, int], list[Poll]]
    """Returns the requests for the history of a symbol from one time until another, µs: candles,
    open interest, funding; oldest first."""
    recent: Callable[[str], list[Poll]]
    """Returns the request for the latest trades, which join history to the live stream."""
    snapshot: Callable[[str], Poll | tuple[bytes, ...]]
    """Returns how to get a new book snapshot: a request, or messages on the book's socket."""
    watch: Callable[[Sequence[str]], list[Poll]] = lambda _: []
    """Returns the repeated requests for the positions of accounts, none where the venue does not
    publish them. Raises `ConfigError` where one is not an address, or there are too many."""
    reply: Callable[[bytes], bytes] = lambda _: b""
    """Returns the immediate reply to a frame; empty for almost all."""

    def read(self, raw: bytes, seen: int, channel: str = "") -> list[Event]:
        """Return the events of one frame; none for acks and channels we do not use.

        Args:
            raw: The frame as it came.
            seen: When it was received, µs. A reader never looks at a clock.
            channel: The name of the `Poll` it answers; empty for what came over a socket.

        Raises:
            WireError: It is not what the venue documents, or cannot be converted to base coin yet.
        """
        try:
            return self._answer(raw, seen, channel) if channel else self.stream(raw, seen)
        except RefusalError as why:
            return [Link(self.name, seen, seen, "refused", str(why)[:120])]
        except (msgspec.MsgspecError, ValueError, RecursionError) as why:
            raise WireError(self.name, why, raw) from why

    def _answer(self, raw: bytes, seen: int, channel: str) -> list[Event]:
        kind, _, symbol = channel.partition(":")
        body = self.unwrap(raw, kind)
        if kind not in self.answers:
            return self.state.skip(f"answer to {channel[:24]}")
        rows, make = self.answers[kind]
        return make(symbol, rows.decode(body), seen)
