"""The form of ``evaluation.json``: every number of an evaluation, by name and type.

What an evaluation tells must be here too, or a report would read of a damaged file what it does
not expect.
"""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, NotRequired, TypedDict

import msgspec
from msgspec import Meta

from surveyor.diagnostics import Finding
from surveyor.evaluation.formulas import Formulas
from surveyor.evaluation.memorising import Memorising
from surveyor.evaluation.paired import Answers
from surveyor.evaluation.pictures import Pictures
from surveyor.evaluation.table import ColumnFidelity
from surveyor.evaluation.two_sample import TwoSample
from surveyor.training.privacy import Privacy

Count = Annotated[int, Meta(ge=0, le=2**53)]


class _Slopes(TypedDict):
    real: float
    fake: float
    between: float


class _Histogram(TypedDict):
    real: list[Count]
    fake: list[Count]
    between: list[Count]


class _Critic(TypedDict):
    estimate: float | None
    estimate_on_training_rows: float | None
    slope_mean: _Slopes
    slope_max: float
    slope_histogram: _Histogram
    proven_bound: NotRequired[float | None]


class _Part(TypedDict):
    name: str
    n: Count
    w1: float | None
    floor: float | None
    slope: float | None
    floor_spread: NotRequired[float | None]


class _Pair(TypedDict):
    pair: str
    agreement: float


class _Table(TypedDict):
    columns: list[ColumnFidelity]
    trends: float
    trends_floor: float
    weakest_pairs: list[_Pair]
    formulas: NotRequired[list[Formulas]]


# The mean error of the columns' marginals, without calibration and with it.
Calibration = TypedDict("Calibration", {"without": float, "with": float})


class _Common(TypedDict):
    verdict: str
    n: Count
    unit: str
    w1: float
    w1_floor: float
    critic: _Critic
    conditions: list[_Part]
    groups: list[_Part]
    findings: list[Finding]
    preflight: list[Finding]
    best_step: Count
    steps: Count
    privacy: NotRequired[Privacy]


class Evaluated(_Common):
    """What is told of samples."""

    label_noise: float
    w1_floor_spread: float
    w1_self: float
    ratio: float | None
    two_sample: TwoSample
    memorising: Memorising
    table: NotRequired[_Table]
    pictures: NotRequired[Pictures | None]
    calibration: NotRequired[Calibration]


class AnswersEvaluated(_Common):
    """What is told of the answers of a run with a task."""

    answers: Answers
    bicubic: Answers | None
    patch_frechet_floor: float
    features: str | None


class Covered(TypedDict):
    """What is told in the folder of a run with differential privacy."""

    privacy: Privacy
    best_step: Count
    steps: Count


def hold_to(told: dict[str, Any], form: Any) -> None:
    """Raise ValueError where an evaluation is not of a form, or lacks a part of it."""
    if not _whole(told, msgspec.convert(told, form)):
        raise ValueError("incomplete")


def _whole(told: Any, full: Any) -> bool:
    if dataclasses.is_dataclass(full):
        full = {f.name: getattr(full, f.name) for f in dataclasses.fields(full)}
    if isinstance(full, dict):
        return all(key in told and _whole(told[key], part) for key, part in full.items())
    return not isinstance(full, list) or all(map(_whole, told, full))


def form_of_evaluation(answers: bool) -> Any:
    """Return the form of what is told, of samples or of ``answers``."""
    return AnswersEvaluated if answers else Evaluated
