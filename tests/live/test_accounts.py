"""Accounts that are watched: asked of the one venue that tells, shown beside the map."""

from __future__ import annotations

import asyncio
import math

import pytest

from powderkeg.desk import Desk
from powderkeg.errors import ConfigError
from powderkeg.events import SECOND
from powderkeg.grid import PriceRows, bin_of
from powderkeg.live.collector import Collector
from powderkeg.maps.heatmap.coin_view import MapFilter
from powderkeg.maps.heatmap.ring import ROWS
from powderkeg.maps.views.observed import observed_levels
from powderkeg.settings import Settings
from powderkeg.simvenues import serve

from .conftest import until

pytestmark = pytest.mark.timeout(120)
ACCOUNTS = tuple(f"0x{n:040x}" for n in range(60))


def desks(accounts):
    settings = Settings(draw=SECOND, flush=SECOND, accounts=accounts)
    return {"BTC": Desk("BTC", settings)}


def test_what_is_no_address_is_refused_before_anything_is_opened():
    with pytest.raises(ConfigError, match="expected an address"):
        Collector(desks(("bob",)), ("binance", "hyperliquid"))


async def test_watched_accounts_are_seen_and_cover_a_part_of_open_interest():
    venues = ("binance", "hyperliquid")
    async with await serve(["BTC"], days=0.2, venues=venues) as made:
        collector = Collector(desks(ACCOUNTS), venues, hosts=made.addresses)
        task = asyncio.ensure_future(collector.run())
        desk = collector.desks["BTC"]
        try:
            await until(lambda: collector.applied and collector.ready)
            await until(
                lambda: any(w.oi > 0 and w.observed.positions for w in desk.observed_markets())
            )
        finally:
            task.cancel()
            await asyncio.wait({task})
    assert set(desk.observed) == {"hyperliquid:BTC"}
    assert not math.isnan(desk.price)
    view = observed_levels(desk, MapFilter(), PriceRows(bin_of(desk.price) - ROWS // 2, 1, ROWS))
    shares = [share for share in (view.share.long, view.share.short) if share is not None]
    assert len(shares) == 2
    assert 0 < sum(shares) < 1
    assert view.origin == f"{view.accounts} accounts seen at hyperliquid"
