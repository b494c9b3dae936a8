"""Rules of the data: how many generated rows break them, beside held-out ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from surveyor.kinds.table.codec import TableCodec
from surveyor.kinds.table.measures import frames
from surveyor.kinds.table.rules import MOST_ROWS, View, exceeds, find_rules
from surveyor.measures import Figure, Measure, Seen
from surveyor.two_sample import bonferroni


@dataclass(frozen=True)
class Rules(Measure):
    """Rules found in training rows, counted in generated and in held-out rows."""

    def __call__(self, seen: Seen) -> Iterator[Figure]:
        """Yield ``rule`` by rule, the share of rows that break it, and the ``p_value`` of all.

        The p-value is that generated rows break no rule more often than held-out ones, the least
        of the rules' times their number.
        """
        codec, (made, held, _) = cast(TableCodec, seen.codec), frames(seen)
        train = seen.data.training(2 * MOST_ROWS)
        views = View(codec.measured, made), View(codec.measured, held)
        found = []
        for one in find_rules(codec.measured, train, seen.seed):
            ours, real = (one.rule.check(view).counts for view in views)
            share, floor = (broken / max(rows, 1) for broken, rows in (ours, real))
            yield Figure("rule", share, floor, "", "lower", one.rule.text, "rule", ours[1])
            note = f"{share:.1%} of rows break the rule {one.rule.text} (held out: {floor:.1%})"
            found.append((exceeds(ours, real), note))
        if found:
            p, (_, note) = bonferroni([p for p, _ in found]), min(found, key=lambda f: f[0])
            yield Figure("p_value", p, None, "", "higher", "rules", "test", len(made), note=note)
