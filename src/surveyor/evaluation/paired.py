"""Figures of answers to pictures: close to those wanted, and as sharp as real ones."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from surveyor.batch import Batch, Draws
from surveyor.data import Data, Source
from surveyor.data.images import ImageCodec
from surveyor.data.pairs import PairCodec, enlarged
from surveyor.evaluation import imagenet
from surveyor.evaluation.features import frechet
from surveyor.evaluation.findings import PAIRED, findings
from surveyor.evaluation.heldout import ROWS, generated, noise, of_critic, steepness, w1
from surveyor.streams import Stream
from surveyor.training import Game, Measurement, Record

PATCH = 8  # pixels a side, at most, of the patches whose distribution is compared
PATCHES = 20_000  # of them, for the Frechet distance
PICTURES = 2000  # pictures, at most
AT_ONCE = 64  # of them, to bound memory
LOOKED = 256  # of them, by the ImageNet net, which is slow


@dataclass(frozen=True)
class Answers:
    """How answers (n pictures) compare with the pictures wanted.

    ``psnr`` 10 log10(1 / mean squared error) in dB, by picture; ``ssim`` the structural similarity
    of Wang et al. 2004; ``perceptual`` the distance of an ImageNet net, on the first 256, None
    where it is not installed; ``patch_frechet`` the squared W2 between Gaussians fitted to patches
    of 8 x 8 and to those of training pictures; ``sharpness`` the power of the finer half of the
    frequencies over that of the pictures wanted: below 1 is a blur.
    """

    psnr: float
    ssim: float
    perceptual: float | None
    patch_frechet: float
    sharpness: float


@dataclass(frozen=True)
class PairRuler:
    """Exact W1 between ``n`` patches of held-out answers and as many of real pictures.

    The real patches are of other held-out pictures than those answered; the floor is between the
    real patches of both halves, so that all three are independent. Patches are blind to whether an
    answer fits its picture: the content loss sees to that, and ``psnr`` among the facts tells.
    """

    game: Game
    train: Source
    held: Source
    n: int
    seed: int
    unit: float
    stream: Stream = Stream.RULER
    floors: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        real, other = (half.x for half in self.halves())
        for draws in (Draws(self.seed, j, self.stream, 1) for j in range(3)):
            pair = patches(real, self.n, draws), patches(other, self.n, draws)
            self.floors.append(self.unit * w1(*pair))

    def halves(self) -> tuple[Batch, Batch]:
        """Return two halves of the held-out pairs; a single pair stands for both."""
        k = max(1, min(self.n, len(self.held)) // 2)
        return self.held.first(k), self.held.first(k, k if len(self.held) > 1 else 0)

    def __call__(self, generator: nn.Module, record: Record | None = None) -> Measurement:
        """Measure ``generator`` with the game's critic as it stands."""
        game, device = self.game, next(self.game.critic.parameters()).device
        real, held = self.halves()
        draws = Draws(self.seed, 0, self.stream)
        fake = generated(game, generator, held.cond, len(held), draws, AT_ONCE)
        made, again = patches(fake.x, 2 * self.n, draws).chunk(2)
        gaps: list[float | None] = [None, None]
        train = self.train.first(len(held))
        if game.objective.is_distance:
            with torch.no_grad():
                trained = generated(game, generator, train.cond, len(train), draws, AT_ONCE)
                pairs = (held, fake), (train, trained)
                scores = [[game.opinion(b.to(device)).mean().item() for b in p] for p in pairs]
            gaps = [a - b for a, b in scores]
        steep = steepness(game, held, fake, Draws(self.seed, 1, self.stream, 0, device))
        return Measurement(
            step=0 if record is None else record.step,
            w1=self.unit * w1(patches(real.x, self.n, Draws(self.seed, 3, self.stream, 1)), made),
            w1_floor=float(np.mean(self.floors)),
            w1_noise=noise(self.floors),
            w1_self=self.unit * w1(made, again),
            critic_estimate=gaps[0],
            critic_estimate_training=gaps[1],
            slope_mean=steep.mean("between"),
            slope_max=steep.max(),
            losses={} if record is None else record.losses(),
            facts={"psnr": psnr(fake.x.clamp(-1, 1), held.x)},
            noise=0.0 if record is None else record.noise,
        )


def assess_pairs(
    game: Game,
    generator: nn.Module,
    data: Data,
    seed: int,
    rows: int = ROWS,
    against: str = "held-out pictures",
) -> dict[str, Any]:
    """Measure answers, beside bicubic enlargement where they are larger than what was given.

    ``against`` names in the verdict what was answered.
    """
    codec = data.codec
    assert isinstance(codec, PairCodec)
    unit = codec.space.unit
    sides = data.train, data.holdout, rows, seed, unit, Stream.HELD_OUT
    measured = PairRuler(game, *sides)(generator)
    n = min(PICTURES, len(data.holdout))
    held, draws = data.holdout.first(n), Draws(seed, 0, Stream.HELD_OUT)
    fake = as_given(codec, generated(game, generator, held.cond, n, draws, AT_ONCE))
    train = data.train.first(min(PICTURES, len(data.train))).x
    own = answers(fake.x, held.x, train)
    beside = None
    if codec.scale is not None:
        small = data.holdout.rows["given"][data.holdout.index[:n]]
        assert isinstance(codec.given, ImageCodec)
        simple = enlarged(small, codec.scale, codec.given.top)
        beside = answers(codec.wanted.points({"x": simple}, np.arange(n)), held.x, train)
    floor = patch_frechet(held.x, train)
    k, device = min(n, 512), next(game.critic.parameters()).device
    draws = Draws(seed, 1, Stream.HELD_OUT, 0, device)
    steep = steepness(game, held.part(0, k), fake.part(0, k), draws)
    result: dict[str, Any] = {
        "verdict": _verdict(own, beside, floor, f"{n:,} {against}"),
        "n": n,
        "unit": codec.unit_name,
        "answers": asdict(own),
        "bicubic": None if beside is None else asdict(beside),
        "patch_frechet_floor": floor,
        "features": imagenet.NAME if imagenet.available() else None,
        "w1": measured.w1,
        "w1_floor": measured.w1_floor,
        "critic": of_critic(measured, steep),
        "conditions": [],
        "groups": [],
    }
    result["findings"] = [asdict(f) for f in findings(result, game, PAIRED)]
    return result


