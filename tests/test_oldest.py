"""The lowest versions of libraries: those tested are those that the metadata allow."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]
TOOLS = ("pytest", "pytest-randomly", "pytest-xdist")


def test_the_lowest_versions_tested_are_the_lowest_allowed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [Requirement(line) for line in project["dependencies"]]
    wanted += [
        r for r in map(Requirement, project["optional-dependencies"]["dev"]) if r.name in TOOLS
    ]
    lowest = {r.name.lower(): Version(s.version) for r in wanted for s in r.specifier}
    assert all([s.operator for s in r.specifier] == [">="] for r in wanted)
    lines = (ROOT / "constraints-oldest.txt").read_text().split()
    tested = {name.lower(): Version(v) for name, _, v in (line.partition("==") for line in lines)}
    assert tested == lowest
