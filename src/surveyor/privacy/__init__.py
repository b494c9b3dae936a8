"""Differential privacy apart from nets: noise that is exact, and the account of what is spent.

Two files are neighbours where a row of one is left blank in the other: the row then adds nothing to
any count or sum. How many rows there are, and the columns' names and types, are public.
"""

from surveyor.privacy.account import CodecAccount, Counts, Spending, purse
from surveyor.privacy.noise import DEVIATION, discrete_gaussian, taken

__all__ = [
    "DEVIATION",
    "CodecAccount",
    "Counts",
    "Spending",
    "discrete_gaussian",
    "purse",
    "taken",
]
