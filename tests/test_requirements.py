"""What is installed is what is used: packages left out are named by others and needed by none."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

REQUIREMENTS = Path(__file__).parents[1] / "requirements"
BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in left_out:
            raise ImportError(f"{name} is not installed")

left_out, sys.argv = sys.argv[1:], ["powderkeg", "demo", "BTC", "--port", "0", "--json-ready"]
sys.meta_path.insert(0, Blocked())
from powderkeg.cli.main import main

main()
"""
PATHS = ("", "docs", "docs/openapi.json", "metrics", "v1/coins", "v1/starting", "v1/rates")


def left_out() -> list[str]:
    lines = (REQUIREMENTS / "excluded.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_the_server_runs_without_the_packages_that_are_left_out():
    names = [name.replace("-", "_") for name in left_out()]
    command = [sys.executable, "-c", BLOCKED, *names]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["url"]
            for path in PATHS:
                with urllib.request.urlopen(url + path, timeout=60) as answer:  # noqa: S310 - loopback
                    assert answer.status == 200
        finally:
            process.terminate()


def test_no_package_that_is_left_out_is_in_the_lock():
    pinned = (REQUIREMENTS / "run.txt").read_text()
    assert [name for name in left_out() if f"\n{name}==" in "\n" + pinned] == []
