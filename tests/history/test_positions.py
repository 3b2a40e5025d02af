"""Positions of accounts: what changed, and what cannot be known."""

import math
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from powderkeg.history.replay import events
from powderkeg.history.series.positions import (
    Change,
    Position,
    PositionsSnapshot,
    changes,
    snapshots_of,
    tables,
)
from powderkeg.history.series.report import ReadReport
from powderkeg.history.sources import load


def position(account, size=1.0, holder="long", coin="BTC"):
    return Position(account, coin, holder, size, 100.0, math.nan, 10.0)


def look(*positions, at=0):
    return PositionsSnapshot(at, {(p.account, p.coin): p for p in positions})


def test_an_account_that_is_missing_has_not_closed_anything():
    """Trap 10: lists of leaders change their members from look to look."""
    (change,) = changes(look(position("a")), look(position("b", coin="ETH")))[:1]
    assert (change.account, change.kind) == ("a", "unknown")
    assert math.isnan(change.size)


def test_an_account_that_is_still_there_has_closed_what_is_gone():
    before = look(position("a", 2.0), position("a", coin="ETH"))
    after = look(position("a", coin="ETH"))
    assert changes(before, after) == [
        Change("a", "BTC", "closed", -2.0),
        Change("a", "ETH", "kept", 0.0),
    ]


def test_positions_are_opened_resized_and_turned():
    before = look(position("a", 2.0), position("b", 1.0))
    after = look(position("a", 3.0), position("b", 4.0, "short"), position("a", 5.0, coin="ETH"))
    assert changes(before, after) == [
        Change("a", "BTC", "resized", 1.0),
        Change("b", "BTC", "turned", 4.0),
        Change("a", "ETH", "opened", 5.0),
    ]


def test_a_position_of_an_account_never_seen_before_may_be_old():
    (change,) = changes(look(position("b")), look(position("b"), position("a")))[1:]
    assert change.kind == "unknown"


def test_leaders_snapshots_are_read_with_their_missing_liquidation_prices(recorded: Path):
    """Trap 6: 13 to 31 % of rows have none; some of shorts lie above twice the market."""
    report = ReadReport()
    found = list(snapshots_of(load(recorded / "whales_202602.toml"), "BTC", report))
    assert len(found) == 51
    assert report.bad == {}
    btc = [p for each in found for p in each.positions.values()]
    missing = sum(math.isnan(p.liquidation) for p in btc) / len(btc)
    assert 0.1 < missing < 0.35
    assert any(p.holder == "short" and p.liquidation > 2 * p.entry for p in btc)
    kinds = Counter(c.kind for a, b in pairwise(found) for c in changes(a, b))
    assert kinds["kept"] > kinds["resized"] > kinds["closed"]


def test_all_coins_are_read_where_none_is_asked_for(recorded: Path):
    first = next(snapshots_of(load(recorded / "whales_202602.toml")))
    assert len(first.positions) == 2_474
    assert {"BTC", "ETH", "SOL"} <= {coin for _, coin in first.positions}


def test_every_fill_of_the_closed_world_is_read(recorded: Path):
    source = load(recorded / "closed_world_2023.toml")
    report = ReadReport()
    rows = list(tables(source, "fills", report))
    assert sum(len(table.times) for table in rows) == 13_850
    assert report.bad == {}
    assert {-1.0, 1.0} == set(rows[0].columns["side"].tolist())
    assert source.coins() == []


def test_payments_and_liquidated_accounts_of_the_closed_world_are_read(recorded: Path):
    source = load(recorded / "closed_world_2023.toml")
    report = ReadReport()
    paid = list(tables(source, "ledger", report))
    assert sum(len(table.times) for table in paid) == 241
    assert min(table.columns["delta"].min() for table in paid) < 0
    liquidated = list(tables(source, "liquidated", report))
    assert sum(len(table.times) for table in liquidated) == 30
    assert all((table.columns["equity"] < table.columns["value"]).all() for table in liquidated)
    assert report.bad == {}


def test_payments_may_be_below_zero_and_a_replay_leaves_them_out(make):
    t = 1_781_222_400_000
    source = make(
        'name = "x"\n[[series]]\nvenue = "v"\nmarket = "BTCUSDT"\nkind = "ledger"\n'
        'files = ["f.csv"]\ntime = { column = "t" }\ncolumns = { account = "a", delta = "d" }\n',
        f__csv=f"t,a,d\n{t},x,10\n{t + 9_000},x,-2.5\n",
    )
    deltas = [d for table in tables(source, "ledger", ReadReport()) for d in table.columns["delta"]]
    assert deltas == [10.0, -2.5]
    assert list(events(source, "BTC", report=ReadReport())) == []


@pytest.mark.parametrize("words", ["holder", "side"])
def test_a_source_without_a_coin_column_has_the_coin_of_its_market(make, words):
    t = 1_781_222_400_000
    source = make(
        'name = "x"\n[[series]]\nvenue = "v"\nmarket = "BTCUSDT"\nkind = "positions"\n'
        'files = ["f.csv"]\ntime = { column = "t" }\n'
        f'columns = {{ account = "a", size = "s", entry = "e", {words} = "h" }}\n',
        f__csv=f"t,a,s,e,h\n{t},x,1,50,Short\n{t + 9_000},x,2,50,Short\n",
    )
    assert [each.positions["x", "BTC"].size for each in snapshots_of(source)] == [1.0, 2.0]
    assert list(snapshots_of(source, "ETH")) == []
