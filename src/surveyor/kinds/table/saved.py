"""The codec of tables as JSON-ready values and arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from surveyor.data import State
from surveyor.data.conditions import Columns, columns_restore, columns_state
from surveyor.data.fits import account_of, account_state
from surveyor.kinds.table.constructions import choice_restore, choice_state
from surveyor.kinds.table.dependencies import Derived, Pairs
from surveyor.kinds.table.nodes import nodes_restore, nodes_state
from surveyor.kinds.table.rejected import rules_restore, rules_state
from surveyor.kinds.table.surrogates import surrogates_restore, surrogates_state

if TYPE_CHECKING:
    from surveyor.kinds.table.codec import TableCodec


def state_of(codec: TableCodec) -> State:
    """Return what ``fields_of`` reads back."""
    groups = [] if codec.group is None else [codec.group]
    lists = {"column": codec.columns, "group": groups, "replaced": codec.replaced}
    columns = {name: columns_state(own, name) for name, own in lists.items()}
    condition, arrays = codec.condition.state()
    kept, kept_arrays = choice_state(codec.kept)
    for _, own in columns.values():
        arrays = arrays | own
    meta = {
        **{name: metas for name, (metas, _) in columns.items()},
        "order": list(codec.order),
        "condition": condition,
        "neutral": dict(codec.neutral),
        "unique": list(codec.unique_formulas),
        "formulas": dict(codec.formulas),
        "parents": [d.parent for d in codec.derived],
        "pairs": [[p.first, p.second] for p in codec.pairs],
        "kept": kept,
        "surrogates": surrogates_state(codec.surrogates),
        **account_state(codec.account),
    }
    if codec.rejected:
        meta["rejected"] = rules_state(codec.rejected)
    tables = {f"derived.{k}": d.table for k, d in enumerate(codec.derived)}
    tables |= {f"pairs.{k}": p.seen for k, p in enumerate(codec.pairs)}
    nodes, paths = nodes_state(codec.nodes)
    return {**meta, **nodes}, arrays | kept_arrays | tables | paths


def fields_of(meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return the fields of the codec that ``state_of`` described."""
    columns = {
        name: columns_restore(meta[name], arrays, name) for name in ("column", "group", "replaced")
    }
    condition = Columns.restore(meta["condition"], arrays)
    rows = (*columns["column"], *columns["replaced"], *condition.columns)
    return {
        "columns": columns["column"],
        "order": tuple(meta["order"]),
        "condition": condition,
        "group": columns["group"][0] if columns["group"] else None,
        "derived": tuple(Derived(p, arrays[f"derived.{k}"]) for k, p in enumerate(meta["parents"])),
        "neutral": {str(name): float(share) for name, share in meta["neutral"].items()},
        "unique_formulas": tuple(meta["unique"]),
        "account": account_of(meta),
        "formulas": {str(name): int(places) for name, places in meta["formulas"].items()},
        "kept": choice_restore(meta["kept"], arrays),
        "replaced": columns["replaced"],
        "rejected": rules_restore(meta.get("rejected", []), rows),
        "surrogates": surrogates_restore(meta["surrogates"]),
        "nodes": nodes_restore(meta, arrays),
        "pairs": tuple(
            Pairs(first, second, arrays[f"pairs.{k}"])
            for k, (first, second) in enumerate(meta["pairs"])
        ),
    }
