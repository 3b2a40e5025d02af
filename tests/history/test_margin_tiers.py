"""The margin tiers we ship."""

import gzip
import json
import subprocess
import sys
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import pytest

from powderkeg.errors import ConfigError
from powderkeg.events import SECOND
from powderkeg.history.margin_tiers import at, parse, tables
from powderkeg.instruments import Tier, TierTable

ROOT = Path(__file__).parents[2]


def day(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def test_every_binance_symbol_of_the_dump_is_shipped_with_its_own_numbers(data: Path):
    raw = (data / "reference/binance_usdm_leverage_tiers_2026-09.json.gz").read_bytes()
    stored = json.loads(gzip.decompress(raw))
    assert len(stored) == 907
    for pair, rows in stored.items():
        base, _, rest = pair.partition("/")
        quote, _, settle = rest.partition(":")
        delivery = settle.partition("-")[2]
        symbol = base + quote + (f"_{delivery}" if delivery else "")
        table = at("binance", symbol, day("2026-10-01"))
        got = [(t.floor, t.cap, t.leverage, t.rate, t.deduction) for t in table.tiers]
        keys = ("floor", "cap", "max_leverage", "mmr", "cum")
        assert got == [tuple(row[k] for k in keys) for row in rows]


def test_brackets_move_so_the_table_depends_on_the_day():
    """BTCUSDT began at 50 k and 125x in 2024, at 300 k and 150x in 2026."""
    old, new = (at("binance", "BTCUSDT", day(d)) for d in ("2025-01-01", "2026-10-01"))
    assert (old.tiers[0].cap, old.tiers[0].leverage) == (50_000.0, 125.0)
    assert new.tiers[:2] == (
        Tier(0.0, 300_000.0, 150.0, 0.004, 0.0),
        Tier(300_000.0, 800_000.0, 100.0, 0.005, 300.0),
    )


def test_before_the_first_known_table_the_first_known_is_used():
    assert at("binance", "BTCUSDT", 0).valid_from == day("2024-10-01")


def test_no_shipped_requirement_has_a_step_and_tiers_leave_no_hole():
    for table in tables():
        assert table.continuous, table.symbol
        edges = [(a.cap, b.floor) for a, b in zip(table.tiers, table.tiers[1:], strict=False)]
        assert all(cap == floor for cap, floor in edges), table.symbol
        assert table.tiers[0].floor == 0.0
        assert all(0 < tier.rate < 1 and tier.leverage >= 1 for tier in table.tiers)


def test_bybit_deductions_are_those_of_its_page():
    deductions = [tier.deduction for tier in at("bybit", "BTCUSDT", day("2026-06-01")).tiers]
    page = [0, 1200, 3020, 4300, 5820, 8460, 15460, 20500, 46000, 66000, 80000, 160000, 300000]
    page += [452000, 502000, 777000, 837000, 967000, 1107000, 1482000]
    assert deductions == pytest.approx(page)
    assert len(at("bybit", "BTCPERP", day("2026-01-01")).tiers) == 30


def test_hyperliquid_asks_half_the_initial_margin_since_2025_and_one_percent_in_2023():
    now = at("hyperliquid", "BTC", day("2026-06-11"))
    assert (now.tiers[0].cap, now.tiers[0].rate) == (150e6, 0.0125)
    assert now.tiers[1].rate == 0.025
    assert at("hyperliquid", "BTC", day("2023-03-01")).tiers[0].rate == 0.01
    assert at("hyperliquid", "ARB", day("2023-03-01")).symbol == "*"


def test_deribit_is_a_rate_that_grows_with_size():
    table = at("deribit", "BTC-PERPETUAL", day("2026-01-01"))
    assert (table.tiers[0].rate, table.slope) == (0.01, 0.00005)


def test_a_symbol_without_a_table_is_an_error():
    with pytest.raises(LookupError, match="kraken:BTCUSD"):
        at("kraken", "BTCUSD", 0)


def test_a_step_is_recognised():
    tiers = (Tier(0.0, 100.0, 50.0, 0.01, 0.0), Tier(100.0, 200.0, 25.0, 0.02, 0.0))
    assert not TierTable("okx", "X", "test", 0, tiers).continuous


def test_the_file_is_small_and_a_broken_one_is_refused():
    file = resources.files("powderkeg") / "data" / "tiers.json.gz"
    assert len(file.read_bytes()) < 200_000
    with pytest.raises(ConfigError, match="expected a tier file"):
        parse(b'{"format": 1}')
    with pytest.raises(ConfigError, match="format 1, found 2"):
        parse(b'{"format": 2, "tables": []}')


def test_the_script_writes_the_same_bytes_again(data: Path, tmp_path: Path):
    script = tmp_path / "scripts" / "make_tiers.py"
    script.parent.mkdir()
    script.write_bytes((ROOT / "scripts" / "make_tiers.py").read_bytes())
    (tmp_path / "src" / "powderkeg").mkdir(parents=True)
    command = [sys.executable, str(script), str(data / "reference")]
    subprocess.run(command, check=True, capture_output=True)  # our own script
    made = tmp_path / "src" / "powderkeg" / "data" / "tiers.json.gz"
    assert made.read_bytes() == (ROOT / "src/powderkeg/data/tiers.json.gz").read_bytes()
