"""Files of tables: CSV, Parquet, Arrow files and DataFrames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from surveyor.data import DEFAULT_OPTIONS, Codec, Files, Options, check_columns
from surveyor.data.columns import Column
from surveyor.data.conditions import fit_conditions
from surveyor.data.fits import fits_for
from surveyor.data.memory import one_row
from surveyor.errors import InputError
from surveyor.kinds.table.charges import neutral_share
from surveyor.kinds.table.chosen import parts_by, same_columns
from surveyor.kinds.table.codec import TableCodec
from surveyor.kinds.table.declared import declared_rules, rules_of
from surveyor.kinds.table.defaults import PRIVATE, PRIVATE_PARTS, defaults
from surveyor.kinds.table.formula import Expanded, formula_ratios, part_names
from surveyor.kinds.table.frames import Frame, InMemory, Over, Stacked, read_frame
from surveyor.kinds.table.infer import Typed, align_columns, infer_types, read_types
from surveyor.kinds.table.learnt import learn
from surveyor.kinds.table.nodes import Nodes, check_nodes, fit_nodes
from surveyor.kinds.table.stream import write_parts
from surveyor.kinds.table.surrogates import rules_of_keys
from surveyor.kinds.table.text import Reading

__all__ = ["Table", "TableCodec"]


class Table(Files):
    """Tables of numbers, categories, booleans and dates, with missing values."""

    tabular = True
    suffixes = (".csv", ".csv.gz", ".parquet", ".arrow", ".feather")

    def recognises(self, source: Any) -> bool:
        """Return whether ``source`` is a DataFrame or a path with a suffix of tables."""
        return isinstance(source, (pd.DataFrame, Frame)) or (
            isinstance(source, (str, Path)) and str(source).lower().endswith(self.suffixes)
        )

    def read(self, source: Any, options: Options = DEFAULT_OPTIONS) -> Frame:
        """Open the table and infer the types of its columns; Parquet is read in parts.

        Columns of chemical formulas become columns of elements and amounts.
        """
        if options.size is not None:
            raise InputError("--size: only for pictures; leave it out")
        if isinstance(source, (Typed, Expanded)):
            return source
        return self._inferred(source if isinstance(source, Frame) else read_frame(source), options)

    def one_row(self, source: Any) -> Any:
        """Return a Series or a dictionary of single values as a table of one row."""
        return one_row(source)

    def reopen(self, source: Any, codec: Codec, options: Options = DEFAULT_OPTIONS) -> Frame:
        """Open other rows with the column types of a fitted codec."""
        assert isinstance(codec, TableCodec)
        return codec.reopen(read_frame(source), options)

    def open_alike(self, sources: Mapping[str, Any], drop: Sequence[str]) -> dict[str, Any]:
        """Return tables without the columns in ``drop``, opened but not read."""
        return {**same_columns({n: read_frame(s) for n, s in sources.items()}, drop)}

    def split(self, source: Any, column: str) -> dict[str, Any]:
        """Return parts of a table by the value of a column, as the file has it."""
        return {**parts_by(read_frame(source), column)}

    def columns(self, raw: Frame) -> list[str]:
        """Return the column names."""
        return raw.names

    def keys(self, raw: Frame, codec: Codec) -> np.ndarray:
        """Return one number per row, equal for rows with equal values."""
        return codec.keys(next(iter(raw.chunks())))

    def read_comparable(self, sources: Sequence[Any], options: Options) -> list[Frame]:
        """Open several tables with column types inferred from the rows of all."""
        parts = align_columns([read_frame(source) for source in sources], options.drop)
        whole = self._inferred(Stacked(parts), replace(options, drop=()))
        typed = whole.plain if isinstance(whole, Expanded) else whole
        made: list[Frame] = [Typed(p, typed.columns) for p in parts if isinstance(typed, Typed)]
        return [Expanded(m, whole.formulas) for m in made] if whole.formulas else made

    def _inferred(self, frame: Frame, options: Options) -> Frame:
        declared, problems = read_types(options.type, frame.names)
        if options.node in frame.names:
            declared.setdefault(options.node, ("category", ""))
        problems += check_columns(options.drop, frame.names, "--drop")
        if problems:
            raise InputError(*problems)
        typed = infer_types(
            frame, Reading(declared, options.missing, options.lenient), options.drop
        )
        if wrong := rules_of_keys(options.rule, typed.surrogates):
            raise InputError(*wrong)
        declared_rules(options.rule, typed)
        check_nodes(typed, options)
        formulas = {n: c.places for n, c in typed.columns.items() if c.places}
        return Expanded(typed, formulas) if formulas else typed

    def defaults(self, raw: Frame, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the defaults measured in docs/defaults.md."""
        generator = str(given.get("generator") or "autoregressive").partition(":")[0]
        found = defaults(len(raw), len(raw.names), generator == "autoregressive")
        if given.get("node") is not None:
            found = {**found, "constraint": ("gradient-penalty", "edge-penalty")}
        if given.get("privacy") in (None, "none"):
            return found
        batch = min(2000, max(32, len(raw) // PRIVATE_PARTS))
        return {**found, "batch": batch, **(PRIVATE if "warm_start" in found else {})}

    def take(self, raw: Frame, index: np.ndarray) -> pd.DataFrame:
        """Return the chosen rows (``index`` ascending) as a DataFrame."""
        return raw.take(index) if raw.names else pd.DataFrame()

    def describe(self, raw: Frame) -> list[tuple[str, str, str, str]]:
        """Return the name, type, example and remark of every column."""
        return raw.describe()

    def select(self, raw: Frame, index: np.ndarray) -> InMemory:
        """Return the chosen rows (``index`` ascending) as a table in memory."""
        return InMemory(
            raw.take(index),
            raw.where,
            forms=raw.forms,
            formulas=raw.formulas,
            surrogates=raw.surrogates,
        )

    def concatenate(self, a: Frame, b: Frame) -> Frame:
        """Return the rows of both tables."""
        frames = [next(iter(x.chunks())) for x in (a, b)]
        rows = pd.concat([frames[0], frames[1][a.names]], ignore_index=True)
        return InMemory(rows, forms=a.forms, formulas=a.formulas, surrogates=a.surrogates)

    def fit(self, raw: Frame, options: Options) -> TableCodec:
        """Fit a codec to the columns.

        Raises:
            InputError: columns that are unknown, conflict with options, or cannot be learnt.
        """
        names, frame = raw.names, next(iter(raw.chunks()))
        formulas = raw.formulas
        problems = _key_problems(raw, options)
        known = [*names, *(own.name for own in raw.surrogates)]
        problems += check_columns(options.condition, known, "--condition")
        if options.group is not None:
            problems += check_columns([options.group], known, "--group")
        problems += [
            f"--drop {c}: also a --condition; leave one of them out"
            for c in set(options.drop) & set(options.condition)
        ]
        if options.whiten:
            problems.append(
                "--whiten: not for tables, whose columns are standardised one by one; leave it out"
            )
        if options.epsilon is not None:
            problems += [
                f"--privacy: column {f!r} of formulas would reveal rows outside the privacy "
                f"budget; leave it out with --drop {f}"
                for f in formulas
            ]
            problems += [
                f"--privacy: new keys of column {own.name!r} would tell of the keys in the data; "
                f"leave it out with --drop {own.name}"
                for own in raw.surrogates
            ]
        modelled = [name for name in names if name not in options.condition]
        if not (problems or modelled):
            problems.append(
                "nothing left to generate: every column is a condition or dropped; leave some out "
                "of --condition or --drop"
            )
        if problems:
            raise InputError(*problems)
        fits = fits_for(options, len(raw), raw.forms)
        fitted = [fits.column(name, frame[name], raw.forms[name]) for name in modelled]
        if all(column.size == 1 for column in fitted):
            raise InputError("every column is constant; there is nothing to learn")
        group = None
        if options.group is not None:
            group = fits.group(options.group, frame[options.group], raw.forms[options.group])
        conditions = fit_conditions(frame, options.condition, fits, raw.forms)  # type: ignore[arg-type]
        plain = {part for f, places in formulas.items() for part in part_names(f, places)}
        ruled = [column for column in fitted if column.name not in plain]
        found, declared = rules_of(raw, frame, ruled, conditions.columns, options)
        learning = learn(fitted, frame, fits, found, declared, conditions.columns)
        balanced = {f: neutral_share(frame, f, formulas) for f in formulas}
        seen = {f: pd.Series(formula_ratios(frame, f, formulas), dtype=object) for f in balanced}
        single = tuple(f for f, own in seen.items() if not own.duplicated().any())
        return TableCodec(
            order=tuple(names),
            condition=conditions,
            group=group,
            neutral=balanced,
            unique_formulas=single,
            account=fits.account,
            formulas=formulas,
            surrogates=tuple(raw.surrogates),
            nodes=_nodes(learning.columns, options),
            **vars(learning),
        )

    def beside(self, raw: Frame, made: pd.DataFrame) -> pd.DataFrame:
        """Return rows ``made`` of a table among its columns that were not read, such as keys."""
        plain = raw
        while isinstance(plain, (Over, Expanded)):
            plain = plain.plain
        whole = plain.take(np.arange(len(plain)))
        order = [n for n in plain.names if n in made or n in whole]
        return pd.DataFrame({n: (made if n in made else whole)[n].array for n in order})

    def write(self, samples: pd.DataFrame, path: Path) -> None:
        """Write CSV, Parquet or Arrow, as the suffix says."""
        write_parts([samples], path)

    def write_parts(self, parts: Iterable[pd.DataFrame], path: Path) -> None:
        """Write tables one below the other, with one of them in memory at a time."""
        write_parts(parts, path)


def _nodes(columns: Sequence[Column], options: Options) -> Nodes | None:
    if options.node is None or options.graph is None:
        return None
    named = [c for c in columns if c.name == options.node]
    if not named or named[0].ordered:
        raise InputError(
            f"--node {options.node}: a rule computes this column from others, so no nodes are "
            "learnt; give --rules no"
        )
    return fit_nodes(named[0], options)


def _key_problems(raw: Frame, options: Options) -> list[str]:
    asked = [("--condition", name) for name in options.condition]
    asked += [("--group", options.group)] if options.group is not None else []
    return [
        f"{flag} {own.name}: a key, which is never learnt; leave it out{own.as_number}"
        for own in raw.surrogates
        for flag, name in asked
        if name == own.name
    ]
