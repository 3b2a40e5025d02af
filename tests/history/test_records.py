"""Rows and stored frames as single events."""

import json

import numpy as np
import pytest

from powderkeg.errors import ConfigError
from powderkeg.events import (
    HOUR,
    BookSnapshot,
    Funding,
    Gap,
    Liquidation,
    LiquidationBar,
    Mark,
    OpenInterest,
    Ratio,
)
from powderkeg.history.series.records import frames, records
from powderkeg.history.series.report import ReadReport
from powderkeg.history.series.table import Table
from powderkeg.history.sources import Series, Stamp

V = "v:BTC"
T = 1_781_222_400_000_000


def table(times, **columns):
    n = len(times)
    arrays = {
        k: np.array(v, object if k in {"bids", "asks"} else float) for k, v in columns.items()
    }
    return Table(np.array(times, np.int64), arrays, np.arange(n), "f")


def made(kind, rows, index=None, **series):
    each = Series("v", "BTC", kind, ("f",), **series)
    return [event for *_, event in records(each, 0, iter([rows]), ReadReport(), index)]


def test_marks_carry_their_index_or_the_last_one_known():
    rows = {"price": [1.0, 2.0, 3.0]}
    own = made("mark", table([T, T + 1, T + 2], **rows, index=[9.0, np.nan, 0.0]))
    assert own == [Mark(V, T, T, 1.0, 9.0), Mark(V, T + 1, T + 1, 2.0), Mark(V, T + 2, T + 2, 3.0)]
    index = table([T + 1], price=[8.0])
    joined = made("mark", table([T, T + 1, T + 2], **rows), index)
    assert [event.index for event in joined] == [None, 8.0, 8.0]


def test_funding_keeps_the_interval_of_the_series_or_of_the_row():
    (event,) = made("funding", table([T], rate=[0.001]), span="8h")
    assert event == Funding(V, T, T, 0.001, 8 * HOUR)
    (event,) = made("funding", table([T], rate=[0.001], interval=[4.0 * HOUR]))
    assert event == Funding(V, T, T, 0.001, 4 * HOUR)


def test_open_interest_and_ratios_are_one_event_per_reading():
    assert made("open_interest", table([T], size=[5.0])) == [OpenInterest(V, T, T, 5.0)]
    got = made("ratios", table([T], accounts=[0.5], taker=[0.25]))
    assert got == [Ratio(V, T, T, "accounts", 0.5), Ratio(V, T, T, "taker", 0.25)]


def test_a_sell_order_closed_a_long_and_a_given_holder_is_kept():
    rows = {"price": [9.0, 9.0], "size": [1.0, 1.0]}
    by_order = made("liquidations", table([T, T], **rows, side=[-1.0, 1.0]))
    assert [event.position_side for event in by_order] == ["long", "short"]
    by_holder = made("liquidations", table([T, T], **rows, holder=[-1.0, 1.0]))
    assert [event.position_side for event in by_holder] == ["short", "long"]
    (event,) = made("liquidations", table([T], price=[9.0], size=[1.0], side=[1.0], bankruptcy=[1]))
    assert event == Liquidation(V, T, T, 9.0, 1.0, "short", bankruptcy=True)


def test_a_liquidation_bar_starts_at_its_start_and_is_known_at_its_end():
    """Dollars have become coins before (see test_bar_units), so a price changes nothing here."""
    time = Stamp("t", means="from", every="1h")
    (event,) = made("liquidation_bars", table([T], long=[5.0], short=[6.0]), time=time)
    assert event == LiquidationBar(V, T - HOUR, T, HOUR, 5.0, 6.0)
    (event,) = made(
        "liquidation_bars",
        table([T], long=[50.0], short=[60.0], price=[10.0]),
        time=time,
        unit={"long": "quote", "short": "quote"},
    )
    assert (event.long, event.short) == (50.0, 60.0)


