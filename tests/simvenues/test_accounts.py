"""What made accounts hold: true positions, in the words of the venue."""

from __future__ import annotations

import json
import math

import msgspec
import pytest

from powderkeg.events import Positions
from powderkeg.simvenues.market.feed import Coin
from powderkeg.simvenues.wire import MockExchange, RefusedError
from powderkeg.venues.hyperliquid.stream import hyperliquid_reader

from .conftest import Start


def address(number: int) -> str:
    return f"0x{number:040x}"


def asked(wire: MockExchange, user: str) -> bytes:
    body = msgspec.json.encode({"type": "clearinghouseState", "user": user})
    return wire.answer("/info", {}, body).body


def test_accounts_hold_true_positions_with_the_price_they_will_die_at(
    coin: Coin, wires: dict[str, MockExchange]
):
    truth = coin.simulation.truth()
    place = coin.simulation.world.venues.index("hyperliquid")
    here = truth.venues == place
    reader, wire = hyperliquid_reader(), wires["hyperliquid"]
    found = 0
    for number in range(0, 997, 50):
        (poll,) = reader.watch([address(number)])
        for snapshot in reader.read(
            asked(wire, address(number)), coin.simulation.now, poll.channel
        ):
            assert isinstance(snapshot, Positions)
            assert snapshot.market == "hyperliquid:BTC"
            mine = here & (truth.serials % 997 == number)
            signed = (truth.sizes * truth.sides)[mine]
            i = abs(signed - snapshot.sizes[0]).argmin()
            assert signed[i] == pytest.approx(snapshot.sizes[0], abs=1e-4)
            assert truth.entries[mine][i] == pytest.approx(snapshot.entries[0], rel=1e-4)
            reported, true = snapshot.liquidations[0], truth.prices[mine][i]
            assert reported == pytest.approx(true) if true > 0 else math.isnan(reported)
            found += 1
    assert found > 5


def test_an_account_holds_the_same_from_one_look_to_the_next(wires: dict[str, MockExchange]):
    wire = wires["hyperliquid"]
    held = [json.loads(asked(wire, address(7)))["assetPositions"] for _ in range(2)]
    assert held[0] == held[1]


@pytest.mark.parametrize("user", ["", "bob", None])
def test_what_is_no_address_is_refused(wires: dict[str, MockExchange], user):
    with pytest.raises(RefusedError) as no:
        asked(wires["hyperliquid"], user)
    assert no.value.reply.status == 422


async def test_the_answer_comes_over_the_wire(start: Start, http):
    simulator = await start()
    url = f"http://{simulator.addresses['hyperliquid']}/info"
    reader = hyperliquid_reader()
    events = []
    for number in range(40):
        (poll,) = reader.watch([address(number)])
        async with http.post(url, data=poll.body) as answer:
            assert answer.status == 200
            events += reader.read(await answer.read(), 1, poll.channel)
    assert events
