"""How many generated rows break the rules that are kept by rejection."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from surveyor.data import Codec
from surveyor.errors import notify

SHOWN = 3  # rules


@dataclass
class Tally:
    """The rows that were generated and otherwise fit, those kept, and those that broke each rule.

    A row can break several.
    """

    made: int = 0
    kept: int = 0
    broken: Counter[str] = field(default_factory=Counter)

    def obeying(self, codec: Codec, made: Any, fit: np.ndarray) -> np.ndarray:
        """Return which samples that ``fit`` (n,) break no rule, (n,), and count them."""
        obey = fit.copy()
        for text, own in codec.broken(made).items():
            obey &= ~own
            if lost := int((own & fit).sum()):
                self.broken[text] += lost
        self.made, self.kept = self.made + int(fit.sum()), self.kept + int(obey.sum())
        return obey

    @property
    def rules(self) -> str:
        """Return the rules that were broken, most often first, each with its share of rows."""
        found = self.broken.most_common()
        texts = [text for text, _ in found[:1]]
        if len(found) > 1:
            texts = [f"{text} ({percent(lost, self.made)})" for text, lost in found[:SHOWN]]
        more = [f"{len(found) - SHOWN} more"] if len(found) > SHOWN else []
        return f"the rule{'s' * (len(found) > 1)} {', '.join([*texts, *more])}"

    @property
    def lost(self) -> str:
        """Return the share that broke a rule."""
        return percent(self.made - self.kept, self.made)

    def tell(self) -> None:
        """Notify the user of the share that was kept, if it is not all."""
        if self.broken:
            kept = percent(self.kept, self.made)
            notify(f"{kept} of generated rows kept; the others broke {self.rules}")


def percent(part: int, whole: int) -> str:
    """Return a share as a percentage of one decimal, or of two digits if it is small."""
    share = 100 * part / max(whole, 1)
    return f"{share:.1f}%" if share >= 1 else f"{share:.2g}%"
