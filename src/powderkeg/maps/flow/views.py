"""The order-flow views by name, each a function of a coin and a query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from msgspec import Struct

from powderkeg.maps.flow.flow_view import FlowView
from powderkeg.maps.flow.ladder import Ladder, ladder_beside, ladder_of
from powderkeg.maps.flow.profile import Profile, profile_of
from powderkeg.maps.flow.queries import (
    FlowQuery,
    LadderQuery,
    ProfileQuery,
    SeriesQuery,
    TapeQuery,
    ZonesQuery,
)
from powderkeg.maps.flow.read import Read, clusters_beside, read_of
from powderkeg.maps.flow.series import FlowSeries, series_of
from powderkeg.maps.flow.tape import Tape, tape_of
from powderkeg.maps.flow.zones import Zones, zone_books, zones_of
from powderkeg.maps.risk.answers import Overshoot
from powderkeg.maps.risk.overshoot import (
    OvershootQuery,
    gathered,
    mapped_beside,
    overshoot_of,
)

Beside: TypeAlias = Callable[[FlowView, tuple[str, ...]], Any]
"""What a view needs of the map of chosen venues."""


def _nothing(_: FlowView, __: tuple[str, ...]) -> None:
    """Return nothing: the view needs no map."""


class FlowViewSpec(Struct, frozen=True):
    """One view: its parameters, its answer, what it needs of the map, and its function."""

    query: type[FlowQuery]
    answer: type[Struct]
    view: Callable[[FlowView, Any, Any], Any]
    """Of the coin, the query, and what `beside` returned."""
    beside: Beside = _nothing
    finish: Callable[[Any, Any], Struct] | None = None
    """Computes the answer from what `view` copied, and the query, in any thread."""
    keeps_past: bool = False
    """Whether `view` answers for past times from what a coin keeps, without playback."""
    graded: bool = False
    """Whether the answer says how good the map is that it rests on."""


FLOW_VIEWS: Final[dict[str, FlowViewSpec]] = {
    "ladder": FlowViewSpec(
        LadderQuery,
        Ladder,
        lambda coin, query, found: ladder_of(coin, query, found[0], fired=found[1]),
        ladder_beside,
    ),
    "flow": FlowViewSpec(SeriesQuery, FlowSeries, lambda coin, query, _: series_of(coin, query)),
    "profile": FlowViewSpec(ProfileQuery, Profile, lambda coin, query, _: profile_of(coin, query)),
    "tape": FlowViewSpec(TapeQuery, Tape, lambda coin, query, _: tape_of(coin, query)),
    "overshoot": FlowViewSpec(
        OvershootQuery,
        Overshoot,
        gathered,
        mapped_beside,
        finish=lambda given, _: overshoot_of(given),
    ),
    "zones": FlowViewSpec(
        ZonesQuery, Zones, lambda coin, query, _: zone_books(coin, query), finish=zones_of
    ),
    "read": FlowViewSpec(FlowQuery, Read, read_of, clusters_beside),
}
"""Every view by the name it has in the address."""
