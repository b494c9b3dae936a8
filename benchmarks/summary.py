"""Writes the README's results from ``benchmarks/results``, so that its numbers are the measured ones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.common import RESULTS
from benchmarks.origin import remark
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
from benchmarks.sections.measures import bytes_, cost, known, memory, resume, ruler, speed
from benchmarks.sections.pictures import committees, images, pairs, stacked
from benchmarks.sections.tables import groups, materials, privacy, smalltables, tables

README = Path(__file__).parents[1] / "README.md"
MARK = re.compile(r"(<!-- results -->\n).*?(<!-- end of results -->)", flags=re.S)

SECTIONS: dict[str, Callable[[dict[str, Any]], str]] = {
    "modes": modes, "closeness": closeness, "real": real, "cost": cost, "resume": resume,
    "bytes": bytes_, "ruler": ruler, "known": known, "hard": hard, "speed": speed,
    "quality": quality, "memory": memory, "tables": tables, "groups": groups,
    "images": images, "stacked": stacked, "pairs": pairs, "committees": committees, "minority": minority, "privacy": privacy, "smalltables": smalltables, "materials": materials,
    "labels": labels, "outliers": outliers, "smoothness": smoothness,
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
    return "\n\n".join(parts) + "\n"


def main() -> None:
    text = README.read_text()
    README.write_text(MARK.sub(lambda m: m.group(1) + written() + m.group(2), text))


if __name__ == "__main__":
    main()
