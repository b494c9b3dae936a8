"""The clients' shares of the joint batch: by rows, alike, or as the user says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from surveyor.errors import InputError, did_you_mean

BY_ROWS, ALIKE = "rows", "alike"


def weighing_problems(weigh: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return what is wrong with the texts of ``--weigh``, for clients of these ``names``."""
    try:
        said(weigh, names)
    except InputError as error:
        return list(error.problems)
    return []


def said(weigh: Sequence[str], names: Sequence[str]) -> dict[str, float]:
    """Return the share of every client that ``weigh`` names; of none for ``rows`` and ``alike``.

    Raises:
        InputError: a text that is none of these, an unknown client, or shares that are not shares.
    """
    found: dict[str, float] = {}
    problems: list[str] = []
    plain = [text for text in weigh if text in (BY_ROWS, ALIKE)]
    if plain and len(weigh) > 1:
        problems.append(f"--weigh {plain[0]}: give it alone, or shares alone")
    for text in weigh:
        name, sign, number = text.rpartition("=")
        if text in (BY_ROWS, ALIKE):
            continue
        if not sign:
            problems.append(
                f"--weigh {text}: give rows, alike, or the share of a client as NAME=SHARE"
                f"{did_you_mean(text, (BY_ROWS, ALIKE))}"
            )
        elif name not in names:
            problems.append(f"--weigh {text}: no such client{did_you_mean(name, names)}")
        elif name in found:
            problems.append(f"--weigh {text}: a second share of this client; leave one out")
        else:
            found[name] = _share(number)
            if math.isnan(found[name]):
                problems.append(f"--weigh {text}: the share is not above 0 and at most 1")
    total = sum(found.values())
    if not problems and total > 1 + 1e-9:
        problems.append(f"--weigh: the shares add up to {total:g}; make that at most 1")
    if not problems and len(found) == len(names) and total < 1 - 1e-9:
        problems.append(f"--weigh: the shares of all clients add up to {total:g}; make that 1")
    if not problems and len(found) < len(names) and found and total > 1 - 1e-9:
        problems.append("--weigh: the shares leave nothing to the other clients; give less")
    if problems:
        raise InputError(*problems)
    return found


def shares(weigh: Sequence[str], rows: Mapping[str, int]) -> dict[str, float]:
    """Return the share of every client, which add up to 1.

    By ``rows`` they are in proportion to training rows, by ``alike`` equal. Of shares that are
    said for some clients, the others divide the rest by rows.
    """
    if list(weigh) == [ALIKE]:
        return dict.fromkeys(rows, 1 / len(rows))
    found = said(weigh, list(rows))
    left = 1 - sum(found.values())
    others = sum(n for name, n in rows.items() if name not in found)
    return {name: found.get(name, left * n / max(others, 1)) for name, n in rows.items()}


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        return math.nan
    return share if 0 < share <= 1 else math.nan
