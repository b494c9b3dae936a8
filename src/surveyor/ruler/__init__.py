"""The ruler: whether two data sets differ, a bracket of W1 between them, and what moved."""

from surveyor.ruler.comparison import Comparison, compare
from surveyor.ruler.critic import Budget, Potential, fit
from surveyor.ruler.drift import Drift, drift
from surveyor.ruler.moved import ColumnMoved, RowMoved, columns_moved, rows_moved
from surveyor.ruler.reference import Reference, ReferenceDrift, against, read_reference
from surveyor.two_sample.energy import same_distribution

__all__ = [
    "Budget",
    "ColumnMoved",
    "Comparison",
    "Drift",
    "Potential",
    "Reference",
    "ReferenceDrift",
    "RowMoved",
    "against",
    "columns_moved",
    "compare",
    "drift",
    "fit",
    "read_reference",
    "rows_moved",
    "same_distribution",
]
