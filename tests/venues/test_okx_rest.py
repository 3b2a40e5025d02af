"""OKX over REST: what is asked, and the traps of the answers."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.errors import WireError
from powderkeg.events import DAY, HOUR, MINUTE, Candles, Funding, Link, OpenInterest, Ratio, Trades
from powderkeg.instruments import Instrument, Tier
from powderkeg.venues import VenueReader
from powderkeg.venues.okx.stream import okx_reader

from . import fuzz

FRAMES = Path(__file__).parent / "frames" / "okx"
DOCUMENTED = json.loads((FRAMES / "documented.json").read_text())
INSTRUMENTS = (FRAMES / "instruments_20220513.json").read_bytes()
SEEN = 1_747_094_400_000_000
MS = 1000
START = 1_747_093_800_000
"""A full five minutes, ms."""
BTC = "BTC-USDT-SWAP"


def answer(rows: object) -> bytes:
    return json.dumps({"code": "0", "msg": "", "data": rows}).encode()


def documented(name: str) -> bytes:
    return json.dumps(DOCUMENTED[name]).encode()


def okx() -> VenueReader:
    venue = okx_reader()
    venue.read(INSTRUMENTS, SEEN, "instruments")
    return venue


def bar(start: int, closed: str = "1") -> list[str]:
    parts = [str(each) for each in (start, 10, 12, 9, 11, 400, 4, 44)]
    return [*parts, closed]


def mark(venue: VenueReader, price: str, symbol: str = BTC) -> None:
    row = {"instId": symbol, "markPx": price, "ts": str(START)}
    parts = {"arg": {"channel": "mark-price", "instId": symbol}, "data": [row]}
    venue.read(json.dumps(parts).encode(), SEEN)


def test_a_linear_contract_is_coins_and_an_inverse_one_dollars():
    venue = okx()
    assert venue.state.instruments[BTC] == Instrument(
        f"okx:{BTC}", "BTC", "okx", "perpetual", linear=True, contract=0.01, tick=0.1
    )
    inverse = venue.state.instruments["BTC-USD-SWAP"]
    assert (inverse.linear, inverse.contract, inverse.coin) == (False, 100.0, "BTC")
    assert venue.state.instruments["DOGE-USDT-SWAP"].contract == 1000


def test_the_size_of_a_contract_is_its_value_times_its_multiplier():
    (row,) = json.loads(documented("http_get_instruments_swap"))["data"][2:]
    venue = okx_reader()
    venue.read(answer([row | {"ctMult": "10"}]), SEEN, "instruments")
    assert venue.state.instruments[BTC].contract == pytest.approx(0.1)


@pytest.mark.parametrize(
    "other", [{"state": "suspend", "ctVal": ""}, {"ctType": ""}, {"ctValCcy": "USDT"}]
)
def test_a_swap_that_does_not_trade_or_is_of_another_unit_is_left_out_and_counted(other):
    row = json.loads(documented("http_get_instruments_swap"))["data"][2]
    venue = okx_reader()
    assert venue.read(answer([row | other]), SEEN, "instruments") == []
    assert venue.state.instruments == {}
    assert venue.state.skipped == {"instrument that is no live swap of a known size": 1}


def test_a_live_swap_without_a_size_is_unreadable():
    row = json.loads(documented("http_get_instruments_swap"))["data"][2]
    with pytest.raises(WireError, match="expected a contract or tick size"):
        okx_reader().read(answer([row | {"ctVal": "0"}]), SEEN, "instruments")


def test_the_clock_is_kept_and_is_no_event():
    venue = okx_reader()
    assert venue.state.server_time == 0
    assert venue.read(answer([{"ts": "1740480000123"}]), SEEN, "clock") == []
    assert venue.state.server_time == 1740480000123 * MS


@pytest.mark.parametrize(
    ("sent", "reason"), [("Too Many Requests", "Too Many Requests"), ("", "code 50011")]
)
def test_a_refused_request_is_reported_with_the_venues_message(sent, reason):
    raw = json.dumps({"code": "50011", "msg": sent}).encode()
    (event,) = okx_reader().read(raw, SEEN, f"candles:{BTC}")
    assert event == Link("okx", SEEN, SEEN, "refused", reason)


def test_an_answer_to_an_unknown_request_is_counted_and_left_out():
    venue = okx_reader()
    assert venue.read(answer([]), SEEN, "weather:BTC") == []
    assert venue.state.skipped == {"answer to weather:BTC": 1}


def test_recorded_shape_of_bars_has_the_volume_in_contracts_coins_and_quote():
    (event,) = okx_reader().read(documented("http_get_candlesticks_full"), SEEN, f"candles:{BTC}")
    assert isinstance(event, Candles)
    assert event.span == MINUTE
    assert event.times.tolist() == [1747093980000 * MS, 1747094040000 * MS]
    assert event.volume.tolist() == [71.6404, 10.4037]
    assert event.buy.tolist() == [71.6404 / 2, 10.4037 / 2]
    assert np.isnan(event.oi).all()


def test_a_bar_that_is_not_confirmed_is_left_out():
    rows = [bar(START + 120_000, "0"), bar(START + 60_000), bar(START)]
    (event,) = okx_reader().read(answer(rows), SEEN, f"candles:{BTC}")
    assert isinstance(event, Candles)
    assert len(event.times) == 2
    assert event.event_time == (START + 120_000) * MS


def test_the_length_of_bars_is_the_distance_between_two():
    rows = [bar(START + 300_000), bar(START)]
    (event,) = okx_reader().read(answer(rows), SEEN, f"candles:{BTC}")
    assert isinstance(event, Candles)
    assert event.span == 5 * MINUTE


def test_a_lone_bar_could_be_of_any_length_and_is_counted_and_left_out():
    venue = okx_reader()
    assert venue.read(answer([bar(START)]), SEEN, f"candles:{BTC}") == []
    assert venue.read(answer([]), SEEN, f"candles:{BTC}") == []
    assert venue.state.skipped == {"lone bar of unknown length": 1}


def test_bars_of_another_length_are_unreadable():
    with pytest.raises(WireError, match="expected bars of one or five minutes"):
        okx_reader().read(answer([bar(START + 3_600_000), bar(START)]), SEEN, f"candles:{BTC}")


def test_past_open_interest_is_in_coins_oldest_first():
    rows = [[str(START + 300_000), "200", "2", "40000"], [str(START), "100", "1", "20000"]]
    events = okx_reader().read(answer(rows), SEEN, f"interest:{BTC}")
    assert events == [
        OpenInterest(f"okx:{BTC}", START * MS, SEEN, 1.0),
        OpenInterest(f"okx:{BTC}", (START + 300_000) * MS, SEEN, 2.0),
    ]


def test_past_funding_is_oldest_first_with_the_interval_between_payments():
    events = okx_reader().read(documented("http_get_funding_rate_history"), SEEN, f"funding:{BTC}")
    assert events == [
        Funding(f"okx:{BTC}", 1704038400000 * MS, SEEN, -0.0000236017, 8 * HOUR),
        Funding(f"okx:{BTC}", 1704067200000 * MS, SEEN, 0.0001515032, 8 * HOUR),
    ]


def test_longs_per_short_become_the_share_of_longs_and_each_reading_is_emitted_once():
    venue = okx_reader()
    rows = [[str(START + 300_000), "3"], [str(START), "1"]]
    events = venue.read(answer(rows), SEEN, f"ratio:{BTC}")
    assert events == [
        Ratio(f"okx:{BTC}", START * MS, SEEN, "accounts", 0.5),
        Ratio(f"okx:{BTC}", (START + 300_000) * MS, SEEN, "accounts", 0.75),
    ]
    assert venue.read(answer(rows), SEEN, f"ratio:{BTC}") == []
    (new,) = venue.read(answer([[str(START + 600_000), "0"], *rows]), SEEN, f"ratio:{BTC}")
    assert new == Ratio(f"okx:{BTC}", (START + 600_000) * MS, SEEN, "accounts", 0.0)


TIERS = [
    {
        "tier": "2",
        "minSz": "1001",
        "maxSz": "2000",
        "mmr": "0.005",
        "imr": "0.013",
        "maxLever": "75",
    },
    {"tier": "1", "minSz": "0", "maxSz": "1000", "mmr": "0.004", "imr": "0.01", "maxLever": "100"},
]


def test_tiers_in_contracts_become_notionals_at_the_mark_without_holes_or_deductions():
    venue = okx()
    mark(venue, "20000")
    assert venue.read(answer(TIERS), SEEN, f"tiers:{BTC}") == []
    table = venue.state.tiers[BTC]
    assert table.tiers == (
        Tier(0.0, 1000 * 0.01 * 20000, 100, 0.004, 0),
        Tier(1000 * 0.01 * 20000, 2000 * 0.01 * 20000, 75, 0.005, 0),
    )
    assert (table.venue, table.symbol, table.valid_from) == ("okx", BTC, SEEN)


def test_tiers_of_an_inverse_swap_are_in_coins():
    venue = okx()
    mark(venue, "20000", "BTC-USD-SWAP")
    venue.read(answer(TIERS), SEEN, "tiers:BTC-USD-SWAP")
    assert [each.cap for each in venue.state.tiers["BTC-USD-SWAP"].tiers] == [5.0, 10.0]


def test_tiers_wait_for_the_contract_size_and_for_a_mark():
    venue = okx_reader()
    venue.read(answer(TIERS), SEEN, f"tiers:{BTC}")
    mark(venue, "20000")
    assert venue.state.tiers == {}
    venue.read(INSTRUMENTS, SEEN, "instruments")
    mark(venue, "20000")
    assert len(venue.state.tiers[BTC].tiers) == 2


def test_an_answer_without_tiers_leaves_those_known():
    venue = okx()
    mark(venue, "20000")
    venue.read(answer(TIERS), SEEN, f"tiers:{BTC}")
    venue.read(answer([]), SEEN, f"tiers:{BTC}")
    assert len(venue.state.tiers[BTC].tiers) == 2


def test_latest_trades_of_a_contract_of_unknown_size_are_unreadable():
    with pytest.raises(WireError, match="expected the contract size of BTC-USDT-SWAP"):
        okx_reader().read(answer([]), SEEN, f"trades:{BTC}")


def test_latest_trades_have_the_shape_of_those_of_the_socket():
    raw = documented("http_get_trades").replace(b"BTC-USDT", BTC.encode())
    venue = okx()
    (event,) = venue.read(raw, SEEN, f"trades:{BTC}")
    assert venue.read(raw, SEEN, f"trades:{BTC}") == []
    assert isinstance(event, Trades)
    assert event.times.tolist() == [1747087161666 * MS, 1747087163557 * MS]
    assert event.sizes.tolist() == [0.0000125 * 0.01, -0.00013669 * 0.01]


def query(url: str) -> dict[str, str]:
    return {key: value[0] for key, value in parse_qs(urlsplit(url).query).items()}


def test_instruments_are_asked_for_first_then_the_clock():
    polls = okx_reader().polls([BTC])
    assert [each.channel for each in polls] == [
        "instruments",
        "clock",
        f"tiers:{BTC}",
        f"ratio:{BTC}",
    ]
    assert polls[0].url == "https://www.okx.com/api/v5/public/instruments?instType=SWAP"
    assert query(polls[2].url) == {
        "instType": "SWAP",
        "tdMode": "isolated",
        "instFamily": "BTC-USDT",
    }
    assert query(polls[3].url) == {"ccy": "BTC", "period": "5m"}
    assert [each.every for each in polls] == [HOUR, MINUTE, HOUR, 5 * MINUTE]


def test_the_latest_trades_are_asked_for_by_five_hundred():
    (asked,) = okx_reader().recent(BTC)
    assert asked.url == f"https://www.okx.com/api/v5/market/trades?instId={BTC}&limit=500"


def test_open_interest_is_not_asked_for_beyond_its_history_nor_funding_by_time():
    polls = okx_reader().past(BTC, SEEN - 30 * DAY, SEEN)
    interest = [each for each in polls if each.channel.startswith("interest")]
    assert len(interest) == 15
    assert int(query(interest[0].url)["begin"]) == (SEEN - 5 * DAY) // MS
    assert [each.channel for each in polls][-1] == f"funding:{BTC}"


@given(st.integers(0, 40 * 24 * 60), st.integers(1, 40 * 24 * 60))
def test_every_minute_of_the_past_is_asked_for_once_older_ones_by_five(first, count):
    since, until = START * MS + first * 5 * MINUTE, START * MS + (first * 5 + count) * MINUTE
    asked: list[int] = []
    for each in okx_reader().past(BTC, since, until):
        parts = query(each.url)
        if each.channel.startswith("candles"):
            step = {"1m": 1, "5m": 5}[parts["bar"]]
            newer, older = int(parts["after"]) / 60_000, int(parts["before"]) / 60_000
            bars = [m for m in range(int(older), int(newer) + 1, 1) if older < m < newer]
            starts = [m for m in bars if m % step == 0]
            assert len(starts) <= int(parts["limit"])
            asked += [m + n for m in starts for n in range(step)]
    assert asked == list(range(since // MINUTE, until // MINUTE))


ANSWERS = {
    "instruments": documented("http_get_instruments_swap"),
    f"candles:{BTC}": documented("http_get_candlesticks_full"),
    f"interest:{BTC}": answer([[str(START), "200", "2", "40000"]]),
    f"funding:{BTC}": documented("http_get_funding_rate_history"),
    f"ratio:{BTC}": answer([[str(START), "1"]]),
    f"tiers:{BTC}": answer(TIERS),
    f"trades:{BTC}": documented("http_get_trades"),
    "clock": answer([{"ts": "1740480000123"}]),
}


@given(st.sampled_from(sorted(ANSWERS)), st.data())
def test_any_value_in_any_field_of_an_answer_is_events_or_a_wire_error(channel, pick):
    message = json.loads(ANSWERS[channel])
    fuzz.change(pick, [message, *message["data"]])
    for venue in (okx_reader(), okx()):
        fuzz.readable(venue, json.dumps(message).encode(), SEEN, channel)
