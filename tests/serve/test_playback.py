"""An answer about the past tells what was known then, and nothing of what came after."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from powderkeg.desk import Desk
from powderkeg.errors import RequestError
from powderkeg.events import HOUR, MINUTE, SECOND
from powderkeg.history.playback import PlaybackCursor, Stored
from powderkeg.history.replay import events
from powderkeg.history.sources import load
from powderkeg.maps.views.queries import (
    HeatmapQuery,
    HistoryQuery,
    LevelsQuery,
    Query,
    ReachQuery,
    SpanQuery,
)
from powderkeg.serve.codec import cells_of, pack
from powderkeg.serve.session import KEPT, Session

BAR = 5 * MINUTE
LATER, EARLIER = 1_771_545_600 * SECOND, 1_770_000_000 * SECOND
"""20 February 2026, and a time before the fall of the fifth."""
TIMES = [1_770_249_600 * SECOND + n * 9 * HOUR + n * BAR for n in range(5)]
"""Five times of 5 and 6 February 2026."""
ASKED: list[tuple[str, Query]] = [
    ("heatmap", HeatmapQuery(span="3d")),
    ("levels", LevelsQuery(span="3d", bands=True)),
    ("bars", ReachQuery()),
    ("cumulative", ReachQuery()),
    ("accumulated", SpanQuery(span="3d")),
]


def then(query, at, **more):
    return msgspec.structs.replace(query, at=at, **more)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_whole_answers_of_a_reel_are_those_of_a_stream_that_ends_there(recorded: Path):
    """Byte for byte, for a reel that had been at 20 February before."""
    source = load(recorded / "btc_2026.toml")
    until = LATER + HOUR
    cursor = PlaybackCursor(
        Stored(source, "BTC", until=until), lambda raw: Stored(source, "BTC", raw, until=until)
    )
    session = Session("replay", {"BTC": cursor.play_through()}, lambda: 0)
    session.cursors["BTC"] = cursor
    session.answer("BTC", "bars", ReachQuery(at=LATER))
    told = {at: [session.answer("BTC", name, then(q, at)) for name, q in ASKED] for at in TIMES}

    stream = events(source, "BTC", until=TIMES[-1], stride=BAR)
    desk, ahead = Desk("BTC"), next(stream, None)
    for at in TIMES:
        while ahead is not None and ahead.received_time < at:
            desk.apply(ahead)
            ahead = next(stream, None)
        alone = Session("replay", {"BTC": desk}, lambda: 0)
        for (name, query), answer in zip(ASKED, told[at], strict=True):
            assert desk.now < at
            expected = alone.answer("BTC", name, query)
            expected.now, expected.age = at, (at - desk.now) / SECOND
            expected.venues = _ages(expected, at - desk.now)
            assert pack(answer) == pack(expected)


def _ages(answer, passed):
    """Return an answer's venues as they look some µs after the last event."""
    if not isinstance(answer.venues, list):
        return answer.venues
    return [replace(v, age=round(v.age + passed / SECOND, 6)) for v in answer.venues]


@pytest.fixture
def past(session, prepared):
    """Return a session without a reel, and a time six hours ago."""
    return session, prepared[1].now // MINUTE * MINUTE - 6 * HOUR


def test_without_a_reel_nothing_of_the_present_is_said_of_the_past(past):
    session, at = past
    answer = session.answer("BTC", "bars", ReachQuery(at=at))
    assert answer.as_of == at
    assert (answer.grade, answer.prior_only, answer.model) == (None, None, KEPT)
    assert answer.fit is None or (answer.fit.at or 0) <= at
    assert {(v.age, v.oi, v.share) for v in answer.venues} == {(None, None, None)}
    assert {v.state for v in answer.venues} == {"up"}
    shares = session.answer("BTC", "venues", SpanQuery(at=at)).venues
    assert {(v.oi, v.share) for v in shares} == {(0.0, 0.0)}


def test_columns_of_a_past_map_end_before_it(past):
    session, at = past
    for extra in (0, 1, MINUTE - 1):
        heat = session.answer("BTC", "heatmap", HeatmapQuery(span="12h", at=at + extra))
        assert heat.t0 + heat.cols * heat.step == at
    now = session.answer("BTC", "heatmap", HeatmapQuery(span="12h"))
    behind = round((now.t0 - heat.t0) / MINUTE)
    assert np.array_equal(now.ohlc[:-behind], heat.ohlc[behind:], equal_nan=True)


def test_since_leaves_out_the_columns_that_were_over(past):
    session, at = past
    whole = session.answer("BTC", "heatmap", HeatmapQuery(span="12h", at=at))
    since = at - 3 * MINUTE + 1
    part = session.answer("BTC", "heatmap", HeatmapQuery(span="12h", at=at, since=since))
    assert (part.cols, part.t0) == (3, at - 3 * MINUTE)
    assert (part.p0, part.dp) == (whole.p0, whole.dp)
    assert np.array_equal(part.cells, whole.cells[-3:])
    assert np.array_equal(part.ohlc, whole.ohlc[-3:], equal_nan=True)
    raw = msgspec.msgpack.decode(pack(part))
    assert np.array_equal(cells_of(raw), part.cells)


def test_since_after_the_end_gives_the_last_column(past):
    session, at = past
    part = session.answer("BTC", "heatmap", HeatmapQuery(span="12h", at=at, since=at + HOUR))
    assert (part.cols, part.t0) == (1, at - MINUTE)


@pytest.mark.parametrize("away", [-90 * 24 * HOUR, HOUR])
def test_a_time_that_is_not_kept_is_refused_with_the_range(session, prepared, away):
    desk = prepared[1]
    told = session.answer("BTC", "history", HistoryQuery())
    with pytest.raises(RequestError, match=f"from {told.since} to {told.until}"):
        session.answer("BTC", "bars", ReachQuery(at=desk.now + away))
    assert session.answer("BTC", "bars", ReachQuery(at=told.since)).long >= 0


def test_history_reports_what_is_kept_and_its_moves(session):
    told = session.answer("BTC", "history", HistoryQuery())
    assert not told.exact
    assert (told.stride, told.steps) == (MINUTE, [MINUTE, BAR, 30 * MINUTE])
    changes = [abs(move.change) for move in told.moves]
    assert changes
    assert changes[0] == max(changes)
    assert all(move.low <= min(move.start, move.end) for move in told.moves)


def test_what_accumulated_is_the_mean_of_the_columns(past):
    session, at = past
    told = session.answer("BTC", "accumulated", SpanQuery(span="4h", at=at))
    one = session.answer("BTC", "accumulated", SpanQuery(span="4h", at=at, side="long"))
    assert (told.cols, told.drawn) == (240, 240)
    assert told.long.sum() == pytest.approx(one.long.sum())
    assert not one.short.any()
    zones = told.zones
    assert {zone.side for zone in zones} == {"long", "short"}
    for zone in zones:
        assert zone.floor < zone.peak < zone.top
        assert zone.dollar_hours == pytest.approx(zone.mean * 4)
        edges = np.exp(told.p0 + told.dp * np.arange(told.rows + 1))
        inside = (edges[:-1] > zone.floor * 0.9999) & (edges[1:] < zone.top * 1.0001)
        assert getattr(told, zone.side)[inside].sum() == pytest.approx(zone.mean, rel=0.01)
    longs = [zone.mean for zone in zones if zone.side == "long"]
    assert longs == sorted(longs, reverse=True)
