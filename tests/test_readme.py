"""The README promises nothing that is not there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
from PIL import Image

from powderkeg.cli.main import app

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MAKEFILE = (ROOT / "Makefile").read_text()


def blocks(text):
    """Return the code of fenced and indented blocks, and what stands in backticks."""
    fenced = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    indented = re.findall(r"(?:^ {4}.*\n)+", text, re.MULTILINE)
    spans = re.findall(r"`([^`\n]+)`", text)
    return "\n".join([*fenced, *indented, *spans])


def commands(text):
    """Return the words of every powderkeg command."""
    code = blocks(text)
    lines = re.findall(r"^(?:\$ )?(?:[A-Z_]+=\S+ )*powderkeg ([^\n|#]*)", code, re.MULTILINE)
    return [shlex.split(line) for line in lines if re.match(r"[a-z-]+( |$)", line)]


def found(words):
    """Return the command that words name and the words after its name."""
    command = typer.main.get_command(app)
    while words and hasattr(command, "commands") and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    return command, words


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_command_shown_exists_with_its_options(page):
    for words in commands(page.read_text()):
        if words[0] == "serves":  # what `powderkeg demo` prints
            continue
        command, rest = found(words)
        assert len(rest) < len(words), f"no such command: powderkeg {' '.join(words)}"
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_make_target_shown_exists(page):
    targets = set(re.findall(r"^(\w+):", MAKEFILE, re.MULTILINE))
    shown = set(re.findall(r"^\s*(?:\$ )?make (\w+)", blocks(page.read_text()), re.MULTILINE))
    assert shown <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_and_picture_leads_somewhere(page):
    text = page.read_text()
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)|src=\"([^\"]+)\"", text)
    inside = [a or b for a, b in links if "://" not in (a or b)]
    assert [link for link in inside if not (page.parent / link).exists()] == []


def test_the_readme_is_read_in_five_minutes():
    assert len(TEXT.splitlines()) <= 120
    assert len(TEXT.split()) <= 700


def test_the_picture_comes_before_any_explanation_and_both_commands_follow():
    picture = TEXT.index("docs/img/desktop.png")
    assert picture < TEXT.index("make run") < TEXT.index("make test") < TEXT.index("## ")


@pytest.mark.parametrize(
    ("name", "size"), [("desktop", (1440, 900)), ("phone", (390, 844)), ("map", (1280, 720))]
)
def test_the_pictures_are_taken_at_the_sizes_we_design_for(name, size):
    with Image.open(ROOT / "docs" / "img" / f"{name}.png") as image:
        width, height = image.size
    assert width % size[0] == 0
    assert (width * size[1], height % size[1]) == (height * size[0], 0)


def test_the_readme_and_the_docs_tell_the_same_figures():
    measured = (ROOT / "docs" / "measured.md").read_text()
    for figure in (
        "81 M",
        "0.38",
        "0.26",
        "230 ms",
        "1.44",
        "0.55",
        "0.314",
        "0.331",
        "0.80",
        "1.83",
    ):
        assert figure in TEXT
        assert figure in measured
