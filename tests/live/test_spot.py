"""Spot from a simulated venue's socket to the desk: every print is counted, and nothing else is."""

from __future__ import annotations

import asyncio

import pytest

from powderkeg.desk import Desk
from powderkeg.events import SECOND
from powderkeg.live.collector import Collector
from powderkeg.maps.flow.queries import SeriesQuery
from powderkeg.maps.flow.series import series_of
from powderkeg.settings import Settings
from powderkeg.simvenues import serve
from powderkeg.simvenues.market.feed import Fill

from .conftest import until

pytestmark = pytest.mark.timeout(180)
VENUES = ("binance", "binance-spot")
SPOT, PERP = "binance-spot:BTCUSDT", "binance:BTCUSDT"


def signed(fills: list[Fill], size: float) -> float:
    """Return the sum of prints in their order, as one that reads them from the wire adds them."""
    total = 0.0
    for fill in fills:
        amount = float(f"{fill.lots * size:.8f}")
        total += amount if fill.buy else -amount
    return total


async def test_cvd_of_spot_is_the_sum_of_the_signed_prints_of_the_simulated_spot_market():
    desks = {"BTC": Desk("BTC", Settings(draw=SECOND, flush=SECOND))}
    async with await serve(["BTC"], days=0.5, venues=VENUES) as simulator:
        market = simulator.coins[0].spots[0][0]
        collector = Collector(desks, VENUES, hosts=simulator.addresses)
        task = asyncio.ensure_future(collector.run())
        desk = desks["BTC"]
        await until(lambda: collector.applied and collector.ready, 120.0)
        flow = desk.flow.market(SPOT)
        begun = flow.cvd.count
        await until(lambda: flow.cvd.count > begun + 50, 60.0)
        await until(lambda: desk.flow.market(PERP).cvd.count > 3, 60.0)
        desk_links = collector.markets("BTC")
        task.cancel()
        await asyncio.wait({task})
        counted = [fill for fill in market.tape if fill.at // 1000 * 1000 >= flow.cvd.anchor]
    assert flow.cvd.count <= len(counted)
    assert flow.cvd.cvd == signed(counted[: flow.cvd.count], market.spec.lot)
    assert desk_links == {PERP: "up", SPOT: "up"}
    assert [known.name for known in desk.estimated()] == [PERP], "spot has no map"
    assert SPOT in desk.flow.books
    perp, spot = series_of(desk, SeriesQuery(span="15m")).delta
    assert (perp.markets, spot.markets) == ([PERP], [SPOT])
