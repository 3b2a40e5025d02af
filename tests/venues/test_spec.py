"""What venues declare."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from powderkeg.errors import ConfigError
from powderkeg.venues import VENUES, default_venues, spec_of

ROOT = Path(__file__).parents[2]
HUE = re.compile("#[0-9a-f]{6}")


@pytest.mark.parametrize("name", VENUES)
def test_a_reader_has_the_name_it_is_registered_by(name):
    assert VENUES[name].reader("BTCUSDT").name == name


def test_six_venues_with_leverage_are_collected_by_default():
    names = default_venues()
    assert names == ("binance", "bybit", "okx", "bitget", "deribit", "hyperliquid")
    assert all(VENUES[name].leveraged for name in names)
    assert list(VENUES)[:6] == list(names)


@pytest.mark.parametrize("name", default_venues())
def test_venues_shown_by_default_have_a_colour_of_their_own_on_either_page(name):
    spec = VENUES[name]
    assert HUE.fullmatch(spec.dark)
    assert HUE.fullmatch(spec.light)
    assert sum(spec.dark == other.dark for other in VENUES.values()) == 1


@pytest.mark.parametrize("name", VENUES)
def test_only_a_sampled_feed_reports_less_than_is_liquidated(name):
    spec = VENUES[name]
    assert (spec.liquidated_per_reported > 1) == (spec.liquidations == "sample")


def test_two_venues_add_their_fee_to_close_to_the_maintenance_margin():
    fees = {name: spec.margin_fee for name, spec in VENUES.items() if spec.margin_fee}
    assert fees == {"okx": 0.0005, "bitget": 0.0006}


def test_of_a_venue_known_from_files_only_its_name_says_what_it_is():
    assert spec_of("bybit-spot").label == "Bybit spot"
    assert not spec_of("bybit-spot").leveraged
    assert spec_of("kraken").leveraged
    assert spec_of("kraken").label == "Kraken"
    assert spec_of("okx") is VENUES["okx"]
    with pytest.raises(ConfigError, match="known from files only"):
        spec_of("kraken").reader("")


def test_the_page_knows_what_venues_declare():
    page = (ROOT / "web" / "src" / "lib" / "venues.json").read_text(encoding="utf-8")
    script = runpy.run_path(str(ROOT / "scripts" / "make_venues.py"))
    assert page == script["text"](), "expected the output of scripts/make_venues.py"


def test_no_other_module_lists_the_venues():
    names = set(default_venues())
    lists = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "src" / "powderkeg").rglob("*.py")
        if len({n for n in names if f'"{n}"' in path.read_text(encoding="utf-8")}) >= 4
    }
    assert lists == {
        "src/powderkeg/venues/__init__.py",
        "src/powderkeg/history/layouts/market.py",  # names that files of others are known by
        "src/powderkeg/history/layouts/recorders.py",
        "src/powderkeg/history/layouts/rest.py",
        "src/powderkeg/history/importing/missing.py",  # where each publishes its past
        "src/powderkeg/serve/startup/recorded.py",  # what simulated streams leave out
        "src/powderkeg/simvenues/faults.py",  # which of the simulated exchanges has which
        "src/powderkeg/simvenues/server.py",
        "src/powderkeg/simvenues/market/world.py",
    }
