"""Surrogate keys: new identifiers in place of a column of keys, which is never learnt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from surveyor.batch import Draws
from surveyor.data.restore import label_array
from surveyor.data.values import EXACT, Form
from surveyor.errors import InputError
from surveyor.kinds.table.templates import Numbered, Placed, Template
from surveyor.streams import Stream

ENOUGH = 20  # rows among which different whole numbers may be a key
MANY, DENSE = 100, 10.0  # rows that need no name of a key, and -log of the chance of no repeat
KEY_NAME = re.compile(r"|unnamed: 0|rownames|index|(.*[\W_])?(id|key|uuid|guid|nr|no)", re.I)
CAMEL_CASE = re.compile(r".*[a-z](ID|Id|Key|Nr|No)")
TEMPLATES = {own.__name__.lower(): own for own in (Numbered, Placed)}


@dataclass(frozen=True)
class Surrogate:
    """A column of keys: the pattern of new ones, and the share of rows without any.

    ``place`` is the column's place among those of a sample.
    """

    name: str
    form: Form
    template: Template
    missing: float = 0.0
    place: int = 0

    def keys(self, first: int, n: int) -> Any:
        """Return the keys (n,) of samples, the first of which is number ``first``.

        Raises:
            InputError: the pattern, or the type of the column, has no more new keys.
        """
        self._refuse_beyond(first + n)
        texts = [self.template.text(k) for k in range(first, first + n)]
        made: list[Any] = texts if self.form.textual else [int(t) for t in texts]
        if self.missing:
            absent = Draws(first, 0, Stream.SAMPLE).uniform(n).numpy() < self.missing
            made = [None if gone else own for gone, own in zip(absent, made, strict=True)]
        return label_array(made, self.form)

    @property
    def as_number(self) -> str:
        """Return how to learn a key of whole numbers, the end of a sentence."""
        return "" if self.form.textual else f", or read it with --type {self.name}=number"

    def _refuse_beyond(self, n: int) -> None:
        room = self.template.room
        if not self.form.textual:
            own = self.form.dtype.lower()
            most = int(np.iinfo(own).max) if re.fullmatch(r"u?int\d+", own) else EXACT
            room = most - int(self.template.text(0)) + 1
        if room is not None and n > room:
            raise InputError(
                f"-n {n:,}: column {self.name!r} has room for {max(room, 0):,} new keys; ask for "
                f"no more, or train with --drop {self.name}"
            )


def with_keys(made: pd.DataFrame, surrogates: Sequence[Surrogate], first: int) -> pd.DataFrame:
    """Return samples with their keys, of which the first is number ``first``."""
    if not surrogates:
        return made
    columns: list[tuple[Any, Any]] = list(made.items())
    for own in surrogates:
        columns.insert(own.place, (own.name, own.keys(first, len(made))))
    return pd.DataFrame(dict(columns), index=made.index)


def rules_of_keys(rules: Sequence[str], surrogates: Sequence[Surrogate]) -> list[str]:
    """Return a problem for each declared rule that names a key."""
    return [
        f"--rule {rule!r}: {own.name} is a key, which is never learnt; leave the rule out"
        f"{own.as_number}"
        for rule in rules
        for own in surrogates
        if re.search(rf"(?<!\w){re.escape(own.name)}(?!\w)", rule)
    ]


def is_key(name: str, distinct: int, rows: int, span: float) -> bool:
    """Return whether whole numbers are identifiers.

    All ``rows`` are ``distinct``, which by chance, for n numbers drawn from a range of ``span``,
    has probability exp(-n^2 / (2 span)) at most; or the column's name says so.
    """
    if distinct < rows or rows < ENOUGH:
        return False
    dense = rows >= MANY and rows**2 / (2 * span) >= DENSE
    return dense or names_a_key(name)


def names_a_key(name: str) -> bool:
    """Return whether a column's name is that of identifiers, such as ``order_id``."""
    return bool(KEY_NAME.fullmatch(name) or CAMEL_CASE.fullmatch(name))


def surrogates_state(surrogates: Sequence[Surrogate]) -> list[dict[str, Any]]:
    """Return what ``surrogates_restore`` needs."""
    names = {own: name for name, own in TEMPLATES.items()}
    return [{**asdict(s), "pattern": names[type(s.template)]} for s in surrogates]  # type: ignore[index]


def surrogates_restore(state: Sequence[Mapping[str, Any]]) -> tuple[Surrogate, ...]:
    """Rebuild surrogates."""

    def plain(own: Mapping[str, Any]) -> dict[str, Any]:
        return {k: tuple(v) if isinstance(v, list) else v for k, v in own.items()}

    return tuple(
        Surrogate(
            str(own["name"]),
            Form(**plain(own["form"])),
            TEMPLATES[own["pattern"]](**plain(own["template"])),
            float(own["missing"]),
            int(own["place"]),
        )
        for own in state
    )
