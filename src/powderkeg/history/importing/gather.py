"""Scans folders for data files: each file is recognised, files of one series are grouped."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path, PurePath
from typing import Any, NamedTuple, TypeAlias

import msgspec

from powderkeg.errors import ConfigError, DataError
from powderkeg.history.archive import LAYOUTS, kind_of
from powderkeg.history.importing.head import Peek, is_content, peek
from powderkeg.history.layouts.layout import Ask, Found, Unknown, headless, names_in
from powderkeg.history.layouts.recognise import recognise
from powderkeg.history.series.report import UNFORESEEN
from powderkeg.history.sources import Series, span_of

_MOST = 50_000
"""Maximum number of files scanned."""
_ALL_BELOW = 12
"""Up to so many files with one name except for the date are all opened; of more, a few are."""
_SOME = 5
_NO_DATA = {
    ".py", ".md", ".toml", ".checksum", ".sha256", ".md5", ".png", ".jpg", ".svg", ".html",
    ".ipynb", ".pdf", ".log", ".yml", ".yaml", ".ini", ".cfg", ".sh", ".db-wal", ".db-shm",
}  # fmt: skip
_DATE = re.compile(
    r"20\d\d[-_]?[01]\d(?:[-_]?[0-3]\d)?(?:[T_-]?[0-2]\d[0-5]\d(?:[0-5]\d)?)?|1\d{9,12}"
)
_PRICES = {"trades", "candles", "mark", "wire"}


class Group(NamedTuple):
    """One series, and how it was recognised."""

    series: Series
    forms: tuple[str, ...]
    files: int
    rows: tuple[dict[str, Any], ...]
    """First rows of the first file, by the file's own columns, those used only."""
    notes: tuple[str, ...]

    @property
    def kinds(self) -> set[str]:
        """Return the kinds of events it holds; an archive's files hold several."""
        if self.series.kind != "zip":
            return {self.series.kind}
        kinds = [form.rpartition(": ")[2] for form in self.forms]
        return {name for kind in kinds if kind in LAYOUTS for name, *_ in LAYOUTS[kind].series}


@dataclass
class ScanResult:
    """The result of a scan."""

    root: Path
    groups: list[Group] = field(default_factory=list[Group])
    unknown: dict[str, str] = field(default_factory=dict[str, str])
    """Files that were not recognised, and why."""
    unused: dict[str, str] = field(default_factory=dict[str, str])
    """Files that were recognised but are not usable, and why."""
    skipped: int = 0
    """Number of files that are not data, by their names."""

    def coins(self) -> list[str]:
        """Return the coins of all series, those of most files first."""
        weight: dict[str, int] = {}
        for group in self.groups:
            coin = group.series.coin or _first_coin(group)
            weight[coin] = weight.get(coin, 0) + (group.files if group.series.coin else 0)
        weighted = [coin for coin in weight if weight[coin]] or list(weight)
        return sorted(weighted, key=lambda coin: (-weight[coin], coin))


def _first_coin(group: Group) -> str:
    """Return the coin of the first row, of a series whose rows name their coins."""
    column = group.series.columns.get("coin")
    return next((str(row[column]) for row in group.rows if isinstance(column, str)), "")


def scan(paths: Sequence[Path], ask: Ask, progress: Callable[[int, int], None]) -> ScanResult:
    """Return the series in files and folders.

    Args:
        paths: Files and folders; these recursively, without symbolic links to folders.
        ask: What the user gave, such as the coin.
        progress: Called with the number of files scanned and in total.

    Raises:
        ConfigError: A path is not there, or there are more than 50,000 files.
    """
    whole = [_resolved(path) for path in paths]
    files, skipped = _files(whole)
    root = _root(whole)
    out = ScanResult(root, skipped=skipped)
    merged: dict[bytes, _Members] = {}
    done = 0
    for alike in _alike(files):
        for path, found, head in _recognised(alike, root, ask):
            _assign(out, merged, path.relative_to(root).as_posix(), found, head)
            done += 1
            progress(done, len(files))
    names = {path.relative_to(root).as_posix() for path in files}
    out.groups = [_group(members, names) for members in merged.values()]
    _leave_out_the_coarser(out)
    _leave_out_coins_without_prices(out)
    return out


