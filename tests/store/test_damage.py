"""Whatever of a store is damaged, it opens, nothing is lost in silence, and it is mended."""

from __future__ import annotations

import shutil
import sqlite3
from types import SimpleNamespace

import pytest

from powderkeg.desk import Desk
from powderkeg.events import HOUR, SECOND
from powderkeg.feed.decoder import Feed
from powderkeg.frames import Frame
from powderkeg.history.snapshots import digest
from powderkeg.live.maintenance import SegmentBuilder, StoreMaintenance, resume, save
from powderkeg.settings import Settings
from powderkeg.store.check import check
from powderkeg.store.folder import Store
from powderkeg.store.forecasts import ForecastArchive, Row
from powderkeg.store.repair import repair

from . import made

FRAMES = 500


def fresh():
    return Feed({"BTC": Desk("BTC", Settings(draw=SECOND, flush=SECOND))})


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return a store as a kill leaves it: a sealed hour, a journal, snapshots, forecasts, a log."""
    live, copy = tmp_path_factory.mktemp("live"), tmp_path_factory.mktemp("whole") / "store"
    store, feed, batches = Store(live), fresh(), made.market(7, FRAMES)
    for n, batch in enumerate(batches):
        store.append(batch)
        feed.process(batch)
        if n in (len(batches) // 2, len(batches) * 3 // 4):
            save(store, feed)
        if n == len(batches) // 3:
            store.seal(made.T0, SegmentBuilder())
    rows = [Row("a:b", made.T0 // HOUR + n, 4, [[1.0, 2.0]] * 8) for n in range(4)]
    store.forecasts.append(rows)
    shutil.copytree(live, copy)
    store.close()
    return SimpleNamespace(folder=copy, last=store.last, digest=digest(feed.desks["BTC"]))


def truncated(raw):
    return raw[: len(raw) * 2 // 3]


def flipped(raw):
    at = len(raw) // 2
    return raw[:at] + bytes([raw[at] ^ 0x10]) + raw[at + 1 :]


def emptied(_):
    return b""


def garbage(raw):
    return b"neither a frame nor a page. " * (len(raw) // 28 + 1)


def of_file(pattern):
    """Return what damages the first file of a pattern."""

    def hurt(folder, how):
        path = min(folder.glob(pattern))
        path.write_bytes(how(path.read_bytes()))

    return hurt


def database(folder, how):
    with sqlite3.connect(folder / "meta.db") as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    for end in ("-wal", "-shm"):
        (folder / f"meta.db{end}").unlink(missing_ok=True)
    of_file("meta.db")(folder, how)


def of_blob(table, where):
    """Return what damages one BLOB and leaves its table whole."""

    def hurt(folder, how):
        with sqlite3.connect(folder / "meta.db") as db:
            (key, blob) = db.execute(f"SELECT rowid, blob FROM {table} {where}").fetchone()  # noqa: S608
            db.execute(f"UPDATE {table} SET blob=? WHERE rowid=?", (how(blob), key))  # noqa: S608
        db.close()

    return hurt


THINGS = {
    "sealed frames": of_file("segments/frames/*/*/*.frames"),
    "sealed events": of_file("segments/trades/*/*/*.parquet"),
    "database": database,
    "log of the database": of_file("meta.db-wal"),
    "batch of the journal": of_blob("journal", "ORDER BY last DESC LIMIT 1 OFFSET 3"),
    "snapshot": of_blob("snapshots", "WHERE part='desks'"),
    "archive": of_file("proofs-*.log"),
    "lock": of_file("lock"),
}
WAYS = [truncated, flipped, emptied, garbage]


def numbers(store):
    return [frame.seq for batch in store.read(0, [].append) for frame in batch]


def keep(store, feed):
    collector = SimpleNamespace(
        recording=True, ready=True, desks={}, feed=feed, status=SimpleNamespace(problems={})
    )
    return StoreMaintenance(store, collector, Settings())


@pytest.mark.parametrize("how", WAYS, ids=lambda how: how.__name__)
@pytest.mark.parametrize("thing", THINGS)
async def test_damage_is_reported_and_costs_neither_the_start_nor_what_is_whole(
    whole, tmp_path, capsys, thing, how
):
    folder = tmp_path / "store"
    shutil.copytree(whole.folder, folder)
    THINGS[thing](folder, how)
    found = check(folder)[0]
    assert all(finding.mend == f"powderkeg store repair {folder}" for finding in found)
    store, feed = Store(folder), fresh()
    reported = [*(finding.what for finding in found), *store.notes, resume(store, feed)]
    kept = numbers(store)
    untouched = thing == "database" and kept == list(range(1, whole.last + 1))  # a page not in use
    assert any(reported) or untouched, "damaged in silence"
    assert kept == sorted(set(kept))
    assert len(kept) > whole.last // 4
    if kept[-1] == whole.last and thing not in ("batch of the journal", "sealed frames"):
        assert digest(feed.desks["BTC"]) == whole.digest
    after = [Frame(store.last + 1, made.T0 + 2 * HOUR, "okx", "", b"{}")]
    store.append(after)
    await keep(store, feed).run_once(snapshot=True)
    assert numbers(store)[-1] == after[0].seq
    store.close()
    capsys.readouterr()
    repair(folder)
    assert check(folder)[0] == []
    mended = Store(folder)
    assert mended.notes == []
    assert numbers(mended)[-1] == after[0].seq
    assert list(ForecastArchive(folder).read()) or (
        thing == "archive" and how in (emptied, garbage)
    )
    mended.close()
