"""Minutes of Binance's wire, spot and perpetual apart: tops of the books, and volume delta."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import Struct, field
from msgspec.structs import replace

from powderkeg.events import BookDelta, BookSnapshot, Quote, Trade, Trades
from powderkeg.flow.tape.delta import CumulativeDelta
from powderkeg.history.replay import events
from powderkeg.history.sources import Source, load
from powderkeg.market.book import Book

SOURCES = Path(__file__).parents[1] / "sources"
SPOT, PERP = "binance-spot:BTCUSDT", "binance:BTCUSDT"


class Minutes(Struct):
    """What was read of one market."""

    book: Book
    files: list[Path]
    tops: dict[int, tuple[float, float, float, float] | None] = field(default_factory=dict)
    """Best bid and ask with their sizes, by update id, while the book was live."""
    quotes: dict[int, tuple[float, float, float, float]] = field(default_factory=dict)
    trades: list[Trade] = field(default_factory=list)


def read(source: Source, market: str) -> Minutes:
    mine = tuple(each for each in source.series if each.id == market)
    (series,) = mine
    out = Minutes(Book(market), source.files(series))
    for event in events(replace(source, series=mine), "BTC"):
        if isinstance(event, Quote):
            out.quotes[event.update] = (event.bid, event.bid_size, event.ask, event.ask_size)
        elif isinstance(event, BookSnapshot | BookDelta):
            out.book.apply(event)
            if out.book.status == "live":
                out.tops[out.book.update] = out.book.best()
        elif isinstance(event, Trade):
            out.trades.append(event)
    return out


@pytest.fixture(scope="module")
def minutes(data: Path) -> Iterator[dict[str, Minutes]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POWDERKEG_DATA", str(data))
        august = load(SOURCES / "binance_minutes.toml")
        april = load(SOURCES / "bad_print.toml")
        yield {
            "spot": read(august, SPOT),
            "perpetual": read(august, PERP),
            "perpetual of 2023": read(april, PERP),
        }


def sent(files: list[Path]) -> list[str]:
    """Return the signed sizes of market trades, as the venue wrote them."""
    out: list[str] = []
    for path in files:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line.partition(" ")[2]).get("data", {})
                if row.get("e") == "trade" and row.get("X", "MARKET") == "MARKET":
                    out.append(("-" if row["m"] else "") + row["q"])
    return out


@pytest.mark.parametrize(
    ("name", "shared"), [("spot", 1_072), ("perpetual", 629), ("perpetual of 2023", 1_565)]
)
def test_the_top_of_the_book_is_the_venues_own_at_every_shared_update(minutes, name, shared):
    mine = minutes[name]
    updates = mine.tops.keys() & mine.quotes.keys()
    assert len(updates) == shared
    assert all(mine.tops[update] == mine.quotes[update] for update in updates)
    assert mine.book.status == "live"


@pytest.mark.parametrize(
    ("name", "prints"), [("spot", 19_904), ("perpetual", 21_313), ("perpetual of 2023", 12_934)]
)
def test_volume_delta_is_the_sum_of_what_the_venue_sent_to_the_last_digit(minutes, name, prints):
    mine, sizes = minutes[name], sent(minutes[name].files)
    single, bulk = CumulativeDelta(), CumulativeDelta()
    for trade in mine.trades:
        single.add(trade)
    bulk.add(Trades.concat(mine.trades))
    total = 0.0
    for size in sizes:
        total += float(size)
    assert single.count == bulk.count == len(sizes) == prints
    assert single.cvd == bulk.cvd == total
    digits = max(-int(Decimal(size).normalize().as_tuple().exponent) for size in sizes)
    assert round(Decimal(single.cvd), digits) == sum(map(Decimal, sizes), Decimal(0))


def test_bars_of_delta_add_up_to_the_prints_of_spot_and_perpetual_apart(minutes):
    for name in ("spot", "perpetual"):
        one = CumulativeDelta()
        for trade in minutes[name].trades:
            one.add(trade)
        bars = one.bars()
        assert len(bars.times) == len({t.event_time // one.span for t in minutes[name].trades})
        assert bars.cvd[-1] == one.cvd
        assert bars.delta.sum() == pytest.approx(one.cvd, abs=1e-9)
    assert minutes["spot"].trades[0].market != minutes["perpetual"].trades[0].market
