"""Positions of accounts: snapshots, closed positions, and any bytes at all."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.errors import ConfigError, WireError
from powderkeg.events import MINUTE, Positions
from powderkeg.venues.hyperliquid import accounts
from powderkeg.venues.hyperliquid.stream import hyperliquid_reader

from . import fuzz

SEEN = 1_737_918_900_000_000
ME = "0x" + "ab" * 20
CHANNEL = f"positions:{ME}"


def position(coin="BTC", szi="2.5", entry="100000.0", liquidation="80000.0", **more):
    position = {"coin": coin, "szi": szi, "entryPx": entry, "liquidationPx": liquidation}
    position |= {"leverage": {"type": "cross", "value": 20}, "positionValue": "250000.0"}
    return position | more


def state(*positions, time=1_737_918_899_000):
    held = [{"type": "oneWay", "position": each} for each in positions]
    return json.dumps({"marginSummary": {}, "assetPositions": held, "time": time}).encode()


def read(venue, *positions):
    return venue.read(state(*positions), SEEN, CHANNEL)


def test_a_position_has_the_venues_own_liquidation_price():
    (event,) = read(hyperliquid_reader(), position())
    assert isinstance(event, Positions)
    assert (event.market, event.event_time, event.received_time) == (
        "hyperliquid:BTC",
        1_737_918_899_000_000,
        SEEN,
    )
    assert (event.accounts, event.flat) == ((ME,), ())
    assert event.sizes.tolist() == [2.5]
    assert event.entries.tolist() == [100_000.0]
    assert event.liquidations.tolist() == [80_000.0]


def test_a_short_is_negative():
    (event,) = read(hyperliquid_reader(), position(szi="-2.5"))
    assert isinstance(event, Positions)
    assert event.sizes.tolist() == [-2.5]


@pytest.mark.parametrize("none", [None, "0", "0.0"])
def test_a_position_may_have_no_liquidation_price(none):
    (event,) = read(hyperliquid_reader(), position(liquidation=none))
    assert isinstance(event, Positions)
    assert math.isnan(event.liquidations[0])


def test_each_coin_is_a_look_of_its_own():
    events = read(hyperliquid_reader(), position(), position("ETH", "-7", "3000", "4000"))
    assert [event.market for event in events] == ["hyperliquid:BTC", "hyperliquid:ETH"]


def test_a_closed_position_is_reported_once():
    venue = hyperliquid_reader()
    read(venue, position(), position("ETH"))
    events = read(venue, position("ETH"))
    gone = [event for event in events if isinstance(event, Positions) and event.flat]
    assert [(event.market, event.flat, event.accounts) for event in gone] == [
        ("hyperliquid:BTC", (ME,), ())
    ]
    assert len(gone[0].sizes) == len(gone[0].entries) == len(gone[0].liquidations) == 0
    assert len(read(venue, position("ETH"))) == 1


def test_a_position_of_no_size_is_none():
    venue = hyperliquid_reader()
    assert read(venue, position(szi="0.0")) == []
    read(venue, position())
    (event,) = read(venue, position(szi="0.0"))
    assert isinstance(event, Positions)
    assert event.flat == (ME,)


def test_what_was_held_is_remembered_by_the_next_reader():
    venue, later = hyperliquid_reader(), hyperliquid_reader()
    read(venue, position())
    later.state.load_state(venue.state.state_dict())
    (event,) = read(later)
    assert isinstance(event, Positions)
    assert event.flat == (ME,)


def test_accounts_are_asked_for_once_a_minute_within_the_limits():
    other = "0x" + "CD" * 20
    polls = hyperliquid_reader().watch([ME, other, other])
    assert [poll.channel for poll in polls] == [CHANNEL, f"positions:{other.lower()}"]
    assert json.loads(polls[0].body) == {"type": "clearinghouseState", "user": ME}
    assert all((poll.every, poll.weight) == (MINUTE, 2) for poll in polls)
    assert hyperliquid_reader().limits.weight / 3 >= accounts.MOST * accounts.WEIGHT
    assert hyperliquid_reader().watch([]) == []


@pytest.mark.parametrize("odd", ["", "0xabc", ME + "0", ME[2:], "0x" + "zz" * 20])
def test_what_is_no_address_is_refused(odd):
    with pytest.raises(ConfigError, match="expected an address"):
        hyperliquid_reader().watch([ME, odd])


def test_too_many_accounts_are_refused():
    many = [f"0x{n:040x}" for n in range(accounts.MOST + 1)]
    with pytest.raises(ConfigError, match="at most 200 accounts"):
        hyperliquid_reader().watch(many)


@pytest.mark.parametrize(
    "bad",
    [position(szi="nan"), position(szi="1e30"), position(entry="-1"), position(liquidation="-1")],
)
def test_impossible_numbers_are_unread(bad):
    with pytest.raises(WireError):
        read(hyperliquid_reader(), bad)


@given(fuzz.wounds())
def test_damaged_answers_are_read_or_refused(wound):
    fuzz.readable(hyperliquid_reader(), fuzz.hurt(state(position()), wound), SEEN, CHANNEL)


@given(st.data())
def test_any_value_in_any_field_is_read_or_refused(pick):
    rows = [position(), position("ETH")]
    fuzz.change(pick, rows)
    fuzz.readable(hyperliquid_reader(), state(*rows), SEEN, CHANNEL)
