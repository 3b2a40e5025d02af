"""A world whose every account is known: its true map, and what a stranger could have seen."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.engine.exposure.table import BINS
from powderkeg.errors import ConfigError, DataError
from powderkeg.evaluation.full_accounts import maps as cm
from powderkeg.evaluation.full_accounts import positions as cp
from powderkeg.evaluation.full_accounts import scoring as cw
from powderkeg.events import DAY, HOUR, MINUTE, SECOND
from powderkeg.grid import BIN
from powderkeg.history.sources import load

SOURCES = Path(__file__).parents[1] / "sources"
T0 = 1_678_000_000 * SECOND // DAY * DAY
TOML = """
name = "small"
[[series]]
venue = "v"
market = "*"
kind = "fills"
files = ["fills.csv"]
time = { column = "t", unit = "s" }
columns = { account = "a", coin = "c", side = "s", price = "p", size = "z", taker = "k" }
[[series]]
venue = "v"
market = "*"
kind = "ledger"
files = ["ledger.csv"]
time = { column = "t", unit = "s" }
columns = { account = "a", delta = "d" }
[[series]]
venue = "v"
market = "*"
kind = "liquidated"
files = ["dead.csv"]
time = { column = "t", unit = "s" }
columns = { account = "a", value = "v", equity = "e" }
"""


def fill(at, account, size, price=100.0, coin="ETH", **reported):
    """Return a fill of a taker, printed as it is."""
    reported = {"print": size, "forced": False, "liquidated": False} | reported
    return cp.Fill(T0 + at, account, coin, price, size, **reported)


def paid(account, delta, at=0):
    return cp.Payment(T0 + at, account, delta)


def accounts(*rows, known=None):
    out = cp.Accounts(known)
    for row in rows:
        out.take(row)
    return out


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Return a function that stores fills and forced closes, and reads them as a world."""
    monkeypatch.delenv("POWDERKEG_DATA", raising=False)

    def write(fills, liquidated="", ledger="0,x,100\n"):
        start = T0 // SECOND

        def stamped(text):
            rows = [line.partition(",") for line in text.strip().splitlines()]
            return "".join(f"{start + int(at)},{rest}\n" for at, _, rest in rows)

        (tmp_path / "fills.csv").write_text("t,a,c,s,p,z,k\n" + stamped(fills))
        (tmp_path / "ledger.csv").write_text("t,a,d\n" + stamped(ledger))
        (tmp_path / "dead.csv").write_text("t,a,v,e\n" + stamped(liquidated))
        (tmp_path / "source.toml").write_text(TOML)
        return load(tmp_path / "source.toml")

    return write


def prints(world):
    return [row.print for row in world.rows if isinstance(row, cp.Fill) and row.print]


# --- what a stranger sees ---------------------------------------------------------------------


def test_a_trade_between_two_accounts_is_printed_once(stored):
    rows = "1,x,ETH,Bid,100,2,True\n1,y,ETH,Ask,100,2,False\n"
    assert prints(cp.read_world(stored(rows))) == [2.0]


def test_a_resting_order_hit_by_the_unseen_maker_is_a_print_on_the_other_side(stored):
    assert prints(cp.read_world(stored("1,y,ETH,Bid,100,2,False\n"))) == [-2.0]


def test_two_resting_orders_and_one_taker_of_the_same_size_are_two_prints(stored):
    rows = "1,x,ETH,Bid,100,2,True\n1,y,ETH,Ask,100,2,False\n1,z,ETH,Ask,100,2,False\n"
    assert prints(cp.read_world(stored(rows))) == [2.0, 2.0]


