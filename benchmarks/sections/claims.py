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

PLACE = RESULTS / "claims"
Found = dict[str, tuple[Outcome, dict[str, Any]]]
SAID: dict[Verdict, tuple[str, str]] = {
    "holds": ("holds", "hold"),
    "holds under conditions": ("holds under a condition", "hold under conditions"),
    "holds in part": ("holds in part", "hold in part"),
    "does not hold": ("does not hold", "do not hold"),
}
OPEN = "not yet measured on five seeds"


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
        now = {part.says: verdict for part, verdict in judged(claim.parts, outcome)}
        if outcome.code != code_of(claim) or (told["verdict"], told["parts"]) != (
            claim.verdict(outcome.figures),
            now,
        ):
            raise ValueError(
                f"{path.name}: older than the claim; run `python -m benchmarks.claims {name}`"
            )
        found[name] = outcome, told["measured"]
    return found


def counts(found: Found) -> str:
    """Return the sentence of README that counts the verdicts."""
    every = claims()
    by = Counter(every[name].verdict(outcome.figures) for name, (outcome, _) in found.items())
    told = [f"{by[v]} {said[by[v] > 1]}" for v, said in SAID.items() if by[v]]
    left = len(every) - len(found)
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
            number, claim.title, claim.verdict(outcome.figures), str(len(outcome.seeds)),
            headline(outcome, claim),
        ])  # fmt: skip
    places = sorted(
        {f"{m['commit']}, {m['date']}, {m['machine']['processor']}" for _, m in found.values()}
    )
    told = [
        "Medians over seeds, and the least and the largest; a verdict is one on every seed. Measured at "
        f"{'; '.join(places)}, in {sum(o.seconds for o, _ in found.values()) / 60:.0f} minutes.",
        table(["", "claim", "verdict", "seeds", "a figure"], rows),
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
