"""The layers hold: no room imports a room above it, and no two modules import each other."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]


def test_no_room_imports_a_room_above_it():
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def cycles(graph: grimp.ImportGraph) -> list[set[str]]:
    """Return the groups of modules that import each other, in one step or in several."""
    found: list[set[str]] = []
    for module in sorted(graph.modules - set().union(*found)):
        if any(module in group for group in found):
            continue
        below = graph.find_downstream_modules(module)
        group = {module} | (below & graph.find_upstream_modules(module))
        if len(group) > 1:
            found.append(group)
    return found


def test_no_modules_import_each_other_not_even_for_types():
    assert cycles(grimp.build_graph("powderkeg", exclude_type_checking_imports=False)) == []


def test_a_cycle_is_found():
    graph = grimp.ImportGraph()
    for one, other in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")):
        graph.add_import(importer=one, imported=other)
    assert cycles(graph) == [{"a", "b", "c"}]


def test_the_picture_of_the_layers_is_that_of_the_contract():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = [
        {room.strip() for room in layer.split("|")} for layer in contracts["contracts"][0]["layers"]
    ]
    page = (ROOT / "docs" / "architecture.md").read_text()
    block = page.split("```text\n")[1].split("```")[0]
    drawn = [set(line.split("  ")[0].replace("|", " ").split()) for line in block.splitlines()]
    assert drawn == layers


OTHERS = {"book", "carry", "self", "steering", "conditions"}
"""What else has a method `apply`."""


def test_events_reach_desks_in_one_place():
    package = ROOT / "src" / "powderkeg"
    owners = {
        (path.relative_to(package).as_posix(), ast.unparse(node.func.value).split(".")[-1])
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "apply"
    }
    assert {path for path, owner in owners if owner not in OTHERS} == {"feed/drive.py"}
