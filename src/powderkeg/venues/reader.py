"""Shared base of the venue readers: dispatch by channel name, and counts of what was skipped.

Traps:
- A hostile frame may make the decoder recurse too deep: that is a `WireError` too.
- A separate object decodes the REST answers of a venue. `VenueAdapter` shares its dictionaries, so
  an answer must update them in place and never replace them.
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


class SkipCounter(Stateful):
    """Base of readers and decoders: what is known of a venue, and counts of what was skipped.

    Args:
        asked: Decoder and event maker of each kind of answer.
    """

    __slots__ = ("_asked", "instruments", "server_time", "skipped", "tiers")
    name: str
    """First half of the market ids."""

    def __init__(self, asked: Makers | None = None) -> None:
        self._asked = asked or {}
        self.server_time = 0
        """The venue's clock, µs; 0 until known."""
        self.instruments: dict[str, Instrument] = {}
        self.tiers: dict[str, TierTable] = {}
        self.skipped: dict[str, int] = {}

    def _skip(self, reason: str, times: int = 1) -> list[Event]:
        """Count what was skipped, and return no events."""
        count(self.skipped, reason, times)
        return []

    def _rows(self, row: object) -> Rows:
        """Return a reader of lists that counts here what it leaves out."""
        return Rows(row, self._skip)

    def _refused(self, why: str, seen: int) -> list[Event]:
        return [Link(self.name, seen, seen, "refused", why[:120])]

    def _answer(self, channel: str, raw: bytes | Raw, seen: int) -> list[Event]:
        """Return the events of an answer, decoded by the name of its request."""
        kind, _, symbol = channel.partition(":")
        if kind not in self._asked:
            return self._skip(f"answer to {channel[:24]}")
        rows, make = self._asked[kind]
        return make(symbol, rows.decode(raw), seen)


class RestDecoder(SkipCounter, ABC):
    """Decodes the REST answers of one venue.

    Args:
        name: First half of the market ids.
        asked: Decoder and event maker of each kind of answer.
    """

    __slots__ = ("intervals", "name")

    def __init__(self, name: str, asked: Makers) -> None:
        super().__init__(asked)
        self.name = name
        self.intervals: dict[str, int] = {}
        """Between payments of funding, µs, by symbol."""

    @abstractmethod
    def read(self, raw: bytes, seen: int, channel: str) -> list[Event]:
        """Return the events of an answer; a refusal is a `Link`."""

    def interval(self, symbol: str) -> int:
        """Return µs between funding payments: eight hours unless the venue says otherwise."""
        return self.intervals.get(symbol, 8 * HOUR)


class EnvelopeDecoder(RestDecoder):
    """Answers of the form ``{"code": "0", "msg": "", "data": [...]}``."""

    __slots__ = ()
    RIGHT: ClassVar[str] = "0"
    """The code of a successful answer."""

    def read(self, raw: bytes, seen: int, channel: str) -> list[Event]:
        """Return the events of an answer; a refusal is a `Link`."""
        coded = _coded.decode(raw)
        if coded.code != self.RIGHT:
            return self._refused(coded.msg or f"code {coded.code}", seen)
        return self._answer(channel, coded.data, seen)


class Reader(SkipCounter, ABC):
    """Reads the socket frames and REST answers of one venue."""

    __slots__ = ()

    def read(self, raw: bytes, seen: int, channel: str = "") -> list[Event]:
        """Return the events of one frame or answer; see `Venue.read`.

        Raises:
            WireError: It is not what the venue documents, or cannot be converted to base coin yet.
        """
        try:
            return self._rest(raw, seen, channel) if channel else self._live(raw, seen)
        except (msgspec.MsgspecError, ValueError, RecursionError) as why:
            raise WireError(self.name, why, raw) from why

    def reply(self, raw: bytes) -> bytes:  # noqa: ARG002  # of the protocol
        """Return nothing: by default no frame needs a reply."""
        return b""

    def watch(self, addresses: Sequence[str]) -> list[Poll]:  # noqa: ARG002  # of the protocol
        """Return nothing: by default a venue does not publish positions of accounts."""
        return []

    @abstractmethod
    def _live(self, raw: bytes, seen: int) -> list[Event]:
        """Return the events of a socket frame."""

    def _rest(self, raw: bytes, seen: int, channel: str) -> list[Event]:
        return self._answer(channel, raw, seen)

    def _channels(
        self, symbols: Sequence[str], intervals: Mapping[ChannelKind, int]
    ) -> tuple[Channel, ...]:
        return tuple(
            Channel(f"{self.name}:{each}", kind, expected_interval)
            for each in symbols
            for kind, expected_interval in intervals.items()
        )


_A = TypeVar("_A", bound=RestDecoder)


class VenueAdapter(Reader, Generic[_A]):
    """A reader that decodes its REST answers with a `RestDecoder`.

    Args:
        answers: Decodes the answers. Both share their instruments, tiers and skip counts.
    """

    __slots__ = ("_answers",)

    def __init__(self, answers: _A) -> None:
        super().__init__()
        self._answers = answers
        self.skipped = answers.skipped
        self._share()

    def state_dict(self) -> dict[str, Any]:
        """Return the state that decides how the next frame is read."""
        return {**super().state_dict(), "answers": self._answers.state_dict()}

    def load_state(self, memory: dict[str, Any]) -> None:
        """Restore the state of another reader."""
        super().load_state(memory)
        self._answers.load_state(memory["answers"])
        self._share()

    def _share(self) -> None:
        self.instruments, self.tiers = self._answers.instruments, self._answers.tiers

    def _rest(self, raw: bytes, seen: int, channel: str) -> list[Event]:
        events = self._answers.read(raw, seen, channel)
        self.server_time = self._answers.server_time
        return events
