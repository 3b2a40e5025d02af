"""``store``: check and repair recordings; their default folder and size limit."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

import msgspec
import typer

from powderkeg.errors import ConfigError
from powderkeg.store.check import check as check_store
from powderkeg.store.repair import repair as repair_store

DISK: Final = "20GB"
_UNITS: Final = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
Folder: TypeAlias = Annotated[
    Path | None, typer.Argument(help="Folder recorded in.", envvar="POWDERKEG_STORE")
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]
app = typer.Typer(no_args_is_help=True)


def home() -> Path:
    """Return the default folder of recordings."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "powderkeg"


def parse_size(text: str) -> int:
    """Return an amount such as ``500MB`` as bytes; units are powers of ten.

    Raises:
        ConfigError: It is not a size.
    """
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)\s*([KMGT]?B?)", text.strip().upper(), re.ASCII)
    unit = found and _UNITS.get(
        found[2] if found[2].endswith("B") or not found[2] else found[2] + "B"
    )
    if not found or not unit or float(found[1]) <= 0:
        raise ConfigError(f"expected an amount such as 500MB or 20GB, found {text!r}")
    return round(float(found[1]) * unit)


@app.command()
def check(folder: Folder = None, as_json: Json = False) -> None:
    """Verify all checksums and frame numbers; nothing is changed. Exit code 1: damaged."""
    place = folder or home()
    found, holes = check_store(place)
    answer = {
        "ok": not found,
        "folder": str(place),
        "findings": [msgspec.to_builtins(each) for each in found],
        "holes": [msgspec.to_builtins(each) for each in holes],
    }
    lines = [f"{each.where}: {each.what}; mended by `{each.mend}`" for each in found]
    lines += [hole.words for hole in holes]
    _print(answer, lines or [f"{place}: everything is whole"], as_json=as_json)
    if found:
        raise SystemExit(1)


@app.command()
def repair(folder: Folder = None, as_json: Json = False) -> None:
    """Repair a damaged recording: keep what is intact, set the rest aside, report the losses."""
    place = folder or home()
    done = repair_store(place)
    lines = done or [f"{place}: nothing was to be mended"]
    _print({"folder": str(place), "done": done}, lines, as_json=as_json)


def _print(answer: dict[str, Any], lines: list[str], *, as_json: bool) -> None:
    print(json.dumps(answer) if as_json else "\n".join(lines))
