"""When a market's lamp turns, from when a hole is told, and what counts as silence."""

from __future__ import annotations

import pytest

from powderkeg.events import MINUTE, SECOND, ClockTick, Gap, Link, Liquidation, Mark, Trade
from powderkeg.live.health import GRACE, SETTLE, Health, Meter
from powderkeg.venues.base import Channel

T = 1_767_225_600 * SECOND
M, N = "binance:BTCUSDT", "binance:ETHUSDT"
PUBLIC, MARKET = 1, 2
BOOK = (Channel(M, "book", SECOND),)
TAPE = (Channel(M, "trades", MINUTE), Channel(M, "mark", SECOND), Channel(M, "liquidations"))


@pytest.fixture
def health():
    """Return the health of one market that comes over two sockets."""
    health = Health()
    health.expect(BOOK, PUBLIC)
    health.expect(TAPE, MARKET)
    return health


def both(health, at=T):
    return health.up(PUBLIC, BOOK, at) + health.up(MARKET, TAPE, at)


def after(health, at):
    """Return what is said once all that must not be silent has been heard just then."""
    for kind in ("book", "mark"):
        health.meters[M, kind].received(at, at, 1)
    return health.check(at)


def trade(at, market=M, lag=0):
    return Trade(market, at - lag, at, 1.0, 1.0, "buy")


def mark(at):
    return Mark(M, at, at, 1.0)


def states(said):
    return [each.state for each in said if isinstance(each, Link)]


def holes(said):
    return [(each.since, each.event_time) for each in said if isinstance(each, Gap)]


def test_before_any_socket_a_market_is_down(health):
    assert health.states == {M: "down"}
    assert {row.state for row in health.rows(T)} == {"down"}


def test_a_market_is_up_only_once_all_its_sockets_are(health):
    assert health.up(PUBLIC, BOOK, T) == []
    assert health.states[M] == "down"
    assert states(health.up(MARKET, TAPE, T + 1)) == ["up"]


def test_one_socket_lost_of_two_is_down_until_it_is_back(health):
    both(health)
    assert states(health.down(MARKET, TAPE, T + SECOND, "cut")) == ["down"]
    assert health.down(PUBLIC, BOOK, T + 2 * SECOND, "cut too") == []
    assert health.up(PUBLIC, BOOK, T + 3 * SECOND) == []
    assert states(health.up(MARKET, TAPE, T + 4 * SECOND)) == ["up"]


def test_the_first_time_up_leaves_no_hole(health):
    both(health)
    assert holes(health.check(T + 2 * SETTLE)) == []


def test_a_hole_begins_where_the_lost_socket_was_last_heard_and_ends_once_it_settled(health):
    both(health)
    health.received(trade(T + 4 * SECOND))
    health.down(MARKET, TAPE, T + 9 * SECOND, "cut")
    health.up(MARKET, TAPE, T + 20 * SECOND)
    assert holes(after(health, T + 20 * SECOND + SETTLE - 1)) == []
    at = T + 20 * SECOND + SETTLE
    assert holes(after(health, at)) == [(T + 4 * SECOND, at)]
    assert holes(after(health, at + SECOND)) == []


def test_what_the_other_socket_said_meanwhile_does_not_shorten_the_hole(health):
    both(health)
    health.received(trade(T + 4 * SECOND))
    health.meters[M, "book"].received(T + 8 * SECOND, T + 8 * SECOND, 1)
    health.down(MARKET, TAPE, T + 9 * SECOND, "half open")
    health.up(MARKET, TAPE, T + 10 * SECOND)
    ((since, _),) = holes(after(health, T + 12 * SECOND))
    assert since == T + 4 * SECOND


def test_a_market_that_was_never_heard_is_a_hole_from_its_loss(health):
    both(health)
    health.down(MARKET, TAPE, T + 9 * SECOND, "cut")
    health.up(MARKET, TAPE, T + 10 * SECOND)
    ((since, _),) = holes(after(health, T + 10 * SECOND + SETTLE))
    assert since == T + 9 * SECOND