def test_a_forced_close_moves_a_position_and_is_neither_print_nor_price(stored):
    """It goes over at the bankruptcy price, which was up to 12 % off the market."""
    rows = (
        "1,x,ETH,Bid,100,2,True\n5,x,ETH,Ask,88,2,False\n5,y,ETH,Bid,88,2,True\n"
        "6,y,ETH,Ask,99,1,True\n"
    )
    world = cp.read_world(stored(rows, "5,x,180,1.5\n"))
    assert prints(world) == [2.0, -1.0]
    ours = accounts(*world.rows[:-1])
    assert ours.prices == {"ETH": 100.0}
    assert ours.sizes["ETH"] == {"x": 0.0, "y": 2.0}
    assert [row.liquidated for row in world.rows if isinstance(row, cp.Fill)] == [0, 1, 0, 0]


def test_open_interest_is_the_larger_side_for_the_maker_has_the_rest():
    held = accounts(fill(0, "a", 3.0), fill(0, "b", 1.0), fill(0, "c", -2.5))
    assert held.open_interest("ETH") == 4.0
    assert accounts(fill(0, "a", 1.0), fill(0, "c", -2.5)).open_interest("ETH") == 2.5
    assert held.open_interest("SOL") == 0.0


def test_the_estimate_does_not_know_who_traded():
    chance = np.random.default_rng(3)
    fills = [
        fill(i * 7 * SECOND, f"a{i % 5}", float(size), 100 + float(move))
        for i, (size, move) in enumerate(chance.normal(size=(600, 2)))
    ]
    drawn = []
    for names in ("whose it was", "somebody"):
        market = cm.Market("v", "ETH", 100.0, T0)
        for i, each in enumerate(fills):
            market.take(msgspec.structs.replace(each, account=names), 5.0 + i % 7)
        drawn.append(market.maps(T0 + 2 * HOUR))
    assert all(np.array_equal(drawn[0][name], drawn[1][name]) for name in cm.MAPS)


def test_a_world_without_payments_or_fills_is_refused(stored):
    with pytest.raises(DataError, match="ledger"):
        _ = cp.read_world(stored("1,x,ETH,Bid,100,2,True\n", ledger=""))
    with pytest.raises(DataError, match="fills"):
        _ = cp.read_world(stored(""))


# --- the truth --------------------------------------------------------------------------------

amounts = st.floats(0.01, 1e4)
signs = st.sampled_from([-1.0, 1.0])


@given(amounts, signs, st.floats(0.01, 1e5), st.floats(0.02, 2.0), st.floats(0.0, 1e5))
def test_at_its_liquidation_price_an_account_is_worth_its_maintenance(
    amount, sign, price, margin, others
):
    size = sign * amount
    notional = amount * price + others
    x = cp.liquidation_price(size, price, margin * notional, notional)
    if math.isnan(x):
        at_nothing = margin * notional - size * price
        assert sign > 0
        assert at_nothing >= cp.MAINTENANCE * others * (1 - 1e-9)
        return
    worth = margin * notional + size * (x - price)
    assert worth == pytest.approx(cp.MAINTENANCE * (amount * x + others), rel=1e-6, abs=1e-6)


def test_a_long_dies_below_and_a_short_above():
    assert cp.liquidation_price(1.0, 100.0, 11.0, 100.0) < 100
    assert cp.liquidation_price(-1.0, 100.0, 11.0, 100.0) > 109


def test_a_long_that_borrowed_nothing_dies_nowhere():
    assert math.isnan(cp.liquidation_price(1.0, 100.0, 150.0, 100.0))


def test_another_position_in_the_red_brings_the_liquidation_nearer():
    calm = accounts(paid("a", 30.0), fill(1, "a", 1.0), fill(1, "a", 1.0, 50.0, "SOL"))
    hurt = accounts(
        paid("a", 30.0), fill(1, "a", 1.0), fill(1, "a", 1.0, 50.0, "SOL"),
        fill(2, "b", -1.0, 40.0, "SOL"),
    )  # fmt: skip
    assert hurt.standing("ETH").prices[0] > calm.standing("ETH").prices[0] + 5


