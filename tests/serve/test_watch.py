"""``powderkeg watch`` against a served session."""

from __future__ import annotations

import asyncio

import pytest
from typer.testing import CliRunner

from powderkeg.cli.main import app
from powderkeg.errors import RequestError
from powderkeg.feed.drive import drive


async def watched(port, *words):
    """Return the result of the command, run beside the server."""
    command = ["watch", *words, "--once", "--url", f"http://127.0.0.1:{port}"]
    return await asyncio.to_thread(CliRunner().invoke, app, command)


async def test_one_frame_has_the_ladder_the_read_and_the_tape(prepared, served):
    market, desk = prepared
    for _ in range(30):
        drive(desk, market.step(0.1))
    done = await watched(served, "btc", "--window", "60")
    assert done.exit_code == 0, done.exception
    lines = done.stdout.splitlines()
    assert lines[0].startswith("BTC ")
    assert "· simulated ·" in lines[0]
    assert "window 60 s" in lines[0]
    assert sum("▶" in line for line in lines) == 1
    for name in ("where", "whether", "when", "crowd"):
        assert any(line[2:].startswith(name) for line in lines)
    prints = lines[next(i for i, line in enumerate(lines) if line.startswith("time")) + 1 :]
    assert len(prints) == 10


async def test_a_coin_that_is_not_served_is_refused_with_the_servers_words(served):
    done = await watched(served, "XYZ")
    assert done.exit_code == 1
    with pytest.raises(RequestError, match="XYZ"):
        raise done.exception
