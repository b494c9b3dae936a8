"""MNIST: digits asked for and read, usefulness, Frechet distance beside a textbook WGAN-GP's of equal time."""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import surveyor
from benchmarks.common import RESULTS, console, data_file, merged, show, train, write
from benchmarks.page import Found, Section, cells, grouped, table
from surveyor.api import prepare
from surveyor.batch import Draws
from surveyor.build import game_of
from surveyor.kinds.images.sheets import sheet
from surveyor.measures.classifier import Trained, fit_classifier
from surveyor.measures.features import frechet, precision_recall
from surveyor.streams import Stream

TRAIN, N, DIGITS, TRUNCATED = 50_000, 10_000, 10, 0.8
TEXTBOOK = "textbook WGAN-GP"  # for as long as the longest run beside it
METHODS: dict[str, list[str]] = {
    "Surveyor": [],
    "original GAN, R1": [
        *("--objective", "minimax"),
        *("--constraint", "gradient-penalty:target=0,points=real,weight=0.05"),
    ],
    "relativistic, R1 and R2": [
        *("--objective", "relativistic"),
        *("--constraint", "gradient-penalty:target=0,points=both,weight=0.05"),
    ],
}


class Judge:
    """A classifier of the 50,000 training digits, and 10,000 others to compare with."""

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        x = points(images)
        y = torch.from_numpy(labels.astype(np.int64))
        self.net = trained(x[:TRAIN], y[:TRAIN], 0)
        self.held, self.labels = x[TRAIN:], labels[TRAIN:]
        self.seen = self.net.features(self.held)
        right = self.net.predict(self.held) == self.labels
        self.accuracy = float(right.mean())
        self.worst = min(float(right[self.labels == k].mean()) for k in range(DIGITS))
        self.floor = frechet(self.net.features(x[:N]), self.seen)

    def figures(self, images: np.ndarray, asked: np.ndarray, seed: int) -> dict[str, float]:
        x = points(images)
        right, seen = self.net.predict(x) == asked, self.net.features(x)
        precision, recall = precision_recall(seen[:2000], self.seen[:2000])
        own = trained(x, torch.from_numpy(asked.astype(np.int64)), seed)
        return {
            "read": float(right.mean()),
            "read, worst digit": min(float(right[asked == k].mean()) for k in range(DIGITS)),
            "usefulness": float((own.predict(self.held) == self.labels).mean()),
            "frechet / floor": frechet(seen, self.seen) / self.floor,
            "precision": precision,
            "recall": recall,
        }


def points(images: np.ndarray) -> Tensor:
    return torch.from_numpy(images.astype(np.float32) / 127.5 - 1).unsqueeze(1)


def trained(x: Tensor, y: Tensor, seed: int) -> Trained:
    def draw(n: int, draws: Draws) -> tuple[Tensor, Tensor]:
        index = draws.index(n, len(x))
        return x[index], y[index]

    return fit_classifier(draw, len(x), tuple(x.shape[1:]), DIGITS, seed)


