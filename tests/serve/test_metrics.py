"""Figures as Prometheus reads them."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from powderkeg.live.answers import ChannelHealth, FeedHealth
from powderkeg.serve.metrics import exposition

LINE = re.compile(
    r'[a-z_]+(\{[a-z]+="(?:[^"\\\n]|\\.)*"(,[a-z]+="(?:[^"\\\n]|\\.)*")*\})? -?[0-9.e+-]+'
)


class Collecting:
    """A collector that reports what it is told to."""

    def markets(self, coin):
        return {f"binance:{coin}USDT": "up"}

    def health(self):
        row = ChannelHealth("binance:BTCUSDT", "trades", 5, 1.5, -0.01, 2.0, 5.0, "up")
        return FeedHealth(
            at=0,
            channels=[row, replace(row, channel="mark", count=0, age=None)],
            markets={"binance:BTCUSDT": "up", 'odd:"\\\n': "stale"},
            venues={},
            incidents={"binance": {"reconnects": 3}},
            problems={},
            waiting_frames=1,
            unread_frames=2,
            unread={},
            last_unread="",
            recorded_frames=300,
        )


@pytest.fixture
def lines(session):
    session.collector = Collecting()
    session.ready = True
    yield exposition(session).splitlines()
    session.collector = None


def test_every_line_is_a_comment_or_a_sample(lines):
    for line in lines:
        assert line.startswith("# ") or LINE.fullmatch(line), line


def test_every_figure_is_described_once_and_before_its_samples(lines):
    described = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(described) == len(set(described))
    known = set()
    for line in lines:
        if line.startswith("# TYPE"):
            known.add(line.split()[2])
        elif not line.startswith("#"):
            assert re.split(r"[{ ]", line)[0] in known


@pytest.mark.parametrize(
    "line",
    [
        "powderkeg_ready 1",
        'powderkeg_events_total{market="binance:BTCUSDT",channel="trades"} 5',
        'powderkeg_lag_seconds{market="binance:BTCUSDT",channel="trades"} -0.01',
        'powderkeg_link_up{market="binance:BTCUSDT"} 1',
        'powderkeg_link_up{market="odd:\\"\\\\\\n"} 0',
        'powderkeg_incidents_total{venue="binance",what="reconnects"} 3',
        "powderkeg_recorded_frames 300",
        "powderkeg_unread_frames 2",
    ],
)
def test_what_the_collector_reports_is_there(lines, line):
    assert line in lines


def test_what_was_never_heard_has_no_age(lines):
    assert 'powderkeg_age_seconds{market="binance:BTCUSDT",channel="mark"}' not in str(lines)


def test_without_a_collector_it_says_whether_it_is_ready(session):
    session.ready = False
    lines = exposition(session).splitlines()
    assert "powderkeg_ready 0" in lines
    assert "powderkeg_waiting_frames 0" in lines