def test_lost_again_before_the_hole_was_closed_it_is_one_hole(health):
    both(health)
    health.received(trade(T + SECOND))
    health.down(MARKET, TAPE, T + 2 * SECOND, "cut")
    health.up(MARKET, TAPE, T + 3 * SECOND)
    health.down(MARKET, TAPE, T + 4 * SECOND, "cut again")
    assert holes(health.check(T + 10 * SECOND)) == []
    health.up(MARKET, TAPE, T + 11 * SECOND)
    assert holes(after(health, T + 11 * SECOND + SETTLE)) == [
        (T + SECOND, T + 11 * SECOND + SETTLE)
    ]


def test_silence_is_judged_channel_by_channel(health):
    both(health)
    at = T + GRACE + SECOND
    health.received(trade(at))  # trades may be silent for minutes, marks may not
    health.meters[M, "book"].received(at, at, 1)
    said = health.check(at)
    assert states(said) == ["stale"]
    assert said[0].channel == "silent: mark"
    health.received(mark(at + SECOND))
    health.meters[M, "book"].received(at + SECOND, at + SECOND, 1)
    assert states(health.check(at + SECOND)) == ["up"]


def test_a_fresh_socket_has_some_grace_before_silence_counts(health):
    both(health)
    assert health.check(T + GRACE) == []
    assert states(health.check(T + GRACE + 1)) == ["stale"]


def test_a_channel_whose_silence_says_nothing_is_never_stale(health):
    both(health)
    meter = health.meters[M, "liquidations"]
    assert not meter.stale(T + 1000 * MINUTE)
    health.received(Liquidation(M, T, T, 1.0, 1.0, "long"))
    assert meter.count == 1


def test_a_market_that_is_down_is_not_stale_too(health):
    both(health)
    health.down(MARKET, TAPE, T + SECOND, "cut")
    assert health.check(T + MINUTE) == []
    assert health.states[M] == "down"


def test_long_silence_names_what_must_be_opened_anew(health):
    both(health)
    health.received(mark(T + SECOND))
    assert health.silent(TAPE, T + 5 * SECOND, 3.0) == ""
    assert health.silent(TAPE, T + 17 * SECOND, 3.0) == f"{M} mark"


def test_what_is_asked_for_is_missed_only_once_it_was_answered(health):
    asked = (Channel(M, "oi", 10 * SECOND), Channel(M, "clock", MINUTE))
    health.expect(asked)
    both(health)
    assert (M, "clock") not in health.meters
    assert not health.meters[M, "oi"].stale(T + MINUTE)
    health.answered(asked, T)
    assert health.meters[M, "oi"].stale(T + MINUTE)


def test_an_answer_nobody_expected_changes_nothing():
    health = Health()
    health.answered((Channel(M, "oi", SECOND),), T)
    assert health.meters == {}


def test_lag_and_delay_come_from_the_events_times(health):
    health.received(trade(T, lag=80_000))
    health.received(trade(T + 1, lag=30_000))
    health.received(trade(T + 2, lag=-5_000))
    rows = {row.channel: row for row in health.rows(T + SECOND)}
    assert rows["trades"].count == 3
    assert rows["trades"].lag == -0.005
    assert rows["trades"].age == pytest.approx(1, abs=0.01)
    assert rows["mark"].age is None
    assert health.offsets["binance"].delay(T + SECOND) == -5_000


@pytest.mark.parametrize(("every", "n"), [(100_000, 600), (SECOND, 30), (7 * SECOND, 3)])
def test_a_rate_is_events_per_second(every, n):
    meter = Meter(SECOND)
    assert meter.rate(T) == 0
    for i in range(n):
        meter.received(T + i * every, T + i * every, 1)
    assert meter.rate(T + n * every) == pytest.approx(SECOND / every, rel=0.1)


def test_a_rate_falls_with_silence():
    meter = Meter(SECOND)
    for i in range(60):
        meter.received(T + i * SECOND, T + i * SECOND, 10)
    assert meter.rate(T + 60 * SECOND) == pytest.approx(10, rel=0.1)
    assert meter.rate(T + 600 * SECOND) < 1.1


def test_what_went_wrong_is_counted_by_venue(health):
    health.received(Gap(M, T, T, T - 1, "chain"))
    health.received(Link("binance", T, T, "refused", "no such topic"))
    health.received(Link(M, T, T, "up"))
    health.received(ClockTick(T))
    health.received(trade(T, N))
    assert health.counts == {("binance", "gaps"): 1, ("binance", "refusals"): 1}
    assert health.problems == {"binance": "the venue refused: no such topic"}
