"""What contributors are told to run exists, and the hooks run the tools of `make check`."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text()
HOOKS = [
    hook
    for repo in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    for hook in repo["hooks"]
]
CHECKED = re.findall(r"\$\(BIN\)/(\S+)", MAKEFILE.partition("\ncheck:")[2].partition("\n\n")[0])
"""Tools that `make check` runs."""
PAGES = ["CONTRIBUTING.md", "SECURITY.md", ".github/pull_request_template.md"]
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def test_hooks_are_local_and_download_nothing():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    assert {hook["language"] for hook in HOOKS} == {"system"}


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_runs_an_installed_tool_that_make_check_runs_too(hook):
    tool = Path(shlex.split(hook["entry"])[0])
    assert tool.parent == Path(".venv/bin")
    assert (Path(sys.executable).parent / tool.name).is_file()
    assert tool.name in CHECKED


@pytest.mark.parametrize("page", PAGES)
def test_make_targets_and_links_of_a_page_exist(page):
    text = (ROOT / page).read_text()
    targets = re.findall(r"^    make (\w+)|`make (\w+)", text, re.MULTILINE)
    declared = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)[0].split()
    assert [name for found in targets for name in found if name and name not in declared] == []
    links = re.findall(r"\]\((?!http)([^)#]+)", text)
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("form", [f for f in FORMS if f.stem != "config"], ids=lambda f: f.stem)
def test_an_issue_form_has_what_github_demands_of_it(form):
    content = yaml.safe_load(form.read_text())
    assert content["name"]
    assert content["description"]
    asked = [each for each in content["body"] if each["type"] != "markdown"]
    assert len({each["id"] for each in asked}) == len(asked) > 0
    assert all(each["attributes"]["label"] for each in asked)
