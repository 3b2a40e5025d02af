"""``powderkeg signals``."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from powderkeg.cli.main import app
from powderkeg.errors import ConfigError
from powderkeg.sim.scenario.script import shipped


def run(*args: str) -> str:
    result = CliRunner().invoke(app, ["signals", *args], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_without_a_source_the_scenarios_are_named():
    named = run()
    assert all(name in named for name in shipped())


def test_a_scenario_is_listed_with_states_in_minutes():
    shown = run("t2-hunt-trap", "--type", "hunt_trap")
    assert "89.3 min TRAP_CONFIRMED" in shown
    assert "not enough yet" in shown


def test_json_holds_the_same_episodes():
    answer = json.loads(run("t2-breakout", "--type", "hunt_trap", "--json"))
    (episode,) = answer["episodes"]
    assert [move["state"] for move in episode["transitions"]] == ["APPROACH", "POKED", "BROKEOUT"]
    assert episode["base_rate"]["n"] == 1


def test_stored_data_is_replayed(tmp_path):
    rows = "\n".join(f"{1_700_000_000_000 + n * 1000},100,1,buy" for n in range(100))
    (tmp_path / "trades.csv").write_text("ts,price,size,side\n" + rows)
    source = tmp_path / "source.toml"
    source.write_text(
        'name = "x"\n[[series]]\nvenue = "binance"\nmarket = "BTCUSDT"\nkind = "trades"\n'
        'files = ["trades.csv"]\ntime = { column = "ts", unit = "ms", means = "at" }\n'
        'columns = { price = "price", size = "size", side = "side" }\n'
    )
    answer = json.loads(run(str(source), "--json"))
    assert answer["episodes"] == []


def test_a_source_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match="nowhere"):
        CliRunner().invoke(app, ["signals", "nowhere.toml"], catch_exceptions=False)


def test_a_scenario_is_played_over_wires_to_a_desk(monkeypatch):
    monkeypatch.setattr("powderkeg.cli.signals.LONGEST", 0.5)
    answer = json.loads(run("t3-cascade-chain", "--wires", "--type", "cascade_chain", "--json"))
    (episode,) = answer["episodes"]
    assert episode["state"] == "STACKED"
    cluster = episode["cluster"]
    assert (cluster["floor"], cluster["top"]) == pytest.approx((139_804, 140_225), abs=1)