class _Members(NamedTuple):
    """The files of one series."""

    series: Series
    names: list[str]
    found: list[Found]
    head: Peek | None


def _assign(
    out: ScanResult,
    merged: dict[bytes, _Members],
    name: str,
    found: Found | Unknown,
    head: Peek | None,
) -> None:
    """Add a file to its series, or to the unknown or unused files."""
    if isinstance(found, Unknown):
        out.unknown[name] = found.why
        return
    if not found.series:
        out.unused[name] = found.note
        return
    for each in found.series:
        series = msgspec.structs.replace(each, files=())
        members = merged.setdefault(msgspec.json.encode(series), _Members(series, [], [], head))
        members.names.append(name)
        members.found.append(found)


def _resolved(path: Path) -> Path:
    """Return a path as an absolute path."""
    if not path.exists():
        raise ConfigError(f"{path}: expected a file or a folder, found nothing there")
    return path.resolve()


def _files(paths: Sequence[Path]) -> tuple[list[Path], int]:
    """Return the regular files below paths, by name, and how many are no data."""
    out: list[Path] = []
    skipped = 0
    for path in paths:
        for each in _below(path) if path.is_dir() else (path,):
            if path.is_dir() and not _is_data(each.relative_to(path)):
                skipped += 1
                continue
            out.append(each)
            if len(out) > _MOST:
                raise ConfigError(
                    f"{path}: expected at most {_MOST:,} files, found more: name a folder"
                )
    return sorted(set(out)), skipped


def _below(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder, followlinks=False):
        for name in names:
            path = Path(place) / name
            if path.is_file():  # no pipe, no device, no link that leads nowhere
                yield path


def _is_data(path: PurePath) -> bool:
    return is_content(path.as_posix()) and path.suffix.lower() not in _NO_DATA


def _root(paths: Sequence[Path]) -> Path:
    """Return the folder that holds all paths."""
    folders = [path if path.is_dir() else path.parent for path in paths]
    return Path(os.path.commonpath(folders))


def _alike(files: Iterable[Path]) -> list[list[Path]]:
    """Return files in groups that have one folder and one name but for the date in it."""
    groups: dict[tuple[Path, str], list[Path]] = {}
    for path in files:
        groups.setdefault((path.parent, _DATE.sub("#", path.name)), []).append(path)
    return list(groups.values())


