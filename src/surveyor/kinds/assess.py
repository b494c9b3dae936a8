"""An evaluation: the figures of all measures of a kind, and the verdict."""

from __future__ import annotations

from surveyor.kinds import kind_of
from surveyor.measures import Evaluation, Seen, measured


def assess(seen: Seen) -> Evaluation:
    """Measure a trained game on held-out data with the measures of its kind."""
    kind = kind_of(seen.codec)
    figures, findings = measured(seen, kind.measures)
    verdict = kind.verdict(figures, kind.reference_names[0 if seen.own else 1])
    return Evaluation(verdict, seen.n, seen.codec.unit_name, figures.every, findings)
