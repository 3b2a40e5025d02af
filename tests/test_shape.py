"""The house keeps its shape: small files, short functions, shallow folders."""

from __future__ import annotations

import ast
import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src" / "powderkeg"
FILES = sorted(p for p in SRC.rglob("*.py") if "static" not in p.parts)
PAGE = sorted(
    p for p in (ROOT / "web" / "src").rglob("*") if p.suffix in {".ts", ".svelte", ".css"}
)


GENERATED = set((ROOT / "web" / "src" / "lib" / "wire").glob("schema*.ts"))
"""As long as the records it is written from."""


@pytest.mark.parametrize("path", sorted({*FILES, *PAGE} - GENERATED), ids=lambda p: p.name)
def test_no_file_is_longer_than_400_lines(path):
    assert len(path.read_text().splitlines()) <= 400


def test_the_median_file_is_about_180_lines():
    assert statistics.median(len(p.read_text().splitlines()) for p in FILES) <= 220


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_no_function_is_longer_than_60_lines(path):
    functions = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    long = {f.name: n for f in functions if (n := (f.end_lineno or 0) - f.lineno + 1) > 60}
    assert long == {}


def test_no_folder_is_deeper_than_room_and_part():
    assert {p for p in FILES if len(p.relative_to(SRC).parts) > 3} == set()


@pytest.mark.parametrize("folder", sorted({p.parent for p in FILES}), ids=lambda p: p.name)
def test_no_folder_holds_more_than_ten_files(folder):
    assert len([p for p in folder.glob("*.py") if p.name != "__init__.py"]) <= 10


def test_no_file_names_a_path_of_a_machine():
    told = [
        str(p.relative_to(ROOT))
        for folder in ("src", "tests", "docs", "scripts", "web/src")
        for p in (ROOT / folder).rglob("*")
        if p.suffix in {".py", ".md", ".toml", ".ts", ".svelte"}
        and any(word in p.read_text(errors="replace") for word in ("/ho" + "me/", "/wo" + "rk/"))
    ]
    assert told == []