def _verdict(own: Answers, beside: Answers | None, floor: float, what: str) -> str:
    """Say in words how answers compare with the wanted pictures, and with bicubic enlargement."""
    if own.sharpness < 0.7:
        said = "blurred"
    elif own.sharpness > 1.4:
        said = "harsher than real pictures"
    else:
        said = "as sharp as real pictures" if 0.9 <= own.sharpness <= 1.1 else "nearly as sharp"
    told = f"PSNR {own.psnr:.1f} dB, sharpness {own.sharpness:.2f} of the real ones'"
    near = (
        f"patches at a Frechet distance of {own.patch_frechet:.3g} (real against real {floor:.3g})"
    )
    if beside is not None:
        told += f" (bicubic {beside.psnr:.1f} dB, {beside.sharpness:.2f})"
        near += f", bicubic {beside.patch_frechet:.3g}"
    return f"The answers to {what} are {said}: {told}, {near}."


def answers(made: Tensor, wanted: Tensor, train: Tensor) -> Answers:
    """Return the figures of pictures ``made`` (n, c, h, w) in [-1, 1] beside those ``wanted``."""
    return Answers(
        psnr(made, wanted),
        ssim(made, wanted),
        imagenet.perceptual_distance(made[:LOOKED], wanted[:LOOKED])
        if imagenet.available()
        else None,
        patch_frechet(made, train),
        sharpness(made, wanted),
    )


def as_given(codec: PairCodec, fake: Batch) -> Batch:
    """Return answers as a user gets them: within range, and rounded like the data."""
    codes = np.zeros((len(fake), 0), np.int32)
    made = codec.decode(fake, codes, Draws(0))[codec.main]
    return Batch(codec.wanted.points({"x": made}, np.arange(len(fake))), fake.cond)


def psnr(made: Tensor, wanted: Tensor) -> float:
    """Return the mean over pictures of 10 log10(1 / mse), values from 0 to 1, at most 100 dB."""
    mse = (made - wanted).div(2).flatten(1).square().mean(1).clamp_min(1e-10)
    return float((-10 * mse.log10()).mean())


def ssim(made: Tensor, wanted: Tensor, deviation: float = 1.5, side: int = 11) -> float:
    """Return the mean structural similarity (Wang et al. 2004), values from 0 to 1.

    Under a Gaussian window of 11 pixels, of as many as fit into small pictures.
    """
    if len(made) > AT_ONCE:
        pairs = zip(torch.split(made, AT_ONCE), torch.split(wanted, AT_ONCE), strict=True)
        return sum(len(a) * ssim(a, b, deviation, side) for a, b in pairs) / len(made)
    a, b = (x.add(1).div(2).flatten(0, 1).unsqueeze(1) for x in (made, wanted))
    side = min(side, *a.shape[2:])
    line = torch.exp(-((torch.arange(side) - (side - 1) / 2) ** 2) / (2 * deviation**2))
    window = (line[:, None] * line / line.sum() ** 2)[None, None].to(a)

    def average(x: Tensor) -> Tensor:
        return functional.conv2d(x, window)

    ma, mb = average(a), average(b)
    va, vb = average(a * a) - ma * ma, average(b * b) - mb * mb
    both = average(a * b) - ma * mb
    c1, c2 = 0.01**2, 0.03**2
    like = (2 * ma * mb + c1) * (2 * both + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2))
    return float(like.mean())


def sharpness(made: Tensor, wanted: Tensor) -> float:
    """Return the power of the finer half of the frequencies, over that of the wanted pictures.

    |F x|^2 summed over frequencies of at least half the highest one along an axis.
    """
    high = [torch.fft.fftfreq(side).abs() for side in made.shape[2:]]
    fine = torch.maximum(high[0][:, None], high[1][None, :]) >= 0.25
    powers = []
    for x in (made, wanted):
        parts = (torch.fft.fft2(p.double()).abs().square() for p in torch.split(x, AT_ONCE))
        powers.append(sum(float(power[:, :, fine].sum()) for power in parts))
    return powers[0] / max(powers[1], 1e-300)


def patch_frechet(a: Tensor, b: Tensor) -> float:
    """Return the squared W2 between Gaussians fitted to patches, values from 0 to 1."""
    draws = Draws(0, 0, Stream.PATCHES), Draws(0, 1, Stream.PATCHES)
    drawn = [patches(x, PATCHES, d).div(2).numpy() for x, d in zip((a, b), draws, strict=True)]
    return frechet(*drawn)


def patches(x: Tensor, n: int, draws: Draws) -> Tensor:
    """Return ``n`` windows of at most 8 x 8 of pictures (k, c, h, w), at random, (n, c * 64)."""
    high, wide = x.shape[2:]
    side = min(PATCH, high, wide)
    which = draws.index(n, len(x))
    top, left = draws.index(n, high - side + 1), draws.index(n, wide - side + 1)
    at = torch.arange(side)
    rows, columns = (top[:, None] + at)[:, :, None], (left[:, None] + at)[:, None, :]
    return x[which[:, None, None], :, rows, columns].permute(0, 3, 1, 2).flatten(1)
