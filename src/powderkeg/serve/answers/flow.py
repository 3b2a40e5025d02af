"""Answers of the order-flow views: where the data comes from, and the fields of a view."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from powderkeg.maps.field_types import OptionalFloat
from powderkeg.maps.flow.views import FLOW_VIEWS, FlowViewSpec
from powderkeg.maps.views.grade import Grade
from powderkeg.serve.answers.compose import composed
from powderkeg.serve.answers.envelope import Source
from powderkeg.signals.views import SIGNAL_VIEWS


class FlowEnvelope(Struct, kw_only=True):
    """What every order-flow answer says of itself."""

    coin: str
    """The coin."""
    source: Source
    """Where the data comes from."""
    note: str
    """Why the source is what it is, such as which venues did not answer."""
    as_of: int
    """Time of the newest event, µs UTC."""
    now: int
    """Time of the server, µs UTC; a replay stands at its own."""
    price: OptionalFloat
    """Price of the last trade of the leading market, quote currency; null before any."""
    seq: int = 0
    """Sequence number on the stream, one more than that of the message before; 0 elsewhere."""


class GradedEnvelope(FlowEnvelope, kw_only=True):
    """What an answer says of itself and of the map."""

    grade: Grade | None
    """Quality of the map that the answer rests on; null before there is one, and for a past time
    that is not played back."""


DESK_VIEWS: Mapping[str, FlowViewSpec] = FLOW_VIEWS | SIGNAL_VIEWS
"""Views that are computed from the desk itself, by name."""
FLOW_ANSWERS: Mapping[str, type[FlowEnvelope]] = {
    name: composed(name, GradedEnvelope if spec.graded else FlowEnvelope, spec.answer)
    for name, spec in DESK_VIEWS.items()
}
"""The record that answers each view."""
STREAMED = ("ladder", "tape", "read")
"""Views that the topic `flow` of the stream sends."""


def address(name: str) -> str:
    """Return the address of a view, with the name of its coin in braces."""
    return "/v1/read/{where}" if name == "read" else f"/v1/{{where}}/{name}"
