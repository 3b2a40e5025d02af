"""Killed at any moment, nothing that was said to be safe is lost, and the desks are as if never."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from powderkeg.store.check import check
from powderkeg.store.folder import Store
from powderkeg.store.repair import repair

from . import keeper
from .made import market

CHILD = Path(__file__).parent / "child.py"
KEEPER = Path(__file__).parent / "keeper.py"
SEED, FRAMES = 11, 4500
PATIENCE = 240
"""Seconds in which a program comes to its end, on a machine that does much else."""
MOST_HEARD = 25
"""Lines after which it is killed at the latest: it gets on however slow the machine is."""


class Child:
    """One life of the program."""

    def __init__(self, folder, frames=FRAMES, manner="honest"):
        self.process = subprocess.Popen(
            [sys.executable, str(CHILD), str(folder), str(SEED), str(frames), manner],
            stdout=subprocess.PIPE,
            text=True,
        )

    def kill_after(self, lines, seconds):
        """Kill it so long after it said so many lines; return all it said."""
        first = "".join(self.process.stdout.readline() for _ in range(lines))
        time.sleep(seconds)
        self.process.kill()
        return first + self.end()

    def end(self):
        """Return all that it still says, until it ends by itself or was killed."""
        rest, _ = self.process.communicate(timeout=PATIENCE)
        return rest


def lines(said):
    """Return the whole lines of a killed program; its last may be cut."""
    return [line.split() for line in said.splitlines(keepends=True) if line.endswith("\n")]


def safe(said):
    return max((int(words[1]) for words in lines(said) if words[0] == "safe"), default=0)


def numbers(folder):
    store = Store(folder)
    kept = [frame for batch in store.read() for frame in batch]
    store.close()
    return kept


@pytest.mark.timeout(4 * PATIENCE)
@pytest.mark.parametrize(
    ("kills", "frames"), [(5, 1500), pytest.param(20, FRAMES, marks=pytest.mark.slow)]
)
def test_after_kills_every_acknowledged_frame_is_there_and_the_desk_the_same(
    tmp_path, kills, frames
):
    chance = random.Random(SEED)
    folder, promised, resumed = tmp_path / "killed", 0, []
    for n in range(kills):
        child = Child(folder, frames)
        # Every fifth while it starts, the others at work: the first line says what it goes on with.
        heard = 0 if n % 5 == 4 else 1 + chance.randrange(MOST_HEARD)
        said = child.kill_after(heard, chance.uniform(0.0, 0.01 if heard else 1.5))
        resumed += [words for words in lines(said) if words[0] == "resumed"]
        promised = max(promised, safe(said))
        if folder.exists():
            kept = [frame.seq for frame in numbers(folder)]
            assert kept == list(range(1, len(kept) + 1))
            assert len(kept) >= promised
    assert promised > 100, "it was never killed at work"
    assert {words[3] for words in resumed} == {"whole"}
    last = Child(folder, frames).end().splitlines()
    unkilled = Child(tmp_path / "unkilled", frames).end().splitlines()
    assert last[-1].startswith("done")
    assert last[-1] == unkilled[-1]
    sent = [frame for batch in market(SEED, frames) for frame in batch]
    assert numbers(folder) == numbers(tmp_path / "unkilled") == sent


@pytest.mark.slow
def test_a_program_that_promises_too_early_is_found_out(tmp_path):
    broken = 0
    for n in range(8):
        folder = tmp_path / f"hasty{n}"
        said = Child(folder, manner="hasty").kill_after(2 + n, 0.0)
        kept = numbers(folder) if folder.exists() else []
        broken += len(kept) < safe(said)
        if broken:
            break
    assert broken


# -- killed while it seals, prunes, and keeps snapshots and forecasts

TIMES = int(os.environ.get("POWDERKEG_KILLS", "5"))


def killed(folder, seed, batches, seconds):
    """Run the keeper, kill it so long after it stored so many batches; return all it said."""
    process = subprocess.Popen(
        [sys.executable, str(KEEPER), str(folder), str(seed)], stdout=subprocess.PIPE, text=True
    )
    said = "".join(process.stdout.readline() for _ in range(batches + 1))
    time.sleep(seconds)
    process.kill()
    rest, _ = process.communicate(timeout=PATIENCE)
    return said + rest


@pytest.mark.timeout(PATIENCE * (1 + TIMES))
def test_killed_in_the_middle_of_its_housekeeping_it_loses_no_acknowledged_frame(tmp_path):
    """POWDERKEG_KILLS sets how often."""
    chance = random.Random(SEED)
    promised = sealed = 0
    for n in range(TIMES):
        said = killed(tmp_path, n, chance.randrange(150), chance.uniform(0.0, 0.03))
        (opening,) = [words for words in lines(said) if words[0] == "open"]
        assert opening == ["open", str(opening[1])], "something was told to be lost"
        promised = max(promised, safe(said))
        store = Store(tmp_path)
        kept = [frame for batch in store.read() for frame in batch]
        assert store.notes == []
        assert store.log.holes() == []
        sealed = max(sealed, len(list(tmp_path.rglob("*.frames"))))
        first = kept[0].seq if kept else store.last + 1
        assert [frame.seq for frame in kept] == list(range(first, store.last + 1))
        assert all(frame.raw == keeper.raw(frame.seq) for frame in kept)
        assert store.last >= promised
        store.close()
        left = [each.what for each in check(tmp_path)[0]]
        assert set(left) <= {"it is not in the list of sealed files"}
    assert promised > 100, "it was never killed at work"
    assert sealed
    assert first > 1, "nothing was pruned"
    repair(tmp_path)
    assert check(tmp_path) == ([], [])