def _recognised(alike: list[Path], root: Path, ask: Ask) -> Iterator[_Recognised]:
    """Yield what each file is; of many alike a few are opened, and all where these differ."""
    step = max(1, len(alike) // _SOME) if len(alike) > _ALL_BELOW else 1
    some = _with_sure_market([(path, *_one(path, root, ask)) for path in alike[::step]])
    first = some[0][1]
    if step > 1 and any(_meaning(found) != _meaning(first) for _, found, _ in some):
        some = _with_sure_market([(path, *_one(path, root, ask)) for path in alike])
    elif step > 1:
        some = [(path, first, some[0][2]) for path in alike]
    yield from some


_Recognised: TypeAlias = tuple[Path, Found | Unknown, Peek | None]


def _with_sure_market(looks: list[_Recognised]) -> list[_Recognised]:
    """Apply the market of files that name it to those of the same name that do not."""
    sure = {f.form: f for _, f, _ in looks if isinstance(f, Found) and f.sure and f.series}
    return [
        (path, sure.get(f.form, f) if isinstance(f, Found) and not f.sure else f, head)
        for path, f, head in looks
    ]


def _meaning(found: Found | Unknown) -> Any:
    if isinstance(found, Unknown):
        return found
    return found.form, [msgspec.structs.replace(each, files=()) for each in found.series]


def _one(path: Path, root: Path, ask: Ask) -> tuple[Found | Unknown, Peek | None]:
    try:
        head = peek(path, root)
        # the name of the root folder may be the only mention of the venue
        named = head._replace(path=Path(root.name) / head.path)
        return recognise(named, ask), head
    except DataError as why:
        return Unknown(str(why.why)), None
    except UNFORESEEN as why:
        return Unknown(f"it cannot be read: {why!r}"), None


def _group(members: _Members, all_names: set[str]) -> Group:
    forms = tuple(dict.fromkeys(found.form for found in members.found))
    notes = tuple(dict.fromkeys(found.note for found in members.found if found.note))
    series = msgspec.structs.replace(members.series, files=globs(members.names, all_names))
    return Group(series, forms, len(members.names), _sample(series, members.head), notes)


def _sample(series: Series, head: Peek | None) -> tuple[dict[str, Any], ...]:
    rows = head.rows[:2] if head else []
    if series.kind == "zip" and head and headless(head):
        names = LAYOUTS[kind_of(Path(head.path))].names
        return tuple(dict(zip(names, row.values(), strict=False)) for row in rows)
    used = {name for column in series.columns.values() for name in names_in(column)}
    used |= {series.time.column} if series.time else set()
    return tuple({k: v for k, v in row.items() if k in used or not used} for row in rows)


def globs(names: Sequence[str], all_names: Iterable[str]) -> tuple[str, ...]:
    """Return globs that match exactly these names; the names themselves where none does."""
    everything = [PurePath(name) for name in all_names]
    by_folder: dict[PurePath, list[str]] = {}
    for name in names:
        by_folder.setdefault(PurePath(name).parent, []).append(PurePath(name).name)
    out: list[str] = []
    for folder, inside in by_folder.items():
        glob = (folder / _pattern(inside)).as_posix()
        meant = {(folder / name).as_posix() for name in inside}
        found = {
            path.as_posix() for path in everything if path.parent == folder and path.match(glob)
        }
        out += [glob] if found == meant else sorted(_escaped(name) for name in meant)
    return tuple(out)


def _pattern(names: list[str]) -> str:
    """Return the common prefix and suffix of names, with a star between."""
    if len(names) == 1:
        return _escaped(names[0])
    start = _common(names)
    end = _common([name[len(start) :][::-1] for name in names])[::-1]
    return f"{_escaped(start)}*{_escaped(end)}"


def _common(names: list[str]) -> str:
    """Return the characters that all names begin with."""
    first, last = min(names), max(names)
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "".join(a for a, _ in alike)


def _escaped(name: str) -> str:
    """Return a name with glob characters escaped in brackets."""
    return re.sub(r"([\[*?])", r"[\1]", name)


def _leave_out_the_coarser(out: ScanResult) -> None:
    """Keep one series of each kind of a market: the shortest bars, else the most files."""
    kept: dict[tuple[str, str], Group] = {}
    for group in sorted(out.groups, key=_fineness):
        series = group.series
        keys = {(series.id, kind) for kind in group.kinds}
        finer = [kept[each] for each in keys if each in kept]
        if (
            series.kind != "wire"
            and finer
            and len(finer) == len(keys)
            and not _other_half(finer[0], group)
        ):
            why = f"{finer[0].forms[0]} of {series.id} has the same data, or finer"
            out.unused |= dict.fromkeys(series.files, why)
        else:
            kept.update((each, group) for each in keys if each not in kept)
    whole = {id(group) for group in kept.values()}
    out.groups = [
        g for g in out.groups if id(g) in whole or g.kinds <= {"wire"} or _halves(g, kept)
    ]


def _other_half(finer: Group, group: Group) -> bool:
    """Return whether two series are rows of one file, separated by the same column."""
    same = (finer.series.files, finer.series.id) == (group.series.files, group.series.id)
    return same and finer.series.where != group.series.where


def _halves(group: Group, kept: dict[tuple[str, str], Group]) -> bool:
    return any(_other_half(each, group) and each.kinds == group.kinds for each in kept.values())


def _fineness(group: Group) -> tuple[int, int]:
    length = group.series.length if group.series.kind != "zip" else span_of("1m")
    return length, -group.files


def _leave_out_coins_without_prices(out: ScanResult) -> None:
    """Where some coins have prices, leave out those that have none: no map can be drawn of them."""
    priced = {group.series.coin for group in out.groups if group.kinds & _PRICES}
    if not priced:
        return
    priced.add("")  # rows of every coin
    without = sorted({group.series.coin for group in out.groups} - priced)
    if without:
        named = ", ".join(without[:8]) + (f" and {len(without) - 8} more" if without[8:] else "")
        out.unused[f"rows of {named}"] = "there are no prices of them here"
    out.groups = [group for group in out.groups if group.series.coin in priced]
