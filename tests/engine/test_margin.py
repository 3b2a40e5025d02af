"""Margin arithmetic: published examples, real positions, and what the definitions demand."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.engine.exposure.margin import (
    bankruptcy,
    distance,
    inverse_price,
    isolated,
    isolated_inverse,
    linear_price,
)
from powderkeg.instruments import Tier, TierTable


def table(*rows, slope=0.0):
    """Return a table of (cap, leverage, rate, deduction)."""
    floors = [0.0, *(row[0] for row in rows)]
    tiers = tuple(Tier(floor, *row) for floor, row in zip(floors, rows, strict=False))
    return TierTable("x", "y", "test", 0, tiers, slope)


BINANCE = table(
    (300e3, 150, 0.004, 0.0),
    (800e3, 100, 0.005, 300.0),
    (3e6, 75, 0.0065, 1_500.0),
    (12e6, 50, 0.01, 12_000.0),
    (70e6, 25, 0.02, 132_000.0),
    (100e6, 20, 0.025, 482_000.0),
)
FLAT = table((1e12, 50, 0.005, 0.0))
STEPPED = table((50e3, 125, 0.004, 0.0), (200e3, 100, 0.005, 0.0), (1e9, 50, 0.01, 0.0))
HYPERLIQUID = table((150e6, 40, 0.0125, 0.0), (1e12, 20, 0.025, 1_875_000.0))
BYBIT = table((8.5e6, 50, 0.01, 20_500.0))

WALLET = 1_535_443.01


@pytest.mark.parametrize(
    ("entry", "size", "margin", "rate", "deduction", "price"),
    [
        # Binance FAQ, cross: wallet + profit of the other position - its maintenance
        (1_456.84, 3_683.979, WALLET - 71_200.81144 - 56_354.57, 0.10, 135_365.0, 1_153.26),
        (32_481.98, 109.488, WALLET - 356_512.508 - 448_192.89, 0.025, 16_300.0, 26_316.89),
        # the same positions, isolated with the whole wallet
        (1_456.84, 3_683.979, WALLET, 0.10, 135_365.0, 1_114.78),
        (32_481.98, 109.488, WALLET, 0.025, 16_300.0, 18_778.73),
    ],
)
def test_binance_faq_examples(entry, size, margin, rate, deduction, price):
    """Vectors 1 to 4."""
    got = linear_price(entry, size, margin, rate, deduction, "long")
    assert float(got) == pytest.approx(price, abs=0.01)


@pytest.mark.parametrize(
    ("holder", "leverage", "deduction", "fee", "price"),
    [
        ("long", 5, 0.01, 0.0, 8.070707070707071),
        ("short", 5, 0.01, 0.0, 11.89108910891089),
        ("short", 3, 0.01, 0.0, 13.211221122079207),
        ("long", 5, 0.0, 0.0006, 8.085708510208207),
        ("short", 5, 0.0, 0.0006, 11.87413417771621),
        ("long", 3, 0.0, 0.0006, 6.738090425173506),
    ],
)
def test_freqtrade_vectors(holder, leverage, deduction, fee, price):
    """Vectors 5 to 8; their code looks tiers up by margin, ours by notional.

    Vector 6 is printed from a margin of 3.33333333: hence its tolerance.
    """
    got = linear_price(10.0, 1.0, 10.0 / leverage, 0.01, deduction, holder, fee)
    assert float(got) == pytest.approx(price, rel=1e-9)


def test_the_mark_based_price_is_not_the_older_entry_based_one():
    """Vectors 9 and 10: Bybit's older text took maintenance at entry."""
    entry, leverage, rate = 20_000.0, 50.0, 0.005
    assert entry - (entry / leverage - entry * rate) == 19_700.0
    assert float(isolated(entry, leverage, 1.0, FLAT, "long")) == pytest.approx(19_698.4925)
    assert entry + (entry / 40 - entry * rate) == 20_400.0


