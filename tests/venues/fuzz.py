"""What every reader must bear: any bytes, damage in any place, any value in any field."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec
from hypothesis import strategies as st

from powderkeg.errors import WireError
from powderkeg.venues import VenueReader

VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.none())
)
Wound: TypeAlias = tuple[list[tuple[int, bytes]], int]
"""What is written over at which places, and where the frame ends if the number allows it."""


def wounds(reach: int = 400) -> st.SearchStrategy[Wound]:
    """Return damage within the first bytes of a frame."""
    places = st.integers(0, reach)
    return st.tuples(st.lists(st.tuples(places, st.binary(max_size=3)), max_size=4), places)


def hurt(raw: bytes, wound: Wound) -> bytes:
    """Return a damaged frame; a third of them cut short."""
    edits, cut = wound
    for place, new in edits:
        raw = raw[:place] + new + raw[place + len(new) :]
    return raw[:cut] if cut % 3 == 0 else raw


def change(pick: st.DataObject, rows: list[Any]) -> None:
    """Put any value into any field of one of these rows."""
    row = pick.draw(st.sampled_from(rows))
    places = range(len(row)) if isinstance(row, list) else sorted(row)
    row[pick.draw(st.sampled_from(places))] = pick.draw(VALUES)


def readable(venue: VenueReader, raw: bytes, seen: int, channel: str = "") -> None:
    """Expect events that can be written down, all of them seen then; or a `WireError`."""
    try:
        events = venue.read(raw, seen, channel)
    except WireError:
        return
    for event in events:
        assert getattr(event, "received_time", seen) == seen
        assert msgspec.msgpack.encode(event, enc_hook=lambda array: array.tolist())
