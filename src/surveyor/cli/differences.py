"""How differences between data sets are printed: of one set in full, of several in a table."""

from __future__ import annotations

from typing import Any

from surveyor.cli.console import escaped, out, print_table
from surveyor.cli.several import Found, Measured, Sets
from surveyor.judgement.summary import chance
from surveyor.ruler import Comparison, Drift, ReferenceDrift
from surveyor.two_sample import LEVEL, Proof, p_text

MOST_COLUMNS = 12
EACH = (
    f"Each is tested at a level of {LEVEL:.0%} of its own: of 100 that do not differ from the "
    f"first set, up to {100 * LEVEL:.0f} are said to."
)


def numbers_of(sets: Sets, found: Measured) -> dict[str, Any]:
    """Return all numbers for JSON; of several data sets as a list."""
    if not sets.several:
        (only,) = found.values()
        return {} if isinstance(only, str) else only.numbers()
    several = [
        {"name": name} | ({"note": one} if isinstance(one, str) else one.numbers())
        for name, one in found.items()
    ]
    return {"first": sets.first, "level": LEVEL, "note": EACH, "sets": several}


def print_found(found: Found | str) -> None:
    """Print all that was found of one data set."""
    if isinstance(found, Drift):
        _print_drift(found)
    elif isinstance(found, ReferenceDrift):
        _print_reference_drift(found)


def print_several(sets: Sets, found: Measured) -> None:
    """Print one row for each data set."""
    measured = [one for one in found.values() if not isinstance(one, str)]
    bounds = any(one.comparison.bound is not None for one in measured)
    table = [(f"against {sets.first}", "rows", "p", *["W1 from", "to"] * bounds, "")]
    for name, one in found.items():
        if isinstance(one, str):
            table.append((name, *[""] * (len(table[0]) - 2), one))
            continue
        c = one.comparison
        bracket = (f"{c.low:.4g}", f"{c.high:.4g}") if bounds else ()
        table.append((name, f"{c.rows[1]:,}", chance(c.p_value), *bracket, _short(c)))
    print_table(table, (0, len(table[0]) - 1))
    out.print(EACH, highlight=False)
    for note in sorted({one.note for one in measured if isinstance(one, ReferenceDrift)}):
        out.print(escaped(note), highlight=False)


def _short(c: Comparison) -> str:
    if c.p_value > LEVEL:
        return "no difference seen"
    return f"{'' if c.p_value <= 0.01 else 'probably '}differs: {Proof(c.tests).seen}"


def _print_reference_drift(found: ReferenceDrift) -> None:
    c = found.comparison
    out.print(f"[bold]{escaped(c.verdict)}[/]")
    out.print(
        "tests: " + ", ".join(f"{t.test} {p_text(t.p_value)}" for t in c.tests), highlight=False
    )
    out.print("columns, largest difference first:", highlight=False)
    for m in found.columns[:MOST_COLUMNS]:
        out.print(
            f"  {escaped(m.name)}: {m.difference:.1%} of rows  {p_text(m.p_value)}  "
            f"[dim]{escaped(m.change)}[/]",
            highlight=False,
        )
    if more := len(found.columns[MOST_COLUMNS:]):
        out.print(f"  and {more:,} more", highlight=False)
    out.print(escaped(found.note), highlight=False)


def _print_drift(found: Drift) -> None:
    c = found.comparison
    out.print(f"[bold]{escaped(c.verdict)}[/]")
    lines = [
        f"W1 {c.value:.4g} = {c.ratio:.2f} x its floor {c.floor:.4g} (both between samples of "
        f"{c.n:,} rows, so larger than W1 between the populations), in {found.unit}",
    ]
    if c.bound is not None:
        lines.append(
            f"the true W1 is between {c.low:.4g} (critic of slope at most {c.bound:.4g}, on "
            f"held-out rows) and {c.high:.4g} (transport)"
        )
    lines.append(f"method: {c.method}, from {c.rows[0]:,} and {c.rows[1]:,} rows")
    lines.append("tests: " + ", ".join(f"{t.test} {p_text(t.p_value)}" for t in c.tests))
    out.print("\n".join(lines), highlight=False)
    if found.columns:
        out.print("columns, largest change first:", highlight=False)
    for m in found.columns[:MOST_COLUMNS]:
        far, floor = m.described
        p = "" if m.p_value is None else f"  {p_text(m.p_value)}"
        out.print(
            f"  {escaped(m.name)}: {far} (floor {floor}){p}  [dim]{escaped(m.change)}[/]",
            highlight=False,
        )
    more = len(found.columns) - MOST_COLUMNS + found.coordinates.left_out
    if more > 0:
        out.print(f"  and {more:,} more", highlight=False)
