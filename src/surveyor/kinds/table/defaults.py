"""The defaults of tables; docs/defaults.md has the experiments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WIDE = 64  # columns beyond which one net per column costs more than one net for all
PRIVATE_PARTS = 12  # rows per batch row with differential privacy: large batches need less noise
EPOCHS, GAME = 20, 0.5  # epochs of the warm start; steps of the game per step of the warm start
DEFAULTS: Mapping[str, Any] = {
    "critic": "mlp:width=256,depth=2",
    "latent_normal": 128,
    "critic_steps": 2,
    "optimizer": "adam:beta1=0.5,beta2=0.9",
    "schedule": "linear:hold=0.4,final=0.02",
    "precision": "auto",
}
WIDE_DEFAULTS: Mapping[str, Any] = {
    "generator": "mlp:width=256,depth=2,residual=true",
    "steps": 3000,
    "ema_decay": 0.995,
}


def defaults(rows: int, columns: int, autoregressive: bool = True) -> Mapping[str, Any]:
    """Return the defaults measured in docs/defaults.md for a size of table and a generator."""
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
        "generator_rate": 1e-5,
        "ema_decay": 0.99,
    }
