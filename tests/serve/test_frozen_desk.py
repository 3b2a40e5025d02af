"""A frozen desk answers as its desk did, whatever happens to that afterwards."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from powderkeg.desk import Desk
from powderkeg.events import SECOND, ClockTick
from powderkeg.feed.drive import drive
from powderkeg.history.snapshots import CODEC, digest
from powderkeg.maps.views.queries import CellQuery, SpanQuery
from powderkeg.maps.views.views import VIEWS
from powderkeg.serve.codec import pack
from powderkeg.serve.frozen_desk import frozen
from powderkeg.serve.startup.simulated import prepare
from powderkeg.settings import Settings
from powderkeg.state import names

UNTIL = 1_767_225_600 * SECOND


@pytest.fixture(scope="module")
def prepared():
    return prepare("BTC", 9, UNTIL, 0.1, Settings(draw=SECOND, flush=SECOND))


def _query(kind: type[Any]) -> Any:
    return kind(price=100_000.0, span="12h") if kind is CellQuery else kind(span="12h")


def _views(desk: Desk) -> dict[str, bytes]:
    """Return every view of a desk as bytes."""
    answers = {name: make(desk, _query(kind)) for name, (kind, make) in VIEWS.items()}
    return {
        name: pack({field: getattr(view, field) for field in view.__struct_fields__})
        for name, view in answers.items()
    }


def test_every_view_of_a_frozen_desk_stays_as_it_was_while_its_desk_goes_on(prepared):
    market, desk = prepared
    before, still = _views(desk), frozen(desk)
    for name in names(Desk):
        assert CODEC.digest(getattr(still, name)) == CODEC.digest(getattr(desk, name)), name
    for _ in range(90):
        drive(desk, market.step(1.0))
        desk.apply(ClockTick(market.now))
    assert _views(still) == before
    assert _views(desk) != before


def test_freezing_changes_nothing_of_a_desk(prepared):
    _, desk = prepared
    before = digest(desk)
    frozen(desk)
    assert digest(desk) == before


def test_a_query_of_the_past_reads_the_same_columns(prepared):
    _, desk = prepared
    at = desk.now - 1_800 * SECOND
    query = SpanQuery(span="12h", at=at)
    view = VIEWS["levels"][1]
    ours, theirs = view(desk, query), view(frozen(desk), query)
    assert msgspec.structs.asdict(ours).keys() == msgspec.structs.asdict(theirs).keys()
    assert (ours.long == theirs.long).all()
    assert (ours.short == theirs.short).all()
