"""Differential privacy without nets: exact noise, and accounting of the budget spent.

Two data sets are neighbours if one equals the other with a row left blank; a blank row adds nothing
to any count or sum. The number of rows and the columns' names and types are public.
"""

from surveyor.catalog import parts_in
from surveyor.privacy.account import CodecAccount, Counts, Spending, noisy_counts
from surveyor.privacy.mechanism import Mechanism
from surveyor.privacy.noise import DEVIATION, discrete_gaussian, poisson_sample

__all__ = [
    "DEVIATION",
    "CodecAccount",
    "Counts",
    "Mechanism",
    "Spending",
    "discrete_gaussian",
    "mechanisms",
    "noisy_counts",
    "poisson_sample",
]


def mechanisms() -> dict[str, type[Mechanism]]:
    """Return every mechanism of differential privacy by the name of its file."""
    return parts_in("surveyor.privacy", Mechanism)  # type: ignore[type-abstract]
