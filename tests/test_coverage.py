"""Every module of the core is covered, line and branch, by its own test file alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "powderkeg"
MODULES = sorted(
    path.relative_to(SOURCE).with_suffix("").as_posix()
    for room in ("engine", "market", "venues")
    for path in (SOURCE / room).rglob("*.py")
    if path.stem != "__init__"
)

pytestmark = pytest.mark.slow


def tests_of(module: str) -> Path:
    """Return the test file of a module: a venue's stream is tested under the venue's name."""
    room, *part, name = module.split("/")
    if room == "venues" and part:
        name = part[0] if name == "stream" else f"{part[0]}_{name}"
    return ROOT / "tests" / room / f"test_{name}.py"


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_covered_by_its_own_tests(module, tmp_path):
    """Kernels run as plain Python: a compiled line cannot be counted."""
    tests = tests_of(module)
    assert tests.is_file(), f"expected tests of {module} in {tests.relative_to(ROOT)}"
    env = {
        **os.environ,
        "COVERAGE_FILE": str(tmp_path / "coverage"),
        "NUMBA_DISABLE_JIT": "1",
        "PYTHONPATH": str(SOURCE.parent),
    }
    coverage = [sys.executable, "-m", "coverage"]
    include = f"--include={SOURCE / module}.py"
    command = [
        *coverage,
        "run",
        "--branch",
        include,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    ran = subprocess.run(
        [*command, str(tests)], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]
    told = subprocess.run(
        [*coverage, "report", "-m", "--fail-under=100"],
        cwd=ROOT, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout
