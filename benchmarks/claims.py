"""The claims of the theory, each on five seeds: a file a claim in ``results/claims``, and its verdict."""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from benchmarks.common import RESULTS, console
from benchmarks.origin import origin
from benchmarks.page import table
from surveyor.claims import Outcome, Part, Verdict, claims, code_of, find, judge
from surveyor.claims.gallery import (
    entry_of,
    key_figure,
    outcome_of,
    part_sentence,
    verdict_sentence,
    with_verdicts,
    write,
)

PLACE = RESULTS / "claims"
Found = dict[str, tuple[Outcome, dict[str, Any]]]
SAID: dict[Verdict, tuple[str, str]] = {
    "holds": ("holds", "hold"),
    "holds under conditions": ("holds under a condition", "hold under conditions"),
    "holds in part": ("holds in part", "hold in part"),
    "does not hold": ("does not hold", "do not hold"),
}
OPEN = "not yet measured on five seeds"
ALIGNED = "| --- | ---: | ---: | ---: | ---: |", "| ---: | --- | --- | ---: | --- |"


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("names", nargs="*", help="all of them where none is named")
    asked.add_argument(
        "--count", type=int, help="of seeds, from 1 on; a claim's own where not given"
    )
    asked.add_argument("--gallery", type=Path, help="folder of pages to write as well")
    asked.add_argument(
        "--judge", action="store_true", help="run nothing: judge the kept figures anew"
    )
    given = asked.parse_args()
    PLACE.mkdir(parents=True, exist_ok=True)
    if given.judge:
        rejudged()
        return
    for name in map(find, given.names or claims()):
        claim = claims()[name]
        outcome, found = judge(name, processes=os.cpu_count() or 1, count=given.count)
        measured = origin("claims") | {"code": outcome.code}
        keep(outcome, measured)
        if given.gallery:
            write(given.gallery, outcome, found)
        console.print(f"{name}: {verdict_sentence(outcome, claim)}", highlight=False)
        console.print(f"  {key_figure(outcome, claim)}; {outcome.seconds:.0f} s", highlight=False)


def rejudged() -> None:
    """Write the kept results with the verdicts of today, and what they were measured with as it was."""
    for path in sorted(PLACE.glob("*.json")):
        kept = json.loads(path.read_text())
        keep(outcome_of(kept, path.stem), kept["measured"])


def keep(outcome: Outcome, measured: dict[str, Any]) -> None:
    whole = {"measured": measured, **entry_of(outcome, claims()[outcome.name])}
    (PLACE / f"{outcome.name}.json").write_text(json.dumps(whole, indent=1) + "\n")


def results() -> Found:
    """Return each claim's outcome, and where it was measured.

    Raises:
        ValueError: a file is older than what it was measured with, or its verdicts are.
    """
    found: Found = {}
    for name, claim in claims().items():
        path = PLACE / f"{name}.json"
        if not path.exists():
            continue
        kept = json.loads(path.read_text())
        outcome = outcome_of(kept, name)
        now = entry_of(outcome, claim) | {"code": code_of(claim)}
        if any(kept[key] != now[key] for key in ("code", "verdict", "parts", "findings")):
            raise ValueError(
                f"{path.name}: older than the claim; run `python -m benchmarks.claims {name}`, or "
                "`python -m benchmarks.claims --judge` where its statements alone have changed"
            )
        found[name] = outcome, kept["measured"]
    return found


def counts(found: Found) -> str:
    """Return the sentence of README that counts the verdicts on all seeds."""
    every = claims()
    whole = [o for o, _ in found.values() if len(o.seeds) >= every[o.name].seeds]
    by = Counter(every[outcome.name].verdict(outcome.figures) for outcome in whole)
    parts = [f"{by[v]} {said[by[v] > 1]}" for v, said in SAID.items() if by[v]]
    left = len(every) - len(whole)
    parts += [f"{left} {'are' if left > 1 else 'is'} {OPEN}"] * (left > 0)
    return (
        f"Of {len(every)} claims "
        + " and ".join([", ".join(parts[:-1]), parts[-1]][not parts[:-1] :])
        + ".\n"
    )


def verdicts(found: Found) -> str:
    """Return the section of docs/theory.md that lists the verdicts."""
    every = claims()
    rows = []
    for name, claim in every.items():
        number = str(int(name[1:3]))
        if name not in found:
            rows.append([number, claim.title, OPEN, "", ""])
            continue
        outcome, _ = found[name]
        rows.append([
            number, claim.title,
            claim.verdict(outcome.figures) + ", so far" * (len(outcome.seeds) < claim.seeds),
            str(len(outcome.seeds)), key_figure(outcome, claim),
        ])  # fmt: skip
    places = sorted(
        {f"{m['commit']}, {m['date']}, {m['machine']['processor']}" for _, m in found.values()}
    )
    parts = [
        "Figures are medians over seeds, with minimum and maximum; a statement holds if it does on every "
        f"seed. Measured at {'; '.join(places)}.",
        table(["", "claim", "verdict", "seeds", "main figure"], rows).replace(*ALIGNED),
        "The statements of the claims that do not simply hold:",
        _listed(
            {k: v for k, v in found.items() if every[k].verdict(v[0].figures) != "holds"}, "parts"
        ),
        "Further findings, judged in the same way:",
        _listed(found, "findings"),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _listed(found: Found, what: Literal["parts", "findings"]) -> str:
    lines = []
    for name, (outcome, _) in found.items():
        parts: Sequence[Part] = getattr(claims()[name], what)
        judgement = "; ".join(part_sentence(*each) for each in with_verdicts(parts, outcome))
        lines += [f"- **{int(name[1:3])}** {judgement}."] * bool(parts)
    return "\n".join(lines)


if __name__ == "__main__":
    main()
