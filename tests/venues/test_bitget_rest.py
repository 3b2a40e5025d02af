"""Bitget over REST: what is asked, and the traps of the answers."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.errors import WireError
from powderkeg.events import HOUR, MINUTE, Candles, Funding, Link, Ratio, Trades
from powderkeg.instruments import Instrument, Tier
from powderkeg.venues.bitget.stream import bitget_reader

from . import fuzz

SEEN = 1_747_094_400_000_000
MS = 1000
START = 1_747_093_800_000
BTC = "BTCUSDT"

LISTED = {
    "symbol": BTC,
    "baseCoin": "BTC",
    "quoteCoin": "USDT",
    "supportMarginCoins": ["USDT"],
    "minTradeNum": "0.0001",
    "priceEndStep": "5",
    "volumePlace": "4",
    "pricePlace": "2",
    "sizeMultiplier": "0.0001",
    "symbolType": "perpetual",
    "symbolStatus": "normal",
    "fundInterval": "4",
    "minLever": "1",
    "maxLever": "125",
}


def answer(data: object) -> bytes:
    message = {"code": "00000", "msg": "success", "requestTime": START, "data": data}
    return json.dumps(message).encode()


def bar(start: int) -> list[str]:
    return [str(each) for each in (start, 10, 12, 9, 11, 4, 44)]


def test_a_contract_is_one_coin_and_the_tick_a_step_in_the_last_decimal():
    venue = bitget_reader()
    assert venue.read(answer([LISTED]), SEEN, "instruments") == []
    assert venue.state.instruments == {
        BTC: Instrument(
            f"bitget:{BTC}", "BTC", "bitget", "perpetual", linear=True, contract=1.0, tick=0.05
        )
    }


@pytest.mark.parametrize("other", [{"symbolType": "delivery"}, {"symbolStatus": "maintain"}])
def test_what_is_no_trading_perpetual_is_left_out_and_counted(other):
    venue = bitget_reader()
    venue.read(answer([LISTED | other]), SEEN, "instruments")
    assert venue.state.instruments == {}
    assert venue.state.skipped == {"instrument that is no trading perpetual": 1}


@pytest.mark.parametrize(("hours", "interval"), [("4", 4 * HOUR), ("", 8 * HOUR), ("0", 8 * HOUR)])
def test_the_funding_interval_comes_from_the_instruments_in_hours(hours, interval):
    venue = bitget_reader()
    venue.read(answer([LISTED | {"fundInterval": hours}]), SEEN, "instruments")
    rows = [{"symbol": BTC, "fundingRate": "0.0001", "fundingTime": str(START)}]
    (event,) = venue.read(answer(rows), SEEN, f"funding:{BTC}")
    assert event == Funding(f"bitget:{BTC}", START * MS, SEEN, 0.0001, interval)


def test_past_funding_is_oldest_first_with_the_interval_between_payments():
    rows = [
        {"symbol": BTC, "fundingRate": rate, "fundingTime": str(START + n * 3_600_000)}
        for n, rate in ((2, "0.0002"), (0, "-0.0001"))
    ]
    first, second = bitget_reader().read(answer(rows), SEEN, f"funding:{BTC}")
    assert first == Funding(f"bitget:{BTC}", START * MS, SEEN, -0.0001, 2 * HOUR)
    assert isinstance(second, Funding)
    assert (second.rate, second.interval) == (0.0002, 2 * HOUR)


def test_the_clock_is_kept_and_is_no_event():
    venue = bitget_reader()
    assert venue.state.server_time == 0
    assert venue.read(answer({"serverTime": "1740480000123"}), SEEN, "clock") == []
    assert venue.state.server_time == 1740480000123 * MS


@pytest.mark.parametrize(
    ("sent", "reason"), [("too many requests", "too many requests"), ("", "code 429")]
)
def test_a_refused_request_is_reported_with_the_venues_message(sent, reason):
    raw = json.dumps({"code": "429", "msg": sent, "data": None}).encode()
    (event,) = bitget_reader().read(raw, SEEN, f"candles:{BTC}")
    assert event == Link("bitget", SEEN, SEEN, "refused", reason)


def test_an_answer_to_an_unknown_request_is_counted_and_left_out():
    venue = bitget_reader()
    assert venue.read(answer([]), SEEN, "weather:BTC") == []
    assert venue.state.skipped == {"answer to weather:BTC": 1}


def test_bars_are_in_coins_and_the_one_still_open_is_left_out():
    rows = [bar(START), bar(START + 60_000), bar(START + 120_000)]
    (event,) = bitget_reader().read(answer(rows), (START + 150_000) * MS, f"candles:{BTC}")
    assert isinstance(event, Candles)
    assert event.times.tolist() == [START * MS, (START + 60_000) * MS]
    assert event.volume.tolist() == [4, 4]
    assert event.buy.tolist() == [2, 2]


def test_a_bar_without_a_price_is_unreadable():
    with pytest.raises(WireError):
        bitget_reader().read(answer([["1", "0", "1", "1", "1", "1", "1"]]), SEEN, f"candles:{BTC}")


def test_tiers_are_in_dollars_without_holes_or_deductions():
    rows = [
        {"symbol": BTC, "level": "2", "startUnit": "150000", "endUnit": "900000", "leverage": "100",
         "keepMarginRate": "0.005"},
        {"symbol": BTC, "level": "1", "startUnit": "0", "endUnit": "150000", "leverage": "125",
         "keepMarginRate": "0.004"},
    ]  # fmt: skip
    venue = bitget_reader()
    assert venue.read(answer(rows), SEEN, f"tiers:{BTC}") == []
    table = venue.state.tiers[BTC]
    assert table.tiers == (Tier(0, 150_000, 125, 0.004, 0), Tier(150_000, 900_000, 100, 0.005, 0))
    assert (table.venue, table.symbol, table.valid_from) == ("bitget", BTC, SEEN)
    venue.read(answer([]), SEEN, f"tiers:{BTC}")
    assert venue.state.tiers[BTC] is table


def test_a_ratio_is_the_long_share_of_accounts_and_each_is_emitted_once():
    row = {"longAccountRatio": "0.58", "shortAccountRatio": "0.42", "ts": str(START)}
    venue = bitget_reader()
    (event,) = venue.read(answer([row]), SEEN, f"ratio:{BTC}")
    assert event == Ratio(f"bitget:{BTC}", START * MS, SEEN, "accounts", 0.58)
    assert venue.read(answer([row]), SEEN, f"ratio:{BTC}") == []
    (new,) = venue.read(answer([row | {"ts": str(START + 1)}, row]), SEEN, f"ratio:{BTC}")
    assert new.event_time == (START + 1) * MS  # type: ignore[union-attr]


def test_latest_trades_spell_sides_with_and_without_a_capital():
    rows = [
        {"tradeId": str(n), "price": "5", "size": "2", "side": side, "ts": str(START + n)}
        for n, side in ((4, "Buy"), (3, "Sell"), (2, "buy"), (1, "sell"))
    ]
    (event,) = bitget_reader().read(answer(rows), SEEN, f"trades:{BTC}")
    assert isinstance(event, Trades)
    assert event.sizes.tolist() == [-2, 2, -2, 2]


def query(url: str) -> dict[str, str]:
    return {key: value[0] for key, value in parse_qs(urlsplit(url).query).items()}


def test_instruments_are_asked_for_first_then_the_clock():
    polls = bitget_reader().polls([BTC])
    assert [each.channel for each in polls] == [
        "instruments",
        "clock",
        f"tiers:{BTC}",
        f"ratio:{BTC}",
    ]
    host = "https://api.bitget.com/api/v2/"
    assert polls[0].url == f"{host}mix/market/contracts?productType=usdt-futures"
    assert polls[1].url == f"{host}public/time"
    assert query(polls[2].url) == {"symbol": BTC, "productType": "usdt-futures"}
    assert query(polls[3].url) == {"symbol": BTC, "period": "5m"}
    assert [each.every for each in polls] == [HOUR, MINUTE, HOUR, 5 * MINUTE]


def test_the_latest_trades_are_asked_for_by_the_hundred():
    (asked,) = bitget_reader().recent(BTC)
    assert query(asked.url) == {"symbol": BTC, "productType": "usdt-futures", "limit": "100"}


def test_funding_is_asked_for_last_and_open_interest_never():
    polls = bitget_reader().past(BTC, SEEN - HOUR, SEEN)
    assert [each.channel for each in polls] == [f"candles:{BTC}", f"funding:{BTC}"]
    assert query(polls[1].url)["pageSize"] == "100"


@given(st.integers(0, 40 * 24 * 60), st.integers(1, 40 * 24 * 60))
def test_every_minute_of_the_past_is_asked_for_once(first, count):
    since, until = START * MS + first * MINUTE, START * MS + (first + count) * MINUTE
    asked: list[int] = []
    for each in bitget_reader().past(BTC, since, until):
        message = query(each.url)
        if "granularity" in message:
            minutes = range(
                int(message["startTime"]) // 60_000, int(message["endTime"]) // 60_000 + 1
            )
            assert len(minutes) <= int(message["limit"])
            asked += minutes
    assert asked == list(range(since // MINUTE, until // MINUTE))


ANSWERS = {
    "instruments": answer([LISTED]),
    f"candles:{BTC}": answer([bar(START), bar(START + 60_000)]),
    f"funding:{BTC}": answer([{"fundingRate": "0.1", "fundingTime": str(START)}]),
    f"ratio:{BTC}": answer([{"longAccountRatio": "0.5", "ts": str(START)}]),
    f"tiers:{BTC}": answer([{"endUnit": "5", "leverage": "5", "keepMarginRate": "0.1"}]),
    f"trades:{BTC}": answer(
        [{"tradeId": "1", "price": "5", "size": "2", "side": "buy", "ts": str(START)}]
    ),
}


@given(st.sampled_from(sorted(ANSWERS)), st.data())
def test_any_value_in_any_field_of_an_answer_is_events_or_a_wire_error(channel, pick):
    message = json.loads(ANSWERS[channel])
    fuzz.change(pick, [message, *message["data"]])
    fuzz.readable(bitget_reader(), json.dumps(message).encode(), SEEN, channel)
