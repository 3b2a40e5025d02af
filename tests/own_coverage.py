"""Measure how far test files cover, line and branch, the module each of them is for.

Reads lines ``MODULE=TESTS`` and answers each with a line of JSON: the exit code of pytest, the
percentage of the module that its tests cover, and what was printed. Each file runs alone, in a fork
of a process that has imported the libraries. The package itself is imported, and so counted, in the
fork.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import multiprocessing
import sys

import coverage
import pytest
from coverage.exceptions import NoDataError

LIBRARIES = ("numba", "numpy", "msgspec", "pytest_asyncio", "hypothesis.extra.numpy")
"""What takes seconds to import and is not counted."""
OPTIONS = (
    "-q", "-p", "no:cacheprovider", "-p", "no:xdist",
    # Plugins that are imported already keep their plain asserts.
    "-W", "ignore::pytest.PytestAssertRewriteWarning",
)  # fmt: skip


def covered(module: str, tests: str) -> dict[str, str | float]:
    """Run the tests of one module and return what they cover of it."""
    out = io.StringIO()
    measure = coverage.Coverage(data_file=None, branch=True, include=[module])
    measure.start()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = int(pytest.main([*OPTIONS, tests]))
    measure.stop()
    return {"code": code, "covered": percent(measure, out), "printed": out.getvalue()}


def percent(measure: coverage.Coverage, out: io.StringIO) -> float:
    """Return the percentage covered and print what is missing; 0 where nothing was run."""
    try:
        return measure.report(show_missing=True, file=out)
    except NoDataError as why:
        out.write(str(why))
        return 0.0


def main() -> None:
    """Answer each line of stdin."""
    for name in LIBRARIES:
        importlib.import_module(name)
    fork = multiprocessing.get_context("fork")
    for line in sys.stdin:
        module, _, tests = line.strip().partition("=")
        with fork.Pool(1) as pool:
            answer = pool.apply(covered, (module, tests))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
