"""Sealed hours of events: what was put comes back to the bit; one contract, two that keep it."""

from __future__ import annotations

import itertools
import math
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from powderkeg.errors import DataError
from powderkeg.events import HOUR
from powderkeg.store.segments import Interval, to_scaled_int

from .conftest import T0

MARKET = "binance:BTCUSDT"
_numbers = itertools.count()


class MemorySegments:
    """The contract in its plainest form."""

    def __init__(self):
        self.kept = {}

    def seal(self, kind, venue, hour, columns):
        self.kept[kind, venue, hour] = {name: list(values) for name, values in columns.items()}

    def scan(self, kind, venue, market, since, until):
        rows, names = [], []
        for (k, v, _), columns in sorted(self.kept.items()):
            if (k, v) == (kind, venue):
                names = [name for name in columns if name != "market"]
                rows += zip(columns["market"], *(columns[name] for name in names), strict=True)
        at = names.index("at") + 1 if names else 0
        chosen = [row for row in rows if row[0] == market and since <= row[at] < until]
        chosen.sort(key=lambda row: row[at])
        return {name: np.array([row[i + 1] for row in chosen]) for i, name in enumerate(names)}

    def coverage(self, kind, venue):
        out = []
        for _, _, hour in sorted(key for key in self.kept if key[:2] == (kind, venue)):
            if out and out[-1].until == hour:
                out[-1] = Interval(out[-1].since, hour + HOUR)
            else:
                out.append(Interval(hour, hour + HOUR))
        return out


@pytest.fixture(params=["memory", "parquet"])
def segments(request):
    return (
        MemorySegments() if request.param == "memory" else request.getfixturevalue("store").events
    )


def trades(times, prices, sizes=None, market=MARKET):
    return {
        "market": [market] * len(times),
        "at": list(times),
        "seen": [at + 50_000 for at in times],
        "price": list(prices),
        "size": list(sizes or [1.0] * len(times)),
    }


def bits(values):
    return [struct.pack(">d", value) for value in values]


def joined(*tables):
    return {name: [v for table in tables for v in table[name]] for name in tables[0]}


def test_what_was_sealed_comes_back(segments):
    segments.seal("trades", "binance", T0, trades([T0, T0 + 5], [100.1, 100.2], [0.001, -3.5]))
    found = segments.scan("trades", "binance", MARKET, T0, T0 + HOUR)
    assert {name: list(values) for name, values in found.items()} == {
        "at": [T0, T0 + 5],
        "seen": [T0 + 50_000, T0 + 50_005],
        "price": [100.1, 100.2],
        "size": [0.001, -3.5],
    }


@pytest.mark.parametrize(
    "values",
    [
        [0.1, 0.2, 0.30000000000000004],
        [1 / 3, math.pi],
        [-0.0, 0.0],
        [5e-324, 1e308],
        [float("nan"), 1.5],
        [float("inf"), -1.0],
        [2.0**53, 2.0**53 + 2],
        [1e-10, 123456.789],
    ],
    ids=str,
)
def test_floats_come_back_to_the_bit_whatever_they_are(segments, values):
    table = trades([T0 + i for i in range(len(values))], values)
    segments.seal("trades", "binance", T0, table)
    found = segments.scan("trades", "binance", MARKET, T0, T0 + HOUR)
    assert bits(found["price"]) == bits(values)


@given(st.lists(st.floats(width=64), min_size=1, max_size=30))
def test_whole_numbers_are_taken_only_where_they_are_exact(values):
    column = np.array(values)
    kept, decimals = to_scaled_int(column)
    back = kept if decimals < 0 else kept / 10.0**decimals
    assert bits(back) == bits(values)


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=30), st.integers(0, 6))
def test_prices_of_a_tick_are_kept_as_whole_numbers(ticks, decimals):
    column = np.array([float(f"{n}e-{decimals}") for n in ticks])
    assert to_scaled_int(column)[1] in range(decimals + 1)


def test_sealing_again_with_the_same_changes_nothing(segments):
    for _ in range(2):
        segments.seal("trades", "binance", T0, trades([T0, T0 + 1], [1.0, 2.0]))
    assert list(segments.scan("trades", "binance", MARKET, T0, T0 + HOUR)["price"]) == [1.0, 2.0]
    assert segments.coverage("trades", "binance") == [Interval(T0, T0 + HOUR)]


