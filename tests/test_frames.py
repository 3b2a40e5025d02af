"""Frames and words: what the shell says survives as bytes, and nothing else is taken for it."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.errors import WireError
from powderkeg.events import Gap, Link, Mark, Tick
from powderkeg.frames import Boot, Frame, Join, Joined, markets_of, numbered, read_word, word

WORDS = [
    Tick(5),
    Link("binance:BTCUSDT", 1, 2, "down", "the venue closed the socket"),
    Gap("okx", 9, 9, 3, "lost"),
    Boot(7, {"BTC": ("binance:BTCUSDT", "okx:BTC-USDT-SWAP"), "ETH": ()}),
    Join(8, "binance:BTCUSDT", 60_000_000),
    Join(8, "binance:BTCUSDT", 60_000_000, apart=True),
    Joined(9, "binance:BTCUSDT"),
]


@pytest.mark.parametrize("said", WORDS, ids=lambda w: type(w).__name__)
def test_a_word_is_a_frame_of_no_venue_and_comes_back_as_it_was(said):
    frame = word(3, 4, said)
    assert (frame.seq, frame.seen, frame.venue, frame.channel) == (3, 4, "", "")
    assert read_word(frame.raw) == said


@given(st.binary(max_size=60))
def test_any_bytes_are_a_word_or_refused(raw):
    try:
        read_word(raw)
    except WireError as why:
        assert "shell" in str(why)  # noqa: PT017  either may happen


def test_an_event_that_the_shell_never_says_is_refused():
    with pytest.raises(WireError):
        read_word(msgspec.msgpack.encode(Mark("a:b", 1, 1, 2.0)))


def test_each_market_has_one_coin():
    assert markets_of(WORDS[3]) == {"binance:BTCUSDT": "BTC", "okx:BTC-USDT-SWAP": "BTC"}


def test_frames_are_numbered_on():
    parts = [(1, "okx", "", b"a"), (2, "", "x", b"b")]
    assert numbered(7, parts) == [Frame(7, 1, "okx", "", b"a"), Frame(8, 2, "", "x", b"b")]
