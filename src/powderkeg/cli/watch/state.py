"""What is shown: the newest message of each kind, and how the connection stands."""

from __future__ import annotations

from collections import deque
from typing import Any, Final, TypeVar, Union, get_args

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from powderkeg.errors import RequestError
from powderkeg.maps.flow.ladder import Ladder
from powderkeg.maps.flow.read import Read
from powderkeg.maps.flow.tape import Tape
from powderkeg.serve.answers.flow import FLOW_ANSWERS, STREAMED, FlowEnvelope

T = TypeVar("T", bound=Struct)
PRINTS: Final = 500
"""Prints kept, the newest."""


def _array(kind: Any, raw: Any) -> NDArray[Any]:
    """Decode little-endian bytes as the element type that the record declares."""
    (scalar,) = get_args(get_args(kind)[1])
    return np.frombuffer(raw, np.dtype(scalar).newbyteorder("<"))


_decoder = msgspec.msgpack.Decoder(
    Union[tuple(FLOW_ANSWERS[name] for name in STREAMED)],  # noqa: UP007  of a computed tuple
    dec_hook=_array,
)


class Fuel(Struct, frozen=True):
    """The map beside the ladder, which the server sends once a second only."""

    step: float
    """Height of a row, quote currency."""
    first: int
    """Number of the lowest row."""
    long: NDArray[np.float32]
    """Longs that would be liquidated, dollars, shape (rows,)."""
    short: NDArray[np.float32]
    """Shorts that would be liquidated, dollars, shape (rows,)."""

    def at(self, row: int) -> tuple[float, float]:
        """Return the dollars of longs and of shorts in a row; 0 beyond the map."""
        inside = 0 <= row - self.first < len(self.long)
        place = row - self.first
        return (float(self.long[place]), float(self.short[place])) if inside else (0.0, 0.0)


class Print(Struct, frozen=True):
    """A row of the tape."""

    time: float
    """µs UTC."""
    market: str
    """Venue and symbol."""
    price: float
    """Quote currency."""
    size: float
    """Base coin, negative where a seller took."""
    notional: float
    """Quote currency."""
    mark: int
    """As in `Tape.mark`."""


class WatchState:
    """The newest ladder and read, the last prints, and what is wrong, if anything."""

    def __init__(self) -> None:
        """Start with nothing received."""
        self.about: FlowEnvelope | None = None
        self.ladder: Ladder | None = None
        self.read: Read | None = None
        self.fuel: Fuel | None = None
        self.prints: deque[Print] = deque(maxlen=PRINTS)
        self.received = 0.0
        """Time of the last message by the caller's clock, seconds."""
        self.missed = 0
        """Messages that the server could not deliver."""
        self.problem = "connecting"
        """What is wrong, in words; empty while messages arrive."""
        self._seq: int | None = None

    @property
    def complete(self) -> bool:
        """Whether there is a ladder with its map, a read, and a tape."""
        return bool(self.ladder and self.fuel and self.read and self._seq is not None)

    def begin(self) -> None:
        """Start a new connection: the server sends the newest prints again."""
        self.prints.clear()
        self._seq = None
        self.problem = "connected, nothing received yet: the server may be starting"

    def interrupted(self, why: str) -> None:
        """Record that no messages arrive, and why; what was received stays."""
        self.problem = why

    def take(self, raw: bytes, now: float) -> str:
        """Add a message; return its kind.

        Args:
            raw: MessagePack.
            now: Time by the caller's clock, seconds.

        Raises:
            RequestError: It is none of the messages of the topic.
        """
        try:
            answer: FlowEnvelope = _decoder.decode(raw)
        except (msgspec.MsgspecError, ValueError) as why:
            raise RequestError(
                f"expected a message of {', '.join(STREAMED)}, found one of another form: {why}; "
                "server and command may be of different versions"
            ) from why
        self._count(answer.seq)
        self.received, self.problem = now, ""
        return self._keep(answer)

    def _count(self, seq: int) -> None:
        if self._seq is not None:
            self.missed += max(seq - self._seq - 1, 0)
        self._seq = seq

    def _keep(self, answer: FlowEnvelope) -> str:
        kind = str(type(answer).__struct_config__.tag)
        match kind:
            case "ladder":
                self.about, self.ladder = answer, _part(answer, Ladder)
                self._keep_fuel(self.ladder)
            case "tape":
                self._keep_prints(_part(answer, Tape))
            case _:
                self.read = _part(answer, Read)
        return kind

    def _keep_fuel(self, ladder: Ladder) -> None:
        if len(ladder.fuel_long):
            self.fuel = Fuel(ladder.step, ladder.first, ladder.fuel_long, ladder.fuel_short)
        elif self.fuel and self.fuel.step != ladder.step:
            self.fuel = None

    def _keep_prints(self, tape: Tape) -> None:
        self.prints.extend(
            Print(
                float(tape.time[i]), tape.markets[tape.market[i]], float(tape.price[i]),
                float(tape.size[i]), float(tape.notional[i]), int(tape.mark[i]),
            )
            for i in range(len(tape.time))
        )  # fmt: skip


def _part(answer: FlowEnvelope, kind: type[T]) -> T:
    """Return the fields of a view out of an answer."""
    return kind(**{name: getattr(answer, name) for name in kind.__struct_fields__})
