"""Who is shown."""

import math

import numpy as np
import pytest

from powderkeg.engine.contest import LEAD, SURE, Contest, deviance


def played(misses, shown=0):
    """Return a contest that has seen deviances, shape (hours, entrants)."""
    contest = Contest(np.shape(misses)[1], shown)
    for row in misses:
        contest.add(list(row))
    contest.choose()
    return contest


def test_a_leader_by_much_in_every_hour_is_shown():
    assert played([[2.0, 1.0, 3.0]] * 50).shown == 1


def test_a_lucky_leader_is_not_shown():
    """It loses every hour but one violent one, which holds more than all others together."""
    assert played([*[[1.0, 2.0]] * 99, [1000.0, 1.0]]).shown == 0


def test_one_hour_that_differs_is_luck_however_much_it_differs():
    assert played([*[[1.0, 1.0]] * 99, [1e6, 1.0]]).shown == 0


def test_the_same_lead_spread_over_many_hours_is_no_accident():
    assert played([[11.0, 1.0]] * 100).shown == 1


def test_a_leader_by_a_hair_is_not_shown_so_that_the_map_does_not_flicker():
    assert played([[1.0, 1.0 - LEAD / 2]] * 1000).shown == 0
    assert played([[1.0, 1.0 - LEAD * 2]] * 1000).shown == 1


def test_one_hour_proves_nothing():
    assert played([[9.0, 1.0]]).shown == 0
    assert played([[9.0, 1.0]] * 2).shown == 1


def test_a_death_of_which_nothing_was_said_is_not_infinitely_wrong():
    one = np.array([1.0])
    assert deviance(one, np.zeros(1), 1e-3) == pytest.approx(deviance(one, np.array([1e-3]), 0.0))
    assert deviance(one, one, 1e-3) == 0


def test_before_any_hour_the_first_stays():
    contest = Contest(3, 2)
    contest.choose()
    assert contest.shown == 2


def test_the_one_that_leads_stays():
    assert played([[1.0, 5.0]] * 9).shown == 0


def test_two_equals_never_change_places():
    assert played([[1.0, 1.0]] * 9, shown=1).shown == 1


def test_one_that_leads_after_another_was_shown_is_shown_in_turn():
    contest = played([[2.0, 1.0, 3.0]] * 20)
    for _ in range(60):
        contest.add([5.0, 5.0, 0.0])
    contest.choose()
    assert contest.shown == 2


@pytest.mark.parametrize("hours", [30, 300])
def test_noise_alone_changes_who_is_shown_as_rarely_as_sure_says(hours):
    """A pair of equals asked once: the tail of the normal beyond so many standard errors."""
    chance, times = np.random.default_rng(5), 400
    changed = sum(played(chance.exponential(1.0, (hours, 2))).shown for _ in range(times))
    tail = math.erfc(SURE / math.sqrt(2)) / 2
    assert changed / times < tail + 3 * math.sqrt(tail / times)


@pytest.mark.parametrize(("errors", "shown"), [(SURE * 0.9, 0), (SURE * 1.1, 1)])
def test_a_lead_counts_in_standard_errors_of_the_summed_difference(errors, shown):
    """Of 100 hours half differ by 0.1 + b, half by 0.1 - b: the sum, 10, errs by 10 b."""
    b = 1 / errors
    assert played([[1.0, 0.9 - b], [1.0, 0.9 + b]] * 50).shown == shown
