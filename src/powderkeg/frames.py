"""Frames: what venues sent and what the shell did, in the order in which it became known.

A frame is the only truth. It is stored before it is read, and all state is a function of frames.
What no venue says (time, links, holes, a start of the program) the shell says as a
`ControlMessage`, which travels as a frame too; so a recording holds all that decided what came out.
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
    """Empty where the shell speaks."""
    channel: str
    """Name of the request it answers; empty for what came over a socket."""
    raw: bytes


class Started(Struct, frozen=True, tag="Boot"):
    """The program began to collect these markets, by coin. Nothing is known of the time before."""

    time: int = field(name="at")
    markets: dict[str, tuple[str, ...]]


class BackfillDone(Struct, frozen=True, tag="Join"):
    """All answers about the past of a market have come; it ends at `until`."""

    time: int = field(name="at")
    market: str
    until: int
    """µs, a whole minute; what was seen from then on comes from the stream."""
    in_background: bool = field(default=False, name="apart")
    """Its past is played beside the loop; the market enters at its `MarketReady`."""


class MarketReady(Struct, frozen=True, tag="Joined"):
    """The past of a market has been played: it enters the map."""

    time: int = field(name="at")
    market: str


ControlMessage: TypeAlias = ClockTick | Link | Gap | Started | BackfillDone | MarketReady
"""What the shell itself has to say."""
_decoder = msgspec.msgpack.Decoder(ControlMessage)


def control_frame(seq: int, seen: int, said: ControlMessage) -> Frame:
    """Return a word of the shell as a frame."""
    return Frame(seq, seen, "", "", msgspec.msgpack.encode(said))


def read_control(raw: bytes) -> ControlMessage:
    """Return what the shell said.

    Raises:
        WireError: The bytes are not a word of this version.
    """
    try:
        return _decoder.decode(raw)
    except (msgspec.MsgspecError, ValueError) as why:
        raise WireError("shell", why, raw) from why


def markets_of(boot: Started) -> dict[str, str]:
    """Return the coin of each market; older recordings took 1000PEPE for one."""
    return {
        market: coin_called(coin) for coin, markets in boot.markets.items() for market in markets
    }


def number_frames(first: int, frames: Sequence[tuple[int, str, str, bytes]]) -> list[Frame]:
    """Return frames with numbers from `first` on."""
    return [Frame(first + i, *parts) for i, parts in enumerate(frames)]
