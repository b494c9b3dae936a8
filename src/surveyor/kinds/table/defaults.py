"""The defaults of tables; docs/defaults.md has the experiments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from surveyor.data.fitting import WIDE

PRIVATE_PARTS = 12  # rows per batch row with differential privacy: large batches need less noise
EPOCHS = 40  # of the warm start, within STEPS; beyond 50,000 rows half as many, up to twice STEPS
STEPS = 2000
GAME = 0.125  # steps of the game per step of the warm start
PRIVATE: Mapping[str, Any] = {
    "generator": "autoregressive:width=64,depth=2,embedding=32",
    "steps": 600,
    "warm_start": 1.0,
    "warm_rate": 0.02,
}
FEDERATED_STEPS = 200  # of several clients, each step a message to every one of them
DEFAULTS: Mapping[str, Any] = {
    "critic": "mlp:width=256,depth=2",
    "latent": "gaussian:dimensions=128",
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
    epoch = rows / batch
    warm = round(max(300, min(EPOCHS * epoch, max(STEPS, min(EPOCHS / 2 * epoch, 2 * STEPS)))))
    return {
        **DEFAULTS,
        "generator": "autoregressive",
        "batch": batch,
        "steps": round(warm * (1 + GAME)),
        "warm_start": 1 / (1 + GAME),
        "generator_rate": 1e-5,
        "ema_decay": 0.99,
    }