def textbook(
    source: str, seconds: float, seed: int, threads: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Train the same nets by the loop of Gulrajani et al. 2017, in float32; return samples."""
    data, config = prepare(source, {"condition": ["labels"], "seed": seed})
    game = game_of(replace(config, precision="float32"), data.codec)
    generator, critic = game.generator, game.critic
    latent, conditions = game.latent, data.codec.condition
    optimizers = [
        torch.optim.Adam(net.parameters(), 1e-4, (0.0, 0.9)) for net in (critic, generator)
    ]
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    begun, step = time.monotonic(), 0
    while time.monotonic() - begun < seconds:
        for k in range(5):
            real = data.train.draw(64, Draws(seed, 5 * step + k))
            z, c = latent.draw(64, Draws(seed, 5 * step + k, Stream.CRITIC)), real.cond
            with torch.no_grad():
                fake = game.head(generator(z, c), Draws(0))
            e = torch.rand(64, 1, 1, 1)
            x = (e * real.x + (1 - e) * fake).requires_grad_(True)
            (slope,) = torch.autograd.grad(critic(x, c).sum(), x, create_graph=True)
            penalty = 10 * (slope.flatten(1).norm(dim=1) / game.unit - 1).square().mean()
            loss = (critic(fake, c).mean() - critic(real.x, c).mean()) / game.unit + penalty
            moved(optimizers[0], critic, loss)
        c = data.train.draw(64, Draws(seed, step, Stream.LOOK)).cond
        fake = game.head(
            generator(latent.draw(64, Draws(seed, step, Stream.GENERATOR)), c), Draws(0)
        )
        moved(optimizers[1], generator, -critic(fake, c).mean() / game.unit)
        step += 1
    asked = np.arange(N) % DIGITS
    cond, made = conditions.embed(asked[:, None]), []
    with torch.no_grad():
        for k in range(0, N, 500):
            z = latent.draw(500, Draws(seed, k, Stream.SAMPLE))
            own = None if cond is None else cond[k : k + 500]
            made.append(game.head(generator(z, own), Draws(0)))
    pixels = (torch.cat(made).squeeze(1) + 1).mul(127.5).round().clamp(0, 255)
    return pixels.to(torch.uint8).numpy(), asked, step


def moved(optimizer: torch.optim.Optimizer, net: nn.Module, loss: Tensor) -> None:
    parameters = list(net.parameters())
    for p, g in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        p.grad = g
    optimizer.step()


def sampled(
    model: surveyor.Model, seed: int, truncate: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    made = [
        model.sample(N // DIGITS, {"labels": k}, seed, truncate=truncate)["images"]
        for k in range(DIGITS)
    ]
    order = np.arange(N).reshape(DIGITS, -1).T.ravel()  # the digits in turn
    return np.concatenate(made)[order], np.arange(N) % DIGITS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1])
    parser.add_argument("--methods", nargs="*", default=[*METHODS, TEXTBOOK], choices=[*METHODS, TEXTBOOK])  # fmt: skip
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    if given.methods == [TEXTBOOK]:
        parser.error(
            f"{TEXTBOOK} has the time of the runs beside it; name one of {', '.join(METHODS)} too"
        )
    archive = np.load(data_file("mnist_train.npz"))
    images, labels = archive["images"], archive["labels"]
    judge = Judge(images, labels)
    console.print(f"the judge reads {judge.accuracy:.4f} of held-out digits", highlight=False)
    runs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as place:
        source = f"{place}/mnist.npz"
        np.savez(source, images=images[:TRAIN], labels=labels[:TRAIN])
        for seed in given.seeds:
            seconds = 0.0
            for name in [m for m in given.methods if m != TEXTBOOK]:
                own = ["--condition", "labels", "--seed", str(seed), "--steps", str(given.steps), "--threads", str(given.threads), *METHODS[name]]  # fmt: skip
                done = train(source, own, Path(place) / f"{name}{seed}")
                seconds = max(seconds, done.seconds)
                model = surveyor.load(done.folder)
                for truncate in (TRUNCATED, 1.0) if name == "Surveyor" else (1.0,):
                    made, asked = sampled(model, seed, truncate)
                    shown = name if truncate == 1 else f"{name}, --truncate {truncate}"
                    runs.append({"method": shown, "seed": seed, "seconds": done.seconds, "steps": given.steps, "products": model.run.config.precision, **judge.figures(made, asked, seed)})  # fmt: skip
                    console.print(runs[-1], highlight=False)
                    write("images", {"judge": judge.accuracy, "judge, worst digit": judge.worst, "runs": merged("images", runs, "method", "seed")})  # fmt: skip
                sheet(made[:100], columns=10, zoom=2).save(RESULTS / f"mnist-{name.split(',')[0].split()[0].lower()}.png")  # fmt: skip
            if TEXTBOOK not in given.methods:
                continue
            made, asked, steps = textbook(source, seconds, seed, given.threads)
            runs.append({"method": TEXTBOOK, "seed": seed, "seconds": seconds, "steps": steps, "products": "float32", **judge.figures(made, asked, seed)})  # fmt: skip
            console.print(runs[-1], highlight=False)
            write("images", {"judge": judge.accuracy, "judge, worst digit": judge.worst, "runs": merged("images", runs, "method", "seed")})  # fmt: skip
    keys = [k for k in runs[0] if k not in ("method", "seed")]
    show("MNIST", ("method", "seed", *keys), [(r["method"], r["seed"], *(r[k] for k in keys)) for r in runs])  # fmt: skip


def section(found: Found) -> str:
    keys = {
        "read": ".3f", "read, worst digit": ".3f", "usefulness": ".3f", "frechet / floor": ".2f",
        "precision": ".3f", "recall": ".3f", "seconds": ".0f",
    }  # fmt: skip
    rows = [
        [f"{method}, {int(steps):,} steps", products, *cells(runs, keys)]
        for (method, steps, products), runs in grouped(
            found["runs"], "method", "steps", "products"
        ).items()
    ]
    return (
        f"**MNIST** (`make bench-images`, here with `--threads 1`; digit as condition, the same convolutional nets for all; the textbook's WGAN-GP takes five "
        f"critic steps per generator step, for as long as the longest other run). "
        f"A classifier of the 50,000 training digits, accurate on {found['judge']:.1%} of the 10,000 others, labels "
        "10,000 generated ones: the share with the label requested, and that of the worst digit; usefulness, the accuracy on real digits of one trained on "
        f"them alone; Frechet distance between its features over that of real digits. For real digits the share of the worst digit is {found['judge, worst digit']:.3f}.\n\n"
        + table(["", "products", "seeds", *keys], rows)
        + "\n\n![Generated digits, one column a digit](benchmarks/results/mnist-surveyor.png)"
    )  # fmt: skip


SECTION = Section(150, section)


if __name__ == "__main__":
    main()
