"""A program to be killed: takes frames into a store and a desk, and says what is safe.

Called with the folder, the seed, the number of frames, and ``honest`` or ``hasty``: the hasty one
says that a batch is safe while it still gathers more of them to store at once.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from made import market

from powderkeg.desk import Desk
from powderkeg.events import SECOND
from powderkeg.feed.decoder import Feed
from powderkeg.history.snapshots import digest
from powderkeg.live.maintenance import resume, save
from powderkeg.settings import Settings
from powderkeg.store.folder import Store

SAVE = 7
"""Batches between snapshots."""
LATE = 20
"""Batches the hasty one gathers."""


say = partial(print, flush=True)


def main(folder, seed, frames, manner):
    store = Store(Path(folder))
    feed = Feed({"BTC": Desk("BTC", Settings(draw=SECOND, flush=SECOND))})
    why = resume(store, feed)
    say("resumed", store.last, feed.seq, why or "whole")
    batches = [b for b in market(int(seed), int(frames)) if b[-1].seq > store.last]
    gathered = []
    for n, batch in enumerate(batches):
        gathered.append(batch)
        if manner == "honest" or len(gathered) == LATE or batch is batches[-1]:
            for each in gathered:
                store.append(each)
            gathered.clear()
        say("safe", batch[-1].seq)
        feed.process(batch)
        if n % SAVE == 0 and not feed.waiting and not gathered:
            save(store, feed)
    say("done", digest(feed.desks["BTC"]))
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
