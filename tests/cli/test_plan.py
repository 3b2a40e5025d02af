"""``powderkeg plan``."""

from __future__ import annotations

import json

import pytest

ARGS = (
    "plan", "BTC", "--equity", "50000", "--entry", "149000", "--leverage", "10",
    "--cluster", "long:148500-149200=180M", "--cluster", "short:153000-153300=69.7M",
)  # fmt: skip
FUNDED = (*ARGS, "--funding", "0.0001", "--fundings", "3")


def test_the_worked_example_is_3_33_gross_and_2_70_net(run):
    found = json.loads(run(*FUNDED, "--json"))
    rest = found["rest"]
    assert rest["stop"] == 147_800.0
    assert rest["size"] == pytest.approx(0.4167, abs=5e-5)
    assert rest["targets"][0]["gross"] == pytest.approx(3.333, abs=5e-4)
    assert rest["targets"][0]["net"] == pytest.approx(2.699, abs=5e-4)
    assert rest["protective"]["notional"] == 180e6
    assert rest["liquidation"]["price"] == pytest.approx(134_639, rel=1e-3)
    assert found["wait"]["entry"] == pytest.approx(149_946.0)


def test_people_read_both_plans(run):
    words = run(*FUNDED, "--base-rate", "0.27", "--wins", "8", "--episodes", "10")
    assert "A: a limit order rests" in words
    assert "B: after the reclaim" in words
    assert "2.70 net" in words
    assert "expected" in words
    assert "1.16 R with costs" in words


def test_a_warning_is_printed(run):
    assert "! liquidation" in run(*ARGS, "--leverage", "120")


def test_an_own_stop_needs_no_cluster(run):
    words = run("plan", "BTC", "--equity", "1000", "--entry", "100", "--stop", "98")
    assert "B: after" not in words
    assert "no cluster protects" in words


def test_fees_may_differ_by_side(run):
    found = json.loads(
        run(*ARGS, "--fee", "0.0005", "--entry-fee", "0.0002", "--slippage", "0", "--json")
    )
    assert found["rest"]["loss"]["net_r"] == pytest.approx(-1.09, abs=5e-3)


def test_a_maintenance_rate_stands_in_for_tiers(run):
    found = json.loads(run(*ARGS, "--maintenance", "0.004", "--json"))
    assert found["rest"]["liquidation"]["source"] == "given"
    assert found["rest"]["liquidation"]["price"] == pytest.approx(134_639, abs=0.5)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("--side", "up"), "long or short"), (("--equity", "0"), "an equity"),
        (("--leverage", "0.5"), "at least 1"), (("--cluster", "148500"), "expected a cluster"),
        (("--venue", "nowhere"), "expected one of"), (("--venue", "okx"), "--maintenance"),
        (("--stop", "150000"), "a stop below"),
    ],
)  # fmt: skip
def test_what_is_no_plan_is_refused(change, why, refused):
    args = [*ARGS, *change]
    assert why in refused(*args)
