"""The training loop as an iterator; measuring and stopping wrap it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from surveyor.training.game import Game
from surveyor.training.phases import Phase
from surveyor.training.phases.adversarial import Adversarial
from surveyor.training.phases.warm_start import WarmStart
from surveyor.training.plan import Plan, Rows, State
from surveyor.training.records import Measurement, Record
from surveyor.training.step import Reduce, no_reduce

PHASES: tuple[Phase, ...] = (WarmStart(), Adversarial())


def steps(
    game: Game, source: Rows, plan: Plan, state: State, reduce: Reduce = no_reduce
) -> Iterator[Record]:
    """Train, phase by phase, until the plan is done.

    Yields a record after every generator step. Nets and ``state`` do not change until the next
    record is requested, so the consumer may measure, save, or stop.

    Raises:
        Diverged: a loss or gradient is not finite.
    """
    for phase in PHASES:
        yield from phase.steps(game, source, plan, state, reduce)


def with_measurements(
    records: Iterable[Record], ruler: Callable[[Record], Measurement], every: int, last: int
) -> Iterator[Record]:
    """Add a measurement to every ``every``-th record, and to step ``last``."""
    for record in records:
        due = record.step % every == 0 or record.step == last
        yield replace(record, measurement=ruler(record)) if due else record


def plateaued(values: Sequence[float], patience: int) -> bool:
    """Return whether the best of ``values`` is at least ``patience`` measurements old."""
    return 0 < patience < len(values) - values.index(min(values)) if values else False
