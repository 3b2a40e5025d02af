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
CROWDED = {
    "powderkeg": "floors that are one file each, so that no folder hides what they import",
    "sim": "a world has many laws, one file each",
    "simvenues": "one file or two for each wire, since none may share another's arithmetic",
    "venues": "a venue is one file, or two where its requests are as many as its frames",
    "live": "network, time, and what keeps both honest",
    "engine": "one idea a file: the table, its kernels, what learns from it, what doubts it",
    "maps": "a file for each thing that is drawn or said of the map",
    "proof": "a file for each world that can contradict us",
    "serve": "a file for each form in which the maps leave the house",
    "cli": "a file for each group of commands",
    "store": "a file for each form of what is kept, and for finding and mending what is damaged",
    "history": "the only floor that knows files: one file for each form they take",
}
"""Folders that may hold more than ten files, and why."""


@pytest.mark.parametrize("path", FILES + PAGE, ids=lambda p: p.name)
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


def test_no_folder_is_deep_or_crowded():
    deep = {
        p.parent.relative_to(SRC).as_posix() for p in FILES if len(p.relative_to(SRC).parts) > 2
    }
    assert deep <= {"history/forms"}  # tables of other people's layouts, apart from what reads them
    counts = {d.name: len(list(d.glob("*.py"))) - 1 for d in {p.parent for p in FILES}}
    assert {d: n for d, n in counts.items() if n > 10 and d not in CROWDED} == {}


def test_no_file_names_a_path_of_a_machine():
    told = [
        str(p.relative_to(ROOT))
        for folder in ("src", "tests", "docs", "scripts", "web/src")
        for p in (ROOT / folder).rglob("*")
        if p.suffix in {".py", ".md", ".toml", ".ts", ".svelte"}
        and any(word in p.read_text(errors="replace") for word in ("/ho" + "me/", "/wo" + "rk/"))
    ]
    assert told == []
