"""Read report by file: rows taken, duplicate, of other markets, unreadable, out of order."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

UNFORESEEN = (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError)
"""What reading a file of an unforeseen form may raise."""
UNREADABLE_FILE = "unreadable file"
_NOTES = 50
"""Maximum number of notes; counts continue."""
_FEW = 0.01
"""Share of rows that may be lost before an exit code says so."""


@dataclass
class FileReport:
    """Rows of one file."""

    taken: int = 0
    duplicate: int = 0
    foreign: int = 0
    """Rows of other markets."""
    unreadable: int = 0
    """Rows that cannot be read, or are impossible."""
    moved: int = 0
    """Rows that were out of order and were sorted."""
    gaps: int = 0
    example: str = ""
    """The first row that was not taken, with its line and reason."""


@dataclass
class ReadReport:
    """Counts of one read: rows kept, rows left out by reason, first notes with file and line."""

    rows: int = 0
    bad: dict[str, int] = field(default_factory=dict[str, int])
    notes: list[str] = field(default_factory=list[str])
    assumed: int = 0
    """Bars whose volume is assumed, see `history.volumes`. They are kept, and counted here."""
    kinds: dict[str, int] = field(default_factory=dict[str, int])
    """Rows kept by kind of series."""
    files: dict[str, FileReport] = field(default_factory=dict[str, FileReport])

    def reject(self, file: str, line: int, reason: str, detail: str, rows: int = 1) -> None:
        """Count rows that were left out, and note the first ones."""
        if reason not in self.bad or len(self.notes) < _NOTES:
            self.notes.append(f"{file}:{line}: {reason}: {detail}")
        self.bad[reason] = self.bad.get(reason, 0) + rows
        tally = self.of(file)
        tally.example = tally.example or f"{line}: {reason}: {detail}"
        if reason.startswith("duplicate"):
            tally.duplicate += rows
        elif reason.startswith("foreign"):
            tally.foreign += rows
        elif not reason.startswith("left out"):
            tally.unreadable += rows

    def of(self, file: str) -> FileReport:
        """Return the tally of a file."""
        return self.files.setdefault(file, FileReport())

    def take(self, file: str, rows: int, kind: str) -> None:
        """Count rows of a kind that were kept."""
        self.rows += rows
        self.kinds[kind] = self.kinds.get(kind, 0) + rows
        self.of(file).taken += rows

    def move(self, file: str, line: int, rows: int) -> None:
        """Count rows that were sorted."""
        tally = self.of(file)
        if not tally.moved and len(self.notes) < _NOTES:
            self.notes.append(f"{file}:{line}: rows out of order: put in place")
        tally.moved += rows

    @property
    def lost(self) -> int:
        """Rows of this market that could not be taken."""
        return sum(tally.unreadable for tally in self.files.values())

    @property
    def code(self) -> int:
        """Exit code: 1 where almost nothing was read, 3 where a file or much of one was lost."""
        if self.rows == 0 or self.lost > self.rows * 9:
            return 1
        whole = not {UNREADABLE_FILE, "unreadable zip entry"}.isdisjoint(self.bad)
        return 3 if whole or self.lost > _FEW * self.rows else 0

    def table(self) -> list[dict[str, Any]]:
        """Return the tallies as rows, with the file's name."""
        return [{"file": name, **asdict(tally)} for name, tally in self.files.items()]
