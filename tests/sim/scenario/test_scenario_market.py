"""A scripted market as venues publish it."""

from __future__ import annotations

import numpy as np
import pytest

from powderkeg.events import MINUTE, SECOND
from powderkeg.sim.records import Moment
from powderkeg.sim.scenario.market import BEAT, ScenarioMarket, scripted_market, world_of
from powderkeg.sim.scenario.past import LEVERAGE, entry_of, plan_of
from powderkeg.sim.scenario.play import QUIET_REFILL, played
from powderkeg.sim.scenario.script import named

START = 1_795_415_100 * SECOND
SWEEP = named("t1-sweep-and-reclaim")
WORLD = world_of(SWEEP, ("binance", "bybit"), (0.75, 0.25))


def market(minute: float = 0.0, lead: int = 0) -> ScenarioMarket:
    made = ScenarioMarket(SWEEP, WORLD, START, lead)
    if minute:
        made.moment(minute * 60)
    return made


def size(made: ScenarioMarket, side: int) -> float:
    """Return what rests at the best price of a side, at all venues."""
    orders = [order for order in made.ladder(200).orders if order.side == side]
    assert {order.price for order in orders} == {
        made.ladder(200).bid if side < 0 else made.ladder(200).ask
    }
    return sum(order.size for order in orders)


def traded(moment: Moment, sign: int) -> float:
    """Return quote currency that takers of a side traded, at all venues."""
    amounts = [tape.prices * np.clip(sign * tape.sizes, 0, None) for tape in moment.tapes]
    return float(sum(each.sum() for each in amounts))


def test_takers_trade_what_the_script_says_and_its_liquidations_are_among_them():
    script, moment = played(SWEEP), market().moment(90 * 60)
    assert traded(moment, -1) == pytest.approx(float(script.sold[: 90 * 60].sum()), rel=1e-3)
    assert traded(moment, 1) == pytest.approx(float(script.bought[: 90 * 60].sum()), rel=1e-3)
    rows = moment.liquidation_rows
    assert set(rows.sides.tolist()) == {1}
    assert float((rows.sizes * rows.fills).sum()) == pytest.approx(
        float(script.liquidated[:, : 90 * 60].sum()), rel=1e-3
    )
    for causes in moment.forced:
        assert sorted(causes[causes >= 0].tolist()) == list(range(len(rows.times)))


def test_a_step_at_a_time_is_the_same_as_one_long_step():
    one, many = market(44), market(44)
    whole, parts = one.moment(20.0), [many.moment(0.1) for _ in range(200)]
    for v in range(2):
        assert np.array_equal(
            whole.tapes[v].sizes, np.concatenate([p.tapes[v].sizes for p in parts])
        )
        assert np.array_equal(
            whole.tapes[v].times, np.concatenate([p.tapes[v].times for p in parts])
        )
    assert one.ladder(50).bid == many.ladder(50).bid
    assert one.oi == pytest.approx(many.oi)


@pytest.mark.parametrize(
    ("minute", "share"), [(20, QUIET_REFILL), (48, 0.8 * 0.92 + 0.2 * QUIET_REFILL)]
)
def test_of_what_sellers_take_the_script_s_share_comes_back_within_the_beat(minute, share):
    made = market(minute)
    moved = made.moment(0.1)
    before, taken = size(made, -1), made.moment(0.5)
    sold = -float(sum(t.sizes[t.sizes < 0].sum() for t in taken.tapes))
    assert traded(moved, -1) == 0, "quotes move before anybody trades"
    assert before - size(made, -1) == pytest.approx(sold * (1 - share))
    rest = size(made, -1)
    assert traded(made.moment(1.4), -1) == 0
    made.now -= 1
    assert size(made, -1) == pytest.approx(rest), "and then there is quiet"


def test_one_percent_of_the_book_holds_the_depth_of_the_script():
    ladder = market(20).ladder(200)
    assert ladder.bids[-1] == pytest.approx(ladder.bid * 0.99005)
    assert float((ladder.bid_sizes * ladder.bids).sum()) == pytest.approx(SWEEP.depth, rel=0.01)


def test_every_print_is_at_a_quote_and_quotes_are_prices_of_every_venue():
    made = market(46)
    moment, ladder = made.moment(1.9), made.ladder(10)
    assert set(moment.tapes[0].prices.tolist()) == {ladder.bid, ladder.ask}
    assert ladder.bid == round(ladder.bid) == ladder.ask - 1


def test_there_is_quiet_trading_before_the_script_and_after_it():
    made = market(lead=60)
    assert made.now == START - 60 * SECOND
    calm = made.moment(60)
    assert traded(calm, 1) == pytest.approx(SWEEP.volume * 30, rel=1e-3)
    assert not len(calm.liquidation_rows.times)
    made.moment((made.end - made.now) / SECOND)
    after = made.moment(BEAT / SECOND)
    assert traded(after, 1) == pytest.approx(SWEEP.volume, rel=1e-3)
    assert made.truth().oi.sum() == pytest.approx(made.oi)
    marks = {float(made.moment(2.0).marks[0]) for _ in range(5)}
    assert len(marks) == 5, "price does not stand still"
    assert list(marks) == pytest.approx([SWEEP.price[-1][1]] * 5, abs=2 * SWEEP.noise)


def test_open_interest_falls_by_what_is_liquidated():
    made = market()
    before = made.oi
    rows = made.moment(60 * 60).liquidation_rows
    assert before - made.oi == pytest.approx(float(rows.sizes.sum()))


def test_the_order_of_a_cascade_is_sold_in_its_first_minute():
    chain = named("t3-cascade-chain")
    made = ScenarioMarket(chain, world_of(chain, ("bybit",), (1.0,)), START)
    made.moment(60)
    sold = -float(np.minimum(made.moment(2.0).tapes[0].sizes, 0).sum())
    assert sold > chain.order


def test_positions_open_where_their_leverage_is_liquidated_inside_the_cluster():
    cluster = SWEEP.clusters[0]
    entry = entry_of(cluster, cluster.top)
    assert entry * (1 - 1 / LEVERAGE) / (1 - 0.005) == pytest.approx(cluster.top)
    plan = plan_of(SWEEP)
    inside = plan.price[1:][plan.opened > 0]
    assert inside.min() >= entry_of(cluster, cluster.floor) * (1 - 1e-12)
    assert inside.max() <= entry * (1 + 1e-12)
    assert plan.price[-1] == SWEEP.price[0][1]
    assert plan.price[len(plan.opened) - 1_500 :].min() > cluster.top, "it stays to be swept"


def test_the_past_ends_where_the_market_begins_and_nothing_jumps():
    made, past = scripted_market(SWEEP, WORLD, START, 60)
    for history, share in zip(past, WORLD.shares, strict=True):
        bars = history.candles
        assert int(bars.times[-1]) + MINUTE == made.now
        assert float(bars.oi[-1]) == pytest.approx(made.oi * share)
        assert np.array_equal(bars.open[1:], bars.close[:-1])
        assert (np.diff(bars.oi) * bars.close[1:] <= bars.volume[1:] * bars.close[1:]).all()
