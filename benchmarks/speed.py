"""A penalised critic step, side by side: the textbook loop, JAX, the arithmetic's limit, Surveyor."""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.common import console, show, write
from benchmarks.page import Found, Section, table
from surveyor.batch import Batch, Draws
from surveyor.critics.conv import Conv
from surveyor.critics.mlp import Mlp
from surveyor.data import Space
from surveyor.generators import Latent
from surveyor.lipschitz.gradient_penalty import GradientPenalty
from surveyor.objectives.wasserstein import Wasserstein
from surveyor.training.backends.written_out import WrittenOut, critic_loss_and_grad
from surveyor.training.game import Game
from surveyor.training.optimizers.adam import Adam
from surveyor.training.step import update

RATE = 1e-4
Step = Callable[[], object]


@dataclass(frozen=True)
class Size:
    """A critic: rows of real and of fake points a step, and its net."""

    name: str
    batch: int
    shape: tuple[int, ...]
    width: int
    depth: int = 3

    def points(self) -> tuple[Tensor, Tensor]:
        torch.manual_seed(0)
        return torch.randn(self.batch, *self.shape) + 1, torch.randn(self.batch, *self.shape)


SIZES = (
    Size("MLP 3 x 64, batch 64, 2 inputs", 64, (2,), 64),
    Size("MLP 3 x 512, batch 256, 2 inputs", 256, (2,), 512),
    Size("MLP 3 x 256, batch 500, 100 inputs", 500, (100,), 256),
    Size("DCGAN 28 x 28, batch 64", 64, (1, 28, 28), 32),
)


