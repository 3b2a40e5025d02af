"""Writes what the page knows of venues: names and colours, from what each venue declares."""

from __future__ import annotations

from pathlib import Path

import msgspec

from powderkeg.venues import VENUES

PATH = Path(__file__).parents[1] / "web" / "src" / "lib" / "venues.json"


def text() -> str:
    """Return the file."""
    rows = {
        name: {"label": spec.label, "dark": spec.dark, "light": spec.light}
        for name, spec in VENUES.items()
    }
    return msgspec.json.format(msgspec.json.encode(rows), indent=2).decode() + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
