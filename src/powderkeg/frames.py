"""Frames: venue messages and our own control messages, in the order of arrival.

Frames are the source of truth. A frame is stored before it is read, and all state is a function of
frames. What no venue sends (time, links, gaps, a start of the program) is a `ControlMessage` of the
shell, which is a frame too; so a recording is enough to reproduce the state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec
from msgspec import Struct, field

from powderkeg.errors import WireError
from powderkeg.events import ClockTick, Gap, Link
from powderkeg.instruments import coin_called


class Frame(Struct, frozen=True, array_like=True, gc=False):
    """One message of a venue, untouched."""

    seq: int
    """Number in the order of arrival, rising by one from 1."""
    received_time: int
    """When it reached us, µs."""
    venue: str
    """Empty for control messages."""
    channel: str
    """Name of the request it answers; empty for what came over a socket."""
    raw: bytes


class Started(Struct, frozen=True, tag="Boot"):
    """The program started to collect these markets, by coin. All feeds start from scratch."""

    time: int = field(name="at")
    markets: dict[str, tuple[str, ...]]


class BackfillDone(Struct, frozen=True, tag="Join"):
    """All backfill answers of a market have arrived; the backfill ends at `until`."""

    time: int = field(name="at")
    market: str
    until: int
    """µs, a whole minute; later data comes from the stream."""
    in_background: bool = field(default=False, name="apart")
    """The backfill is played beside the loop; the market enters at its `MarketReady`."""


class MarketReady(Struct, frozen=True, tag="Joined"):
    """The backfill of a market has been played: it enters the map."""

    time: int = field(name="at")
    market: str


ControlMessage: TypeAlias = ClockTick | Link | Gap | Started | BackfillDone | MarketReady
"""Messages of the shell itself."""
_decoder = msgspec.msgpack.Decoder(ControlMessage)


def control_frame(seq: int, seen: int, message: ControlMessage) -> Frame:
    """Return a control message as a frame."""
    return Frame(seq, seen, "", "", msgspec.msgpack.encode(message))


def read_control(raw: bytes) -> ControlMessage:
    """Return the control message of a frame.

    Raises:
        WireError: The bytes are not a control message of this version.
    """
    try:
        return _decoder.decode(raw)
    except (msgspec.MsgspecError, ValueError) as why:
        raise WireError("shell", why, raw) from why


def markets_of(boot: Started) -> dict[str, str]:
    """Return the coin of each market; older recordings treat 1000PEPE as a coin."""
    return {
        market: coin_called(coin) for coin, markets in boot.markets.items() for market in markets
    }


def number_frames(first: int, frames: Sequence[tuple[int, str, str, bytes]]) -> list[Frame]:
    """Return frames with numbers from `first` on."""
    return [Frame(first + i, *parts) for i, parts in enumerate(frames)]