def test_realised_profit_is_margin():
    gained = accounts(paid("a", 10.0), fill(1, "a", 1.0), fill(2, "a", -1.0, 120.0))
    assert gained.worth("a") == (30.0, 0.0)
    assert gained.standing("ETH").sizes.tolist() == []


def test_only_accounts_that_paid_in_first_and_never_owed_are_part_of_the_truth():
    rows = [
        paid("good", 50.0), paid("owes", 1.0), fill(1, "good", 1.0), fill(1, "owes", 1.0),
        fill(1, "late", 1.0), paid("late", 50.0, 2), fill(3, "owes", -1.0, 80.0),
    ]  # fmt: skip
    known = cp.with_known_cash(cp.World(tuple(rows), ()))
    assert known == {"good"}
    standing = accounts(*rows[:5], known=known).standing("ETH")
    assert standing.accounts == ("good",)
    assert (standing.known, standing.open) == (100.0, 300.0)


def test_the_replay_is_checked_against_every_forced_close(stored):
    rows = (
        "1,x,ETH,Bid,100,1,True\n5,x,ETH,Ask,89,1,False\n5,y,ETH,Bid,89,1,True\n"
        "6,z,ETH,Bid,90,2,True\n9,z,ETH,Ask,45,1,False\n"
    )
    world = cp.read_world(stored(rows, "5,x,90,1\n9,z,60,0.6\n", "0,x,11\n0,z,400\n"))
    got = cp.check(world, cp.with_known_cash(world))
    assert got is not None
    assert (got.liquidations, got.residual_zero, got.notional_within_5pct) == (2, 0.5, 0.0)
    assert got.equity_over_value == pytest.approx((1 / 90 + 0.01) / 2)


# --- the maps ---------------------------------------------------------------------------------


@given(st.floats(-0.02, 0.39), st.integers(0, 1), st.floats(1.0, 1e5))
def test_mass_is_kept_at_its_distance_unless_the_mark_has_passed_it(distance, side, mark):
    base = math.floor(math.log(mark) / BIN) - BINS // 2
    away = -distance if side == 0 else distance
    b = math.floor((math.log(mark) + away) / BIN) - base
    rendered = np.zeros((2, BINS), np.float32)
    rendered[side, b] = 1.0
    got = cm.around(rendered, base, mark)
    if distance < -BIN:
        assert got.sum() == 0
    elif distance > BIN:
        assert got.sum() == pytest.approx(math.exp((base + b + 0.5) * BIN))
        assert abs(cm.CENTRES[got[side].argmax()] - distance) <= cm.WIDTH / 2 + BIN


def test_the_true_map_holds_each_position_once_and_none_that_is_overdue_or_dies_nowhere():
    sizes = np.array([1.0, 2.0, -1.0, 1.0, -3.0, 1.0])
    prices = np.array([99.9, 90.0, 103.0, math.nan, 99.0, 10.0])
    dollars, places = cm.truly_around(cp.Standing(tuple("abcdef"), sizes, prices, 0, 0), 100.0)
    assert dollars.sum(axis=1).tolist() == [99.9 + 180.0, 103.0]
    assert places[:, 0].tolist() == [0, 0, 1, -1, -1, -1]
    assert places[0].tolist() == [0, 0]
    assert dollars[1, places[2, 1]] == 103.0


def played(days=1.2):
    """Return a market played for some days, and its maps at every hour."""
    chance = np.random.default_rng(11)
    market = cm.Market("v", "ETH", 100.0, T0)
    price, hours = 100.0, []
    for minute in range(int(days * 1440)):
        price *= math.exp(chance.normal(0, 0.0007))
        at = T0 + minute * MINUTE
        if at > T0 and at % HOUR == 0:
            hours.append((at, market.price, market.maps(at)))
        size = float(chance.normal())
        market.take(cp.Fill(at, "a", "ETH", price, size, size, False, False), 50.0 + minute / 10)
    return market, hours


