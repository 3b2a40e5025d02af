"""A plan: the trades of the specification, and what speaks against them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from powderkeg.risk.costs import Costs
from powderkeg.risk.fuel import PriceCluster
from powderkeg.risk.margin import flat_table
from powderkeg.risk.plan import Setup, Surroundings, plan, two_plans

LONGS = PriceCluster("long", 148_500.0, 149_200.0, 180e6)
SHORTS = PriceCluster("short", 153_000.0, 153_300.0, 69.7e6)
AROUND = Surroundings((LONGS, SHORTS))
COSTS = Costs(0.00055, 0.00055, 0.0001, 0.0001, 3)
SETUP = Setup(50_000.0, 0.01, "long", 149_000.0, COSTS, leverage=10.0, table=flat_table(0.004))


def test_the_first_trade_of_the_specification():
    found = plan(SETUP, AROUND)
    assert found.stop == 147_800.0
    assert found.buffer == pytest.approx(0.00471, abs=5e-6)
    assert found.size == pytest.approx(0.4167, abs=5e-5)
    assert found.notional == pytest.approx(62_083, abs=0.5)
    assert found.account_leverage == pytest.approx(1.24, abs=5e-3)
    (target,) = found.targets
    assert target.price == 153_000.0
    assert target.gross == pytest.approx(3.333, abs=5e-4)
    assert target.net == pytest.approx(2.699, abs=5e-4)
    assert target.break_even == pytest.approx(0.270, abs=5e-4)
    assert found.liquidation.price == pytest.approx(134_639, abs=0.5)
    assert found.loss.gross == -500.0
    assert found.fuel_against == pytest.approx(180e6 * 500 / 700)
    assert found.warnings == []


def test_a_resting_order_and_a_reclaim_have_their_own_ratios():
    found = two_plans(SETUP, AROUND)
    assert found.rest.entry == 149_000.0
    assert found.wait.entry == pytest.approx(149_946.0)
    assert found.wait.stop == found.rest.stop
    assert found.wait.targets[0].gross == pytest.approx(1.42, abs=5e-3)


def test_a_bid_above_a_cluster_can_wait_for_its_reclaim():
    around = Surroundings((PriceCluster("long", 98_400.0, 98_500.0, 300e6),))
    found = two_plans(replace(SETUP, entry=99_000.0), around)
    assert found.rest.stop == found.wait.stop == 97_937.0
    assert found.wait.entry == pytest.approx(98_992.5)


def test_a_stop_of_its_own_before_the_reclaim_price_leaves_the_resting_order_alone():
    around = Surroundings((PriceCluster("long", 93_900.0, 94_200.0, 128e6),))
    found = two_plans(replace(SETUP, stop=147_800.0), around)
    assert found.rest.stop == 147_800.0
    assert found.wait is None
    shorts = Surroundings((PriceCluster("short", 160_000.0, 161_000.0, 128e6),))
    assert two_plans(replace(SETUP, side="short", stop=150_000.0), shorts).wait is None


def test_500_above_and_2000_below_is_against_you():
    around = Surroundings(
        (
            PriceCluster("short", 100_500.0, 100_600.0, 5e7),
            PriceCluster("long", 98_000.0, 98_100.0, 9e7),
        )
    )
    found = plan(replace(SETUP, entry=100_000.0), around)
    assert found.asymmetry.ratio == 0.25
    assert found.asymmetry.break_even == pytest.approx(0.80)
    assert any(
        "asymmetry 0.25" in words and "80% to break even" in words for words in found.warnings
    )


def test_a_small_opposing_cluster_does_not_count_as_in_favour():
    small = PriceCluster("short", 151_000.0, 151_100.0, 1e6)
    large = PriceCluster("short", 155_000.0, 155_100.0, 9e7)
    found = plan(SETUP, Surroundings((LONGS, small, large)))
    assert found.asymmetry.in_favour == 6_000.0
    assert (
        plan(SETUP, Surroundings((LONGS, small, large), large=1e5)).asymmetry.in_favour == 2_000.0
    )
    assert plan(SETUP, Surroundings((LONGS, small), large=1e8)).asymmetry is None


def test_a_short_has_its_stop_above_and_its_targets_below():
    shorts = PriceCluster("short", 6_250.0, 6_400.0, 120e6)
    longs = PriceCluster("long", 5_900.0, 5_950.0, 40e6)
    found = plan(
        Setup(10_000.0, 0.01, "short", 6_245.0, Costs(0.0005, 0.0005, 0.0001), stop=6_300.0),
        Surroundings((shorts, longs)),
    )
    assert found.targets[0].price == 5_950.0
    assert found.targets[0].gross == pytest.approx(5.36, abs=5e-3)
    assert found.targets[0].net == pytest.approx(4.60, abs=5e-3)
    assert any("inside a cluster of shorts" in words for words in found.warnings)
    assert any("before the far edge" in words for words in found.warnings)
    assert [each.at for each in found.scenarios] == ["stop", "long", "short"]


def test_a_short_before_the_first_cluster_of_a_chain_has_each_as_a_target():
    chain = tuple(
        PriceCluster("long", price - 200.0, price, held)
        for price, held in ((140_000.0, 90e6), (138_000.0, 150e6), (135_000.0, 220e6))
    )
    setup = Setup(50_000.0, 0.01, "short", 140_200.0, Costs(0.0005, 0.0005, 0.0001), 142_200.0)
    found = plan(setup, Surroundings(chain))
    assert [target.price for target in found.targets] == [140_000.0, 138_000.0, 135_000.0]
    assert [target.gross for target in found.targets] == pytest.approx([0.1, 1.1, 2.6])
    assert found.targets[2].net == pytest.approx(2.32, abs=5e-3)
    assert found.targets[2].fuel == pytest.approx(240e6)


def test_expected_gain_needs_a_win_rate():
    assert plan(SETUP, AROUND).targets[0].expected is None
    found = plan(replace(SETUP, probability=0.37), AROUND).targets[0]
    assert found.expected == pytest.approx(0.37 * found.net - 0.63)


def test_a_liquidation_before_the_stop_names_a_leverage_that_would_do():
    found = plan(replace(SETUP, leverage=120.0), AROUND)
    assert found.liquidation.beyond_stop < 0
    assert any(
        f"{found.liquidation.safe_leverage:g}x would do" in words for words in found.warnings
    )


def test_no_leverage_would_do_where_the_stop_is_far():
    far = replace(SETUP, side="short", stop=290_000.0, leverage=2.0)
    assert any("no leverage would do" in words for words in plan(far, Surroundings()).warnings)


def test_a_leverage_beyond_the_tiers_is_a_warning():
    found = plan(replace(SETUP, leverage=2_000.0), AROUND)
    assert any(words.startswith("no liquidation price") for words in found.warnings)


def test_a_position_that_no_price_liquidates_is_no_warning():
    found = plan(replace(SETUP, leverage=1.0, risk=0.001), AROUND)
    assert found.liquidation.why == "no price liquidates it"
    assert found.warnings == []


def test_size_beyond_the_equity_is_a_warning():
    assert any("at least 1.24" in w for w in plan(replace(SETUP, leverage=None), AROUND).warnings)
    assert any(
        "more than the equity" in w for w in plan(replace(SETUP, leverage=1.0), AROUND).warnings
    )


def test_without_clusters_the_stop_is_your_own_and_there_is_no_target():
    found = two_plans(replace(SETUP, stop=147_800.0), Surroundings())
    assert found.wait is None
    assert found.rest.buffer is None
    assert found.rest.asymmetry is None
    assert found.rest.fuel_with == 0.0
    assert [words.split(":")[0] for words in found.rest.warnings] == [
        "no cluster protects the entry", "no opposing cluster stands beyond the entry"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"entry": 148_000.0}, "no cluster of longs protects"),
        ({"stop": 150_000.0}, "a stop below"),
        ({"side": "short", "stop": 140_000.0}, "a stop above"),
        ({"stop": 149_000.0}, "a stop below"), ({"stop": -1.0}, "a stop below"),
    ],
)  # fmt: skip
def test_what_has_no_stop_is_no_plan(change, why):
    with pytest.raises(ValueError, match=why):
        plan(replace(SETUP, **change), AROUND)
