"""No order, split, mixture or repetition of files changes what comes of them, to the bit."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from powderkeg.desk import Desk
from powderkeg.feed.drive import drive
from powderkeg.history.replay import remaining
from powderkeg.history.series import ordering
from powderkeg.history.series.report import ReadReport
from powderkeg.history.snapshots import digest
from powderkeg.history.sources import load

T = 1_735_689_600_000  # 2025-01-01, ms
MINUTES = 120
COLUMNS = {
    "trades": 'price = "p", size = "s", side = "side", id = "id"',
    "candles": 'open = "o", high = "h", low = "l", close = "c", volume = "v"',
    "open_interest": 'size = "oi"',
}
HEADS = {
    "trades": "t,symbol,p,s,side,id",
    "candles": "t,symbol,o,h,l,c,v",
    "open_interest": "t,symbol,oi",
}
SERIES = """
[[series]]
venue = "{venue}"
market = "BTCUSDT"
kind = "{kind}"
files = ["{kind}*"]
time = {{ column = "t", means = "{means}"{every} }}
columns = {{ {columns} }}
"""


@pytest.fixture(autouse=True)
def _only_these_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POWDERKEG_DATA", raising=False)


def rows(seed: int) -> dict[str, list[str]]:
    """Return rows of a small market: prints of one venue, bars of another, open interest."""
    rng = random.Random(seed)
    out: dict[str, list[str]] = {"trades": [], "candles": [], "open_interest": []}
    price = 93_500.0
    for n in range(MINUTES):
        at = T + n * 60_000
        price *= 1 + rng.uniform(-2e-3, 2e-3)
        high, low = price * 1.001, price * 0.999
        out["candles"].append(f"{at},BTCUSDT,{price},{high},{low},{price},{rng.uniform(1, 9)}")
        out["open_interest"].append(f"{at},BTCUSDT,{90_000 + rng.uniform(-500, 500)}")
        out["trades"] += [
            f"{at + 17_000 * k},BTCUSDT,{price + k},{rng.uniform(0.1, 2)},buy,{n * 3 + k}"
            for k in range(3)
        ]
    return out


def mapped(folder: Path, files: dict[str, list[str]]) -> tuple[str, ReadReport]:
    """Return the digest of a desk that was fed the files, and what the read met."""
    for name, lines in files.items():
        kind = next(kind for kind in HEADS if name.startswith(kind))
        text = "\n".join((HEADS[kind], *lines)) + "\n"
        raw = gzip.compress(text.encode()) if name.endswith(".gz") else text.encode()
        (folder / name).write_bytes(raw)
    toml = 'name = "x"\n' + "".join(
        SERIES.format(
            kind=kind,
            venue="v" if kind == "trades" else "w",
            means="from" if kind == "candles" else "at",
            every=', every = "1m"' if kind == "candles" else "",
            columns=columns,
        )
        for kind, columns in COLUMNS.items()
    )
    (folder / "source.toml").write_text(toml)
    desk, report = Desk("BTC"), ReadReport()
    drive(desk, remaining(desk, load(folder / "source.toml"), report=report))
    return digest(desk), report


@pytest.fixture
def plain(tmp_path_factory: pytest.TempPathFactory) -> str:
    files = {f"{kind}.csv": lines for kind, lines in rows(1).items()}
    return mapped(tmp_path_factory.mktemp("plain"), files)[0]


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rng=st.randoms(use_true_random=False), turn=st.booleans())
def test_shuffles_splits_orders_repetitions_and_foreign_rows_change_nothing(
    tmp_path_factory, plain, rng, turn
):
    folder = tmp_path_factory.mktemp("mixed")
    files: dict[str, list[str]] = {}
    for kind, lines in rows(1).items():
        mixed = [line.replace("BTCUSDT", "ETHUSDT") for line in lines if rng.random() < 0.2]
        mixed += lines + rng.sample(lines, 5)
        rng.shuffle(mixed)
        if turn:
            mixed.sort(reverse=True)
        cuts = sorted(rng.sample(range(len(mixed)), 2))
        parts = (mixed[: cuts[0]], mixed[cuts[0] : cuts[1]], mixed[cuts[1] :])
        names = rng.sample(["a", "b", "c", "d"], 3)
        for name, part in zip(names, parts, strict=True):
            ending = rng.choice(["csv", "csv.gz"])
            files[f"{kind}_{name}.{ending}"] = part
    found, report = mapped(folder, files)
    assert found == plain
    assert set(report.bad) <= {"foreign market", "duplicate id", "duplicate stamp"}
    assert report.code == 0


@pytest.mark.parametrize("chunk", [7, 64])
def test_rows_that_do_not_fit_in_memory_come_in_the_same_order(tmp_path, plain, monkeypatch, chunk):
    monkeypatch.setattr(ordering, "_USUAL", chunk)
    monkeypatch.setattr(ordering, "_PIECE", 5)
    monkeypatch.setattr(ordering, "_HELD", 1)
    files = {f"{kind}.csv": sorted(lines, key=hash) for kind, lines in rows(1).items()}
    assert mapped(tmp_path, files)[0] == plain
