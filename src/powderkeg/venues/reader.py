"""What readers share: one way in, tables of what is read by its name, and what was left out.

Traps:
- A frame of a stranger may make the decoder recurse too deep: that is a `WireError` too.
- The answers of a venue are read by an object of its own, but told as the reader's: `VenueAdapter`
  shares its dictionaries, so an answer must fill them and not put others in their place.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeAlias, TypeVar

import msgspec
from msgspec import Raw, Struct

from powderkeg.errors import WireError
from powderkeg.events import HOUR, Event, Link
from powderkeg.instruments import Instrument, TierTable
from powderkeg.venues.base import Channel, ChannelKind, Poll, Stateful


class Decoder(Protocol):
    """Turns bytes into values of a type."""

    def decode(self, raw: bytes | Raw, /) -> Any:
        """Return what the bytes say."""
        ...


Make: TypeAlias = Callable[[str, Any, int], list[Event]]
"""Of a symbol, what was decoded, and when it was seen in µs."""
Makers: TypeAlias = Mapping[str, tuple[Decoder, Make]]
"""How to read a kind of answer or of frame, by its name."""

UNREADABLE = "row that cannot be read"
"""Counted where the other rows of a frame or answer could be."""
PARTIAL = "instruments beyond the first page"
"""Counted where a venue has told some of its instruments only."""


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
    """Return what is made of all rows; count those of which nothing can be made.

    Raises:
        ValueError: Of none of them can be.
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
    """Reads lists of rows of which one that is bad costs itself only.

    The rows of one frame belong to many traders, and often to many markets. What is one thing in
    many rows, such as a book or a table of tiers, must not be read so.

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
        """Return the rows that can be read, be it none, and count the others."""
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


class SkipCounter(Stateful):
    """What a venue has told so far, and what of it was left out.

    Args:
        asked: How to read each kind of answer.
    """

    __slots__ = ("_asked", "instruments", "server_time", "skipped", "tiers")
    name: str
    """First half of the market ids."""

    def __init__(self, asked: Makers | None = None) -> None:
        self._asked = asked or {}
        self.server_time = 0
        """The venue's clock, µs; 0 until told."""
        self.instruments: dict[str, Instrument] = {}
        self.tiers: dict[str, TierTable] = {}
        self.skipped: dict[str, int] = {}

    def _skip(self, reason: str, times: int = 1) -> list[Event]:
        """Count what was left out, and return the nothing that is told of it."""
        count(self.skipped, reason, times)
        return []

    def _rows(self, row: object) -> Rows:
        """Return a reader of lists that counts here what it leaves out."""
        return Rows(row, self._skip)

    def _refused(self, why: str, seen: int) -> list[Event]:
        return [Link(self.name, seen, seen, "refused", why[:120])]

    def _answer(self, channel: str, raw: bytes | Raw, seen: int) -> list[Event]:
        """Return what the rows of an answer say, by the name of what was asked."""
        kind, _, symbol = channel.partition(":")
        if kind not in self._asked:
            return self._skip(f"answer to {channel[:24]}")
        rows, make = self._asked[kind]
        return make(symbol, rows.decode(raw), seen)


class RestDecoder(SkipCounter, ABC):
    """What the answers of one venue have told so far.

    Args:
        name: First half of the market ids.
        asked: How to read each kind of answer.
    """

    __slots__ = ("intervals", "name")

    def __init__(self, name: str, asked: Makers) -> None:
        super().__init__(asked)
        self.name = name
        self.intervals: dict[str, int] = {}
        """Between payments of funding, µs, by symbol."""

    @abstractmethod
    def read(self, raw: bytes, seen: int, channel: str) -> list[Event]:
        """Return what an answer says; a refusal is a `Link`."""

    def interval(self, symbol: str) -> int:
        """Return µs between payments of funding: eight hours unless told."""
        return self.intervals.get(symbol, 8 * HOUR)


class EnvelopeDecoder(RestDecoder):
    """Answers of the form ``{"code": "0", "msg": "", "data": [...]}``."""

    __slots__ = ()
    RIGHT: ClassVar[str] = "0"
    """The code of an answer that is no refusal."""

    def read(self, raw: bytes, seen: int, channel: str) -> list[Event]:
        """Return what an answer says; a refusal is a `Link`."""
        coded = _coded.decode(raw)
        if coded.code != self.RIGHT:
            return self._refused(coded.msg or f"code {coded.code}", seen)
        return self._answer(channel, coded.data, seen)


class Reader(SkipCounter, ABC):
    """A reader of what comes over sockets and what answers say, of one venue."""

    __slots__ = ()

    def read(self, raw: bytes, seen: int, channel: str = "") -> list[Event]:
        """Return what one frame or answer says; see `Venue.read`.

        Raises:
            WireError: It is not what the venue documents, or cannot be told in base coin yet.
        """
        try:
            return self._rest(raw, seen, channel) if channel else self._live(raw, seen)
        except (msgspec.MsgspecError, ValueError, RecursionError) as why:
            raise WireError(self.name, why, raw) from why

    def reply(self, raw: bytes) -> bytes:  # noqa: ARG002  # of the protocol
        """Return nothing: no frame wants an answer, unless a venue says so."""
        return b""

    def watch(self, addresses: Sequence[str]) -> list[Poll]:  # noqa: ARG002  # of the protocol
        """Return nothing: no venue tells of others' accounts, unless it says so."""
        return []

    @abstractmethod
    def _live(self, raw: bytes, seen: int) -> list[Event]:
        """Return what a frame of a socket says."""

    def _rest(self, raw: bytes, seen: int, channel: str) -> list[Event]:
        return self._answer(channel, raw, seen)

    def _channels(
        self, symbols: Sequence[str], cadences: Mapping[ChannelKind, int]
    ) -> tuple[Channel, ...]:
        return tuple(
            Channel(f"{self.name}:{each}", kind, expected_interval)
            for each in symbols
            for kind, expected_interval in cadences.items()
        )


_A = TypeVar("_A", bound=RestDecoder)


class VenueAdapter(Reader, Generic[_A]):
    """A reader that leaves its answers to an object of their own, and tells what that was told.

    Args:
        answers: Reads the answers. It and this share what they know and what they left out.
    """

    __slots__ = ("_answers",)

    def __init__(self, answers: _A) -> None:
        super().__init__()
        self._answers = answers
        self.skipped = answers.skipped
        self._share()

    def memory(self) -> dict[str, Any]:
        """Return what decides how the next frame is read."""
        return {**super().state_dict(), "answers": self._answers.state_dict()}

    def recall(self, memory: dict[str, Any]) -> None:
        """Know what another reader knew."""
        super().load_state(memory)
        self._answers.load_state(memory["answers"])
        self._share()

    def _share(self) -> None:
        self.instruments, self.tiers = self._answers.instruments, self._answers.tiers

    def _rest(self, raw: bytes, seen: int, channel: str) -> list[Event]:
        events = self._answers.read(raw, seen, channel)
        self.server_time = self._answers.server_time
        return events