@pytest.fixture(scope="module")
def day():
    return played()


def test_every_map_is_drawn_on_every_hour(day):
    _, hours = day
    for _, _, maps in hours:
        assert set(maps) == set(cm.MAPS)
        assert all(m.shape == (2, cm.FAR) and (m >= 0).all() for m in maps.values())
    assert all(maps["ours"].sum() > 0 for _, _, maps in hours[2:])


def test_the_mirrored_map_is_ours_with_the_sides_exchanged(day):
    _, hours = day
    maps = hours[-1][2]
    assert np.array_equal(maps["mirrored"][0], maps["ours"][1])


def test_the_shifted_map_has_only_what_stood_a_day_before_and_was_not_passed(day):
    _, hours = day
    for (_, old_mark, old), (_, mark, now) in zip(hours[:-24], hours[24:], strict=True):
        inner = now["shifted"].sum()
        assert 0 < inner < 1.2 * old["ours"].sum()
        if mark < old_mark * 0.99:  # longs near the old price are passed
            assert now["shifted"][0].sum() < old["ours"][0].sum()


def test_the_profile_is_the_mean_of_the_hours_before(day):
    _, hours = day
    before = np.mean([maps["ours"] for _, _, maps in hours[:-1]], axis=0)
    assert np.allclose(hours[-1][2]["profile"], before)


def test_the_path_only_map_does_not_depend_on_volume_or_open_interest():
    drawn = []
    for scale in (1.0, 40.0):
        market = cm.Market("v", "ETH", 100.0, T0)
        for i in range(400):
            price = 100 + math.sin(i / 30)
            size = scale * (1 + i % 3)
            each = cp.Fill(T0 + i * MINUTE, "a", "ETH", price, size, size, False, False)
            market.take(each, scale * i)
        drawn.append(market.maps(T0 + 7 * HOUR))
    assert np.array_equal(drawn[0]["path_only"], drawn[1]["path_only"])
    assert not np.array_equal(drawn[0]["ours"], drawn[1]["ours"])


def test_maps_near_a_price_are_densest_there():
    here = cm.near(100.0, 100.0)
    assert np.array_equal(here[0], here[1])
    assert here[0].argmax() == 0
    below = cm.near(100.0, 95.0)
    assert abs(cm.CENTRES[below[0].argmax()] + math.log(0.95)) <= cm.WIDTH
    assert below[1].argmax() == 0


# --- the score --------------------------------------------------------------------------------


@dataclass
class Made:
    """Hours with one true position each, at a known distance."""

    bins: list[int]
    days: int = 3

    def hours(self, ours):
        out = []
        for i, b in enumerate(self.bins):
            truth = np.zeros((2, cm.FAR))
            truth[0, b] = 10.0
            maps = np.ones((len(cm.MAPS), 2, cm.FAR))
            if ours == "truth":
                maps[0] = 3 * truth
            elif ours == "nothing":
                maps[0] = 0.0
            places = np.array([[0, b]])
            at = T0 + i * DAY % (self.days * DAY)
            out.append(cw.Hour("ETH", at, maps, truth, (f"a{b}",), places, 10.0, 20.0))
        return out


def scored(ours, reach=80):
    hours = Made([5, 20, 70, 100]).hours(ours)
    return cw.summary([side for hour in hours for side in cw.sides(hour, reach)])


def test_a_map_equal_to_the_truth_has_no_distance():
    got = scored("truth")
    assert got["emd"] == 0
    assert got["overlap"] == 1
    assert got["emd_pooled"] == pytest.approx(0, abs=1e-12)
    assert got["emd_ratio_to_naive"] == 0


def test_only_sides_with_a_position_within_reach_are_scored():
    assert (scored("truth")["side_hours"], scored("truth")["holders"]) == (3, 3)
    assert scored("truth", 160)["side_hours"] == 4
    assert scored("truth", 4) == {"side_hours": 0}


