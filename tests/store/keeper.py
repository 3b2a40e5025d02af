"""A program to be killed: appends, and beside it seals, keeps snapshots and forecasts, and prunes.

Called with the folder and a seed. It says which number is safe after each batch.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from functools import partial
from pathlib import Path

from powderkeg.events import HOUR, Trade
from powderkeg.frames import Frame
from powderkeg.store.folder import Store
from powderkeg.store.forecasts import Row

T0 = 1_767_225_600_000_000
BUDGET = 400_000
"""Bytes: some dozen hours."""
AHEAD = 4
"""Hours that may wait to be sealed: a kill is to meet each kind of work."""
STEP = HOUR // 5
"""µs from batch to batch: an hour is over after five."""

say = partial(print, flush=True)


def raw(seq):
    """Return what a frame of that number holds."""
    return random.Random(seq).randbytes(700)


def gather(frames, columns):
    for batch in frames():
        for each in batch:
            columns.add(
                Trade("okx:X", each.received_time, each.received_time, 1.5, float(each.seq), "buy")
            )


def look(store, at):
    """Do what is due at `at` (µs), as the housekeeping does."""
    for hour in store.ready(at):
        store.seal(hour, gather)
    store.states.save("desks", store.last, raw(store.last) * 50)
    store.forecasts.append([Row("okx:X", at // HOUR, 4, [[1.0, 2.0]] * 8)])
    store.prune(BUDGET)


def main(folder, seed):
    store, chance = Store(Path(folder)), random.Random(int(seed))
    say("open", store.last, *store.notes)
    at = [T0 + store.last * STEP // 6]

    def beside():
        store.forecasts.open_tail()
        while True:
            look(store, at[0])

    threading.Thread(target=beside, daemon=True).start()
    while True:
        first = store.last + 1
        numbers = range(first, first + chance.randint(1, 9))
        store.append([Frame(n, at[0], "okx", "", raw(n)) for n in numbers])
        say("safe", numbers[-1])
        at[0] += STEP
        while len(store.ready(at[0])) > AHEAD:
            time.sleep(0.001)


if __name__ == "__main__":
    main(*sys.argv[1:])
