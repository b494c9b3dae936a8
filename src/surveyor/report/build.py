"""Build the report of a run from its folder and its data."""

from __future__ import annotations

from pathlib import Path

from surveyor.build import plan_of
from surveyor.data import Data
from surveyor.errors import InputError
from surveyor.measures import NoFigure, SeenRun
from surveyor.options import dumps
from surveyor.panels import Shown
from surveyor.reading import damaged
from surveyor.report.clients import clients
from surveyor.report.pages import page
from surveyor.run import Lock, Run
from surveyor.run.opening import EVALUATION
from surveyor.writing import write_bytes


def build_report(run: Run, data: Data) -> Path:
    """Write ``report.html`` beside the evaluation and return its path.

    Raises:
        InputError: the run has not been evaluated yet.
    """
    if run.evaluation is None or not run.evaluation.figures:
        raise InputError(f"{run.path}: not evaluated yet; run: surveyor evaluate {run.path}")
    path = run.measured / "report.html"
    try:
        made = page_of(run, data)
    except NoFigure as error:
        remedy = f"delete it and write it again with: surveyor evaluate {run.path}"
        raise damaged(run.measured / EVALUATION, error, remedy) from error
    with Lock(run.path):
        write_bytes(path, made.encode())
    return path


def page_of(run: Run, data: Data) -> str:
    """Return the report of an evaluated run as an HTML page."""
    evaluation = run.evaluation
    assert evaluation is not None
    seen = SeenRun(run.game, run.game.generator, data, run.config.seed)
    warm = plan_of(run.config).warm
    shown = Shown(seen, evaluation, run.history, warm, run.config.label_noise)
    return page(
        "report.html.j2",
        name=run.path.name,
        kind=run.kind.name,
        data_name=Path(run.data_name).name if "://" not in run.data_name else run.data_name,
        evaluation=evaluation,
        between=run.kind.w1_between,
        w1=evaluation["w1"],
        auc=evaluation.by_name.get("auc"),
        sections=[
            *(section for panel in run.kind.panels for section in panel(shown)),
            *clients(run, shown),
        ],
        training_rows=len(data.train),
        held_rows=len(data.holdout),
        config=dumps(run.config, run.data_name),
    )
