"""Memory that large work took is the system's again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import threading
from powderkeg.live.memory import release_memory

def held():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

def work():
    small = [bytes(1000) for _ in range(200_000)]
    kept.append(small[-1])  # at the end of the heap: what is below it is kept for later

kept, before = [], held()
thread = threading.Thread(target=work)
thread.start()
thread.join()
release_memory()
print(held() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the kernel tells no memory here")
def test_what_was_freed_is_given_back():
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert int(ran.stdout) < 30e6


APART = """
from powderkeg.live.memory import LARGE, map_large_blocks

def held():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

map_large_blocks()
bytes(16 * LARGE)  # freed at once: without us, what is smaller lies among the rest from now on
before, kept = held(), []
blocks = []
for _ in range(20):
    blocks.append(bytearray(4 * LARGE))
    kept.append(bytearray(200_000))
blocks.clear()
print(held() - before - 20 * 200_000)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the kernel tells no memory here")
def test_a_large_block_is_given_back_when_it_is_freed():
    ran = subprocess.run([sys.executable, "-c", APART], capture_output=True, text=True, check=True)
    assert int(ran.stdout) < 10e6
