"""What README and docs/theory.md say of the claims: the verdicts of ``results/claims``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

from benchmarks.common import RESULTS
from benchmarks.sections.markdown import table
from surveyor.claims import Outcome, Part, Verdict, claims, code_of
from surveyor.claims.gallery import headline, judged, narrowed, read
from surveyor.claims.gallery import told as say

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
        told = json.loads(path.read_text())
        outcome = read(told, name)
        now = say(outcome, claim) | {"code": code_of(claim)}
        if any(told[key] != now[key] for key in ("code", "verdict", "parts", "findings")):
            raise ValueError(
                f"{path.name}: older than the claim; run `python -m benchmarks.claims {name}`, or "
                "`python -m benchmarks.claims --judge` where its statements alone have changed"
            )
        found[name] = outcome, told["measured"]
    return found


def counts(found: Found) -> str:
    """Return the sentence of README that counts the verdicts on all seeds."""
    every = claims()
    whole = [o for o, _ in found.values() if len(o.seeds) >= every[o.name].seeds]
    by = Counter(every[outcome.name].verdict(outcome.figures) for outcome in whole)
    told = [f"{by[v]} {said[by[v] > 1]}" for v, said in SAID.items() if by[v]]
    left = len(every) - len(whole)
    told += [f"{left} {'are' if left > 1 else 'is'} {OPEN}"] * (left > 0)
    return (
        f"Of {len(every)} claims "
        + " and ".join([", ".join(told[:-1]), told[-1]][not told[:-1] :])
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
            str(len(outcome.seeds)), headline(outcome, claim),
        ])  # fmt: skip
    places = sorted(
        {f"{m['commit']}, {m['date']}, {m['machine']['processor']}" for _, m in found.values()}
    )
    told = [
        "Medians over seeds, and the least and the largest; a verdict is one on every seed. Measured at "
        f"{'; '.join(places)}.",
        table(["", "claim", "verdict", "seeds", "a figure"], rows).replace(*ALIGNED),
        "Where a claim does not simply hold, what it states, one by one:",
        _listed(
            {k: v for k, v in found.items() if every[k].verdict(v[0].figures) != "holds"}, "parts"
        ),
        "What was found beside it, or instead, and judged in the same way:",
        _listed(found, "findings"),
    ]
    return "\n\n".join(part for part in told if part) + "\n"


def _listed(found: Found, what: Literal["parts", "findings"]) -> str:
    lines = []
    for name, (outcome, _) in found.items():
        parts: Sequence[Part] = getattr(claims()[name], what)
        told = "; ".join(narrowed(*each) for each in judged(parts, outcome))
        lines += [f"- **{int(name[1:3])}** {told}."] * bool(parts)
    return "\n".join(lines)
