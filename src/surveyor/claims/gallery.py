"""Pages of the gallery: a claim each, and an index of what has been run."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import matplotlib as mpl
from matplotlib.figure import Figure

from surveyor.claims import Claim, Evidence, Outcome, Verdict, claims
from surveyor.errors import InputError
from surveyor.report.figures import STYLE, svg
from surveyor.report.pages import page
from surveyor.writing import write_bytes

INDEX, RESULTS = "index.html", "results"


def write(folder: Path, outcome: Outcome, found: Evidence) -> Path:
    """Write a claim's page and its figures, and the index anew; return the page."""
    claim = claims()[outcome.name]
    (folder / RESULTS).mkdir(parents=True, exist_ok=True)
    told = dataclasses.asdict(outcome)
    text = json.dumps(told, indent=1) + "\n"
    write_bytes(folder / RESULTS / f"{outcome.name}.json", text.encode())
    path = folder / f"{outcome.name}.html"
    made = page(
        "claim.html.j2",
        claim=claim,
        outcome=outcome,
        said=sentence(outcome, claim),
        rows=[(name, *outcome.row(name)) for name in outcome.figures[0]],
        picture=picture(claim, found),
        code=inspect.getsource(importlib.import_module(type(claim).__module__)),
    )
    write_bytes(path, made.encode())
    index(folder)
    return path


def index(folder: Path) -> Path:
    """Write the index of the claims whose results are in ``folder``."""
    every = claims()
    run = {outcome.name: outcome for outcome in outcomes(folder)}
    rows = [
        (
            name,
            claim,
            name in run,
            shown(run.get(name)),
            headline(run[name], claim) if name in run else "",
        )
        for name, claim in every.items()
    ]
    counts = Counter(outcome.verdict for outcome in run.values() if not outcome.quick)
    told = f"Run in full: {', '.join(f'{v} {counts[v]}' for v in get_args(Verdict))}."
    path = folder / INDEX
    write_bytes(path, page("claims.html.j2", rows=rows, told=told).encode())
    return path


def outcomes(folder: Path) -> Iterator[Outcome]:
    """Read the results in ``folder``, of the claims that are known.

    Raises:
        InputError: a file there is no result.
    """
    known = claims()
    for path in sorted((folder / RESULTS).glob("*.json")):
        if path.stem not in known:
            continue
        try:
            yield _read(json.loads(path.read_text()), path.stem)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(f"{path}: no result of a claim ({error}); remove it") from error


def _read(told: dict[str, Any], name: str) -> Outcome:
    """Return an outcome from JSON, which anybody may have written.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: it is none.
    """
    figures = tuple({str(k): float(v) for k, v in row.items()} for row in told["figures"])
    verdict = told["verdict"]
    if told["name"] != name or verdict not in get_args(Verdict):
        raise ValueError("of another name, or of no known verdict")
    if not figures or not figures[0] or any(row.keys() != figures[0].keys() for row in figures):
        raise ValueError("its figures differ from seed to seed")
    seeds, held = tuple(map(int, told["seeds"])), tuple(map(bool, told["held"]))
    return Outcome(name, verdict, seeds, held, figures, float(told["seconds"]), bool(told["quick"]))


def picture(claim: Claim, found: Evidence) -> str:
    """Return a claim's picture as a data URI."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.6, 3.4))
        claim.draw(found, figure)
    return svg(figure)


def sentence(outcome: Outcome, claim: Claim) -> str:
    """Return the verdict in words."""
    kept, of = sum(outcome.held), len(outcome.held)
    said = {
        "holds": f"Holds on {of} of {of} seeds." if of > 1 else "Holds.",
        "holds under conditions": f"Holds under conditions: {claim.condition}",
        "does not hold": "Does not hold as stated"
        + (f": on {kept} of {of} seeds it did." if of > 1 else "."),
    }[outcome.verdict]
    return said + (" A quick run, with fewer steps, which says little." if outcome.quick else "")


def shown(outcome: Outcome | None) -> str:
    """Return the verdict as the index and the list show it."""
    if outcome is None:
        return "not run"
    return outcome.verdict + (" (quick run)" if outcome.quick else "")


def headline(outcome: Outcome, claim: Claim) -> str:
    """Return the figure that tells most."""
    known = outcome.figures[0]
    name = claim.tells if claim.tells in known else next(iter(known))
    middle, least, most = outcome.row(name)
    spread = f" ({least:.4g} to {most:.4g})" if len(outcome.figures) > 1 else ""
    return f"{name} {middle:.4g}{spread}"