def test_bybit_inverse_text_of_2026_is_the_universal_formula():
    """Vector 11."""
    long = isolated_inverse(50_000.0, 10.0, 60_000.0, FLAT, "long")
    short = isolated_inverse(50_000.0, 10.0, 60_000.0, FLAT, "short")
    assert float(long) == pytest.approx(45_681.82, abs=0.005)
    assert float(short) == pytest.approx(55_277.78, abs=0.005)


def test_older_bybit_inverse_texts_are_history():
    """Vectors 12 and 13, kept as documented forms; the engine does not use them."""
    value = 60_000.0 / 50_000.0
    spare = value / 10 - value * 0.005
    assert 60_000.0 / (value + spare) == pytest.approx(45_662.10, abs=0.005)
    assert 60_000.0 / (value - spare) == pytest.approx(55_248.62, abs=0.005)
    # cross, 2020: 10,000 contracts at 8,000, balance 0.5, maintenance 0.5 %, fee 0.075 %
    bankrupt = 10_000.0 * 1.00075 / (10_000.0 / 8_000.0 + 0.5)
    assert bankrupt == pytest.approx(5_718.57, abs=0.005)
    liquidated = 10_000.0 / (10_000.0 / bankrupt - 0.005 * 10_000.0 / 8_000.0)
    assert liquidated == pytest.approx(5_739.08, abs=0.01)


def test_deductions_are_what_leaves_no_step():
    """Vectors 14 and 15."""
    assert 250_000 * (0.01 - 0.005) + 50 == 1_300
    assert 50 * (0.05 - 0.025) + 0.56 == 1.81


def test_phemex_inverse_like_example_holds_without_the_fee():
    """Vector 16: value 200, 5x, 1 %, size 500; with its fee of 0.06 % it would be 0.32343."""
    entry = 200 / 500
    got = linear_price(entry, 500.0, 200 / 5, 0.01, 0.0, "long")
    assert float(got) == pytest.approx(0.3232, abs=5e-5)
    fee = linear_price(entry, 500.0, 200 / 5, 0.01, 0.0, "long", 0.0006)
    assert float(fee) == pytest.approx(0.32343, abs=5e-6)


def test_hyperliquid_isolated_ten_times():
    """Vector 17: half the initial margin of the 40x market."""
    got = [float(isolated(60_000.0, 10.0, 1.0, HYPERLIQUID, h)) for h in ("long", "short")]
    assert got == pytest.approx([54_683.5, 65_185.2], abs=0.05)


def test_binance_brackets_of_2026():
    """Vector 18."""
    leverages = np.array([10.0, 25.0, 50.0, 100.0])
    long = isolated(60_000.0, leverages, 1.0, BINANCE, "long")
    short = isolated(60_000.0, leverages, 1.0, BINANCE, "short")
    assert long == pytest.approx([54_216.9, 57_831.3, 59_036.1, 59_638.6], abs=0.05)
    assert short == pytest.approx([65_737.1, 62_151.4, 60_956.2, 60_358.6], abs=0.05)


def test_large_positions_fall_into_higher_brackets():
    """Vectors 19 and 20."""
    got = isolated(60_000.0, np.array([10.0, 20.0, 50.0]), 100.0, BINANCE, "long")
    assert got == pytest.approx([54_424.2, 57_454.5, 59_272.7], abs=0.05)
    assert float(isolated(60_000.0, 20.0, 100.0, BYBIT, "long")) == pytest.approx(
        57_368.7, abs=0.05
    )


def test_distances_of_the_first_binance_bracket():
    leverages = np.array([10.0, 25.0, 50.0, 100.0, 150.0])
    long, short = (distance(leverages, 0.004, holder) for holder in ("long", "short"))
    assert long == pytest.approx([0.0964, 0.0361, 0.0161, 0.0060, 0.00268], abs=6e-5)
    assert short == pytest.approx([0.0956, 0.0359, 0.0159, 0.0060, 0.00266], abs=6e-5)


