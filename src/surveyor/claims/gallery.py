"""The gallery: a page per claim, and an index of the claims with their verdicts."""

from __future__ import annotations

import importlib
import inspect
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args

from surveyor.claims import Claim, Evidence, Outcome, Part, Verdict, claims, code_of
from surveyor.errors import InputError
from surveyor.panels.drawing import svg
from surveyor.panels.style import Figure, styled
from surveyor.report.pages import page
from surveyor.writing import write_bytes

INDEX, RESULTS = "index.html", "results"


def write(folder: Path, outcome: Outcome, found: Evidence) -> Path:
    """Write a claim's page and its result file, rewrite the index, and return the page's path."""
    claim = claims()[outcome.name]
    (folder / RESULTS).mkdir(parents=True, exist_ok=True)
    text = json.dumps(entry_of(outcome, claim), indent=1) + "\n"
    write_bytes(folder / RESULTS / f"{outcome.name}.json", text.encode())
    path = folder / f"{outcome.name}.html"
    made = page(
        "claim.html.j2",
        claim=claim,
        outcome=outcome,
        sentence=verdict_sentence(outcome, claim),
        parts=with_verdicts(claim.parts, outcome),
        findings=with_verdicts(claim.findings, outcome),
        rows=[(name, *outcome.row(name)) for name in outcome.figures[0]],
        picture=picture(claim, found),
        code=inspect.getsource(importlib.import_module(type(claim).__module__)),
    )
    write_bytes(path, made.encode())
    index(folder)
    return path


def index(folder: Path) -> Path:
    """Write the index of all claims, with the results in ``folder``; return its path."""
    every = claims()
    run = {outcome.name: outcome for outcome in outcomes(folder)}
    rows = [
        (
            name,
            claim,
            name in run,
            status(run.get(name), claim),
            key_figure(run[name], claim) if name in run else "",
        )
        for name, claim in every.items()
    ]
    whole = [outcome for outcome in run.values() if not outcome.quick]
    counts = Counter(every[outcome.name].verdict(outcome.figures) for outcome in whole)
    summary = f"Full runs: {', '.join(f'{v} {counts[v]}' for v in get_args(Verdict))}."
    path = folder / INDEX
    write_bytes(path, page("claims.html.j2", rows=rows, summary=summary).encode())
    return path


def outcomes(folder: Path) -> Iterator[Outcome]:
    """Read the results in ``folder``; files named after no claim are ignored.

    Raises:
        InputError: a file is not a valid result.
    """
    known = claims()
    for path in sorted((folder / RESULTS).glob("*.json")):
        if path.stem not in known:
            continue
        try:
            yield outcome_of(json.loads(path.read_bytes()), path.stem)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(
                f"{path}: not a result of this claim ({error}); delete it and run the claim again"
            ) from error


def entry_of(outcome: Outcome, claim: Claim) -> dict[str, Any]:
    """Return an outcome as JSON data, with the verdicts that follow from its figures."""
    return {
        "name": outcome.name,
        "verdict": claim.verdict(outcome.figures),
        "parts": {part.statement: verdict for part, verdict in with_verdicts(claim.parts, outcome)},
        "findings": {
            part.statement: verdict for part, verdict in with_verdicts(claim.findings, outcome)
        },
        "seeds": outcome.seeds,
        "figures": outcome.figures,
        "seconds": outcome.seconds,
        "quick": outcome.quick,
        "code": outcome.code,
    }


def outcome_of(entry: dict[str, Any], name: str) -> Outcome:
    """Return an outcome from JSON data, which is not trusted; stored verdicts are ignored.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: the data are invalid.
    """
    figures = tuple({str(k): float(v) for k, v in row.items()} for row in entry["figures"])
    seeds = tuple(map(int, entry["seeds"]))
    if entry["name"] != name:
        raise ValueError("the name of another claim")
    if not figures or not figures[0] or any(row.keys() != figures[0].keys() for row in figures):
        raise ValueError("different names of figures from seed to seed")
    if len(seeds) != len(figures):
        raise ValueError("not one set of figures per seed")
    outcome = Outcome(
        name, seeds, figures, float(entry["seconds"]), bool(entry["quick"]), str(entry["code"])
    )
    claims()[name].verdict(figures)  # raises KeyError if a figure that it needs is missing
    return outcome


def with_verdicts(parts: Iterable[Part], outcome: Outcome) -> list[tuple[Part, Verdict]]:
    """Return each part with its verdict."""
    return [(part, part.verdict(outcome.figures)) for part in parts]


def picture(claim: Claim, found: Evidence) -> str:
    """Return a claim's picture as a data URI."""
    with styled():
        figure = Figure(figsize=(7.6, 3.4))
        claim.draw(found, figure)
    return svg(figure)


def verdict_sentence(outcome: Outcome, claim: Claim) -> str:
    """Return the verdict as a sentence."""
    of = len(outcome.seeds)
    kept = sum(all(part.met(f) for part in claim.parts) for f in outcome.figures)
    verdicts = with_verdicts(claim.parts, outcome)
    where = [part.where for part, verdict in verdicts if verdict == "holds under conditions"]
    text = {
        "holds": "Holds" + (f" on {of} of {of} seeds." if of > 1 else "."),
        "holds under conditions": f"Holds under conditions: {'; '.join(where)}.",
        "holds in part": f"Holds in part: {'; '.join(part_sentence(*v) for v in verdicts)}.",
        "does not hold": "Does not hold"
        + (f": it held on {kept} of {of} seeds." if of > 1 else "."),
    }[claim.verdict(outcome.figures)]
    return text + (" A quick run, with fewer steps: weak evidence." if outcome.quick else "")


def part_sentence(part: Part, verdict: Verdict) -> str:
    """Return a statement with its verdict, and the condition under which it holds."""
    words = f"holds where {part.where}" if verdict == "holds under conditions" else verdict
    return f"{part.statement} ({words})"


def status(outcome: Outcome | None, claim: Claim) -> str:
    """Return the verdict as shown in the index and by ``surveyor claims``."""
    if outcome is None:
        return "not run"
    marks = [
        mark
        for mark, marked in (
            ("quick run", outcome.quick),
            ("code has changed", outcome.code != code_of(claim)),
        )
        if marked
    ]
    return claim.verdict(outcome.figures) + (f" ({', '.join(marks)})" if marks else "")


def key_figure(outcome: Outcome, claim: Claim) -> str:
    """Return the claim's main figure, with its range over the seeds."""
    known = outcome.figures[0]
    name = claim.headline if claim.headline in known else next(iter(known))
    middle, least, most = outcome.row(name)
    spread = f" ({least:.4g} to {most:.4g})" if len(outcome.figures) > 1 else ""
    return f"{name} {middle:.4g}{spread}"
