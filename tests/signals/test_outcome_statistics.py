"""Counts by month and outcome, and whether base rates came true."""

from __future__ import annotations

import math

import pytest

from powderkeg.events import DAY
from powderkeg.signals.outcomes.base_rate import Case, Outcomes
from powderkeg.signals.outcomes.statistics import by_month, reliability, touch_counts
from powderkeg.signals.outcomes.touches import OUTCOMES

JUNE = 1_780_272_000_000_000
"""1 June 2026, µs UTC."""


def case(time=JUNE, *, hit=False, placebo=False, said=0.5):
    return Case("absorbed", time, hit, placebo, said)


def test_cases_are_counted_by_month_beside_their_placebo():
    cases = [
        case(JUNE - 1, hit=True), case(hit=True), case(), case(placebo=True),
        case(JUNE + 29 * DAY, hit=True, placebo=True),
    ]  # fmt: skip
    may, june = by_month(cases)
    assert (may.month, may.n, may.hits, may.placebo_n) == ("2026-05", 1, 1, 0)
    assert (june.month, june.n, june.hits, june.placebo_n, june.placebo_hits) == (
        "2026-06", 2, 1, 2, 1,
    )  # fmt: skip


def test_what_was_said_stands_beside_what_came():
    cases = [case(hit=True, said=0.22), case(said=0.28), case(hit=True, said=1.0)]
    low, high = reliability([*cases, case(placebo=True, said=0.9), case(said=math.nan)])
    assert (low.n, low.said, low.came) == (2, pytest.approx(0.25), 0.5)
    assert (high.n, high.said, high.came) == (1, 1.0, 1.0)
    assert reliability([]) == []


def test_a_base_rate_is_kept_as_it_was_before_its_case():
    outcomes = Outcomes()
    outcomes.count("absorbed", JUNE, hit=True, placebo=True)
    outcomes.count("absorbed", JUNE, hit=False, placebo=False)
    outcomes.count("absorbed", JUNE, hit=True, placebo=False)
    first, second, third = (each.said for each in outcomes.cases)
    assert math.isnan(first)
    assert second == pytest.approx(0.75), "one placebo of one had it: (1 + 0.5) / (1 + 1)"
    assert third == pytest.approx(20 * 0.75 / 21)


def test_every_outcome_of_a_touch_is_listed():
    assert [each.outcome for each in touch_counts([])] == list(OUTCOMES)
    assert all(each.n == each.placebo_n == 0 for each in touch_counts([]))
