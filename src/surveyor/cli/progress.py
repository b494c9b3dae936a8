"""Progress display: a bar on a terminal, otherwise one line per measurement of training."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from surveyor.api import Watch
from surveyor.run import Session
from surveyor.training import Record
from surveyor.training.records import best_of


@contextlib.contextmanager
def progress(session: Session, console: Console) -> Iterator[Watch]:
    """Yield a function to call after every step."""
    if not console.is_terminal:
        yield lambda s, record: _line(s, record, console)
        return
    columns = (
        TextColumn("[bold]training"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[state]}"),
    )
    with Progress(*columns, console=console, refresh_per_second=4) as bars:
        task = bars.add_task("", total=session.plan.steps, completed=session.state.step, state="")

        def watch(s: Session, record: Record) -> None:
            bars.update(task, completed=record.step)
            if record.measurement is not None:
                bars.update(task, state=_state(s, record))

        yield watch


@contextlib.contextmanager
def progress_bar(what: str, console: Console) -> Iterator[Callable[[int, int], None]]:
    """Yield a function to call with (done, total); without a terminal it shows nothing."""
    if not console.is_terminal:
        yield lambda done, total: None
        return
    columns = (
        TextColumn(f"[bold]{what}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task("")
        yield lambda done, total: bars.update(task, completed=done, total=total)


def _line(session: Session, record: Record, console: Console) -> None:
    if record.measurement is not None:
        console.print(
            f"step {record.step:,} of {session.plan.steps:,}: {_state(session, record)}",
            highlight=False,
        )


def _state(session: Session, record: Record) -> str:
    m = record.measurement
    if m is None:
        return ""
    floor = max(m.w1_floor, 1e-300)
    best = best_of(session.history)
    likely = "" if m.log_loss is None else f", log loss {m.log_loss:.4f}"
    return f"W1 {m.w1:.4g} = {m.w1 / floor:.2f} x floor{likely}, best at step {best.step:,}"