def test_books_are_snapshots_without_an_update_id():
    levels = np.empty(1, object)
    levels[0] = ((1.0, 2.0),)
    rows = Table(np.array([T]), {"bids": levels, "asks": levels}, np.array([1]), "f")
    assert made("book", rows) == [BookSnapshot(V, T, T, ((1.0, 2.0),), ((1.0, 2.0),))]


def test_a_silence_half_as_long_again_as_expected_is_a_gap():
    time = Stamp("t", every="1h")
    times = [T, T + HOUR * 3 // 2, T + HOUR * 3 // 2 + HOUR * 3 // 2 + 1]
    got = made("open_interest", table(times, size=[1.0, 2.0, 3.0]), time=time)
    assert [type(event) for event in got] == [OpenInterest, OpenInterest, Gap, OpenInterest]
    assert got[2] == Gap(V, times[2], times[2], times[1], "open_interest: nothing for 5400 s")


def test_the_gap_before_a_bar_ends_where_the_bar_starts():
    time = Stamp("t", means="from", every="1h")
    rows = table([T, T + 3 * HOUR], long=[1.0, 1.0], short=[1.0, 1.0])
    gap = made("liquidation_bars", rows, time=time)[1]
    assert isinstance(gap, Gap)
    assert (gap.since, gap.event_time, gap.received_time) == (T, T + 2 * HOUR, T + 3 * HOUR)


TRADE = {"e": "trade", "s": "BTCUSDT", "p": "100", "q": "1", "T": 1781222400000, "m": False}
FUND = TRADE | {"X": "INSURANCE_FUND"}


def wire(make, text, report, stamp="us", venue="binance"):
    source = make(
        f'name = "x"\n[[series]]\nvenue = "{venue}"\nmarket = "BTCUSDT"\nkind = "wire"\n'
        f'files = ["f.txt"]\nstamp = "{stamp}"\n',
        f__txt=text,
    )
    return list(frames(source.series[0], 3, source, report, lambda _: None))


@pytest.mark.parametrize(("stamp", "by"), [("us", 1), ("ns", 1000)])
def test_stored_frames_go_through_the_venues_reader(make, stamp, by):
    report = ReadReport()
    text = f"{T * by} {json.dumps(TRADE)}\n"
    ((known, rank, n, event),) = wire(make, text, report, stamp)
    assert (known, rank, n, event.received_time, event.price) == (T, 0, 3, T, 100.0)
    assert report.rows == 1


def test_frames_that_cannot_be_read_are_named_and_those_left_out_counted(make):
    report = ReadReport()
    lines = [f"{T} {json.dumps(TRADE)}", "x {}", f"{T} {{", f"{T} {json.dumps(FUND)}"]
    assert len(wire(make, "\n".join(lines) + "\n", report)) == 1
    assert report.bad == {"unreadable frame": 2, "left out on purpose": 1}
    assert "f.txt:2: unreadable frame" in report.notes[0]
    assert "f.txt:3: unreadable frame: binance: unreadable frame" in report.notes[1]
    assert report.notes[2].endswith("not a trade: INSURANCE_FUND: 1 times")


def test_a_local_clock_that_was_set_back_does_not_turn_the_stream_around(make):
    text = f"{T + 5} {json.dumps(TRADE)}\n{T} {json.dumps(TRADE)}\n"
    got = wire(make, text, ReadReport())
    assert [known for known, *_ in got] == [T + 5, T + 5]
    assert [event.received_time for *_, event in got] == [T + 5, T]


def test_a_venue_without_a_reader_is_a_configuration_error(make):
    with pytest.raises(ConfigError, match=r"source.toml:2: no reader for venue 'mtgox'; there are"):
        wire(make, "", ReadReport(), venue="mtgox")


def test_a_row_of_a_stored_frame_that_cannot_be_read_is_counted_as_such(make):
    report = ReadReport()
    mark = {"e": "markPriceUpdate", "E": 1, "s": "BTCUSDT", "p": "5"}
    frame = {"stream": "!markPrice@arr", "data": [mark, mark | {"p": "x"}]}
    assert len(wire(make, f"{T} {json.dumps(frame)}\n", report)) == 1
    assert report.bad == {"unreadable row": 1}