def layers(size: Size) -> nn.Sequential:
    """Return the critic as plain PyTorch, the same layers as Surveyor's."""
    if len(size.shape) == 3:
        w = size.width
        return nn.Sequential(
            nn.Conv2d(1, w, 3, padding=1), nn.LeakyReLU(0.2),
            nn.Conv2d(w, 2 * w, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(2 * w, 4 * w, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Flatten(), nn.Linear(4 * w * 49, 1), nn.Flatten(0),
        )  # fmt: skip
    widths = [size.shape[0], *[size.width] * size.depth]
    hidden = [
        layer
        for a, b in zip(widths[:-1], widths[1:], strict=True)
        for layer in (nn.Linear(a, b), nn.LeakyReLU(0.2))
    ]
    return nn.Sequential(*hidden, nn.Linear(widths[-1], 1), nn.Flatten(0))


def textbook(size: Size) -> Step:
    """WGAN-GP as it is usually written: three passes, double differentiation, Adam."""
    critic = layers(size)
    optimizer = torch.optim.Adam(critic.parameters(), lr=RATE, betas=(0.0, 0.9))
    real, fake = size.points()
    return lambda: textbook_update(critic, optimizer, real, fake)


def textbook_update(
    critic: nn.Module, optimizer: torch.optim.Optimizer, real: Tensor, fake: Tensor
) -> None:
    optimizer.zero_grad()
    e = torch.rand(len(real), *[1] * (real.ndim - 1), device=real.device)
    between = (e * real + (1 - e) * fake).requires_grad_(True)
    (g,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    penalty = (g.flatten(1).norm(dim=1) - 1).square().mean()
    loss = critic(fake).mean() - critic(real).mean() + 10 * penalty
    loss.backward()
    optimizer.step()


def surveyor(size: Size, precision: torch.dtype = torch.float32, generated: bool = True) -> Step:
    """Surveyor's own critic step, ``generated`` code or eager; the generator is left out."""
    real, fake = size.points()
    space = Space(size.shape, 0, size.shape)
    net = Conv(size.width) if len(size.shape) == 3 else Mlp(size.width, size.depth)
    critic = net.build(space)
    game = _Given(
        nn.Identity(), critic, Wasserstein(), (GradientPenalty(side="two"),), Latent(1),
        lambda raw, _: raw, precision=precision, fake=fake,
    )  # fmt: skip
    if generated:
        how: Any = {"fullgraph": True, "dynamic": False}
        fused = WrittenOut(torch.compile(critic_loss_and_grad, **how))
        game = replace(game, backend=fused)
    optimizer = Adam(0.0, 0.9).over(critic.parameters(), RATE)
    count = 0

    def step() -> None:
        nonlocal count
        count += 1
        terms, gradients = game.critic_gradients(Batch(real), Draws(0, count))
        update(terms, gradients, critic, optimizer, count)

    return step


@dataclass(frozen=True)
class _Given(Game):
    """A game whose generated points are given, so that the critic's step alone is timed."""

    fake: Tensor | None = None

    def generate(
        self, n: int, cond: Tensor | None, draws: Draws, generator: nn.Module | None = None
    ) -> Batch:
        assert self.fake is not None
        return Batch(self.fake)


def limit(size: Size) -> Step:
    """The products that the step cannot do without, and nothing else.

    Scores of real and fake points take a pass forward, one back and one for the weights; slopes
    between take a pass forward, one back, one forward again and one for the weights.
    """
    passes: list[Callable[[], object]] = []
    for n, kinds in (
        (2 * size.batch, ("on", "back", "learn")),
        (size.batch, ("on", "back", "on", "learn")),
    ):
        h = torch.randn(n, *size.shape)
        for layer in layers(size):
            if isinstance(layer, (nn.Linear, nn.Conv2d)):
                passes += [_product(layer, h, layer(h).detach(), kind) for kind in kinds]
            h = layer(h).detach()

    @torch.no_grad()
    def step() -> None:
        for product in passes:
            product()

    return step


def _product(layer: nn.Linear | nn.Conv2d, x: Tensor, y: Tensor, kind: str) -> Callable[[], object]:
    w = layer.weight.detach()
    if isinstance(layer, nn.Linear):
        return {"on": lambda: x @ w.T, "back": lambda: y @ w, "learn": lambda: y.T @ x}[kind]
    how: Any = (layer.stride, layer.padding, layer.dilation)
    both = {"back": [True, False, False], "learn": [False, True, False]}
    if kind == "on":
        return lambda: nn.functional.conv2d(x, w, None, *how)
    back: Any = torch.ops.aten.convolution_backward
    return lambda: back(y, x, w, None, *how, False, [0, 0], 1, both[kind])


def jax_jit(size: Size) -> Step | None:
    """The textbook step under ``jax.jit`` with optax."""
    if importlib.util.find_spec("jax") is None or len(size.shape) == 3:
        return None
    import jax
    import jax.numpy as jnp
    import optax

    real, fake = (jnp.asarray(p.numpy()) for p in size.points())
    plain = [m for m in layers(size) if isinstance(m, nn.Linear)]
    weights = [
        (jnp.asarray(m.weight.detach().numpy()), jnp.asarray(m.bias.detach().numpy()))
        for m in plain
    ]
    optimizer = optax.adam(RATE, 0.0, 0.9)

    def critic(p: Any, x: Any) -> Any:
        for w, b in p[:-1]:
            x = jax.nn.leaky_relu(x @ w.T + b, 0.2)
        return (x @ p[-1][0].T + p[-1][1])[..., 0]

    def loss(p: Any, key: Any) -> Any:
        e = jax.random.uniform(key, (size.batch, 1))
        between = e * real + (1 - e) * fake
        g = jax.vmap(jax.grad(lambda x: critic(p, x)))(between)
        norm = jnp.sqrt((g**2).sum(1) + 1e-12)
        return critic(p, fake).mean() - critic(p, real).mean() + 10 * ((norm - 1) ** 2).mean()

    def move(p: Any, state: Any, key: Any) -> Any:
        key, own = jax.random.split(key)
        updates, state = optimizer.update(jax.grad(loss)(p, own), state, p)
        return optax.apply_updates(p, updates), state, key

    kept = weights, optimizer.init(weights), jax.random.key(0)
    jitted = jax.jit(move)

    def step() -> None:
        nonlocal kept
        kept = jax.block_until_ready(jitted(*kept))

    return step


METHODS: dict[str, Callable[[Size], Step | None]] = {
    "textbook": textbook,
    "JAX jit": jax_jit,
    "limit, float32": limit,
    "Surveyor, eager": lambda size: surveyor(size, generated=False),
    "Surveyor": surveyor,
    "Surveyor, bfloat16": lambda size: surveyor(size, torch.bfloat16),
}


def measure(steps: dict[str, Step], rounds: int, seconds: float) -> dict[str, list[float]]:
    """Time the steps in turns, so that a slow moment of the machine falls on all alike."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        for _ in range(5):
            step()
    for _ in range(rounds):
        for name, step in steps.items():
            count, begun = 0, time.perf_counter()
            while time.perf_counter() - begun < seconds:
                step()
                count += 1
            times[name].append((time.perf_counter() - begun) / count)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.5)
    given = parser.parse_args()
    results: list[dict[str, Any]] = []
    for size in SIZES:
        made = {name: method(size) for name, method in METHODS.items()}
        steps = {name: step for name, step in made.items() if step is not None}
        for name, times in measure(steps, given.rounds, given.seconds).items():
            results.append(
                {
                    "size": size.name,
                    "method": name,
                    "ms": 1000 * float(np.median(times)),
                    "low": 1000 * min(times),
                    "high": 1000 * max(times),
                }
            )
        console.print(size.name, highlight=False)
    write("speed", {"seeds": [0], "threads": torch.get_num_threads(), "runs": results})
    by = {(r["size"], r["method"]): r["ms"] for r in results}
    rows = [
        (
            size.name,
            *(f"{by[size.name, m]:.3f}" if (size.name, m) in by else "-" for m in METHODS),
            f"{by[size.name, 'textbook'] / by[size.name, 'Surveyor']:.2f}",
            f"{by[size.name, 'textbook'] / by[size.name, 'Surveyor, bfloat16']:.2f}",
            f"{by[size.name, 'Surveyor'] / by[size.name, 'limit, float32']:.2f}",
        )
        for size in SIZES
    ]
    columns = (
        "ms a critic step",
        *METHODS,
        "textbook / Surveyor",
        "textbook / bfloat16",
        "Surveyor / limit",
    )
    show("A critic step under the gradient penalty", columns, rows)


def section(found: Found) -> str:
    by: dict[str, dict[str, float]] = {}
    for r in found["runs"]:
        by.setdefault(r["size"], {})[r["method"]] = r["ms"]
    methods = list(dict.fromkeys(r["method"] for r in found["runs"]))
    rows = [
        [size, *(f"{ms[m]:.2f}" if m in ms else "-" for m in methods)] for size, ms in by.items()
    ]
    return (
        f"**A critic step under the penalty** (`make bench-speed`, {found['threads']} threads), milliseconds, timed in turns: "
        "the textbook loop, JAX, the matrix products alone that such a step cannot do without, and Surveyor's, "
        "compiled unless marked eager.\n\n" + table(["critic", *methods], rows)
    )


SECTION = Section(100, section)


if __name__ == "__main__":
    main()
