"""Writes the pages of results and the verdicts on claims from ``benchmarks/results``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.common import RESULTS
from benchmarks.origin import remark
from benchmarks.sections.claims import counts, results, verdicts
from benchmarks.sections.generators import (
    closeness,
    hard,
    labels,
    minority,
    modes,
    outliers,
    quality,
    real,
    smoothness,
)
from benchmarks.sections.headline import NAMES, headline
from benchmarks.sections.measures import bytes_, cost, known, memory, mutants, resume, ruler, speed
from benchmarks.sections.pictures import committees, images, pairs, stacked
from benchmarks.sections.tables import groups, materials, privacy, smalltables, tables

README = Path(__file__).parents[1] / "README.md"
THEORY, PAGE = (README.parent / "docs" / name for name in ("theory.md", "results.md"))
CLAIMS = re.compile(r"(<!-- claims -->\n).*?(<!-- end of claims -->)", flags=re.S)
HEADLINE = re.compile(r"(<!-- headline -->\n).*?(<!-- end of headline -->)", flags=re.S)
MARK = re.compile(r"(<!-- results -->\n).*?(<!-- end of results -->)", flags=re.S)

SECTIONS: dict[str, Callable[[dict[str, Any]], str]] = {
    "modes": modes, "closeness": closeness, "real": real, "cost": cost, "resume": resume,
    "bytes": bytes_, "ruler": ruler, "known": known, "hard": hard, "speed": speed,
    "quality": quality, "memory": memory, "tables": tables, "groups": groups,
    "images": images, "stacked": stacked, "pairs": pairs, "committees": committees, "minority": minority, "privacy": privacy, "smalltables": smalltables, "materials": materials,
    "labels": labels, "outliers": outliers, "smoothness": smoothness, "mutants": mutants,
}  # fmt: skip


def written() -> str:
    """Return the section of every result there is."""
    parts = []
    for name, section in SECTIONS.items():
        path = RESULTS / f"{name}.json"
        if path.exists():
            found = json.loads(path.read_text())
            old = remark(name, found)
            parts.append(section(found) + f"\n\n{old}" * bool(old))
    every = "\n\n".join(parts) + "\n"
    return every.replace("](benchmarks/", "](../benchmarks/").replace("](docs/", "](")


def first() -> str:
    """Return the rows of README, and what of them is older than the code."""
    found = {name: json.loads((RESULTS / f"{name}.json").read_text()) for name in NAMES}
    old = [name for name in NAMES if remark(name, found[name])]
    note = f"\n\n*The code has changed since these were measured: {', '.join(old)}.*" * bool(old)
    return headline(found) + note + "\n"


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