def test_an_hour_holds_many_markets_and_gives_each_alone_in_order_of_time(segments):
    other = trades([T0 + 3, T0 + 1], [7.0, 8.0], market="binance:ETHUSDT")
    segments.seal("trades", "binance", T0, joined(other, trades([T0 + 9, T0 + 2], [1.0, 2.0])))
    assert list(segments.scan("trades", "binance", MARKET, T0, T0 + HOUR)["price"]) == [2.0, 1.0]
    found = segments.scan("trades", "binance", "binance:ETHUSDT", T0, T0 + HOUR)
    assert list(found["price"]) == [8.0, 7.0]


def test_the_end_of_what_is_asked_for_is_left_out(segments):
    segments.seal("trades", "binance", T0, trades([T0, T0 + 1, T0 + 2], [1.0, 2.0, 3.0]))
    assert list(segments.scan("trades", "binance", MARKET, T0 + 1, T0 + 2)["price"]) == [2.0]


def test_events_that_came_late_are_found_at_the_time_they_happened(segments):
    segments.seal("trades", "binance", T0, trades([T0 + HOUR - 1], [1.0]))
    late = trades([T0 + HOUR - 2, T0 + HOUR + 1], [2.0, 3.0])
    segments.seal("trades", "binance", T0 + HOUR, late)
    found = segments.scan("trades", "binance", MARKET, T0, T0 + HOUR)
    assert list(found["price"]) == [2.0, 1.0]


def test_coverage_joins_hours_that_touch(segments):
    for hour in (0, 1, 3):
        segments.seal("mark", "okx", T0 + hour * HOUR, trades([T0 + hour * HOUR], [1.0]))
    assert segments.coverage("mark", "okx") == [
        Interval(T0, T0 + 2 * HOUR),
        Interval(T0 + 3 * HOUR, T0 + 4 * HOUR),
    ]
    assert segments.coverage("mark", "bybit") == []


def test_nothing_is_found_where_nothing_was_sealed(segments):
    assert segments.scan("trades", "binance", MARKET, T0, T0 + HOUR) == {}


def test_words_are_kept_too(segments):
    table = {
        "market": [MARKET], "at": [T0], "seen": [T0], "since": [T0 - 9], "reason": ["Ünd"],
    }  # fmt: skip
    segments.seal("gaps", "binance", T0, table)
    found = segments.scan("gaps", "binance", MARKET, T0, T0 + 1)
    assert (list(found["reason"]), list(found["since"])) == (["Ünd"], [T0 - 9])


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2), st.sampled_from(["a:X", "a:Y"]), st.integers(-60, 3660), st.floats()
        ),
        max_size=40,
    ),
    st.integers(-60, 11_000),
    st.integers(0, 11_000),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
def test_parquet_and_its_twin_never_differ(store, rows, since, length):
    twin, kind = MemorySegments(), f"kind{next(_numbers)}"
    for hour in range(3):
        mine = [row for row in rows if row[0] == hour]
        if mine:
            base = T0 + hour * HOUR
            columns = {
                "market": [row[1] for row in mine],
                "at": [base + row[2] * 1_000_000 for row in mine],
                "price": [row[3] for row in mine],
            }
            for each in (twin, store.events):
                each.seal(kind, "a", base, columns)
    begin = T0 + since * 1_000_000
    asked = (kind, "a", "a:X", begin, begin + length * 1_000_000)
    expected, found = twin.scan(*asked), store.events.scan(*asked)
    assert list(found.get("at", [])) == list(expected.get("at", []))
    assert bits(found.get("price", [])) == bits(expected.get("price", []))
    assert store.events.coverage(kind, "a") == twin.coverage(kind, "a")


def test_a_damaged_hour_is_refused_with_its_name(store):
    store.events.seal("trades", "binance", T0, trades([T0], [1.0]))
    (path,) = store.events.folder.rglob("*.parquet")
    path.write_bytes(b"PAR1 not really PAR1")
    with pytest.raises(DataError, match=path.name):
        store.events.scan("trades", "binance", MARKET, T0, T0 + HOUR)
