"""Stored data as one stream: order, causality, joins, and the recordings we have."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powderkeg.errors import ConfigError
from powderkeg.events import (
    DAY,
    MINUTE,
    SECOND,
    Candles,
    Gap,
    Liquidation,
    LiquidationBar,
    OpenInterest,
    Trades,
)
from powderkeg.history.replay import events
from powderkeg.history.series.report import ReadReport
from powderkeg.history.sources import load

T = 1_781_222_400_000  # ms, a whole hour
US = 1000

TRADES = """
[[series]]
venue = "{venue}"
market = "BTCUSDT"
kind = "trades"
files = ["{file}"]
time = {{ column = "t"{every} }}
columns = {{ price = "p", size = "s", side = "side" }}
"""
OI = """
[[series]]
venue = "v"
market = "BTCUSDT"
kind = "open_interest"
files = ["oi.csv"]
time = { column = "t" }
columns = { size = "oi" }
"""
MARK = """
[[series]]
venue = "v"
market = "BTCUSDT"
kind = "mark"
files = ["mark.csv"]
time = { column = "t" }
columns = { price = "m" }
"""
INDEX = MARK.replace('kind = "mark"', 'kind = "index"').replace("mark.csv", "index.csv")
CANDLES = """
[[series]]
venue = "v"
market = "BTCUSDT"
kind = "candles"
files = ["c.csv"]
time = { column = "t", means = "from", every = "1m" }
columns = { open = "o", high = "h", low = "l", close = "c", volume = "v" }
"""
LIQUIDATIONS = """
[[series]]
venue = "v"
market = "BTCUSDT"
kind = "liquidations"
files = ["l.csv"]
time = { column = "t" }
columns = { price = "p", size = "s", side = "side" }
"""
BARS = """
[[series]]
venue = "all"
market = "BTC"
kind = "liquidation_bars"
files = ["lb.csv"]
time = { column = "t", means = "from", every = "1m" }
columns = { long = "l", short = "s" }
unit = { long = "quote", short = "quote" }
"""


def trades(venue="v", file="t.csv", every=""):
    return TRADES.format(venue=venue, file=file, every=f', every = "{every}"' if every else "")


def csv(header, *rows):
    return header + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)


def prints(*rows):
    return csv("t,p,s,side", *((T + at, price, 1, "B") for at, price in rows))


def stream(source, **options):
    report = options.setdefault("report", ReadReport())
    return list(events(source, "BTC", **options)), report


def source_of(make, *series, **files):
    return make('name = "x"\n' + "".join(series), **files)


def test_prints_come_in_runs_cut_where_another_series_speaks(make):
    source = source_of(
        make,
        trades(),
        OI,
        t__csv=prints((0, 1), (1, 2), (2, 3), (3, 4)),
        oi__csv=csv("t,oi", (T + 2, 50)),
    )
    got, _ = stream(source)
    assert [type(event) for event in got] == [Trades, OpenInterest, Trades]
    assert got[0].prices.tolist() == [1.0, 2.0]
    assert got[2].prices.tolist() == [3.0, 4.0], "a reading comes before prints of its time"
    assert (got[0].event_time, got[0].received_time) == ((T + 1) * US, (T + 1) * US)


def test_runs_end_at_multiples_of_the_block(make):
    source = source_of(make, trades(), t__csv=prints((0, 1), (900, 2), (1000, 3), (2500, 4)))
    got, _ = stream(source, block=SECOND)
    assert [event.prices.tolist() for event in got] == [[1.0, 2.0], [3.0], [4.0]]


def test_bars_are_cut_at_the_block_of_a_print_but_not_long_before_it(make):
    source = source_of(
        make,
        trades("a", "a.csv"),
        CANDLES,
        a__csv=prints((3_600_000, 1), (3_605_000, 2)),
        c__csv=csv("t,o,h,l,c,v", *((T + n * 60_000, 1, 1, 1, 1, 1) for n in range(61))),
    )
    got, _ = stream(source, block=10 * SECOND)
    runs = [(type(event), len(event.times)) for event in got]
    assert runs == [(Candles, 59), (Candles, 1), (Trades, 2), (Candles, 1)]


def test_runs_of_several_markets_are_ordered_by_their_last_print(make):
    source = source_of(
        make,
        trades("a", "a.csv"),
        trades("b", "b.csv"),
        a__csv=prints((0, 1), (500, 2)),
        b__csv=prints((100, 3), (300, 4)),
    )
    got, _ = stream(source)
    assert [event.market for event in got] == ["b:BTCUSDT", "a:BTCUSDT"]


def test_a_silence_in_prints_is_a_gap_and_cuts_the_run(make):
    source = source_of(make, trades(every="2s"), t__csv=prints((0, 1), (3000, 2), (9000, 3)))
    got, _ = stream(source, block=MINUTE)
    assert [type(event) for event in got] == [Trades, Gap, Trades]
    assert got[1] == Gap(
        "v:BTCUSDT",
        (T + 9000) * US,
        (T + 9000) * US,
        (T + 3000) * US,
        "trades: nothing for 6 s",
    )


def minute(n, price, volume=2.0):
    return (T + 60_000 * n, price, price + 1, price - 1, price, volume)


def test_bars_carry_the_open_interest_read_within_them(make):
    readings = [(T, 9), (T + 30_000, 10), (T + 60_000, 11), (T + 150_000, 12)]
    source = source_of(
        make,
        CANDLES,
        OI,
        c__csv=csv("t,o,h,l,c,v", *(minute(n, 100) for n in range(3))),
        oi__csv=csv("t,oi", *readings),
    )
    (bars,), _ = stream(source)
    assert isinstance(bars, Candles)
    np.testing.assert_array_equal(bars.oi, [11.0, np.nan, 12.0])
    assert bars.times.tolist() == [(T + 60_000 * n) * US for n in range(3)]
    assert bars.event_time == bars.received_time == T * US + 3 * MINUTE
    assert bars.buy.tolist() == [1.0] * 3
    assert bars.mark_low.tolist() == bars.low.tolist() == [99.0] * 3


def test_bars_carry_the_marks_of_their_span_where_there_are_any(make):
    source = source_of(
        make,
        CANDLES,
        MARK,
        c__csv=csv("t,o,h,l,c,v", minute(0, 100), minute(1, 100)),
        mark__csv=csv("t,m", (T + 1, 97), (T + 2, 103), (T + 60_000, 98)),
    )
    (bars,), _ = stream(source)
    assert bars.mark_low.tolist() == [97.0, 99.0]
    assert bars.mark_high.tolist() == [103.0, 101.0]
    assert bars.mark.tolist() == [98.0, 100.0]
    assert bars.low.tolist() == [99.0, 99.0], "the bar itself is untouched"


def test_bars_stop_at_what_is_known_earlier_and_at_holes(make):
    source = source_of(
        make,
        CANDLES,
        LIQUIDATIONS,
        c__csv=csv("t,o,h,l,c,v", *(minute(n, 100) for n in (0, 1, 4))),
        l__csv=csv("t,p,s,side", (T + 119_999, 100, 1, "sell")),
    )
    got, _ = stream(source)
    assert [type(event) for event in got] == [Candles, Liquidation, Candles, Gap, Candles]
    gap = got[3]
    assert (gap.since, gap.event_time) == (T * US + 2 * MINUTE, T * US + 4 * MINUTE)


def test_an_index_is_joined_to_the_marks_after_it(make):
    source = source_of(
        make,
        MARK,
        INDEX,
        mark__csv=csv("t,m", (T, 1), (T + 5, 2)),
        index__csv=csv("t,m", (T + 3, 9)),
    )
    got, _ = stream(source)
    assert [(event.price, event.index) for event in got] == [(1.0, None), (2.0, 9.0)]


def test_an_index_without_a_mark_is_a_configuration_error(make):
    source = source_of(make, INDEX, index__csv=csv("t,m", (T, 9)))
    with pytest.raises(ConfigError, match="an index of v:BTCUSDT needs a mark series"):
        stream(source)


def test_a_coin_the_source_lacks_is_named_with_those_it_has(make):
    source = source_of(make, trades(), t__csv=prints((0, 1)))
    with pytest.raises(ConfigError, match="expected one of the coins BTC, found 'ETH'"):
        list(events(source, "ETH"))


def test_dollars_of_a_liquidation_bar_are_turned_by_the_last_known_price(make):
    source = source_of(
        make,
        trades(),
        BARS,
        t__csv=prints((70_000, 50)),
        lb__csv=csv("t,l,s", (T, 100, 200), (T + 60_000, 100, 200)),
    )
    got, report = stream(source)
    bars = [event for event in got if isinstance(event, LiquidationBar)]
    assert [(bar.long, bar.short) for bar in bars] == [(2.0, 4.0)]
    assert report.bad == {"liquidation bar without a price": 1}


def test_a_liquidation_no_market_has_seen_is_left_out_and_counted(make):
    """Trap 8: a public "database" of liquidations had ADA at 27,849 USD."""
    source = source_of(
        make,
        trades(),
        LIQUIDATIONS,
        t__csv=prints((0, 0.35)),
        l__csv=csv("t,p,s,side", (T + 1, 27_849, 1, "buy"), (T + 2, 0.34, 1, "sell")),
    )
    got, report = stream(source)
    assert [e.price for e in got if isinstance(e, Liquidation)] == [0.34]
    assert report.bad == {"liquidation far from the market": 1}
    assert "27849.0 where the market is at 0.35" in report.notes[0]


def test_an_old_price_says_nothing_of_a_liquidation(make):
    day = DAY // US
    source = source_of(
        make,
        trades(),
        LIQUIDATIONS,
        t__csv=prints((0, 100)),
        l__csv=csv("t,p,s,side", (T + day + 1, 200, 1, "buy")),
    )
    assert isinstance(stream(source)[0][1], Liquidation)


def test_a_stretch_of_time_is_from_its_start_and_before_its_end(make):
    source = source_of(
        make,
        trades(),
        OI,
        t__csv=prints(*((n * 1000, n + 1) for n in range(6))),
        oi__csv=csv("t,oi", *((T + n * 1000, n) for n in range(6))),
    )
    got, _ = stream(source, since=(T + 1000) * US, until=(T + 4000) * US)
    assert [e.size for e in got if isinstance(e, OpenInterest)] == [1.0, 2.0, 3.0]
    assert np.concatenate([e.prices for e in got if isinstance(e, Trades)]).tolist() == [2, 3, 4]


def test_progress_ends_with_all_bytes_read(make):
    source = source_of(make, trades(), t__csv=prints((0, 1)))
    seen: list[tuple[int, int]] = []
    list(events(source, "BTC", progress=lambda done, total: seen.append((done, total))))
    assert seen[-1][0] == seen[-1][1] > 0


offsets = st.lists(st.integers(0, 100_000), min_size=1, max_size=40).map(sorted)


@settings(max_examples=40)
@given(offsets, offsets, offsets, st.sampled_from([SECOND, 7 * SECOND, MINUTE]))
def test_no_event_is_seen_before_an_earlier_one_and_none_is_lost(
    tmp_path_factory, one, two, readings, block
):
    folder = tmp_path_factory.mktemp("weave")
    (folder / "a.csv").write_text(prints(*((at, 1) for at in one)))
    (folder / "b.csv").write_text(prints(*((at, 1) for at in two)))
    (folder / "oi.csv").write_text(csv("t,oi", *((T + at, 1) for at in sorted(set(readings)))))
    text = 'name = "x"\nroot = "."\n' + trades("a", "a.csv") + trades("b", "b.csv") + OI
    (folder / "s.toml").write_text(text)
    got = list(events(load(folder / "s.toml"), "BTC", block=block))
    assert [event.received_time for event in got] == sorted(event.received_time for event in got)
    runs = [event for event in got if isinstance(event, Trades)]
    assert sum(len(run.times) for run in runs) == len(one) + len(two)
    for run in runs:
        assert run.times[-1] // block == run.times[0] // block
        assert (np.diff(run.times) >= 0).all()
    now = 0
    for event in got:
        if isinstance(event, OpenInterest):
            now = event.event_time
        else:
            assert event.times[0] >= now
