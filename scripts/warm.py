"""Compile all kernels, those of the map and those of the simulated market beside each other.

`make` runs it while the page is built, so that the first start has nothing to compile.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from forget_kernels import forget


def market() -> None:
    """Compile the kernels of the simulated market by an hour and a step of it."""
    from powderkeg.sim import SimulatedMarket, World  # noqa: PLC0415  each process compiles its own

    made = SimulatedMarket(World(), 7, 1_767_225_600_000_000)
    made.history(1 / 24)
    made.moment(0.1)


def engine() -> None:
    """Compile the kernels of the map."""
    from powderkeg.serve.startup.warm import warm  # noqa: PLC0415  as above

    warm()


if __name__ == "__main__":
    forget()
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        for job in [pool.submit(engine), pool.submit(market)]:
            job.result()
