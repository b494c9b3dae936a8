"""Tables: CSV, Parquet, Arrow files and DataFrames of mixed columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from torch import Tensor

from surveyor.batch import Batch, Draws
from surveyor.data import USUAL, Codec, Kind, Options, Rows, Space, State, check_columns
from surveyor.data.charges import neutral_share
from surveyor.data.columns import Column
from surveyor.data.conditions import Conditions, columns_restore, columns_state, fit_conditions
from surveyor.data.dependencies import Derived, derived_of
from surveyor.data.fits import PLAIN, account_of, account_state, fits_for
from surveyor.data.formula import Expanded, as_ratios, find_formulas, formulas_in, parts
from surveyor.data.frames import Frame, read_frame
from surveyor.data.scratch import empty
from surveyor.errors import InputError
from surveyor.privacy import CodecAccount

ROOT2 = float(np.sqrt(2))


@dataclass(frozen=True, eq=False)
class TableCodec(Codec):
    """Rows as one-hot blocks over sqrt 2, then the positions of ordered columns.

    Two rows that differ in one category lie at distance 1; two numbers at their difference in
    standard deviations, and 1 more (in the root of the sum of squares) for different cells. The
    last ``columns`` are those ``derived`` from others; a generator makes the blocks before them.
    ``neutral`` is the share of each formula column's training formulas that is neutral in charge;
    of those in ``single`` no two rows had the same.
    """

    columns: tuple[Column, ...]
    order: tuple[str, ...]
    conditions: Conditions
    group: Column | None = None
    derived: tuple[Derived, ...] = ()
    neutral: Mapping[str, float] = field(default_factory=dict)
    single: tuple[str, ...] = ()
    account: CodecAccount | None = None

    kind = "table"
    unit_name = "units in which a category changed costs 1 and a number its deviations"

    @cached_property
    def sizes(self) -> list[int]:
        """Return the number of codes of every column."""
        return [c.size for c in self.columns]

    @cached_property
    def free(self) -> list[int]:
        """Return the number of codes of every column that a generator makes."""
        return self.sizes[: len(self.sizes) - len(self.derived)]

    @cached_property
    def _follow(self) -> Tensor:
        """Return the matrix from the free blocks to those of the derived columns."""
        matrix = torch.zeros(sum(self.free), sum(self.sizes) - sum(self.free))
        starts, column = np.cumsum([0, *self.sizes]), 0
        for derived, size in zip(self.derived, self.sizes[len(self.free) :], strict=True):
            rows = starts[derived.parent] + np.arange(len(derived.table))
            matrix[rows, column + derived.table] = 1.0
            column += size
        return matrix

    @cached_property
    def _places(self) -> Tensor:
        ordered = [k for k, c in enumerate(self.columns) if c.ordered]
        matrix = torch.zeros(sum(self.sizes), len(ordered))
        starts = np.cumsum([0, *self.sizes])
        for j, k in enumerate(ordered):
            positions = torch.from_numpy(self.columns[k].positions.astype(np.float32))
            matrix[starts[k] : starts[k + 1], j] = positions
        return matrix

    @cached_property
    def _numbers(self) -> Tensor:
        matrix = torch.zeros(sum(self.free), len(self.free))
        starts = np.cumsum([0, *self.free])
        for k, size in enumerate(self.free):
            matrix[starts[k] : starts[k + 1], k] = ROOT2 * torch.arange(size)
        return matrix

    @property
    def space(self) -> Space:
        """Return the shapes; a generator starts at the log frequencies of every code."""
        total, ordered = self._places.shape
        made = self.columns[: len(self.free)]
        frequency = np.concatenate([c.frequency for c in made])
        ranks = torch.from_numpy(np.concatenate([c.ranks for c in made]).astype(np.float32))
        bias = torch.from_numpy(np.log(np.maximum(frequency, 1e-6)).astype(np.float32))
        shape, raw = (total + ordered,), (len(bias),)
        return Space(shape, self.conditions.width, raw, 1.0, bias, tuple(self.free), ranks)

    def embed(self, hot: Tensor) -> Tensor:
        """Return the free columns' one-hot blocks (n, raw) as points (n, codes + ordered)."""
        if self.derived:
            hot = torch.cat([hot, hot @ self._follow.to(hot.device)], dim=1)
        return self._placed(hot)

    def broken(self, x: Tensor) -> Tensor:
        """Return how many derived columns of each point do not follow from their parents, (n,)."""
        first, total = sum(self.free), sum(self.sizes)
        hot = x[:, :total] * ROOT2
        if not self.derived:
            return hot.new_zeros(len(hot))
        kept = (hot[:, first:] * (hot[:, :first] @ self._follow.to(hot.device))).sum(1)
        return len(self.derived) - kept.round()

    def _placed(self, hot: Tensor) -> Tensor:
        return torch.cat([hot / ROOT2, hot @ self._places.to(hot.device)], dim=1)

    @cached_property
    def formulas(self) -> dict[str, int]:
        """Return the columns of formulas, and how many elements each has at most."""
        return formulas_in(self.order)

    def opened(self, raw: Frame) -> Frame:
        """Return the rows with formulas in as many places as this codec has."""
        plain = raw.plain if isinstance(raw, Expanded) else raw
        return Expanded(plain, self.formulas) if self.formulas else raw

    def rows(self, raw: Frame) -> Rows:
        """Store every row as small integers, one a column, reading a chunk at a time."""
        raw = self.opened(raw)
        names = {c.name for c in (*self.columns, *self.conditions.columns)}
        problems = check_columns(sorted(names), raw.names, "column")
        if problems:
            raise InputError(*problems)
        n = len(raw)
        rows: Rows = {
            "codes": empty((n, len(self.columns)), np.int16),
            "cond": empty((n, len(self.conditions.columns)), np.int16),
        }
        if self.group is not None and self.group.name in raw.names:
            rows["group"] = empty((n,), np.int16)
        start = 0
        for chunk in raw.chunks():
            part = slice(start, start + len(chunk))
            for k, column in enumerate(self.columns):
                rows["codes"][part, k] = column.encode(chunk[column.name])
            rows["cond"][part] = self.conditions.encode(chunk, len(chunk))  # type: ignore[arg-type]
            if self.group is not None and "group" in rows:
                rows["group"][part] = self.group.encode(chunk[self.group.name])
            start += len(chunk)
        return rows

    def points(self, rows: Rows, index: np.ndarray) -> Tensor:
        """Return rows as points."""
        starts = np.cumsum([0, *self.sizes])
        codes, total = rows["codes"][index].astype(np.int64), int(starts[-1])
        # A category never seen has no entry of its own: its block stays zero.
        place = np.where(codes < np.array(self.sizes), codes + starts[:-1], total)
        hot = torch.zeros(len(codes), total + 1)
        hot.scatter_(1, torch.from_numpy(place), 1.0)
        return self._placed(hot[:, :total])

    def head(self, raw: Tensor, draws: Draws) -> Tensor:
        """Sample each block: straight-through Gumbel-softmax at temperature 1 (Jang et al. 2017).

        The critic sees rows that are really one-hot; the gradient is that of the soft sample.
        Without a gradient the same law is drawn by the inverse of its distribution function.
        """
        soft = raw.requires_grad and torch.is_grad_enabled()
        uniform = None if soft else draws.uniform(len(raw), len(self.free))
        noisy = raw + draws.gumbel(*raw.shape) if soft else raw
        blocks = []
        for k, block in enumerate(torch.split(noisy, self.free, dim=1)):
            odds = block.softmax(1)
            if uniform is None:
                code = odds.argmax(1, keepdim=True)
                blocks.append(torch.zeros_like(odds).scatter_(1, code, 1.0) + odds - odds.detach())
            else:
                code = torch.searchsorted(odds.cumsum(1), uniform[:, k : k + 1].contiguous())
                blocks.append(
                    torch.zeros_like(odds).scatter_(1, code.clamp_(max=odds.shape[1] - 1), 1.0)
                )
        return self.embed(torch.cat(blocks, dim=1))

    def decode(self, batch: Batch, codes: np.ndarray, draws: Draws) -> pd.DataFrame:
        """Return points as a DataFrame with the user's columns, order and types."""
        # One product reads every block's code: exact, for codes are far below 2^24.
        numbers = (batch.x[:, : sum(self.free)] @ self._numbers).round().int().numpy()
        return self.decoded(numbers, codes, draws)

    def decoded(self, numbers: np.ndarray, codes: np.ndarray, draws: Draws) -> pd.DataFrame:
        """Return the codes (n, free columns) and those of the conditions as a DataFrame."""
        every = [*numbers.T]
        every += [d.table[every[d.parent]] for d in self.derived]
        made = {c.name: c.decode(n, draws) for c, n in zip(self.columns, every, strict=True)}
        made |= self.conditions.decode(codes, draws)
        return pd.DataFrame({name: made[name].array for name in self.order})

    def state(self) -> State:
        """Return what ``restore`` needs."""
        metas, arrays = columns_state(self.columns, "column")
        cond_meta, cond_arrays = self.conditions.state()
        groups, group_arrays = columns_state([] if self.group is None else [self.group], "group")
        meta = {
            "columns": metas,
            "order": list(self.order),
            "conditions": cond_meta,
            "group": groups,
            "neutral": dict(self.neutral),
            "single": list(self.single),
            "parents": [d.parent for d in self.derived],
            **account_state(self.account),
        }
        tables = {f"derived.{k}": d.table for k, d in enumerate(self.derived)}
        return meta, arrays | cond_arrays | group_arrays | tables

    @classmethod
    def restore(cls, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> TableCodec:
        """Rebuild the codec."""
        groups = columns_restore(meta["group"], arrays, "group")
        return cls(
            columns_restore(meta["columns"], arrays, "column"),
            tuple(meta["order"]),
            Conditions.restore(meta["conditions"], arrays),
            groups[0] if groups else None,
            tuple(Derived(p, arrays[f"derived.{k}"]) for k, p in enumerate(meta["parents"])),
            meta["neutral"],
            tuple(meta["single"]),
            account_of(meta),
        )


WIDE = 64  # columns beyond which a net a column costs more than one net for all
PRIVATE_PARTS = 12  # rows over those of a step with differential privacy: large sums, less noise
EPOCHS, GAME = 20, 0.5  # of the warm start; steps of the game for each of its steps
DEFAULTS: Mapping[str, Any] = {
    "critic": "mlp:width=256,depth=2",
    "latent_normal": 128,
    "critic_steps": 2,
    "optimizer": "adam:beta1=0.5,beta2=0.9",
    "hold": 0.4,
    "final": 0.02,
    "schedule": "linear",
    "precision": "auto",
}
WIDE_DEFAULTS: Mapping[str, Any] = {
    "generator": "mlp:width=256,depth=2,residual=true",
    "steps": 3000,
    "average": 0.995,
}


def defaults(rows: int, columns: int, autoregressive: bool = True) -> Mapping[str, Any]:
    """Return what docs/defaults.md measured, by the size of a table and the generator."""
    if columns > WIDE or not autoregressive:
        return {**DEFAULTS, **WIDE_DEFAULTS, "batch": min(500, max(32, rows // 2))}
    batch = min(500, max(32, rows // 50))
    warm = min(4000, max(300, EPOCHS * rows // batch))
    return {
        **DEFAULTS,
        "generator": "autoregressive",
        "batch": batch,
        "steps": round(warm * (1 + GAME)),
        "warm_start": 1 / (1 + GAME),
        "generator_rate": 5e-5,
        "average": 0.99,
    }


class Table(Kind):
    """Tables of numbers, categories, booleans and dates, with missing values."""

    name = "table"
    codec = TableCodec
    suffixes = (".csv", ".csv.gz", ".parquet", ".arrow", ".feather")

    def recognises(self, source: Any) -> bool:
        """Take DataFrames and paths by their suffix."""
        return isinstance(source, (pd.DataFrame, Frame)) or (
            isinstance(source, (str, Path)) and str(source).lower().endswith(self.suffixes)
        )

    def read(self, source: Any, options: Options = USUAL) -> Frame:
        """Open the table; Parquet stays on disk and is read a part at a time.

        Columns of chemical formulas become columns of elements and amounts.
        """
        if options.size is not None:
            raise InputError("--size: only for pictures")
        if isinstance(source, Frame):
            return source
        frame = read_frame(source)
        formulas = find_formulas(frame)
        return Expanded(frame, formulas) if formulas else frame

    def defaults(self, raw: Frame, said: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what docs/defaults.md measured."""
        generator = str(said.get("generator") or "autoregressive").partition(":")[0]
        found = defaults(len(raw), len(raw.names), generator == "autoregressive")
        if said.get("epsilon") is None:
            return found
        batch = min(2000, max(32, len(raw) // PRIVATE_PARTS))
        likelihood = {"steps": 600, "warm_start": 1.0, "warm_rate": 0.02}
        return {**found, "batch": batch, **(likelihood if "warm_start" in found else {})}

    def take(self, raw: Frame, index: np.ndarray) -> pd.DataFrame:
        """Return the chosen rows (``index`` ascending) as a DataFrame."""
        return raw.take(index)

    def together(self, a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
        """Return both tables' rows; columns may stand in another order, not be missing."""
        problems = [
            f"column {name!r} is only in the {side} table; drop it or add it"
            for side, own, other in (("first", a, b), ("second", b, a))
            for name in own
            if name not in other
        ]
        if problems:
            raise InputError(*problems)
        return pd.concat([a, b[list(a.columns)]], ignore_index=True)

    def fit(self, raw: pd.DataFrame, options: Options) -> TableCodec:
        """Fit every column; all problems of all columns are raised together."""
        names = [str(name) for name in raw.columns]
        formulas = formulas_in(names)
        problems = check_columns(options.condition, names, "--condition")
        problems += check_columns(options.drop, [*names, *formulas], "--drop")
        dropped = {*options.drop}
        dropped |= {part for f in dropped & set(formulas) for part in parts(f, formulas[f])}
        if options.group is not None:
            problems += check_columns([options.group], names, "--group")
        problems += [
            f"--drop {c}: also a condition" for c in set(options.drop) & set(options.condition)
        ]
        if options.whiten:
            problems.append("--whiten: not for tables, whose columns are standardised one by one")
        if options.epsilon is not None:
            problems += [
                f"--epsilon: column {f!r} of formulas would tell of rows that are not accounted "
                f"for; leave it out with --drop {f}"
                for f in formulas
                if f not in options.drop
            ]
        kept = [name for name in names if name not in dropped]
        modelled, fitted = [name for name in kept if name not in options.condition], []
        if not problems and not modelled:
            problems.append("nothing left to generate: every column is a condition or dropped")
        fits = PLAIN if problems else fits_for(options, len(raw), {c: raw[c] for c in kept})
        for name in modelled:
            try:
                fitted.append(fits.column(name, raw[name]))
            except InputError as error:
                problems.extend(error.problems)
        if not problems and all(column.size == 1 for column in fitted):
            problems.append("every column is constant; there is nothing to learn")
        if problems:
            raise InputError(*problems)
        group = None if options.group is None else fits.group(options.group, raw[options.group])
        conditions = fit_conditions(raw, options.condition, fits)  # type: ignore[arg-type]
        private = fits.account is not None
        columns, derived = (tuple(fitted), ()) if private else derived_of(fitted, raw)
        balanced = {f: neutral_share(raw, f, formulas_in(kept)) for f in formulas_in(kept)}
        seen = {f: pd.Series(as_ratios(raw, f, formulas), dtype=object) for f in balanced}
        single = tuple(f for f, own in seen.items() if not own.duplicated().any())
        return TableCodec(
            columns, tuple(kept), conditions, group, derived, balanced, single, fits.account
        )

    def write(self, samples: pd.DataFrame, path: Path) -> None:
        """Write CSV, Parquet or Arrow by the suffix."""
        name = path.name.lower()
        if name.endswith(".parquet"):
            samples.to_parquet(path, index=False)
        elif name.endswith((".arrow", ".feather")):
            with pa.OSFile(str(path), "wb") as sink:
                table = pa.Table.from_pandas(samples, preserve_index=False)
                with pa.ipc.new_file(sink, table.schema) as writer:
                    writer.write_table(table)
        else:
            samples.to_csv(path, index=False)