def test_a_margin_below_the_requirement_is_no_distance_at_all():
    assert float(distance(500.0, 0.004, "long")) == 0.0


def test_what_a_vendor_calls_a_liquidation_may_be_the_bankruptcy_price():
    """25x long at 105,000: bankrupt at 100,800, liquidated at 101,204.8."""
    assert float(bankruptcy(105_000.0, 25.0, "long")) == pytest.approx(100_800.0)
    assert float(isolated(105_000.0, 25.0, 1.0, BINANCE, "long")) == pytest.approx(
        101_204.8, abs=0.05
    )


def test_at_one_percent_maintenance_a_position_at_a_hundred_times_is_dead(data: Path):
    """Trap 9: in 2023 Hyperliquid asked 1 %: liquidations were near 100x effective leverage."""
    assert float(distance(100.0, 0.01, "long")) == 0.0
    name = data / "hyperliquid/closed_world_2023/liquidations_to_20230419.csv.gz"
    with gzip.open(name, "rt") as file:
        rows = list(csv.DictReader(file))
    left = [float(r["liquidated_account_value"]) / float(r["liquidated_ntl_pos"]) for r in rows]
    assert len(left) == 30
    assert float(np.median(left)) == pytest.approx(0.01, abs=0.001)


NOT_SINGLE = {28009.1, 28033.5}
"""Entries of two isolated positions that were added to."""


def test_forty_real_bitget_positions_to_a_tenth_of_a_basis_point(data: Path):
    """0.40 % maintenance and 0.06 % taker fee, no deduction."""
    path = data / "reference/bitget_usdt_positions_entry_leverage_liqprice_2022-2023.csv"
    with path.open() as file:
        rows = [row for row in csv.DictReader(file) if row["margin_mode"] == "isolated"]
    rows = [row for row in rows if float(row["entry_price"]) not in NOT_SINGLE]
    assert len(rows) == 40
    bitget = table((50e3, 125, 0.004, 0.0))
    for row in rows:
        entry, leverage, size = (float(row[k]) for k in ("entry_price", "leverage", "size_base"))
        got = float(isolated(entry, leverage, size, bitget, row["side"], 0.0006))
        assert abs(got / float(row["liquidation_price"]) - 1) < 1e-5


def test_deribit_rates_grow_with_size():
    slope = table((1e12, 50, 0.01, 0.0), slope=0.00005)
    got = isolated_inverse(50_000.0, 10.0, np.array([5e4, 5e7]), slope, "long")
    coins = np.array([5e4, 5e7]) / got
    margin = np.array([5e4, 5e7]) / 50_000.0 / 10
    equity = margin + np.array([5e4, 5e7]) * (1 / 50_000.0 - 1 / got)
    assert equity == pytest.approx((0.01 + 0.00005 * coins) * coins)
    assert got[1] > got[0]


def test_without_deductions_the_bracket_at_entry_decides():
    """OKX and Bitget: the requirement jumps at a bracket's edge, so a loop need not settle."""
    assert not STEPPED.continuous
    got = float(isolated(50_100.0, 10.0, 1.0, STEPPED, "long"))
    assert got == pytest.approx(50_100.0 * 0.9 / (1 - 0.005))
    inverse = float(isolated_inverse(50_100.0, 10.0, 50_100.0, STEPPED, "long"))
    assert inverse > 0


def test_a_short_of_one_times_inverse_cannot_be_liquidated_by_any_price():
    assert np.isinf(float(isolated_inverse(50_000.0, 1.0, 1000.0, FLAT, "short")))
    assert np.isinf(float(bankruptcy(50_000.0, 1.0, "short", inverse=True)))
    assert float(inverse_price(50_000.0, 1000.0, 1.0, 0.005, 0.0, "short")) == np.inf


