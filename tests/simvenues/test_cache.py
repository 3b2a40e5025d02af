"""The cache: entries are read back bit for bit, or computed again."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from powderkeg.events import DAY
from powderkeg.simvenues import cache
from powderkeg.simvenues.market.world import make

MIDNIGHT = 1_767_225_600_000_000
VENUES = ("binance", "bybit")


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv("POWDERKEG_CACHE", str(tmp_path))
    return tmp_path


@given(st.binary(max_size=2000), st.binary(max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_kept_is_read_back_under_its_key_alone(kept, raw, key):
    cache.save("thing", key.hex(), raw)
    assert cache.load("thing", key.hex()) == raw
    assert cache.load("thing", key.hex() + " other") is None
    assert cache.load("other", key.hex()) is None
    assert len(list(kept.iterdir())) == 1


def test_a_damaged_file_is_logged_and_not_used(kept, capsys):
    cache.save("thing", "key", b"a" * 1000)
    (path,) = kept.iterdir()
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert cache.load("thing", "key") is None
    assert "cache_damaged" in capsys.readouterr().err


def test_an_unwritable_folder_is_logged_and_does_no_harm(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("POWDERKEG_CACHE", str(tmp_path / "file"))
    cache.save("thing", "key", b"raw")
    assert "cache_not_written" in capsys.readouterr().err
    assert cache.load("thing", "key") is None


def test_nothing_is_kept_where_none_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("POWDERKEG_CACHE", "0")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache.save("thing", "key", b"raw")
    assert cache.load("thing", "key") is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_market_read_from_the_cache_is_the_market_that_was_made(kept, monkeypatch):
    until = MIDNIGHT + DAY // 24
    first, past = make("BTC", VENUES, 7, until, 1.0)
    assert len(list(kept.iterdir())) == 1
    again, same = make("BTC", VENUES, 7, until, 1.0)
    monkeypatch.setenv("POWDERKEG_CACHE", "0")
    fresh, _ = make("BTC", VENUES, 7, until, 1.0)
    assert int(past[0].candles.times[-1]) + 60_000_000 == until == first.now
    assert [h.candles.close.tolist() for h in past] == [h.candles.close.tolist() for h in same]
    events = [[str(e) for e in market.step(5)] for market in (first, again, fresh)]
    assert events[0] == events[1] == events[2]
