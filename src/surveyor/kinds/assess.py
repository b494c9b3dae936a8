"""An evaluation: what all measures of a kind say of a trained game, and the sentence."""

from __future__ import annotations

from surveyor.kinds import kind_of
from surveyor.measures import Evaluation, Seen, measured


def assess(seen: Seen) -> Evaluation:
    """Measure a trained game on held-out data, by the measures of its kind."""
    kind = kind_of(seen.codec)
    figures, findings = measured(seen, kind.measures)
    said = kind.verdict(figures, kind.against[0 if seen.own else 1])
    return Evaluation(said, seen.n, seen.codec.unit_name, figures.every, findings)