def test_a_long_with_margin_for_everything_has_price_zero():
    assert float(linear_price(100.0, 1.0, 150.0, 0.005, 0.0, "long")) == 0.0


@pytest.mark.parametrize(
    ("entry", "leverage", "size"), [(0.0, 10.0, 1.0), (100.0, 0.5, 1.0), (100.0, 10.0, 0.0)]
)
def test_impossible_positions_are_refused(entry, leverage, size):
    with pytest.raises(ValueError, match="expected entries and sizes above 0"):
        isolated(entry, leverage, size, BINANCE, "long")


entries = st.floats(1_000.0, 200_000.0)
leverages = st.floats(1.5, 100.0)
sizes = st.floats(0.001, 900.0)
holders = st.sampled_from(["long", "short"])


def requirement(notional: float, rows: TierTable) -> float:
    tier = next(t for t in reversed(rows.tiers) if notional > t.floor or t.floor == 0)
    return notional * tier.rate - tier.deduction


@given(entries, leverages, sizes, holders)
def test_equity_at_the_liquidation_price_is_the_requirement(entry, leverage, size, holder):
    price = float(isolated(entry, leverage, size, BINANCE, holder))
    s = 1 if holder == "long" else -1
    equity = entry * size / leverage + s * size * (price - entry)
    wanted = requirement(price * size, BINANCE)
    assert equity == pytest.approx(wanted, abs=1e-9 * entry * size)


@given(entries, leverages, st.floats(10.0, 1e9), holders)
def test_inverse_equity_at_the_liquidation_price_is_the_requirement(entry, lev, value, holder):
    price = float(isolated_inverse(entry, lev, value, FLAT, holder))
    s = 1 if holder == "long" else -1
    equity = value / entry / lev + s * value * (1 / entry - 1 / price)
    assert equity == pytest.approx(0.005 * value / price, abs=1e-9 * value / entry)


@given(entries, leverages, holders, st.sampled_from([t.cap for t in BINANCE.tiers[:-1]]))
def test_the_price_is_continuous_across_the_edges_of_brackets(entry, leverage, holder, edge):
    at_edge = edge / entry
    below, above = (
        float(isolated(entry, leverage, at_edge * f, BINANCE, holder)) for f in (1 - 1e-9, 1 + 1e-9)
    )
    assert below == pytest.approx(above, rel=1e-7)


@given(entries, leverages, leverages, sizes, holders)
def test_more_leverage_dies_nearer(entry, one, other, size, holder):
    low, high = sorted((one, other))
    far, near = (float(isolated(entry, x, size, BINANCE, holder)) for x in (low, high))
    assert far <= near if holder == "long" else far >= near


@given(entries, leverages, sizes, holders, st.booleans())
def test_bankruptcy_lies_beyond_liquidation(entry, leverage, size, holder, inverse):
    formula = isolated_inverse if inverse else isolated
    price = float(formula(entry, leverage, size, FLAT, holder))
    broke = float(bankruptcy(entry, leverage, holder, inverse=inverse))
    assert broke < price if holder == "long" else broke > price


@given(leverages, st.floats(0.001, 0.01), st.floats(100.0, 1e6))
def test_an_inverse_long_is_a_linear_short_of_the_dollar(leverage, rate, value):
    """In the coin as money the dollar is the asset: price 1/P, size V, and sides change places."""
    inverse = float(inverse_price(1.0, value, value / leverage, rate, 0.0, "long"))
    linear = float(linear_price(1.0, value, value / leverage, rate, 0.0, "short"))
    assert 1 / inverse == pytest.approx(linear)


@given(entries, leverages, sizes)
def test_arrays_and_single_values_agree(entry, leverage, size):
    many = isolated(np.full(3, entry), leverage, size, BINANCE, "long")
    assert many.tolist() == [float(isolated(entry, leverage, size, BINANCE, "long"))] * 3
