"""The codec of tables: rows as one-hot blocks and positions, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from surveyor.batch import Batch, Draws
from surveyor.data import DEFAULT_OPTIONS, Codec, Options, Rows, Space, State, check_columns
from surveyor.data.columns import Column
from surveyor.data.conditions import Columns
from surveyor.data.values import Form
from surveyor.data.where import Selection
from surveyor.errors import InputError, notify
from surveyor.kinds.table.blocks import Weighted, hot_blocks
from surveyor.kinds.table.chosen import refuse_to_drop
from surveyor.kinds.table.constructions import Choice, Made
from surveyor.kinds.table.dependencies import Derived, Pairs, derivation
from surveyor.kinds.table.formula import Expanded, forms_in_files, restore_formulas
from surveyor.kinds.table.frames import Frame
from surveyor.kinds.table.holes import TableFiller
from surveyor.kinds.table.infer import Typed, apply_forms
from surveyor.kinds.table.keys import row_keys
from surveyor.kinds.table.learnt import snapped
from surveyor.kinds.table.nodes import Nodes
from surveyor.kinds.table.out_of_range import clipped_to_range, write_deviations
from surveyor.kinds.table.rejected import Rejecting, broken_rules, contradicted
from surveyor.kinds.table.saved import fields_of, state_of
from surveyor.kinds.table.stored import stored_rows
from surveyor.kinds.table.surrogates import Surrogate, with_keys
from surveyor.privacy import CodecAccount
from surveyor.transport import Metric

ROOT2 = float(np.sqrt(2))


@dataclass(frozen=True, eq=False)
class TableCodec(Codec):
    """A point is the one-hot blocks of all columns over sqrt 2, then positions of ordered columns.

    Rows that differ in one category are at distance 1. For d standard deviations between two
    numbers the distance is d, or sqrt(d^2 + 1) if they lie in different cells.

    The last ``columns`` are ``derived`` from others; a generator makes only the blocks before them.
    ``formulas`` (name: places) are stored as that many elements and amounts. ``neutral`` is the
    share of training formulas of each such column that are neutral in charge, and
    ``unique_formulas`` are the columns without repeated training formulas. ``ignored`` columns are
    left out of every measurement: their entries of a point are 0.

    Rules are ``kept`` by construction: of the table's columns in ``replaced`` another column of the
    same name is learnt, such as a difference, or none. Of ``pairs`` of columns only those codes are
    generated that occur together. Samples that break one of the ``rejected`` rules are thrown away.
    Numbers in the cell of one ``selected`` become that number.
    Columns of keys are not learnt; samples get those of ``surrogates``.
    W1 is measured along the paths between the ``nodes`` of one column.
    """

    columns: tuple[Column, ...]
    order: tuple[str, ...]
    condition: Columns
    group: Column | None = None
    derived: tuple[Derived, ...] = ()
    neutral: Mapping[str, float] = field(default_factory=dict)
    unique_formulas: tuple[str, ...] = ()
    account: CodecAccount | None = None
    formulas: Mapping[str, int] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    kept: Choice = field(default_factory=Choice)
    replaced: tuple[Column, ...] = ()
    pairs: tuple[Pairs, ...] = ()
    selected: Mapping[str, Selection] = field(default_factory=dict)
    surrogates: tuple[Surrogate, ...] = ()
    rejected: tuple[Rejecting, ...] = ()
    nodes: Nodes | None = None

    kind = "table"
    continuous = False

    @property
    def unit_name(self) -> str:  # type: ignore[override]
        """Return the unit of distances."""
        paths = "" if self.nodes is None else f", a way of {self.nodes.length:.3g} along edges 1"
        return f"units in which a changed category costs 1, a number its standard deviations{paths}"

    @cached_property
    def own(self) -> Mapping[str, Column]:
        """Return the table's columns by name, without conditions."""
        every = {c.name: c for c in (*self.columns, *self.replaced)}
        return {name: every[name] for name in self.order if name in every}

    @cached_property
    def sizes(self) -> list[int]:
        """Return the number of codes of every column."""
        return [c.size for c in self.columns]

    @cached_property
    def free(self) -> list[int]:
        """Return the number of codes of every column that is not derived."""
        return self.sizes[: len(self.sizes) - len(self.derived)]

    @cached_property
    def _derivation(self) -> Tensor:
        """Return the matrix that maps the free blocks to those of the derived columns."""
        return derivation(self.derived, self.sizes)

    @cached_property
    def _positions(self) -> Weighted:
        """Return the matrix that maps all blocks to the positions of the ordered columns."""
        return Weighted.of([c.positions if c.ordered else None for c in self.columns], self.sizes)

    @cached_property
    def _code_reader(self) -> Weighted:
        """Return the matrix that maps the free blocks of points to codes."""
        return Weighted.of([ROOT2 * np.arange(size) for size in self.free], self.free)

    @property
    def space(self) -> Space:
        """Return the shapes; a generator starts at the log frequencies of all codes."""
        total, ordered = sum(self.sizes), sum(c.ordered for c in self.columns)
        made = self.columns[: len(self.free)]
        frequency = np.concatenate([c.frequency for c in made])
        ranks = torch.from_numpy(np.concatenate([c.ranks for c in made]).astype(np.float32))
        bias = torch.from_numpy(np.log(np.maximum(frequency, 1e-6)).astype(np.float32))
        shape, raw = (total + ordered,), (len(bias),)
        pairs = tuple((p.first, p.second, p.matrix(self.free)) for p in self.pairs)
        blocks = tuple(self.free)
        apart = tuple(c.apart if c.ordered else None for c in made)
        width = self.condition.width
        nodes = None if self.nodes is None else self.nodes.space(self._first_node)
        return Space(
            shape, width, raw, 1.0, bias, blocks, ranks, apart=apart, pairs=pairs, nodes=nodes
        )

    @property
    def metric(self) -> Metric:
        """Return the ground metric: along paths between nodes, plus Euclidean in all else."""
        if self.nodes is None:
            return "euclidean"
        return partial(self.nodes.costs, start=self._first_node)

    @property
    def _first_node(self) -> int:
        """Return the first entry of the block of nodes."""
        assert self.nodes is not None
        before = [c.name for c in self.columns].index(self.nodes.column)
        return sum(self.sizes[:before])

    @property
    def shares(self) -> list[Tensor]:
        """Return the frequency of each code of the free columns in the training rows."""
        made = self.columns[: len(self.free)]
        return [torch.from_numpy(c.frequency.astype(np.float32)) for c in made]

    def embed(self, hot: Tensor) -> Tensor:
        """Return the free columns' one-hot blocks (n, raw) as points (n, codes + ordered)."""
        if self.derived:
            hot = torch.cat([hot, hot @ self._on(hot.device, "_derivation")], dim=1)
        x = self._with_positions(hot)
        return x * self._on(x.device, "_measured") if self.ignored else x

    def inconsistency(self, x: Tensor) -> Tensor:
        """Return how many derived columns of each point contradict their parents, (n,)."""
        first, total = sum(self.free), sum(self.sizes)
        hot = x[:, :total] * ROOT2
        if not self.derived:
            return hot.new_zeros(len(hot))
        derived: Tensor = hot[:, :first] @ self._on(hot.device, "_derivation")
        consistent = (hot[:, first:] * derived).sum(1)
        return len(self.derived) - consistent.round()

    def _with_positions(self, hot: Tensor) -> Tensor:
        positions: Tensor = self._on(hot.device, "_positions")(hot)
        return torch.cat([hot / ROOT2, positions], dim=1)

    def _on(self, device: torch.device, name: str) -> Any:
        """Return a matrix of the codec on ``device``, copied there once."""
        if (name, device) not in self._copies:
            self._copies[name, device] = getattr(self, name).to(device)
        return self._copies[name, device]

    @cached_property
    def _copies(self) -> dict[tuple[str, torch.device], Any]:
        return {}

    @cached_property
    def _measured(self) -> Tensor:
        """Return 1 for entries of a point that are measured, 0 for those of ignored columns."""
        measured = [float(c.name not in self.ignored) for c in self.columns]
        blocks = np.repeat(measured, self.sizes)
        positions = [m for m, c in zip(measured, self.columns, strict=True) if c.ordered]
        return torch.from_numpy(np.concatenate([blocks, positions]).astype(np.float32))

    def group_codes(self, batch: Batch, codes: np.ndarray, draws: Draws) -> np.ndarray | None:
        """Return the code of the group of each generated row."""
        group = self.group
        return None if group is None else group.encode(self.decode(batch, codes, draws)[group.name])

    def without(self, names: Sequence[str]) -> TableCodec:
        """Return a codec that leaves columns out of every measurement.

        Raises:
            InputError: unknown columns, conditions, or all columns.
        """
        conditions = [c.name for c in self.condition.columns]
        refuse_to_drop(names, self.selectable_names, conditions, [c.name for c in self.columns])
        ignored = self.kept.needing(names)
        if more := [n for n in ignored if n not in names]:
            notify(f"--drop leaves out {', '.join(more)} as well, learnt from what is dropped")
        rejected = tuple(r for r in self.rejected if not set(r.names) & set(ignored))
        if lost := [r.text for r in self.rejected if r not in rejected]:
            notify(f"--drop leaves out {'; '.join(lost)} as well: rows that break it are measured")
        nodes = None if self.nodes is None or self.nodes.column in ignored else self.nodes
        return replace(self, ignored=ignored, rejected=rejected, nodes=nodes)

    @property
    def measured(self) -> tuple[Column, ...]:
        """Return the columns that are measured, conditions last."""
        every = (*self.own.values(), *self.condition.columns)
        return tuple(c for c in every if c.name not in self.ignored)

    @cached_property
    def forms(self) -> Mapping[str, Form]:
        """Return how each column of a file is read; formulas are text in files."""
        groups = [] if self.group is None else [self.group]
        own = (*self.own.values(), *self.condition.columns, *groups)
        return forms_in_files({c.name: c.form for c in own}, self.formulas)

    @property
    def selectable(self) -> tuple[Column, ...]:
        """Return all columns, conditions first."""
        return (*self.condition.columns, *self.own.values())

    @property
    def unlearnt(self) -> Mapping[str, str]:
        """Return the columns of keys."""
        return {own.name: "a key, which is never learnt; leave it out" for own in self.surrogates}

    @property
    def repeats(self) -> bool:
        """Return whether no column of formulas is without repeats."""
        return not self.unique_formulas

    @property
    def kept_rules(self) -> tuple[str, ...]:
        """Return the rules kept by construction."""
        return (*self.kept.texts, *(pair.text(self.columns) for pair in self.pairs))

    @property
    def rejected_rules(self) -> tuple[str, ...]:
        """Return the rules kept by rejection."""
        return tuple(rule.text for rule in self.rejected)

    def broken(self, made: pd.DataFrame) -> Mapping[str, np.ndarray]:
        """Return which rows break each rule kept by rejection, (n,) each."""
        return broken_rules(self.rejected, self.selectable, made)

    def contradicted(self, found: Mapping[str, Selection]) -> tuple[str, ...]:
        """Return the rules kept by rejection that no row with the values ``found`` can obey."""
        computed = [c.name for c in self.replaced]
        return contradicted(self.rejected, self.selectable, computed, found)

    def selecting(
        self, found: Mapping[str, Selection]
    ) -> tuple[TableCodec, Mapping[str, Selection]]:
        """Return a codec that decodes the numbers selected, before others are computed from them.

        A number that is itself computed is tested for equality.
        """
        learnt, tested = snapped(found, self.own, self.kept)
        return replace(self, selected=learnt), {**found, **tested}

    @property
    def filler(self) -> TableFiller:
        """Return what fills holes in rows."""
        return TableFiller(self)

    def reassembled(self, made: pd.DataFrame, first: int = 0) -> pd.DataFrame:
        """Return rows with formulas as text again, and keys, the first of number ``first``."""
        return with_keys(restore_formulas(made, self.formulas), self.surrogates, first)

    def keys(self, rows: pd.DataFrame) -> np.ndarray:
        """Return one number per row, equal for equal rows.

        Raises:
            InputError: columns of the run are missing.
        """
        problems = check_columns(
            sorted(self.selectable_names), list(rows.columns), "--apart-from: column"
        )
        if problems:
            raise InputError(*problems)
        return row_keys((*self.own.values(), *self.condition.columns), rows, self.formulas)

    def reopen(self, raw: Frame, options: Options = DEFAULT_OPTIONS) -> Frame:
        """Return other rows read with the column types and formula places of this codec."""
        plain = raw.plain if isinstance(raw, Expanded) else raw
        plain = apply_forms(plain.plain if isinstance(plain, Typed) else plain, self.forms, options)
        return Expanded(plain, self.formulas) if self.formulas else plain

    def as_text(self, made: pd.DataFrame) -> pd.DataFrame:
        """Return samples with numbers spelt as in the training file."""
        spelt: dict[str, Any] = {
            c.name: c.as_text(made[c.name])
            for c in (*self.own.values(), *self.condition.columns)
            if c.name in made and c.ordered and c.form.spelling and not c.form.textual
        }
        return made.assign(**spelt)

    def rows(self, raw: Frame) -> Rows:
        """Read rows in chunks and store them as small integers, one per column."""
        return stored_rows(self, raw)

    def unknown_columns(self, rows: Rows) -> list[str]:
        """Return the columns of labels of which no row has a label of the training rows."""
        return [
            c.name
            for c, codes in zip(self.columns, rows["codes"].T, strict=True)
            if not c.ordered and c.name not in self.ignored and bool((codes == c.size).all())
        ]

    def points(self, rows: Rows, index: np.ndarray) -> Tensor:
        """Return rows as points."""
        starts = np.cumsum([0, *self.sizes])
        codes, total = rows["codes"][index].astype(np.int64), int(starts[-1])
        # An unknown category has no entry of its own: its block stays zero.
        place = np.where(codes < np.array(self.sizes), codes + starts[:-1], total)
        hot = torch.zeros(len(codes), total + 1)
        hot.scatter_(1, torch.from_numpy(place), 1.0)
        x = self._with_positions(hot[:, :total])
        write_deviations(x[:, total:], rows["beyond"], index)
        return x * self._measured if self.ignored else x

    def features(self, rows: Rows, index: np.ndarray) -> np.ndarray:
        """Return a number a column: the code of a category, the position of a number's cell."""
        codes = rows["codes"][index].astype(np.int64)
        columns = [
            np.append(c.positions, np.nan)[own] if c.ordered else own
            for c, own in zip(self.columns, codes.T, strict=True)
        ]
        return np.stack(columns, axis=1).astype(np.float64)

    def clip_to_range(self, rows: Rows) -> tuple[Rows, np.ndarray]:
        """Return rows with numbers clipped to the training range, and how far each row moved.

        The distance (n,) is in standard deviations, summed over the columns of a row.
        """
        return clipped_to_range(self.columns, rows)

    def head(self, raw: Tensor, draws: Draws) -> Tensor:
        """Return points of blocks drawn from logits, with gradients if they are needed."""
        return self.embed(hot_blocks(raw, self.free, draws))

    def decode(self, batch: Batch, codes: np.ndarray, draws: Draws) -> pd.DataFrame:
        """Return points as a DataFrame with the user's columns, order and types."""
        if self.ignored:
            blocks = torch.split(batch.x[:, : sum(self.sizes)], self.sizes, dim=1)
            return self._frame([b.argmax(1).numpy() for b in blocks], codes, draws)
        # One product reads the codes of all blocks; it is exact, since codes are far below 2^24.
        numbers = self._code_reader(batch.x[:, : sum(self.free)]).round().int().numpy()
        return self.decode_blocks(numbers, codes, draws)

    def decode_blocks(self, numbers: np.ndarray, codes: np.ndarray, draws: Draws) -> pd.DataFrame:
        """Return codes (n, free columns) and condition codes as a DataFrame in user units."""
        every = [*numbers.T]
        every += [d.table[every[d.parent]] for d in self.derived]
        return self._frame(every, codes, draws)

    def _frame(self, every: Sequence[np.ndarray], codes: np.ndarray, draws: Draws) -> pd.DataFrame:
        learnt = {c.name: c.draw(n, draws) for c, n in zip(self.columns, every, strict=True)}
        for name, selection in self.selected.items():
            learnt[name] = selection.snapped(learnt[name])
        rows = Made(self.own, learnt)
        self.kept.restore(rows)
        made = {n: c.write(rows.values[n], draws) for n, c in self.own.items()}
        made |= self.condition.decode(codes, draws)
        # pandas would convert a plain array of Python dates to its own type.
        plain = {n: s if s.dtype.kind == "O" else s.array for n, s in made.items()}
        return pd.DataFrame({n: plain[n] for n in self.order if n not in self.ignored})

    def state(self) -> State:
        """Return what ``restore`` needs."""
        return state_of(self)

    @classmethod
    def restore(cls, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> TableCodec:
        """Rebuild the codec."""
        return cls(**fields_of(meta, arrays))
