"""Walks and truncation: smooth ways through the latent, and narrower samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

from surveyor import Model, fit
from surveyor.cli import main
from surveyor.errors import InputError
from surveyor.kinds.images.sheets import animate
from surveyor.run.walking import _along
from tests.conftest import QUICK


def test_a_walk_is_closed_passes_its_stops_and_keeps_the_latents_length() -> None:
    torch.manual_seed(0)
    ends = torch.cat([torch.randn(3, 64), torch.randn(3, 4).sign()], dim=1)
    way = _along(ends, torch.arange(300) / 300, 64)
    assert torch.allclose(way[[0, 100, 200]], ends, atol=1e-5)
    steps = (way - way.roll(1, 0))[:, :64].norm(dim=1)
    # A quarter turn of a vector of length 8 in 100 steps is .126 a step.
    assert float(steps.max()) < 0.16
    sizes, least = way[:, :64].norm(dim=1), float(ends[:, :64].norm(dim=1).min())
    assert float(sizes.min()) > 0.95 * least
    assert set(way[:, 64:].unique().tolist()) == {-1.0, 1.0}


def test_a_walk_between_equal_latents_stands_still() -> None:
    z = torch.randn(1, 8).repeat(2, 1)
    assert torch.allclose(_along(z, torch.arange(5) / 5, 8), z[:1].expand(5, 8), atol=1e-5)
    opposite = torch.tensor([[1.0], [-2.0]])
    assert _along(opposite, torch.arange(8) / 8, 1).abs().max() <= 2


def test_frames_are_pictures_that_change_little_by_little(digits_run: Model) -> None:
    made = digits_run.walk(60, [{"digit": 3}, {"digit": 8}], seed=1)
    frames = made["images" if "images" in made else next(iter(made))].astype(float)
    assert frames.shape == (60, 8, 8)
    steps = np.linalg.norm((frames - np.roll(frames, 1, axis=0)).reshape(60, -1), axis=1)
    apart = np.linalg.norm((frames - np.roll(frames, 30, axis=0)).reshape(60, -1), axis=1)
    assert steps.max() < 0.5 * apart.mean()
    assert set(made["digit"].tolist()) == {3, 8}


def test_a_walk_is_saved_as_an_animated_picture(digits_run: Model, tmp_path: Path) -> None:
    words = ["walk", str(digits_run.run.path), "-n", "12", "--where", "digit=3|8"]
    for name in ("walk.gif", "walk.webp"):
        assert main([*words, "-o", str(tmp_path / name)]) == 0
        with Image.open(tmp_path / name) as picture:
            assert getattr(picture, "n_frames", 1) > 6
            assert picture.size == (128, 128)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_every_picture_is_a_frame_in_its_order(suffix: str, tmp_path: Path) -> None:
    values = np.arange(10, 250, 40, dtype=np.uint8)
    pictures = np.broadcast_to(values[:, None, None], (6, 8, 8))
    animate(pictures, tmp_path / f"w{suffix}")
    with Image.open(tmp_path / f"w{suffix}") as file:
        frames = [np.asarray(f.convert("L")) for f in ImageSequence.Iterator(file)]
    assert [f.mean() for f in frames] == pytest.approx(values, abs=2)


@pytest.mark.parametrize(("side", "shown"), [(8, 128), (60, 120), (65, 65), (130, 130)])
def test_only_small_pictures_are_enlarged_to_be_animated(
    side: int, shown: int, tmp_path: Path
) -> None:
    animate(np.zeros((2, 6, side), dtype=np.uint8), tmp_path / "w.gif")
    with Image.open(tmp_path / "w.gif") as file:
        assert file.width == shown


def test_truncated_samples_are_less_varied(tmp_path: Path) -> None:
    model = fit("toy:gaussian:500", tmp_path / "run", **QUICK, latent="gaussian:dimensions=8")
    spread = [np.std(model.sample(2000, truncate=t)["x"], axis=0).sum() for t in (1.0, 0.3)]
    assert spread[1] < 0.6 * spread[0]
    assert np.array_equal(model.sample(5)["x"], model.sample(5, truncate=1.0)["x"])


def test_what_cannot_be_walked_or_truncated_is_refused(
    table_run: Model, digits_run: Model, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match="rows of a table"):
        table_run.walk(10)
    with pytest.raises(InputError, match="truncate"):
        table_run.sample(10, truncate=0.5)
    with pytest.raises(InputError, match="at most 1"):
        digits_run.sample(10, truncate=1.5)
    with pytest.raises(InputError, match="seed -1"):
        digits_run.walk(5, seed=-1)
    with pytest.raises(InputError, match="frames 1: give a whole number, at least 2"):
        digits_run.walk(1)
    with pytest.raises(InputError, match=r"did you mean|not a value"):
        digits_run.walk(10, [{"digit": 12}])
    for flag, command in (("--walk", "walk"), ("--answer", "translate")):
        assert main(["sample", str(digits_run.run.path), flag]) == 2
        assert f"{flag}: did you mean surveyor {command} RUN" in capsys.readouterr().err
