"""A data set summarised without its rows: how its columns are read, and their statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from surveyor.data.values import Form
from surveyor.two_sample.statistics import Statistics


@dataclass(frozen=True, eq=False)
class Summary:
    """The form in which each column is read, and the statistics of all rows.

    ``left_out`` are the columns of the data without statistics.
    """

    forms: Mapping[str, Form]
    statistics: Statistics
    left_out: tuple[str, ...] = ()
