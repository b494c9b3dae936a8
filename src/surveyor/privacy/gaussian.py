"""DP-SGD: per-row gradients are clipped and summed with Gaussian noise (Abadi et al. 2016)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from surveyor.catalog import name_of
from surveyor.privacy.mechanism import Mechanism

DATA_INDEPENDENT = {"clip", "orthogonal"}  # constraints that read no rows


@dataclass(frozen=True)
class Gaussian(Mechanism):
    """(epsilon, delta) differential privacy of samples and run folder.

    A row's gradient is clipped to the norm ``max_grad_norm``. ``delta`` is 1 / (10 training rows)
    if auto.
    """

    epsilon: float | None = None
    delta: float | None = None
    max_grad_norm: float = 1.0

    def __post_init__(self) -> None:
        if self.epsilon is None:
            raise ValueError("epsilon is missing; write for example gaussian:epsilon=3")
        if self.epsilon < 1e-3:
            raise ValueError("epsilon must be at least 0.001")
        if self.delta is not None and not 1e-15 <= self.delta <= 0.1:
            raise ValueError("delta must lie between 1e-15 and .1")
        if self.max_grad_norm < 1e-9:
            raise ValueError("max_grad_norm must be above 0")

    def problems(self, chosen: Mapping[str, Any]) -> Iterator[str]:
        """Yield options that would use training rows outside the clipped and noisy sums."""
        if name_of(chosen["objective"]) != "wasserstein":
            yield "--privacy: the loss must be a sum over rows; use --objective=wasserstein"
        held = {name_of(constraint) for constraint in chosen["constraint"]}
        if not held or not held <= DATA_INDEPENDENT:
            yield (
                "--privacy: the constraint must not read rows; use --constraint=orthogonal or clip"
            )
        if getattr(chosen["critic"], "together", 1) > 1:
            yield "--privacy: a packed critic mixes rows; use --critic=mlp or conv"
        neutral = {"calibrate": "no", "balance": False, "noise": None, "view": ()}
        for name, value in neutral.items():
            if chosen[name] != value:
                yield f"--privacy: leave out --{name}; it uses rows outside the privacy accounting"
        measuring = chosen["measure"]
        if measuring.patience or measuring.every not in (None, chosen["steps"]):
            yield (
                "--privacy: leave out every and patience of --measure; choosing a step by "
                "measurements leaks rows"
            )
        if chosen["minutes"] is not None:
            yield "--privacy: the noise depends on the number of steps; give --steps, not --minutes"
