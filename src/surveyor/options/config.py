"""One dataclass: the fields are the keys of config.toml and the flags of the command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

NONE = "none"  # the name of no part
OWN = "own"  # the name of a module of the user's own


def _option(default: Any, text: str, low: float | None = None, high: float | None = None) -> Any:
    return field(default=default, metadata={"help": text, "low": low, "high": high})


@dataclass(frozen=True)
class Config:
    """Everything that decides a run. What is not said is filled in by the kind of data."""

    condition: tuple[str, ...] = _option((), "Columns or labels that samples can be asked for.")
    group: str | None = _option(None, "Column whose groups are reported one by one.")
    balance: bool = _option(
        False, "Train on every group alike; an autoregressive generator's shares are brought back."
    )
    drop: tuple[str, ...] = _option((), "Columns of a table to leave out.")
    type: tuple[str, ...] = _option(
        (),
        "What a column holds, COLUMN=TYPE: text, category, number, date, date:FORMAT or formula.",
    )
    missing: tuple[str, ...] = _option(
        (), "Words of a table that stand for a missing value, such as ? or unknown."
    )
    label_noise: float = _option(
        0.0,
        "Share of the labels of conditions that are wrong; samples have right ones.",
        0,
        0.9,
    )
    task: str = _option(
        NONE,
        "What pictures are made of others for: super-resolution:scale=4, or "
        "translate:source=A,target=B, two folders or arrays in DATA.",
    )
    size: int | None = _option(
        None, "Bring pictures to so many pixels a side, cut square.", 4, 4096
    )
    white: int | None = _option(
        None,
        "Value of white in pictures of more than 8 bits, where it is not the one guessed.",
        1,
        2**16 - 1,
    )
    view: tuple[str, ...] = _option(
        (), "What the critic is shown in place of the points: shift-mirror:share=.2 of pictures."
    )
    whiten: bool = _option(False, "Bring every direction of vectors or pictures to equal spread.")
    privacy: str = _option(
        NONE,
        "Differential privacy: gaussian:epsilon=3, which bounds what samples and run folder tell "
        "of a row; also delta, 1 / (10 rows) if not given, and max_grad_norm.",
    )
    holdout: float = _option(0.2, "Share of rows held out for every measurement.", 0.01, 0.5)

    objective: str = _option("wasserstein", "wasserstein, minimax, hinge or relativistic.")
    constraint: tuple[str, ...] = _option(
        ("gradient-penalty",),
        "gradient-penalty, clip, spectral, orthogonal, condition-penalty; NAME:FIELD=VALUE,...",
    )
    generator: str = _option(
        "mlp", "autoregressive, mlp, conv, residual, unet or upscale; NAME:FIELD=VALUE,..."
    )
    critic: str = _option(
        "mlp", "mlp, conv, residual, patch, committee or packed; NAME:FIELD=VALUE,..."
    )
    latent_normal: int = _option(64, "Gaussian entries of the latent.", 0, 2**16)
    latent_bits: int = _option(0, "Entries of the latent that are -1 or +1.", 0, 2**16)
    latent_spread: float = _option(1.0, "Deviation of the Gaussian entries.", 1e-9)
    noise: str = _option(
        NONE,
        "Noise on both sides of the critic: anneal:start=.3,end=.01,until=.5, or adaptive, which "
        "holds the critic's AUC near auc=.7.",
    )
    term: tuple[str, ...] = _option(
        (), "What the generator minimises beside its objective: reconstruction:weight=300,loss=l1."
    )

    steps: int = _option(10_000, "Generator steps.", 1, 10**9)
    warm_start: float = _option(
        0.0,
        "Share of the steps, the first, without a critic: by likelihood, or the terms of a task.",
        0,
        1,
    )
    warm_rate: float = _option(2e-3, "Learning rate of the warm start, which falls to 0.", 1e-12)
    calibrate: Literal["yes", "no"] = _option(
        "yes", "Bring an autoregressive generator's columns to the training rows' frequencies."
    )
    minutes: float | None = _option(
        None, "Training time instead of steps, measured at the start.", 0.01, 525_600
    )
    batch: int = _option(256, "Rows a step.", 2, 2**20)
    critic_steps: int = _option(2, "Critic steps a generator step.", 1, 1000)
    generator_rate: float = _option(1e-3, "Learning rate of the generator.", 1e-12)
    critic_rate: float = _option(1e-3, "Learning rate of the critic.", 1e-12)
    optimizer: str = _option("adam", "adam, rmsprop or sgd; NAME:FIELD=VALUE,...")
    ema_decay: float = _option(
        0.999, "Decay of the generator's moving average, which is what is delivered.", 0, 0.999999
    )
    schedule: str = _option(
        "cosine",
        "How the learning rates fall: cosine, linear or exponential; hold=.3 of the steps at the "
        "full rate, final=0 of it at the end, critic_final.",
    )

    measure_every: int | None = _option(
        None, "Steps between measurements; 40 in all if not said.", 1, 10**9
    )
    measure_rows: int = _option(512, "Held-out rows a measurement.", 2, 10_000)
    patience: int = _option(0, "Stop after so many measurements without a better W1; 0 never.", 0)
    seed: int = _option(0, "Seed of everything random.", 0, 2**63 - 1)
    threads: int | None = _option(
        None, "Processor threads; chosen by the size of the nets.", 1, 1024
    )
    device: str = _option("cpu", "cpu, cuda or mps.")
    precision: Literal["auto", "float32", "bfloat16"] = _option(
        "float32", "Of training's products; auto is bfloat16 where the hardware multiplies it."
    )
    compile: Literal["auto", "yes", "no"] = _option(
        "auto", "Generate code for the steps; auto does where a run earns the compilation back."
    )

    @property
    def private(self) -> bool:
        """Return whether training rows are seen under differential privacy."""
        return self.privacy != NONE
