"""The example venue of the docs works, and the page says what it is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "gate"
PAGE = (ROOT / "docs" / "add-a-venue.md").read_text()
ROWS = re.findall(r"^\| .* \| .* \| (.*) \| (\d+) \|$", PAGE, re.MULTILINE)
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_its_own_tests_pass_and_cover_the_reader_from_its_socket_to_a_desk(tmp_path):
    env = {
        **os.environ, "PYTHONPATH": str(ROOT / "src"), "POWDERKEG_OFFLINE": "1",
        "COVERAGE_FILE": str(tmp_path / "coverage"),
    }  # fmt: skip
    coverage = [sys.executable, "-m", "coverage"]
    tests = ["-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLE)]
    reader = f"--include={EXAMPLE}/rest.py,{EXAMPLE}/stream.py"
    for command in (
        [*coverage, "run", "--branch", reader, *tests],
        [*coverage, "report", "--show-missing", "--fail-under=100"],
    ):
        done = subprocess.run(
            command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=280, check=False
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_the_page_counts_the_files_there_are():
    files = {p.relative_to(EXAMPLE).as_posix() for p in EXAMPLE.rglob("*.py")}
    listed = {name for names, _ in ROWS for name in re.findall(r"`([^`]+\.py)`", names)}
    assert listed == files - {"conftest.py"}
    assert sum(int(count) for _, count in ROWS) == len(listed) == 5
    assert "Five files: one folder and one line" in PAGE


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.strip().splitlines()[0])
def test_code_in_the_page_is_that_of_the_example(block):
    registration = re.fullmatch(r' +"gate": (.*),\n', block)
    shown = f'VENUES["gate"] = {registration[1]}\n' if registration else block
    assert any(shown in path.read_text() for path in EXAMPLE.rglob("*.py"))
