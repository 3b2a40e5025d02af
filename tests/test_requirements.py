"""What is installed is what is used: packages left out are named by others and needed by none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).parents[1] / "requirements"
BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[1:]:
            raise ImportError(f"{name} is not installed")

sys.meta_path.insert(0, Blocked())
import powderkeg.cli.main
from powderkeg.serve.app import make_app
from powderkeg.serve.hub import Hub
from powderkeg.serve.session import Session

session = Session("live", {}, lambda: 0)
make_app(session, Hub(session)).openapi_schema.to_schema()
"""


def left_out() -> list[str]:
    lines = (REQUIREMENTS / "excluded.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_the_server_runs_without_the_packages_that_are_left_out():
    names = [name.replace("-", "_") for name in left_out()]
    ran = subprocess.run(
        [sys.executable, "-c", BLOCKED, *names], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


def test_no_package_that_is_left_out_is_in_the_lock():
    pinned = (REQUIREMENTS / "run.txt").read_text()
    assert [name for name in left_out() if f"\n{name}==" in "\n" + pinned] == []
