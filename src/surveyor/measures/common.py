"""The measures that every kind of data has."""

from __future__ import annotations

from surveyor.measures import Measure
from surveyor.measures.by_part import ByPart
from surveyor.measures.critic import Critic
from surveyor.measures.memorising import Memorising
from surveyor.measures.two_sample import Classifier
from surveyor.measures.wasserstein import Wasserstein


def common(classifier: Classifier | None = None) -> tuple[Measure, ...]:
    """Return them, with a classifier of a kind's own features where it has such."""
    parts = ByPart("condition"), ByPart("group")
    return Wasserstein(), Critic(), classifier or Classifier(), *parts, Memorising()
