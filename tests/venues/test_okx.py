"""OKX frames: contracts, chains of books, replayed liquidations, and any bytes at all."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from powderkeg.errors import WireError
from powderkeg.events import (
    HOUR,
    BookDelta,
    BookSnapshot,
    Funding,
    Link,
    Liquidation,
    Mark,
    OpenInterest,
    Trade,
    Trades,
)
from powderkeg.history.snapshots import CODEC
from powderkeg.market.book import Book
from powderkeg.venues import VENUES, VenueReader
from powderkeg.venues.okx.stream import okx_reader
from powderkeg.venues.reader import UNREADABLE

from . import fuzz

FRAMES = Path(__file__).parent / "frames" / "okx"
MESSAGES = [json.loads(each) for each in (FRAMES / "v5_messages.jsonl").read_text().splitlines()]
DOCUMENTED = json.loads((FRAMES / "documented.json").read_text())
INSTRUMENTS = (FRAMES / "instruments_20220513.json").read_bytes()
STREAM = (FRAMES / "stream_20220513.jsonl").read_bytes().splitlines()
SEEN = 1_740_480_208_000_000
TS = 1_740_480_207_000
MS = 1000
BTC = "BTC-USDT-SWAP"


def okx() -> VenueReader:
    """Return a reader that knows the contracts of eight swaps, as recorded in May 2022."""
    venue = okx_reader()
    assert venue.read(INSTRUMENTS, SEEN, "instruments") == []
    return venue


def frame(channel: str, rows: object, symbol: str = BTC, **more: object) -> bytes:
    return json.dumps({"arg": {"channel": channel, "instId": symbol}, "data": rows} | more).encode()


def trade(number: int, **more: object) -> dict[str, object]:
    row = {"instId": BTC, "tradeId": str(number), "px": "20000", "sz": "5", "side": "buy"}
    return row | {"ts": str(TS + number), "count": "3"} | more


def book(number: int, previous: int, action: str = "update", symbol: str = BTC) -> bytes:
    data = {"asks": [["20001", "300", "0", "4"]], "bids": [["20000", "100", "0", "1"]]}
    data |= {"ts": str(TS), "checksum": 0, "seqId": number, "prevSeqId": previous}
    return frame("books", [data], symbol, action=action)


def detail(**more: object) -> dict[str, object]:
    row = {"side": "sell", "posSide": "long", "bkPx": "20000", "sz": "12", "bkLoss": "0"}
    return row | {"ccy": "", "ts": str(TS)} | more


def liquidations(*details: dict[str, object], symbol: str = BTC) -> bytes:
    order = {"instId": symbol, "instFamily": "", "instType": "SWAP", "details": details}
    arg = {"channel": "liquidation-orders", "instType": "SWAP"}
    return json.dumps({"arg": arg, "data": [order]}).encode()


@pytest.mark.parametrize(
    ("symbol", "coins"),
    [
        ("BTC-USDT-SWAP", 5 * 0.01),
        ("ETH-USDT-SWAP", 5 * 0.1),
        ("DOGE-USDT-SWAP", 5 * 1000),
        ("BTC-USD-SWAP", 5 * 100 / 20000),
        ("ETH-USD-SWAP", 5 * 10 / 20000),
    ],
)
def test_sizes_are_contracts_and_a_forgotten_one_is_an_error_of_a_hundred(symbol, coins):
    (event,) = okx().read(frame("trades", [trade(1)], symbol), SEEN)
    assert isinstance(event, Trade)
    assert event.size == pytest.approx(coins)


@pytest.mark.parametrize("raw", [frame("trades", [trade(1)]), book(5, -1, "snapshot")])
def test_a_symbol_whose_contract_size_is_unknown_is_unreadable(raw):
    with pytest.raises(WireError, match="expected the contract size of BTC-USDT-SWAP"):
        okx_reader().read(raw, SEEN)


def test_trades_read_before_the_contract_was_known_may_come_again():
    venue = okx_reader()
    with pytest.raises(WireError):
        venue.read(frame("trades", [trade(1)]), SEEN)
    venue.read(INSTRUMENTS, SEEN, "instruments")
    assert venue.read(frame("trades", [trade(1)]), SEEN)


def test_a_recorded_trade_of_an_inverse_swap_is_ten_dollars_a_contract():
    (event,) = okx().read(STREAM[0], SEEN)
    size = 100 * 10 / 5.123
    assert event == Trade("okx:UNI-USD-SWAP", 1652459215150 * MS, SEEN, 5.123, size, "sell")


def test_trades_arrive_newest_first_and_are_emitted_oldest_first():
    rows = [trade(3, side="sell"), trade(2)]
    raw = json.dumps({"code": "0", "msg": "", "data": rows}).encode()
    (event,) = okx().read(raw, SEEN, f"trades:{BTC}")
    assert isinstance(event, Trades)
    assert event.times.tolist() == [(TS + 2) * MS, (TS + 3) * MS]
    assert event.sizes.tolist() == [0.05, -0.05]


def test_duplicate_trades_count_once_because_their_ids_rise():
    venue = okx()
    assert venue.read(frame("trades", [trade(7), trade(8)]), SEEN)
    (event,) = venue.read(frame("trades", [trade(8), trade(9)]), SEEN)
    assert isinstance(event, Trade)
    assert venue.read(frame("trades", [trade(6)]), SEEN) == []
    assert venue.state.skipped == {"duplicate trade": 2}
    assert venue.read(frame("trades", [trade(6)], "ETH-USDT-SWAP"), SEEN)


def follow(venue: VenueReader, kept: Book, *frames: bytes) -> list[bool]:
    """Return for each frame whether the book asks for a new one."""
    events = [event for raw in frames for event in venue.read(raw, SEEN)]
    return [kept.apply(event) is not None for event in events]  # type: ignore[arg-type]


def test_a_snapshot_and_its_changes_carry_sizes_in_coins_and_the_ids_of_the_venue():
    venue = okx()
    (whole,) = venue.read(book(5, -1, "snapshot"), SEEN)
    (change,) = venue.read(book(9, 5), SEEN)
    levels = ((20000.0, 1.0),), ((20001.0, 3.0),)
    assert whole == BookSnapshot(f"okx:{BTC}", TS * MS, SEEN, *levels, 5)
    assert change == BookDelta(f"okx:{BTC}", TS * MS, SEEN, *levels, 9, 9, 5)


def test_levels_of_an_inverse_book_are_dollars():
    (whole,) = okx().read(book(5, -1, "snapshot", "BTC-USD-SWAP"), SEEN)
    assert isinstance(whole, BookSnapshot)
    assert whole.bids == ((20000.0, 100 * 100 / 20000),)


def test_a_book_that_did_not_change_repeats_its_id_and_is_ignored():
    venue, kept = okx(), Book(f"okx:{BTC}")
    frames = book(5, -1, "snapshot"), book(7, 5), book(7, 7), book(7, 5), book(8, 7)
    assert follow(venue, kept, *frames) == [False] * 3
    assert venue.state.skipped == {"book that did not change": 2}
    assert kept.update == 8


def test_a_lower_id_after_maintenance_still_follows_and_so_do_the_changes_after_it():
    venue, kept = okx(), Book(f"okx:{BTC}")
    frames = book(500, -1, "snapshot"), book(507, 500), book(3, 507), book(4, 3), book(9, 4)
    assert follow(venue, kept, *frames) == [False] * 5
    assert kept.status == "live"


def test_a_lower_id_that_does_not_follow_makes_the_book_ask_and_the_next_snapshot_mends_it():
    venue, kept = okx(), Book(f"okx:{BTC}")
    assert follow(venue, kept, book(500, -1, "snapshot"), book(4, 3)) == [False, True]
    assert follow(venue, kept, book(6, -1, "snapshot"), book(7, 6)) == [False, False]
    assert kept.status == "live"


def test_a_lost_change_makes_the_book_ask():
    frames = book(5, -1, "snapshot"), book(7, 5), book(9, 8)
    assert follow(okx(), Book(f"okx:{BTC}"), *frames) == [False, False, True]


def test_recorded_books_of_2022_had_no_ids_and_are_unreadable():
    for raw in STREAM[1:]:
        with pytest.raises(WireError, match="seqId"):
            okx().read(raw, SEEN)


def test_every_detail_of_a_liquidation_order_is_an_event_with_its_bankruptcy_price():
    rows = detail(), detail(side="buy", posSide="short", sz="3"), detail(ts=str(TS - 20_000))
    events = okx().read(liquidations(*rows), SEEN)
    market = f"okx:{BTC}"
    assert events == [
        Liquidation(market, TS * MS, SEEN, 20000.0, 0.12, "long", bankruptcy=True),
        Liquidation(market, TS * MS, SEEN, 20000.0, 0.03, "short", bankruptcy=True),
        Liquidation(market, (TS - 20_000) * MS, SEEN, 20000.0, 0.12, "long", bankruptcy=True),
    ]


@pytest.mark.parametrize(("side", "holder"), [("sell", "long"), ("buy", "short")])
def test_in_net_mode_the_order_side_gives_the_liquidated_side(side, holder):
    (event,) = okx().read(liquidations(detail(side=side, posSide="net")), SEEN)
    assert isinstance(event, Liquidation)
    assert event.position_side == holder


def test_a_replay_after_subscribing_counts_once_but_late_rows_are_kept():
    venue = okx()
    assert len(venue.read(liquidations(detail(), detail(), detail(sz="9")), SEEN)) == 3
    assert venue.read(liquidations(detail(), detail(), detail(sz="9")), SEEN) == []
    (late,) = venue.read(liquidations(detail(), detail(ts=str(TS - 90_000))), SEEN)
    assert late.event_time == (TS - 90_000) * MS
    assert venue.state.skipped == {"duplicate liquidation": 4}


def test_liquidations_of_markets_without_a_contract_size_are_left_out():
    venue = okx_reader()
    messages = json.loads(liquidations(detail()))
    messages["data"] += [{"instId": "NEW-USDT-SWAP", "details": [detail()]}]
    raw = json.dumps(messages).encode()
    assert venue.read(raw, SEEN) == []
    assert venue.state.skipped.pop("liquidation of another market") == 2
    venue.read(INSTRUMENTS, SEEN, "instruments")
    (event,) = venue.read(raw, SEEN)
    assert event.market == f"okx:{BTC}"
    assert venue.state.skipped["liquidation of another market"] == 1


def test_a_mark_carries_the_last_index_of_its_family():
    venue = okx()
    row = [{"instId": BTC, "markPx": "20000.5", "ts": str(TS)}]
    (first,) = venue.read(frame("mark-price", row), SEEN)
    index = [{"instId": "BTC-USDT", "idxPx": "19999", "ts": str(TS)}]
    assert venue.read(frame("index-tickers", index, "BTC-USDT"), SEEN) == []
    (second,) = venue.read(frame("mark-price", row), SEEN)
    assert first == Mark(f"okx:{BTC}", TS * MS, SEEN, 20000.5, None)
    assert second == Mark(f"okx:{BTC}", TS * MS, SEEN, 20000.5, 19999.0)


def test_open_interest_is_in_coins_each_contract_once():
    row = [{"instId": BTC, "oi": "2216113", "oiCcy": "22161.13", "oiUsd": "1", "ts": str(TS)}]
    (event,) = okx().read(frame("open-interest", row), SEEN)
    assert event == OpenInterest(f"okx:{BTC}", TS * MS, SEEN, 22161.13)


def funding(**more: object) -> bytes:
    row = {"instId": BTC, "fundingRate": "0.0001", "fundingTime": str(TS)}
    return frame("funding-rate", [row | more])


def test_the_interval_of_funding_is_between_this_payment_and_the_next():
    venue = okx()
    (unknown,) = venue.read(funding(), SEEN)
    (messages,) = venue.read(funding(nextFundingTime=str(TS + 4 * 3_600_000), ts=str(TS - 5)), SEEN)
    (kept,) = venue.read(funding(nextFundingTime=""), SEEN)
    assert unknown == Funding(f"okx:{BTC}", SEEN, SEEN, 0.0001, 8 * HOUR)
    assert messages == Funding(f"okx:{BTC}", (TS - 5) * MS, SEEN, 0.0001, 4 * HOUR)
    assert isinstance(kept, Funding)
    assert kept.interval == 4 * HOUR


def test_a_recorded_funding_frame_without_a_rate_is_counted_and_left_out():
    venue = okx()
    messages = [each for each in MESSAGES if each["arg"]["channel"] == "funding-rate"]
    kinds = [
        [type(event) for event in venue.read(json.dumps(each).encode(), SEEN)] for each in messages
    ]
    assert kinds == [[Funding], []]
    assert venue.state.skipped == {"funding without a rate": 1}


@pytest.mark.parametrize(
    "raw",
    [
        funding(fundingRate="1.5"),
        funding(fundingRate="nan"),
        funding(nextFundingTime="x"),
        funding(nextFundingTime=str(TS - 1)),
        frame("trades", [trade(1, px="0")]),
        frame("trades", [trade(1, sz="-1")]),
        frame("trades", [trade(1, side="Buy")]),
        frame("trades", [trade(1)], "btc usdt"),
        frame("trades", [trade(1)], ""),
        frame("mark-price", []),
        frame("books", [{"asks": [["1"]], "bids": [], "ts": "1", "seqId": 1, "prevSeqId": 0}]),
    ],
)
def test_what_cannot_be_is_unreadable(raw):
    with pytest.raises(WireError, match="okx: unreadable frame"):
        okx().read(raw, SEEN)


def test_a_refused_subscription_is_reported_with_the_venues_message():
    raw = b'{"event":"error","code":"60012","msg":"Invalid request: x","connId":"a4d3ae55"}'
    (event,) = okx().read(raw, SEEN)
    assert event == Link("okx", SEEN, SEEN, "refused", "Invalid request: x")


def test_acknowledgements_and_the_pong_that_is_no_json_say_nothing():
    venue, before = okx(), dict(okx().state.skipped)
    assert venue.read(b"pong", SEEN) == []
    assert venue.read(b'{"event":"subscribe","arg":{"channel":"trades"}}', SEEN) == []
    assert venue.read(b'{"event":"unsubscribe","arg":{"channel":"books"}}', SEEN) == []
    assert venue.state.skipped == before


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (json.dumps(DOCUMENTED["ws_bbo_tbt"]).encode(), "channel bbo-tbt"),
        (b'{"event":"notice","code":"64008","msg":"service upgrade"}', "event notice"),
        (b"{}", "no channel"),
    ],
)
def test_what_we_do_not_use_is_counted_and_left_out(raw, reason):
    venue = okx_reader()
    assert venue.read(raw, SEEN) == []
    assert venue.state.skipped == {reason: 1}


def test_frames_from_before_v5_are_left_out():
    venue = okx_reader()
    for raw in (FRAMES / "v3_messages.jsonl").read_bytes().splitlines():
        assert venue.read(raw, SEEN) == []
    assert sum(venue.state.skipped.values()) > 20


def test_every_recorded_message_of_a_swap_can_be_read():
    venue = okx()
    kinds = set[str]()
    for each in MESSAGES:
        if "-SWAP" in json.dumps(each) and each["arg"]["channel"] in {
            "trades",
            "mark-price",
            "open-interest",
        }:
            kinds |= {type(event).__name__ for event in venue.read(json.dumps(each).encode(), SEEN)}
    assert kinds == {"Trade", "Mark", "OpenInterest"}


def test_one_socket_carries_all_channels_and_all_liquidations_once():
    venue = VENUES["okx"].reader("")
    assert venue.symbol("BTC") == BTC
    symbols = [f"C{n}-USDT-SWAP" for n in range(60)]
    first, second = venue.streams(symbols)
    assert first.url == "wss://ws.okx.com:8443/ws/v5/public"
    assert (first.ping, first.ping_every) == (b"ping", 20_000_000)
    sent = [json.loads(raw) for stream in (first, second) for raw in stream.subscribe]
    args = [arg for each in sent for arg in each["args"]]
    assert len(args) == 60 * 6 + 1
    assert args.count({"channel": "liquidation-orders", "instType": "SWAP"}) == 1
    assert {"channel": "index-tickers", "instId": "C7-USDT"} in args
    assert max(len(raw) for stream in (first, second) for raw in stream.subscribe) < 64_000
    liquidation_markets = [each.market for each in first.channels if each.kind == "liquidations"]
    assert liquidation_markets == [f"okx:{each}" for each in symbols]


def test_a_lost_book_is_asked_for_by_leaving_and_joining_its_channel():
    sent = [json.loads(raw) for raw in okx().snapshot(BTC)]
    args = [{"channel": "books", "instId": BTC}]
    assert sent == [{"op": "unsubscribe", "args": args}, {"op": "subscribe", "args": args}]


def test_no_frame_wants_an_answer():
    assert okx().reply(b"pong") == b""


def test_requests_and_the_clock_pass_through():
    venue = okx()
    assert venue.polls([BTC])[0].channel == "instruments"
    assert venue.past(BTC, SEEN - HOUR, SEEN)[0].channel == f"candles:{BTC}"
    assert [each.channel for each in venue.recent(BTC)] == [f"trades:{BTC}"]
    assert venue.read(b'{"code":"0","msg":"","data":[{"ts":"1740480207000"}]}', SEEN, "clock") == []
    assert venue.state.server_time == TS * MS


def test_a_restored_reader_continues_as_if_never_stopped():
    one, other = okx(), okx_reader()
    messages = (
        book(500, -1, "snapshot"),
        book(3, 500),
        frame("trades", [trade(7)]),
        liquidations(detail()),
    )
    for raw in messages:
        assert one.read(raw, SEEN)
    row = {"tier": "1", "minSz": "0", "maxSz": "1000", "mmr": "0.004", "maxLever": "100"}
    tiers = json.dumps({"code": "0", "msg": "", "data": [row]}).encode()
    assert one.read(tiers, SEEN, f"tiers:{BTC}") == []
    other.state.load_state(CODEC.unpack(CODEC.pack(one.state.state_dict())))
    assert other.state.instruments == one.state.instruments
    assert [other.read(raw, SEEN) for raw in messages[2:]] == [[], []]
    assert other.read(book(4, 3), SEEN) == one.read(book(4, 3), SEEN)
    mark = frame("mark-price", [{"instId": BTC, "markPx": "20000", "ts": str(TS)}])
    assert other.read(mark, SEEN) == one.read(mark, SEEN)
    assert other.state.tiers == one.state.tiers != {}


WIRE = [
    *[json.dumps(each).encode() for each in MESSAGES],
    *STREAM[:2],
    book(5, -1, "snapshot"),
    liquidations(detail(), detail(sz="2")),
    funding(nextFundingTime=str(TS + 3_600_000)),
]


def readable(raw: bytes) -> None:
    fuzz.readable(okx(), raw, SEEN)


@given(st.binary(max_size=300))
@example(b"")
@example(b"[" * 100_000)
@example(b'{"arg":{"channel":"books","instId":"BTC-USDT-SWAP"},"data":' + b"[" * 10_000)
@example(b'{"arg":"\xff"}')
def test_any_bytes_are_events_or_a_wire_error(raw):
    readable(raw)


@settings(max_examples=300)
@given(st.sampled_from(WIRE), fuzz.wounds())
def test_a_damaged_frame_is_events_or_a_wire_error(raw, wound):
    readable(fuzz.hurt(raw, wound))


@given(st.sampled_from(WIRE), st.data())
def test_any_value_in_any_field_is_events_or_a_wire_error(raw, pick):
    message = json.loads(raw)
    places = [message, message["arg"], message.get("data", [{}])[0]]
    fuzz.change(pick, [each for each in places if each])
    readable(json.dumps(message).encode())


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(-1, 9), st.booleans()), max_size=30))
def test_whatever_ids_a_venue_sends_those_of_changes_never_fall(steps):
    """So that a book never takes a new numbering for old news."""
    venue, newest = okx(), -1
    for number, previous, whole in steps:
        for event in venue.read(book(number, previous, "snapshot" if whole else "update"), SEEN):
            if isinstance(event, BookDelta):
                assert event.last > newest
                newest = event.last
            elif isinstance(event, BookSnapshot):
                newest = event.update


def test_an_unreadable_order_or_detail_is_skipped_and_the_rest_read():
    venue = okx()
    messages = json.loads(
        liquidations(detail(), detail(bkPx="0"), detail(ts="never"), detail(sz="9"))
    )
    messages["data"] += [{"instId": 5}, {"instId": BTC, "details": [detail(sz="x")]}]
    assert len(venue.read(json.dumps(messages).encode(), SEEN)) == 2
    assert venue.state.skipped == {UNREADABLE: 4}
