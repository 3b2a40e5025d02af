"""How fast stored prints are read, and in how much memory: ``python benchmarks/reading.py 40``.

Writes so many million prints as the zips of Binance's archive into a temporary folder, four million
a file, and reads them in order of time. CPU seconds of this process, compilation and all.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

from powderkeg.history.archive import unpack
from powderkeg.history.series.readers import read
from powderkeg.history.series.report import ReadReport
from powderkeg.history.sources import load

ROWS = 4_000_000
SOURCE = """name = "reading"
[[series]]
venue = "binance"
market = "BTCUSDT"
kind = "zip"
files = ["*.zip"]
"""


def write(folder: Path, files: int) -> None:
    """Write files of made prints."""
    rng = np.random.default_rng(1)
    at, price = 1_704_067_200_000, 42_000.0
    for n in range(files):
        times = at + np.cumsum(rng.integers(0, 43, ROWS))
        prices = np.round(price + np.cumsum(rng.integers(-1, 2, ROWS)) * 0.1, 1)
        ids = np.arange(ROWS) + n * ROWS
        table = pa.table(
            {
                "agg_trade_id": ids,
                "price": prices,
                "quantity": np.round(rng.random(ROWS) + 0.001, 3),
                "first_trade_id": ids * 2,
                "last_trade_id": ids * 2 + 1,
                "transact_time": times,
                "is_buyer_maker": rng.random(ROWS) < 0.5,
            }
        )
        out = io.BytesIO()
        csv.write_csv(table, out)
        name = f"BTCUSDT-aggTrades-2024-01-{n + 1:02}"
        with zipfile.ZipFile(
            folder / f"{name}.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1
        ) as archive:
            archive.writestr(f"{name}.csv", out.getvalue())
        at, price = int(times[-1]), float(prices[-1])
    (folder / "source.toml").write_text(SOURCE)


def main(folder: Path) -> None:
    """Read a folder and print rows, rows a CPU second and the most memory held."""
    source, report = load(folder / "source.toml"), ReadReport()
    before = time.process_time()
    rows = sum(
        len(table.times)
        for series in unpack(source)
        for table in read(series, source, report, lambda _: None)
    )
    seconds = time.process_time() - before
    status = Path("/proc/self/status").read_text()  # its own peak, not that of what started it
    peak = next(int(line.split()[1]) // 1024 for line in status.splitlines() if "VmHWM" in line)
    answer = {"rows": rows, "rows_per_cpu_s": round(rows / seconds), "peak_mb": peak}
    _ = sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    if Path(sys.argv[1]).is_dir():  # a process of its own, so that writing is not in its memory
        main(Path(sys.argv[1]))
    else:
        import subprocess

        with tempfile.TemporaryDirectory() as made:
            write(Path(made), max(int(sys.argv[1]) * 1_000_000 // ROWS, 1))
            _ = subprocess.run([sys.executable, __file__, made], check=True)  # noqa: S603
