"""``surveyor.judge``: the measures of an evaluation on rows that any tool has made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from surveyor.arguments import collecting, integer, seed_of, shown
from surveyor.data import Options
from surveyor.data.measured import columns_read
from surveyor.errors import InputError, did_you_mean, notify
from surveyor.judgement.contained import COPY, Contained, contained
from surveyor.judgement.reading import Sets, read_sets
from surveyor.judgement.remarks import remarks
from surveyor.kinds.assess import assess
from surveyor.measures import ROWS, Evaluation, Measure, SeenRows
from surveyor.panels import TwoSets
from surveyor.process_state import with_default_settings

LEAST = 8  # rows per side of exact transport
UNLIKE = 3  # bounds of a standard error
SHOWN = 5_000  # rows of each side that a page draws

MAY_BE_SEEN = (
    "No rows were held out: the maker may have seen all of {real}. Likeness to it is therefore "
    "flattered, and whether the synthetic rows reveal real ones cannot be said, beyond exact "
    "copies. Give rows that the maker never saw with --holdout."
)
UNSEEN = (
    "What the rows reveal of {real} is measured against {held}, and holds only if the maker saw "
    "none of {held}."
)


@dataclass(frozen=True, eq=False)
class Judged:
    """One synthetic data set: its name, the number of its rows, and its evaluation.

    ``remarks`` say in plain sentences what the verdict does not: rules, memorising, usefulness.
    """

    name: str
    rows: int
    evaluation: Evaluation
    remarks: tuple[str, ...]
    sets: TwoSets = field(repr=False)

    @property
    def verdict(self) -> str:
        """Return the verdict; of a copy only that it is one."""
        return self.evaluation.verdict

    def numbers(self) -> dict[str, Any]:
        """Return name, rows, verdict, remarks, figures and findings, for JSON."""
        kept = ("verdict", "n", "unit", "figures", "findings")
        numbers = self.evaluation.numbers()
        own = {"name": self.name, "rows": self.rows, "remarks": list(self.remarks)}
        return own | {k: numbers[k] for k in kept}


@dataclass(frozen=True, eq=False)
class Judgement:
    """Synthetic data sets judged by the same real rows, in the order in which they were given.

    ``real`` names the real rows, ``holdout`` those that the maker did not see, if any were given;
    ``note`` says what the judgement can and cannot say for that reason.
    """

    judged: tuple[Judged, ...]
    real: str
    rows: int
    holdout: str | None
    target: str | None
    kind: str
    labels: dict[str, str] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.judged)

    def __iter__(self) -> Iterator[Judged]:
        return iter(self.judged)

    def __getitem__(self, key: int | str) -> Judged:
        """Return a data set by its place or its name."""
        if isinstance(key, int):
            return self.judged[key]
        found = next((one for one in self.judged if one.name == key), None)
        if found is None:
            raise KeyError(f"{key!r}{did_you_mean(key, [one.name for one in self.judged])}")
        return found

    @property
    def verdict(self) -> str:
        """Return the verdict on every data set, one per line."""
        if len(self.judged) == 1:
            return self.judged[0].verdict
        return "\n".join(f"{one.name}: {one.verdict}" for one in self.judged)

    @property
    def note(self) -> str:
        """Return what can be said of memorising, in words."""
        return (MAY_BE_SEEN if self.holdout is None else UNSEEN).format(
            real=self.real, held=self.holdout
        )

    def numbers(self) -> dict[str, Any]:
        """Return everything for JSON."""
        own = {k: getattr(self, k) for k in ("real", "rows", "holdout", "target", "kind", "note")}
        return own | {"synthetic": [one.numbers() for one in self.judged]}


@with_default_settings
def judge(
    real: Any,
    *synthetic: Any,
    holdout: Any = None,
    target: str | None = None,
    seed: int = 0,
    rows: int = ROWS,
    drop: Sequence[str] = (),
    type: Sequence[str] = (),
    missing: Sequence[str] = (),
) -> Judgement:
    """Judge synthetic rows, made by any tool, with all measures of a run's evaluation.

    ``real`` and each ``synthetic`` are anything that ``fit`` takes, of one kind. ``holdout`` are
    real rows that the maker of the synthetic ones did not see: figures are then measured on them,
    and memorising is too. Without them ``real`` is halved to measure floors. With a ``target``, a
    column, usefulness is measured: how well trees trained on synthetic rows predict it in real
    ones. ``rows`` bounds the rows per side of exact transport; ``drop``, ``type``, ``missing`` are
    as in ``Model.evaluate``.

    Raises:
        InputError: no synthetic data, data of several kinds, columns that differ or cannot be
            read, an unknown or constant target, or too few rows; all problems at once.
    """
    problems: list[str] = []
    options = Options(lenient=True)
    with collecting(problems):
        seed, rows = seed_of(seed), integer("--rows", rows, LEAST)
    with collecting(problems):
        options = columns_read(drop, type, missing)
    if not synthetic:
        problems.append("judge: no synthetic data; give at least one data set after the real one")
    if target is not None and not isinstance(target, str):
        problems.append(f"--target {shown(target)}: give the name of a column")
    if target is not None and target in options.drop:
        problems.append(f"--target {target}: also in --drop; leave it out of one of them")
    if problems:
        raise InputError(*problems)
    sets = read_sets(real, synthetic, holdout, options, target, seed)
    if target is not None:
        _refuse_constant(sets, target)
    judged = tuple(_judged(sets, name, target, seed, rows) for name in sets.made)
    _notify_if_unlike(sets, judged[0].evaluation)
    return Judgement(
        judged,
        sets.real,
        len(sets.raw[sets.real]),
        sets.held,
        target,
        sets.kind.name,
        dict(sets.kind.labels),
    )


def _refuse_constant(sets: Sets, target: str) -> None:
    column = next(c for c in sets.codec.selectable if c.name == target)
    if column.size - column.missing < 2:
        raise InputError(
            f"--target {target}: every row of {sets.real} has the same value; name another column"
        )


def _notify_if_unlike(sets: Sets, found: Evaluation) -> None:
    """Tell of held-out rows that differ from the other real ones: floors are then too high."""
    auc = found.by_name.get("auc")
    if sets.held is None or auc is None or auc.known_floor < 0.5 + UNLIKE * auc.known_spread:
        return
    notify(
        f"{sets.real} and {sets.held} differ themselves: of two rows, one of each, a classifier "
        f"tells which is which in {100 * auc.known_floor:.0f} of 100, so floors are too high; hold "
        "out rows at random"
    )


def _judged(sets: Sets, name: str, target: str | None, seed: int, rows: int) -> Judged:
    data, raw = sets.data, sets.raw[name]
    real = {n: sets.raw[n] for n in (sets.real, sets.held) if n is not None}
    keys = {n: data.files.keys(r, sets.codec) for n, r in ({name: raw} | real).items()}
    more: list[Measure] = [Contained(keys.pop(name), keys)]
    if target is not None and sets.kind.usefulness is not None:
        more.append(sets.kind.usefulness(target))
    seen = SeenRows(raw, sets.made[name], data, seed, rows, own=sets.held is not None)
    found = assess(seen, more, None if seen.own else "the real data")
    held = data.files.select(data.raw, np.sort(data.holdout.index[:SHOWN]))
    made = data.files.select(raw, np.sort(seen.made.index[:SHOWN]))
    both = held, made
    two = TwoSets(
        sets.codec, both, sets.kind.coordinates(sets.codec, both), names=("real rows", name)
    )
    codes = {f.code for f in found.findings}
    remarked = remarks(found.by_name, codes, target)
    return Judged(name, len(raw), _with_copies(found), remarked, two)


def _with_copies(found: Evaluation) -> Evaluation:
    """Return an evaluation whose verdict begins with the real rows among the synthetic ones."""
    known = contained(found.by_name)
    copied = next((f for f in known if f.note == COPY), None)
    if copied is not None:
        return replace(
            found,
            verdict=f"This is a copy of {copied.of}: it has the same {copied.n:,} rows. Its "
            "likeness says nothing of a generator.",
        )
    if not known:
        return found
    most = max(known, key=lambda f: f.known)
    return replace(
        found,
        verdict=f"{most.known:.1%} of the rows are rows of {most.of} (of other real rows "
        f"{most.known_floor:.1%} are), so likeness proves little. {found.verdict}",
    )
