"""What exists is documented, with no list of exceptions."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from powderkeg import errors
from powderkeg.cli.main import app
from powderkeg.history.sources import KINDS
from powderkeg.maps.views.views import VIEWS
from powderkeg.settings import Settings

DOCS = Path(__file__).parents[1] / "docs"
SOURCE = """
name = "bars"
[[series]]
venue = "binance"
market = "BTCUSDT"
kind = "candles"
files = ["bars.csv"]
time = { column = "open_time", means = "from", every = "1m" }
columns = { open = "open", high = "high", low = "low", close = "close", volume = "volume" }
"""


def commands():
    names = [c.name or c.callback.__name__ for c in app.registered_commands]
    return [*names, *(group.name for group in app.registered_groups)]


@pytest.mark.parametrize("name", [f.name for f in msgspec.structs.fields(Settings)])
def test_every_setting_is_documented(name):
    assert f"`{name}`" in (DOCS / "settings.md").read_text()


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_and_its_parameters_are_documented(name):
    text = (DOCS / "api.md").read_text()
    assert f"/{name}`" in text
    kind, _ = VIEWS[name]
    for field in msgspec.structs.fields(kind):
        assert f"`{field.name}`" in text


@pytest.mark.parametrize("name", commands())
def test_every_command_is_documented(name):
    assert f"powderkeg {name}" in (DOCS / "commands.md").read_text()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_stored_data_is_documented(kind):
    assert f"`{kind}`" in (DOCS / "sources.md").read_text()


@pytest.mark.parametrize(
    "error", [e for e in vars(errors).values() if isinstance(e, type)], ids=lambda e: e.__name__
)
def test_every_error_is_in_the_tree_its_module_draws(error):
    assert error.__name__ in (errors.__doc__ or "")


def test_every_page_of_the_docs_is_in_the_index():
    index = (DOCS / "index.md").read_text()
    pages = [p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md")]
    assert [p for p in pages if p != "index.md" and f"({p})" not in index] == []


def test_the_example_in_python_runs(tmp_path, monkeypatch, capsys):
    (code,) = re.findall("```python\n(.*?)```", (DOCS / "api-python.md").read_text(), re.DOTALL)
    start = 1_767_225_600_000
    rows = [f"{start + n * 60_000},100,101,99,100,10" for n in range(60)]
    (tmp_path / "bars.csv").write_text("\n".join(("open_time,open,high,low,close,volume", *rows)))
    (tmp_path / "source.toml").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "docs/api-python.md", "exec"), {})  # noqa: S102  our own page
    assert "Bars(reach=0.05" in capsys.readouterr().out
