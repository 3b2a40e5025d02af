"""Write the weights that are shipped: `python scripts/make_prior.py`.

Learned on the hours of Binance BTC, December 2025 to March 2026, with the reports of three venues.
Needs the recordings: POWDERKEG_DATA names their folder. Only weights are kept, none of the data.
The same recordings give the same file.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from powderkeg.engine.calibration.pooling import PretrainedWeights
from powderkeg.evaluation.hourly import hours, prior
from powderkeg.history.sources import load

ROOT = Path(__file__).parents[1]
OUT = ROOT / "src" / "powderkeg" / "engine" / "shipped.py"
SOURCE, COIN, MARKET = "btc_2026", "BTC", "BTC on Binance"
HEAD = '''"""The weights that are shipped: {market}, {since} to {until}.

Learned from {reports:.0f} effective reports. Written by scripts/make_prior.py, not by hand. What
each term is: `calibration.terms`. A module and not a data file: nothing in this room opens files.
"""

from __future__ import annotations

import numpy as np

from powderkeg.engine.calibration.pooling import PretrainedWeights

SHIPPED = PretrainedWeights(
    market="{market}",
    since={since_us},  # {since}
    until={until_us},  # {until}
    reports={reports:.4g},
    level={level:.4g},
    variance={variance:.4g},
    strength={strength:.4g},
    version={version},
    weights=np.array([
{rows}
    ]),
)  # fmt: skip
'''


def written(found: PretrainedWeights) -> str:
    """Return the module that holds a prior."""
    texts = [f"{x:.4g}," for x in found.weights.tolist()]
    rows = [" ".join(texts[i : i + 8]) for i in range(0, len(texts), 8)]
    since, until = (
        datetime.fromtimestamp(at / 1e6, UTC).date().isoformat()
        for at in (found.since, found.until)
    )
    return HEAD.format(
        market=found.market, since=since, until=until, since_us=found.since, until_us=found.until,
        reports=found.reports, level=found.level, variance=found.variance,
        strength=found.strength, version=found.version,
        rows="\n".join(f"        {row}" for row in rows),
    )  # fmt: skip


def main() -> None:
    """Learn the weights and write them."""
    source = load(ROOT / "tests" / "sources" / f"{SOURCE}.toml")
    known = prior.read(hours.bar_events(source, COIN))
    reported = known.numbers[~np.isnan(known.liquidated).any(axis=1)]
    found = prior.learn(known, int(reported[0]), int(reported[-1]) + 1, MARKET)
    OUT.write_text(written(found), encoding="utf-8")
    print(f"{found.reports:.0f} effective reports, level spread {found.level:.2f}")


if __name__ == "__main__":
    main()
