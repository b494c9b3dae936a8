"""An evaluation: the figures of all measures of a kind, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence

from surveyor.kinds import kind_of
from surveyor.measures import Evaluation, Measure, Seen, measured


def assess(seen: Seen, more: Sequence[Measure] = (), against: str | None = None) -> Evaluation:
    """Measure generated rows on held-out ones with the measures of their kind, and ``more``.

    ``against`` is what the verdict calls the held-out rows.
    """
    kind = kind_of(seen.codec)
    figures, findings = measured(seen, (*kind.measures, *more))
    verdict = kind.verdict(figures, against or kind.reference_names[0 if seen.own else 1])
    return Evaluation(verdict, seen.n, seen.codec.unit_name, figures.every, findings)
