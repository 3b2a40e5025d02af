"""Every module of the core is covered, line and branch, by its own test file alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "powderkeg"
MEASURE = Path(__file__).parent / "own_coverage.py"
MODULES = sorted(
    path.relative_to(SOURCE).with_suffix("").as_posix()
    for room in ("engine", "market", "venues")
    for path in (SOURCE / room).rglob("*.py")
    if path.stem != "__init__"
)


def own_file(module: str) -> Path:
    """Return the test file of a module: a venue's stream is tested under the venue's name."""
    room, *part, name = module.split("/")
    if room == "venues" and part:
        name = part[0] if name == "stream" else f"{part[0]}_{name}"
    return ROOT / "tests" / room / f"test_{name}.py"


@pytest.fixture(scope="module")
def measure() -> Iterator[Callable[[str], dict[str, Any]]]:
    """Return a function that runs a module's tests and tells what they cover of it.

    Kernels run as plain Python: a compiled line cannot be counted.
    """
    env = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(SOURCE.parent)}
    with subprocess.Popen(
        [sys.executable, str(MEASURE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        cwd=ROOT, env=env, text=True,
    ) as program:  # fmt: skip
        assert program.stdin is not None
        assert program.stdout is not None

        def ask(module: str) -> dict[str, Any]:
            program.stdin.write(f"{SOURCE / module}.py={own_file(module)}\n")
            program.stdin.flush()
            line = program.stdout.readline()
            assert line, f"expected a line of JSON, got exit {program.wait()}"
            return json.loads(line)

        yield ask


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_a_test_file_of_its_own(module):
    assert own_file(module).is_file()


@pytest.mark.slow
@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_covered_by_its_own_tests(module, measure):
    found = measure(module)
    assert found["code"] == 0, found["printed"][-6000:]
    assert found["covered"] == 100, found["printed"][-6000:]
