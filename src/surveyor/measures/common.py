"""The measures common to all kinds of data."""

from __future__ import annotations

from surveyor.measures import Measure
from surveyor.measures.by_client import ByClient
from surveyor.measures.by_part import ByPart
from surveyor.measures.critic import Critic
from surveyor.measures.memorising import Memorising
from surveyor.measures.two_sample import TwoSample
from surveyor.measures.wasserstein import Wasserstein


def common(tests: TwoSample | None = None) -> tuple[Measure, ...]:
    """Return them; a kind may pass two-sample ``tests`` on samples of its own."""
    parts = ByPart("condition"), ByPart("group")
    tests = tests or TwoSample()
    return Wasserstein(), Critic(), tests, *parts, Memorising(), ByClient(tests)
