"""The configuration of a run: its fields are the keys of config.toml and the flags of ``train``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from surveyor.data.types import type_help

NONE = "none"  # in place of a part's name: no part
OWN = "own"  # in place of a part's name: a module passed by the user


def _option(default: Any, text: str, low: float | None = None, high: float | None = None) -> Any:
    return field(default=default, metadata={"help": text, "low": low, "high": high})


GROUPS = {"condition": "Data", "objective": "Model", "steps": "Training", "measure": "Run"}
"""The headings of ``--help``, keyed by the first option under each."""


@dataclass(frozen=True)
class Config:
    """All options of a run. The kind of data sets those that the user does not."""

    condition: tuple[str, ...] = _option(
        (), "Columns or labels to condition on, whose values can be chosen when sampling."
    )
    group: str | None = _option(None, "Column whose groups are reported separately.")
    balance: bool = _option(
        False, "Train on all groups equally often; samples keep the groups' true shares."
    )
    drop: tuple[str, ...] = _option((), "Columns of a table to leave out.")
    type: tuple[str, ...] = _option(
        (),
        f"Type of a column, COLUMN=TYPE, one of: {type_help()}.",
    )
    missing: tuple[str, ...] = _option((), "Words that mean a missing value, such as ? or unknown.")
    lenient: bool = _option(
        False,
        "Leave out molecules that cannot be used, and take cells of a table that do not fit their "
        "column as missing, with a notice.",
    )
    rules: Literal["found", "no"] = _option(
        "found", "Keep the rules found in a table, such as total = net + tax, in every row."
    )
    rule: tuple[str, ...] = _option(
        (), "Rule of a table to keep in every row, such as 'end >= start' or 'total = net + tax'."
    )
    except_rule: tuple[str, ...] = _option(
        (), "Rule found in a table that is not to be kept, as it is printed before training."
    )
    node: str | None = _option(
        None, "Column of a table that holds nodes of the network in --graph."
    )
    graph: str | None = _option(
        None, "File of a network's edges, along which W1 is measured between the nodes in --node."
    )
    length: str | None = _option(
        None, "Column of the edges' lengths in --graph; without it every edge has length 1."
    )
    label_noise: float = _option(
        0.0,
        "Share of the condition labels that is known to be wrong; samples get correct ones.",
        0,
        0.9,
    )
    task: str = _option(
        NONE,
        "Learn pictures from pictures: super-resolution:scale=4, or translate:source=A,target=B, "
        "where A and B are two folders, or two arrays in DATA.",
    )
    size: int | None = _option(
        None, "Crop pictures to squares and resize them to this many pixels per side.", 4, 4096
    )
    white: int | None = _option(
        None,
        "Value of white in pictures of more than 8 bits, if guessed wrongly.",
        1,
        2**16 - 1,
    )
    view: tuple[str, ...] = _option(
        (), "Augment what the critic sees, real and generated alike: shift-mirror:share=0.2."
    )
    whiten: bool = _option(False, "Whiten vectors or pictures: unit variance in every direction.")
    privacy: str = _option(
        NONE,
        "Differential privacy of samples and run folder: gaussian:epsilon=3; optional fields are "
        "delta, by default 1 / (10 rows), and max_grad_norm.",
    )
    holdout: float = _option(
        0.2, "Share of rows held out for validation and measurement.", 0.01, 0.5
    )

    objective: str = _option(
        "wasserstein", "Objective of the game: wasserstein, minimax, hinge or relativistic."
    )
    constraint: tuple[str, ...] = _option(
        ("gradient-penalty",),
        "Constraints on the critic's slope: gradient-penalty, clip, spectral, orthogonal, "
        "condition-penalty, edge-penalty; NAME:FIELD=VALUE,...",
    )
    generator: str = _option(
        "mlp", "autoregressive, mlp, conv, residual, unet or upscale; NAME:FIELD=VALUE,..."
    )
    critic: str = _option(
        "mlp", "mlp, conv, residual, patch, committee or packed; NAME:FIELD=VALUE,..."
    )
    latent: str = _option(
        "gaussian",
        "Random input of the generator: gaussian:dimensions=64,bits=0,spread=1, where spread is "
        "the standard deviation and bits are further dimensions of -1 or +1.",
    )
    noise: str = _option(
        NONE,
        "Instance noise on the critic's inputs: anneal:start=0.3,end=0.01,until=0.5, or "
        "adaptive:auc=0.7, which keeps the critic's AUC near .7.",
    )
    term: tuple[str, ...] = _option(
        (), "Terms added to the generator's loss: reconstruction:weight=300,loss=l1."
    )

    steps: int = _option(10_000, "Generator steps.", 1, 10**9)
    warm_start: float = _option(
        0.0,
        "Share of the steps, at the start, that train without a critic: by likelihood, or by the "
        "terms of a task.",
        0,
        1,
    )
    warm_rate: float = _option(
        2e-3, "Initial learning rate of the warm start; it falls to 0.", 1e-12
    )
    calibrate: Literal["yes", "no"] = _option(
        "yes", "Match the marginals of an autoregressive generator to the training data."
    )
    minutes: float | None = _option(
        None,
        "Training time in minutes; a trial at the start sets the number of steps.",
        0.01,
        525_600,
    )
    batch: int = _option(256, "Batch size.", 2, 2**20)
    critic_steps: int = _option(2, "Critic steps per generator step.", 1, 1000)
    generator_rate: float = _option(1e-3, "Learning rate of the generator.", 1e-12)
    critic_rate: float = _option(1e-3, "Learning rate of the critic.", 1e-12)
    optimizer: str = _option("adam", "adam, rmsprop or sgd; NAME:FIELD=VALUE,...")
    ema_decay: float = _option(
        0.999,
        "Decay of the generator's exponential moving average, which generates the samples.",
        0,
        0.999999,
    )
    schedule: str = _option(
        "cosine",
        "Learning rate schedule: cosine, linear or exponential. Fields: hold=0.3 (share of the "
        "steps at the full rate), final=0 and critic_final (share of the rate at the end).",
    )

    measure: str = _option(
        "w1",
        "Measurements of W1 on validation rows: w1:every=auto,rows=512,patience=0. Fields: every "
        "(steps from one to the next; auto makes 40 in all), rows (of each), patience (training "
        "stops after so many without a better W1; 0 never stops).",
    )
    seed: int = _option(0, "Random seed.", 0, 2**63 - 1)
    threads: int | None = _option(
        None, "CPU threads; chosen by the size of the nets if not given.", 1, 1024
    )
    device: str = _option(
        "auto", "Device to train on: cpu, cuda or mps; auto takes CUDA if there is any."
    )
    precision: Literal["auto", "float32", "bfloat16"] = _option(
        "float32",
        "Precision of matrix products; auto uses bfloat16 where the hardware supports it.",
    )
    compile: Literal["auto", "yes", "no"] = _option(
        "auto",
        "Compile the training step; auto does so if the run is long enough for it to save time.",
    )

    @property
    def private(self) -> bool:
        """Return whether training is differentially private."""
        return self.privacy != NONE
