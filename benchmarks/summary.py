"""Writes the pages of results and the verdicts on claims from ``benchmarks/results``."""

from __future__ import annotations

import json
import pkgutil
import re
from importlib import import_module
from pathlib import Path

import benchmarks
from benchmarks.claims import counts, results, verdicts
from benchmarks.common import RESULTS
from benchmarks.origin import remark
from benchmarks.page import Found, Section, table

README = Path(__file__).parents[1] / "README.md"
THEORY, PAGE = (README.parent / "docs" / name for name in ("theory.md", "results.md"))
CLAIMS = re.compile(r"(<!-- claims -->\n).*?(<!-- end of claims -->)", flags=re.S)
HEADLINE = re.compile(r"(<!-- headline -->\n).*?(<!-- end of headline -->)", flags=re.S)
MARK = re.compile(r"(<!-- results -->\n).*?(<!-- end of results -->)", flags=re.S)


def sections() -> dict[str, Section]:
    """Return the section of every benchmark in this folder, in the order of the page."""
    names = [found.name for found in pkgutil.iter_modules(benchmarks.__path__)]
    told = {name: getattr(import_module(f"benchmarks.{name}"), "SECTION", None) for name in names}
    found = [(name, section) for name, section in told.items() if isinstance(section, Section)]
    return dict(sorted(found, key=lambda item: item[1].place))


def written() -> str:
    """Return the section of every result there is."""
    parts = []
    for name, section in sections().items():
        if (RESULTS / f"{name}.json").exists():
            found = read(name)
            old = remark(name, found)
            parts.append(section.text(found) + f"\n\n{old}" * bool(old))
    every = "\n\n".join(parts) + "\n"
    return every.replace("](benchmarks/", "](../benchmarks/").replace("](docs/", "](")


def first() -> str:
    """Return the rows of README, and what of them is older than the code."""
    rows = [(name, section.row) for name, section in sections().items() if section.row]
    rows.sort(key=lambda item: item[1].place)
    needed = [(row, (name, *row.beside)) for name, row in rows]
    found = {name: read(name) for _, names in needed for name in names}
    told = table(
        ["", "Surveyor", "for comparison"],
        [row.cells(*(found[name] for name in names)) for row, names in needed],
    )
    old = [name for name in found if remark(name, found[name])]
    note = f"\n\n*The code has changed since these were measured: {', '.join(old)}.*" * bool(old)
    return f"Two cores, no GPU.\n\n{told}{note}\n"


def read(name: str) -> Found:
    """Return what benchmark ``name`` found."""
    found: Found = json.loads((RESULTS / f"{name}.json").read_text())
    return found


def main() -> None:
    found = results()
    for path, mark, told in (
        (PAGE, MARK, written()),
        (README, HEADLINE, first()),
        (README, CLAIMS, counts(found)),
        (THEORY, CLAIMS, verdicts(found)),
    ):
        path.write_text(between(mark, path.read_text(), told))


def between(mark: re.Pattern[str], text: str, told: str) -> str:
    """Return ``text`` with ``told`` between its marks."""
    return mark.sub(lambda m: m.group(1) + told + m.group(2), text)


if __name__ == "__main__":
    main()
