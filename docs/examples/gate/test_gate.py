"""Gate.io: every channel and answer, every trap, any bytes at all, and a desk that it feeds."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.desk import Desk
from powderkeg.errors import WireError
from powderkeg.events import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    BookDelta,
    BookSnapshot,
    Funding,
    Link,
    Liquidation,
    Mark,
    OpenInterest,
    Trade,
)
from powderkeg.live.collector import Collector
from powderkeg.settings import Settings
from powderkeg.simvenues import serve
from powderkeg.venues import VENUES

SYMBOL, MARKET = "BTC_USDT", "gate:BTC_USDT"
MS = 1_545_136_464_123
SEEN = MS * 1000 + 5
PRINT = {
    "size": -108, "id": 27753479, "create_time": MS // 1000, "create_time_ms": MS,
    "price": "96.4", "contract": SYMBOL,
}  # fmt: skip
TICKER = {
    "contract": SYMBOL, "mark_price": "118.35", "index_price": "118.36",
    "funding_rate": "-0.000114", "total_size": "73648", "last": "118.4",
}  # fmt: skip
CHANGE = {
    "t": MS, "s": SYMBOL, "U": 101, "u": 113,
    "b": [{"p": "54672.1", "s": 0}], "a": [{"p": "54743.6", "s": 95}],
}  # fmt: skip
FORCED = {"price": 215.1, "size": -124, "time": MS // 1000, "time_ms": MS, "contract": SYMBOL}
CONTRACTS = [
    {"name": SYMBOL, "quanto_multiplier": "0.0001", "order_price_round": "0.1",
     "funding_interval": 28800, "in_delisting": False},
    {"name": "OLD_USDT", "quanto_multiplier": "1", "order_price_round": "0.1",
     "funding_interval": 28800, "in_delisting": True},
]  # fmt: skip


def packed(value):
    return json.dumps(value).encode()


def frame(channel, result, event="update", **more):
    return packed({"time_ms": MS, "channel": channel, "event": event, "result": result} | more)


def gate():
    venue = VENUES["gate"].reader("")
    assert venue.read(packed(CONTRACTS), SEEN, "instruments") == []
    return venue


def test_a_size_is_contracts_and_its_sign_the_taker():
    (event,) = gate().read(frame("futures.trades", [PRINT]), SEEN)
    assert event == Trade(MARKET, MS * 1000, SEEN, 96.4, pytest.approx(0.0108), "sell")


def test_a_duplicate_trade_counts_once_and_one_with_the_insurance_fund_is_no_print():
    venue, raw = gate(), frame("futures.trades", [PRINT, PRINT | {"id": 1, "is_internal": True}])
    assert len(venue.read(raw, SEEN)) == 1
    assert venue.read(raw, SEEN) == []
    del venue.state.skipped["instrument that does not trade"]
    assert venue.state.skipped == {"duplicate trade": 2, "trade with the insurance fund": 1}


def test_times_of_latest_trades_are_seconds():
    (event,) = gate().read(
        packed([PRINT | {"create_time_ms": MS / 1000}]), SEEN, f"trades:{SYMBOL}"
    )
    assert event.event_time == MS * 1000


def test_a_ticker_is_mark_funding_and_open_interest_in_coins():
    assert gate().read(frame("futures.tickers", [TICKER]), SEEN) == [
        Mark(MARKET, MS * 1000, SEEN, 118.35, 118.36),
        Funding(MARKET, MS * 1000, SEEN, -0.000114, 8 * HOUR),
        OpenInterest(MARKET, MS * 1000, SEEN, pytest.approx(7.3648)),
    ]


def test_a_change_of_the_book_has_the_first_and_the_last_of_its_ids():
    (event,) = gate().read(frame("futures.order_book_update", CHANGE), SEEN)
    asks = ((54743.6, pytest.approx(0.0095)),)
    assert event == BookDelta(MARKET, MS * 1000, SEEN, ((54672.1, 0.0),), asks, 101, 113, -1)


def test_a_whole_book_is_an_answer_with_the_id_that_changes_follow():
    book = {"id": 100, "update": MS / 1000, "bids": [{"p": "1", "s": 2}], "asks": []}
    (event,) = gate().read(packed(book), SEEN, f"depth:{SYMBOL}")
    assert event == BookSnapshot(MARKET, MS * 1000, SEEN, ((1.0, 0.0002),), (), 100)


@pytest.mark.parametrize(("size", "side"), [(-124, "short"), (124, "long")])
def test_a_negative_liquidation_is_a_short_and_counts_once(size, side):
    venue, raw = gate(), frame("futures.public_liquidates", [FORCED | {"size": size}])
    amount = pytest.approx(0.0124)
    assert venue.read(raw, SEEN) == [Liquidation(MARKET, MS * 1000, SEEN, 215.1, amount, side)]
    assert venue.read(raw, SEEN) == []


def test_a_size_before_the_contract_is_known_is_unreadable():
    with pytest.raises(WireError, match="expected the contract size of 'BTC_USDT'"):
        VENUES["gate"].reader("").read(frame("futures.trades", [PRINT]), SEEN)


def test_the_past_is_in_coins_and_in_order_of_time():
    venue, start = gate(), 1_545_136_440
    bars = [{"t": start - n * 60, "o": 2, "h": 4, "l": 1, "c": 3, "v": 5000} for n in (0, 1, 2)]
    (event,) = venue.read(packed(bars), SEEN, f"candles:{SYMBOL}")
    assert event.times.tolist() == [(start - n * 60) * SECOND for n in (2, 1)]
    assert (event.volume[0], event.buy[0]) == (0.5, 0.25)
    stats = [{"time": start - n, "open_interest": 10_000 + n} for n in (0, 300)]
    old, new = venue.read(packed(stats), SEEN, f"interest:{SYMBOL}")
    assert (old.event_time, new.size) == ((start - 300) * SECOND, 1.0)
    paid = [{"t": start - n * 3600, "r": "0.0001"} for n in (0, 4)]
    assert [e.interval for e in venue.read(packed(paid), SEEN, f"funding:{SYMBOL}")] == [
        4 * HOUR
    ] * 2


def test_refusals_acknowledgements_and_the_clock():
    venue = gate()
    refused = [Link("gate", SEEN, SEEN, "refused", "INVALID_KEY no")]
    assert venue.read(b'{"label":"INVALID_KEY","message":"no"}', SEEN, "clock") == refused
    error = {"code": 2, "message": "no"}
    raw = frame("futures.trades", None, "subscribe", error=error)
    assert venue.read(raw, SEEN) == [Link("gate", SEEN, SEEN, "refused", "2 no")]
    for quiet in (frame("futures.trades", {"status": "success"}, "subscribe"),
                  frame("futures.pong", None, "")):  # fmt: skip
        assert venue.read(quiet, SEEN) == []
    venue.state.skipped.clear()
    assert venue.read(frame("futures.candlesticks", []), SEEN) == venue.read(b"{}", SEEN) == []
    assert venue.state.skipped == {"channel candlesticks": 1, "no channel": 1}
    assert venue.read(b'{"server_time":7}', SEEN, "clock") == []
    assert venue.state.server_time == 7000


def test_sockets_and_requests_name_every_channel_of_every_symbol():
    venue = VENUES["gate"].reader("")
    assert venue.symbol("BTC") == SYMBOL
    first, second = venue.streams([f"C{n}_USDT" for n in range(60)])
    sent = [json.loads(raw) for raw in (*first.subscribe, *second.subscribe)]
    assert sum(each["channel"] == "futures.order_book_update" for each in sent) == 60
    assert {len(each["payload"]) for each in sent} == {3, 50, 10}
    assert [poll.channel for poll in venue.polls([SYMBOL])] == ["instruments", "clock"]
    until = SEEN // MINUTE * MINUTE
    kinds = [poll.channel.partition(":")[0] for poll in venue.past(SYMBOL, until - DAY, until)]
    assert kinds == ["candles"] * 2 + ["interest"] * 3 + ["funding"]
    assert venue.recent(SYMBOL)[0].url.endswith("/trades?limit=1000&contract=BTC_USDT")
    assert "with_id=true" in venue.snapshot(SYMBOL).url


def test_a_restored_reader_continues_as_the_other_would():
    one, other, raw = gate(), gate(), frame("futures.trades", [PRINT])
    one.read(raw, SEEN)
    other.state.load_state(one.state.state_dict())
    assert other.read(raw, SEEN) == []


FRAMES = {
    "trades": [PRINT], "tickers": [TICKER], "order_book_update": CHANGE,
    "public_liquidates": [FORCED],
}  # fmt: skip


@given(st.binary(max_size=200), st.sampled_from(["", "clock", f"trades:{SYMBOL}"]))
def test_any_bytes_are_events_or_a_wire_error(raw, channel):
    readable(raw, channel)


@given(st.sampled_from(sorted(FRAMES)), st.data())
def test_any_value_in_any_field_is_events_or_a_wire_error(name, pick):
    result = json.loads(json.dumps(FRAMES[name]))
    row = result[0] if isinstance(result, list) else result
    anything = st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=5))
    row[pick.draw(st.sampled_from(sorted(row)))] = pick.draw(anything)
    readable(frame(f"futures.{name}", result))


def readable(raw, channel=""):
    try:
        events = gate().read(raw, SEEN, channel)
    except WireError:
        return
    assert all(event.received_time == SEEN for event in events)


# -- the whole way: simulated venue, socket and requests, reader, desk


async def until(holds):
    async with asyncio.timeout(90):
        while not holds():  # noqa: ASYNC110  anything may be waited for
            await asyncio.sleep(0.01)


async def test_everything_a_map_needs_arrives_at_a_desk():
    desk = Desk("BTC", Settings(draw=SECOND, flush=SECOND))
    async with await serve(["BTC"], days=0.2, venues=("gate",)) as simulator:
        collector = Collector({"BTC": desk}, ("gate",), hosts=simulator.addresses)
        task = asyncio.ensure_future(collector.run())
        try:
            await until(lambda: collector.applied and collector.ready and MARKET in desk.markets)
            market, meters = desk.markets[MARKET], collector.status.meters
            await until(lambda: market.book.status == "live")
            simulator.coins[0].markets[0].forced.append((True, 1000))
            for kind in ("trades", "book", "mark", "funding", "oi", "liquidations"):
                await until(lambda kind=kind: meters[MARKET, kind].count)
        finally:
            task.cancel()
            await asyncio.wait({task})
    assert desk.counts.bars >= 200, "the past"
    assert desk.counts.trades
    assert desk.counts.liquidations
    assert market.estimate is not None
    assert market.carry.mark == pytest.approx(market.book.mid, rel=0.01)
    assert market.carry.oi > 0
    assert market.carry.interval == 8 * HOUR
    assert collector.feed.unread == {}
    assert collector.feed.reader("gate").state.skipped.keys() <= {"duplicate trade"}
