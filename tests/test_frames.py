"""Frames and words: what the shell says survives as bytes, and nothing else is taken for it."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.errors import WireError
from powderkeg.events import ClockTick, Gap, Link, Mark
from powderkeg.frames import (
    BackfillDone,
    Frame,
    MarketReady,
    Started,
    control_frame,
    markets_of,
    number_frames,
    read_control,
)

WORDS = [
    ClockTick(5),
    Link("binance:BTCUSDT", 1, 2, "down", "the venue closed the socket"),
    Gap("okx", 9, 9, 3, "lost"),
    Started(7, {"BTC": ("binance:BTCUSDT", "okx:BTC-USDT-SWAP"), "ETH": ()}),
    BackfillDone(8, "binance:BTCUSDT", 60_000_000),
    BackfillDone(8, "binance:BTCUSDT", 60_000_000, in_background=True),
    MarketReady(9, "binance:BTCUSDT"),
]


@pytest.mark.parametrize("said", WORDS, ids=lambda w: type(w).__name__)
def test_a_word_is_a_frame_of_no_venue_and_comes_back_as_it_was(said):
    frame = control_frame(3, 4, said)
    assert (frame.seq, frame.received_time, frame.venue, frame.channel) == (3, 4, "", "")
    assert read_control(frame.raw) == said


@given(st.binary(max_size=60))
def test_any_bytes_are_a_word_or_refused(raw):
    try:
        read_control(raw)
    except WireError as why:
        assert "shell" in str(why)  # noqa: PT017  either may happen


def test_an_event_that_the_shell_never_says_is_refused():
    with pytest.raises(WireError):
        read_control(msgspec.msgpack.encode(Mark("a:b", 1, 1, 2.0)))


def test_each_market_has_one_coin():
    assert markets_of(WORDS[3]) == {"binance:BTCUSDT": "BTC", "okx:BTC-USDT-SWAP": "BTC"}


def test_frames_are_numbered_on():
    parts = [(1, "okx", "", b"a"), (2, "", "x", b"b")]
    assert number_frames(7, parts) == [Frame(7, 1, "okx", "", b"a"), Frame(8, 2, "", "x", b"b")]
