"""Differential privacy apart from nets: noise that is exact, and the account of what is spent.

Two files are neighbours where a row of one is left blank in the other: the row then adds nothing to
any count or sum. How many rows there are, and the columns' names and types, are public.
"""

from surveyor.catalog import folder
from surveyor.privacy.account import CodecAccount, Counts, Spending, noisy_counts
from surveyor.privacy.mechanism import Mechanism
from surveyor.privacy.noise import DEVIATION, discrete_gaussian, taken

__all__ = [
    "DEVIATION",
    "CodecAccount",
    "Counts",
    "Mechanism",
    "Spending",
    "discrete_gaussian",
    "mechanisms",
    "noisy_counts",
    "taken",
]


def mechanisms() -> dict[str, type[Mechanism]]:
    """Return every mechanism of differential privacy by the name of its file."""
    return folder("surveyor.privacy", Mechanism)  # type: ignore[type-abstract]
