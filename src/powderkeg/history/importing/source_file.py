"""Source files as text: what was recognised, written down so that a person can read and mend it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from powderkeg.history.importing.gather import Group
from powderkeg.history.sources import Column, RatioColumn, Stamp


def source_text(name: str, root: str, groups: Iterable[Group]) -> str:
    """Return a source file.

    Args:
        name: What it is called.
        root: The folder its files are below, relative to where it will stand.
        groups: Its series.
    """
    head = [
        "# Made by `powderkeg import`; docs/sources.md says what each key means.",
        f"name = {_text(name)}",
        f"root = {_text(root)}",
    ]
    return "\n".join([*head, *(line for group in groups for line in _series(group))]) + "\n"


def _series(group: Group) -> list[str]:
    series = group.series
    out = ["", *(f"# {line}" for line in (*group.forms, *group.notes)), "[[series]]"]
    keys: dict[str, Any] = {
        "venue": series.venue,
        "market": series.market,
        "kind": series.kind,
        "coin": series.coin,
        "files": list(series.files),
        "time": _stamp(series.time),
        "columns": {ours: _column(theirs) for ours, theirs in series.columns.items()},
        "unit": series.unit,
        "where": series.where,
        "stamp": series.stamp,
        "span": series.span,
        "names": list(series.names),
    }
    return [*out, *(f"{key} = {value(each)}" for key, each in keys.items() if each)]


def _stamp(time: Stamp | None) -> dict[str, Any]:
    if time is None:
        return {}
    out = {"column": time.column, "means": time.means, "every": time.every}
    return {key: each for key, each in out.items() if each}


def _column(column: Column) -> Any:
    return {"of": column.of, "by": column.by} if isinstance(column, RatioColumn) else column


def value(of: Any) -> str:
    """Return a value as TOML, tables in one line."""
    if isinstance(of, Mapping):
        inner = ", ".join(f"{_key(str(k))} = {value(v)}" for k, v in of.items())
        return f"{{ {inner} }}"
    if isinstance(of, list):
        return _list([value(each) for each in of])
    return _text(of) if isinstance(of, str) else json.dumps(of)


def _list(parts: list[str]) -> str:
    line = f"[{', '.join(parts)}]"
    return line if len(line) <= 90 else "[\n    " + ",\n    ".join(parts) + ",\n]"


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _text(key)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