def test_an_empty_map_is_scored_as_a_uniform_one():
    got = scored("nothing")
    assert got["emd"] == pytest.approx(got["nulls"]["uniform"]["emd"])
    assert got["interval"] == pytest.approx([1.0, 1.0])


def test_hindsight_is_not_told_of_the_day_it_is_scored_on():
    hours = Made([5, 20, 70]).hours("truth")
    rows = [side for hour in hours for side in cw.sides(hour, 80)]
    percent = cm.WIDTH * 100
    expected = np.mean([(15 + 65) / 2, (15 + 50) / 2, (65 + 50) / 2]) * percent
    assert cw.hindsight(rows) == pytest.approx(expected)
    assert cw.hindsight(rows[:1]) is None


def test_an_interval_holds_the_ratio_and_is_the_same_each_time():
    chance = np.random.default_rng(5)
    ours, theirs = chance.exponential(1.0, (2, 300))
    days = np.repeat(np.arange(30), 10)
    low, high = cw.ratio_interval(ours, theirs, days)
    assert low < ours.mean() / theirs.mean() < high
    assert [low, high] == cw.ratio_interval(ours, theirs, days)


def test_days_that_agree_give_a_narrower_interval_than_days_that_do_not():
    theirs = np.ones(300)
    days = np.repeat(np.arange(30), 10)
    apart = np.where(days % 2, 0.5, 1.5)
    within = np.where(np.arange(300) % 2, 0.5, 1.5)
    wide, narrow = (np.ptp(cw.ratio_interval(o, theirs, days)) for o in (apart, within))
    assert wide > 10 * narrow


def test_a_coin_nobody_traded_is_refused(stored):
    with pytest.raises(ConfigError, match="expected coins of ETH, found 'BTC'"):
        _ = cw.score(stored("1,x,ETH,Bid,100,2,True\n"), ["BTC"])


def test_a_world_too_short_to_score_says_so(stored):
    got = cw.score(stored("1,x,ETH,Bid,100,2,True\n9000,x,ETH,Ask,100,1,True\n"), ["ETH"])
    assert got["side_hours"] == 0
    assert got["liquidations_matched"] is None
    assert got["open_with_known_cash"] is None
    assert json.loads(json.dumps(got, allow_nan=False))["kind"] == "closed_world"


@pytest.fixture(scope="module")
def real(data):
    """Return the score of the first weeks of Hyperliquid, where every account is known."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POWDERKEG_DATA", str(data))
        return cw.score(load(SOURCES / "closed_world_2023.toml"))


@pytest.mark.slow
def test_every_told_liquidation_leaves_nothing_and_is_worth_what_was_told(real):
    got = real["liquidations_matched"]
    assert (got["liquidations"], got["residual_zero"]) == (30, 1.0)
    assert got["notional_within_5pct"] > 0.8
    assert got["notional_ratio"] == pytest.approx(1.0, abs=0.02)
    assert got["equity_over_value"] == pytest.approx(cp.MAINTENANCE, rel=0.1)
    assert got["equity_gap"] < 0.005


@pytest.mark.slow
def test_the_map_is_nearer_to_the_true_one_than_the_naive_map_and_every_null(real):
    assert real["emd_ratio_to_naive"] < 1
    assert set(real["nulls"]) == {*cm.NULLS, *cm.BLIND}
    assert all(null["ours_to_this"] < 1 for null in real["nulls"].values())
    assert set(real["coins"]) == set(cw.COINS)
    assert json.dumps(real, allow_nan=False)
    assert sum(c["side_hours"] for c in real["coins"].values()) == real["side_hours"]


@pytest.mark.slow
def test_few_accounts_are_left_out_of_the_truth(real):
    assert real["accounts_with_known_cash"] >= 0.9 * real["accounts"]
    assert 0.5 < real["open_with_known_cash"] <= 1
