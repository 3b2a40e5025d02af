"""The jump guard."""

from hypothesis import given
from hypothesis import strategies as st

from powderkeg.events import MINUTE, SECOND
from powderkeg.market.guard import Guard

readings = st.lists(st.floats(1.0, 1000.0), min_size=1, max_size=60)


def guard() -> Guard:
    return Guard(0.02, 10 * MINUTE)


def test_the_first_reading_is_believed_because_nothing_contradicts_it():
    assert guard().check(100.0, 0) == "take"


def test_a_lone_jump_is_held_and_dropped_when_the_next_reading_is_back():
    g = guard()
    assert [g.check(p, n) for n, p in enumerate((100.0, 102.0, 100.1))] == ["take", "hold", "drop"]
    assert (g.value, g.dropped, g.held) == (100.1, 1, None)


def test_a_jump_just_below_the_limit_is_believed():
    g = guard()
    assert [g.check(p, 0) for p in (100.0, 101.99)] == ["take", "take"]


def test_a_second_reading_that_agrees_confirms_both():
    g = guard()
    assert [g.check(p, 0) for p in (100.0, 103.0, 103.1)] == ["take", "hold", "both"]
    assert (g.value, g.dropped) == (103.1, 0)


def test_a_second_reading_to_the_same_side_confirms_the_move_but_not_a_wilder_one():
    g = guard()
    assert [g.check(p, 0) for p in (100.0, 150.0, 103.0)] == ["take", "hold", "drop"]
    assert (g.value, g.dropped) == (103.0, 1)


def test_a_jump_to_the_other_side_takes_the_place_of_the_held_one():
    g = guard()
    assert [g.check(p, 0) for p in (100.0, 103.0, 97.0)] == ["take", "hold", "hold"]
    assert (g.value, g.held, g.dropped) == (100.0, 97.0, 1)


def test_a_fall_to_nothing_is_held_and_confirmed_too():
    g = guard()
    assert [g.check(p, 0) for p in (100.0, 0.0, 0.0)] == ["take", "hold", "both"]


def test_an_old_value_is_no_reference():
    g = guard()
    assert g.check(100.0, 0) == "take"
    assert g.check(150.0, 10 * MINUTE + 1) == "take"


def test_a_value_checked_in_bulk_is_the_reference():
    g = guard()
    g.take(100.0, 0)
    assert g.check(103.0, SECOND) == "hold"
    assert g.state() == (100.0, 0, 103.0, SECOND, 0)


@given(readings)
def test_never_are_two_readings_in_a_row_off_to_one_side_held(prices):
    g = guard()
    g.take(prices[0], 0)
    before = None
    for price in prices[1:]:
        reference, verdict = g.value, g.check(price, 0)
        side = price > reference
        assert not (verdict == "hold" and before == ("hold", side))
        before = (verdict, side)
