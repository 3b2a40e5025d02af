"""Pin every dependency with its hashes, without the address of any index."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = {
    "run": ["pyproject.toml", "--excludes", "requirements/excluded.txt"],
    "dev": ["pyproject.toml", "--group", "dev"],
    "build": ["--group", "build"],
    "node": ["--group", "node"],
}


def main() -> None:
    """Write requirements/*.txt with uv, which must be installed."""
    for name, what in FILES.items():
        command = [
            sys.executable, "-m", "uv", "pip", "compile", "-q", "--universal",
            "--generate-hashes", "--no-emit-index-url", "--no-header",
            "--python-version", "3.11", *what, "-o", f"requirements/{name}.txt",
        ]  # fmt: skip
        subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603  our own words


if __name__ == "__main__":
    main()
