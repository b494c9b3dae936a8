"""Evaluation on held-out data: every number beside its floor."""

from surveyor.evaluation.coverage import Coverage, coverage
from surveyor.evaluation.heldout import ROWS, Ruler, generated
from surveyor.evaluation.memorising import memorising
from surveyor.evaluation.table import table_fidelity
from surveyor.evaluation.verdict import verdict

__all__ = [
    "ROWS",
    "Coverage",
    "Ruler",
    "coverage",
    "generated",
    "memorising",
    "table_fidelity",
    "verdict",
]
