"""Signals of recorded markets: the same in every replay, and unmoved by what comes later."""

from __future__ import annotations

from itertools import takewhile

import pytest

from powderkeg.desk import Desk
from powderkeg.events import HOUR, MINUTE
from powderkeg.feed.drive import drive
from powderkeg.history.replay import events
from powderkeg.history.sources import load
from powderkeg.serve.codec import text
from powderkeg.settings import Settings
from powderkeg.signals.views import SignalsQuery, signals_of

HOURS = 4

pytestmark = pytest.mark.slow


def replayed(source, until):
    """Return the desk after the events before a time, µs."""
    desk = Desk("BTC", Settings(bar_signals=True))
    stream = events(source, "BTC", stride=MINUTE)
    drive(desk, takewhile(lambda event: known(event) < until, stream))
    return desk


def known(event):
    return getattr(event, "received_time", None) or event.time


def moves(desk, until):
    """Return every state that an episode entered before a time, in order: scenes begin seconds."""
    return sorted(
        (t.time, e.id, t.state, t.price, t.evidence)
        for e in (*desk.signals.open(), *desk.signals.ended, *desk.signals.placebos)
        for t in e.transitions
        if t.time < until
    )


@pytest.fixture
def hours(recorded):
    """Return recorded books and prints of Hyperliquid, their first time, and hours of BTC."""
    source = load(recorded / "hyperliquid_202606.toml")
    first = known(next(iter(events(source, "BTC", stride=MINUTE))))
    return source, first, replayed(source, first + HOURS * HOUR)


def test_two_replays_are_the_same_and_a_cut_after_a_signal_changes_none_before_it(hours):
    source, first, whole = hours
    until = first + HOURS * HOUR
    again = replayed(source, until)
    answers = [text(signals_of(d.signals, SignalsQuery(limit=500), d.now)) for d in (whole, again)]
    assert answers[0] == answers[1]
    known_moves = moves(whole, until)
    assert len(known_moves) >= 5
    cut = replayed(source, known_moves[len(known_moves) // 2][0] + 1)
    assert moves(cut, cut.now + 1) == moves(whole, cut.now + 1) != []


def test_signals_come_less_often_than_every_ten_minutes(hours):
    _, _, whole = hours
    assert 0 < len([*whole.signals.episodes()]) <= HOURS * 6
