"""Frames: what venues sent and what the shell did, in the order in which it became known.

A frame is the only truth. It is stored before it is read, and all state is a function of frames.
What no venue says (time, links, holes, a start of the program) the shell says as a `Word`, which
travels as a frame too; so a recording holds all that decided what came out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec
from msgspec import Struct

from powderkeg.errors import WireError
from powderkeg.events import Gap, Link, Tick
from powderkeg.instruments import coin_called


class Frame(Struct, frozen=True, array_like=True, gc=False):
    """One message of a venue, untouched."""

    seq: int
    """Number in the order of arrival, rising by one from 1."""
    seen: int
    """When it reached us, µs."""
    venue: str
    """Empty where the shell speaks."""
    channel: str
    """Name of the request it answers; empty for what came over a socket."""
    raw: bytes


class Boot(Struct, frozen=True, tag=True):
    """The program began to collect these markets, by coin. Nothing is known of the time before."""

    at: int
    markets: dict[str, tuple[str, ...]]


class Join(Struct, frozen=True, tag=True):
    """All answers about the past of a market have come; it ends at `until`."""

    at: int
    market: str
    until: int
    """µs, a whole minute; what was seen from then on comes from the stream."""
    apart: bool = False
    """Its past is played beside the loop; the market enters at its `Joined`."""


class Joined(Struct, frozen=True, tag=True):
    """The past of a market has been played: it enters the map."""

    at: int
    market: str


Word: TypeAlias = Tick | Link | Gap | Boot | Join | Joined
"""What the shell itself has to say."""
_decoder = msgspec.msgpack.Decoder(Word)


def word(seq: int, seen: int, said: Word) -> Frame:
    """Return a word of the shell as a frame."""
    return Frame(seq, seen, "", "", msgspec.msgpack.encode(said))


def read_word(raw: bytes) -> Word:
    """Return what the shell said.

    Raises:
        WireError: The bytes are not a word of this version.
    """
    try:
        return _decoder.decode(raw)
    except (msgspec.MsgspecError, ValueError) as why:
        raise WireError("shell", why, raw) from why


def markets_of(boot: Boot) -> dict[str, str]:
    """Return the coin of each market; older recordings took 1000PEPE for one."""
    return {
        market: coin_called(coin) for coin, markets in boot.markets.items() for market in markets
    }


def numbered(first: int, frames: Sequence[tuple[int, str, str, bytes]]) -> list[Frame]:
    """Return frames with numbers from `first` on."""
    return [Frame(first + i, *parts) for i, parts in enumerate(frames)]
