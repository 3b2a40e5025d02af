"""A server of one empty coin with few descriptors, beside work that needs some: for a test.

It prints its address; the work opens as many descriptors as a feed has, and says where it cannot.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys

sys.modules["uvloop"] = None  # what an installation has is the loop of Python

from powderkeg.cli.serve import serve  # noqa: E402
from powderkeg.desk import Desk  # noqa: E402
from powderkeg.live.timekeeping.clock import now  # noqa: E402
from powderkeg.serve.access import connections  # noqa: E402
from powderkeg.serve.session import Session  # noqa: E402
from powderkeg.serve.stream.hub import Hub  # noqa: E402

FEW, NEEDED = 128, 30


async def work() -> None:
    """Open descriptors anew all the time, as sockets to venues that come and go."""
    while True:
        try:
            held = [os.open(os.devnull, os.O_RDONLY) for _ in range(NEEDED)]
        except OSError as why:
            print(f"the feed has no descriptor: {why}", flush=True)  # noqa: T201  the test reads it
            held = []
        await asyncio.sleep(0.05)
        for each in held:
            os.close(each)


connections.ARRIVE = 2.0  # seconds: a fifth, so that no test waits for it
resource.setrlimit(resource.RLIMIT_NOFILE, (FEW, FEW))
session = Session("replay", {"BTC": Desk("BTC")}, now)
serve(session, Hub(session), "127.0.0.1", 0, None, work, json_ready=True)
