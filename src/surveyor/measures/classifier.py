"""A small picture classifier: features for distances, and predicted labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from surveyor.batch import Draws
from surveyor.streams import Stream

WIDTH, FEATURES, LARGEST = 32, 128, 64
BATCH, EPOCHS, MOST_STEPS, RATE = 128, 20, 800, 1e-3
AT_ONCE = 512
Labelled = Callable[[int, Draws], tuple[Tensor, Tensor]]


class Classifier(nn.Module):
    """Pictures (n, c, h, w) in [-1, 1] -> logits of ``classes``, from ``features`` (n, 128).

    Larger pictures are first averaged down to sides of at most ``LARGEST`` pixels.
    """

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        channels, *sides = shape
        self.shrink = tuple(min(side, max(1, -(-max(sides) // LARGEST))) for side in sides)
        height, width = (side // by for side, by in zip(sides, self.shrink, strict=True))
        stride = 2 if min(height, width) >= 16 else 1
        layers: list[nn.Module] = [nn.Conv2d(channels, WIDTH, 3, stride, padding=1)]
        wide, height, width = WIDTH, height // stride, width // stride
        pooled = stride == 1  # stride 2 has halved the picture already
        while min(height, width) >= 6 and wide < FEATURES:
            layers += [nn.GroupNorm(8, wide), nn.ReLU()]
            if pooled:
                layers.append(nn.MaxPool2d(2))
                height, width = height // 2, width // 2
            layers.append(nn.Conv2d(wide, 2 * wide, 3, padding=1))
            wide, pooled = 2 * wide, True
        layers += [nn.GroupNorm(8, wide), nn.ReLU(), nn.AdaptiveAvgPool2d((4, 4)), nn.Flatten()]
        self.body = nn.Sequential(*layers, nn.Linear(16 * wide, FEATURES), nn.ReLU())
        self.last = nn.Linear(FEATURES, classes)

    def features(self, x: Tensor) -> Tensor:
        """Return features (n, 128)."""
        if max(self.shrink) > 1:
            x = functional.avg_pool2d(x, self.shrink)
        found: Tensor = self.body(x)
        return found

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (n, classes)."""
        logits: Tensor = self.last(self.features(x))
        return logits


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained classifier, evaluated in batches."""

    net: Classifier
    device: torch.device | str = "cpu"

    @torch.no_grad()
    def features(self, x: Tensor) -> np.ndarray:
        """Return features (n, 128) of pictures (n, c, h, w)."""
        parts = (self.net.features(p.to(self.device)) for p in torch.split(x, AT_ONCE))
        return np.concatenate([part.cpu().numpy() for part in parts])

    @torch.no_grad()
    def predict(self, x: Tensor) -> np.ndarray:
        """Return the most likely class of each picture, (n,)."""
        parts = (self.net(p.to(self.device)).argmax(1) for p in torch.split(x, AT_ONCE))
        return np.concatenate([part.cpu().numpy() for part in parts])


def fit_classifier(
    draw: Labelled,
    rows: int,
    shape: tuple[int, ...],
    classes: int,
    seed: int,
    stream: Stream = Stream.PLAIN,
    device: torch.device | str = "cpu",
) -> Trained:
    """Train on labelled pictures drawn by ``draw`` from a set of ``rows``."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = Classifier(shape, classes).to(device)
    parameters = list(net.parameters())
    optimizer = torch.optim.Adam(parameters, lr=RATE)
    steps = max(20, min(MOST_STEPS, EPOCHS * rows // BATCH))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(steps):
        x, y = (t.to(device) for t in draw(BATCH, Draws(seed, step, stream)))
        loss = functional.cross_entropy(net(x), y)
        for p, g in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            p.grad = g
        optimizer.step()
        schedule.step()
    return Trained(net.eval().requires_grad_(False), device)
