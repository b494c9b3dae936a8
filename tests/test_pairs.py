"""Tasks: pairs read and refused, figures with closed forms, answers a user gets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import surveyor
from surveyor.api import prepare
from surveyor.batch import Batch, Draws
from surveyor.build import game_of
from surveyor.cli import main
from surveyor.critics import ChainCritic
from surveyor.data.arrays import Arrays
from surveyor.data.sources import example
from surveyor.errors import InputError
from surveyor.kinds.images.answers.files import PairFiles
from surveyor.kinds.images.answers.measures import BICUBIC, verdict
from surveyor.kinds.images.answers.quality import patch_frechet, patches, psnr, sharpness, ssim
from surveyor.kinds.images.codec import OUTER_SLOPE
from surveyor.kinds.images.pairs import Pairs
from surveyor.measures import ROWS, Figure, Figures, imagenet
from surveyor.training.terms.reconstruction import Reconstruction
from tests.conftest import QUICK

ENLARGE: dict[str, Any] = {"task": "super-resolution:scale=2"}
SMALL: dict[str, Any] = {
    "generator": "upscale:width=8,blocks=1",
    "critic": "patch:width=4,halvings=1",
}


@pytest.fixture(scope="module", name="run")
def run_of(tmp_path_factory: pytest.TempPathFactory) -> surveyor.Model:
    torch.set_num_threads(1)
    place = tmp_path_factory.mktemp("runs")
    np.savez(place / "digits.npz", images=example("digits")["images"][:200])
    path = place / "larger"
    return surveyor.fit(place / "digits.npz", path, **QUICK, **ENLARGE, **SMALL)


def scene(n: int, side: int = 16, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, 3), dtype=np.uint8)


def folders(path: Path, n: int = 12) -> tuple[Path, Path]:
    a, b = path / "edges", path / "icons"
    for folder, pictures in ((a, scene(n)[..., 0]), (b, scene(n))):
        folder.mkdir()
        for k, picture in enumerate(pictures):
            Image.fromarray(picture).save(folder / f"{k}.png")
    return a, b


def test_psnr_and_similarity_of_known_errors() -> None:
    x = torch.rand(4, 3, 20, 20) - 0.5
    assert psnr(x, x) == pytest.approx(100)
    # An error of .1 everywhere is .05 in values from 0 to 1: 10 log10(1 / .0025).
    assert psnr(x + 0.1, x) == pytest.approx(26.0206, abs=1e-3)
    assert ssim(x, x) == pytest.approx(1, abs=1e-5)
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    assert ssim(x, x) > ssim(x + 0.1 * noise, x) > ssim(x + noise, x)


def test_the_similarity_of_constant_pictures_is_that_of_their_means() -> None:
    # (2 a b + c) / (a^2 + b^2 + c) with no variance: the second factor is 1.
    a, b, c = 0.3, 0.6, 0.01**2
    x, y = (torch.full((1, 1, 16, 16), 2 * v - 1) for v in (a, b))
    # Float32 leaves a variance of about 1e-8 beside a constant of 9e-4.
    assert ssim(x, y) == pytest.approx((2 * a * b + c) / (a * a + b * b + c), abs=1e-3)


def test_a_blur_is_not_sharp_and_its_patches_are_far() -> None:
    x = torch.rand(40, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    blur = torch.nn.functional.avg_pool2d(x, 3, 1, 1)
    assert sharpness(x, x) == pytest.approx(1)
    assert sharpness(0.5 * x, x) == pytest.approx(0.25)
    assert sharpness(blur, x) < 0.1
    assert patch_frechet(blur, x) > 10 * patch_frechet(x[:20], x[20:])
    # The patches of either side are its own, so that even equal pictures have a floor.
    assert patch_frechet(x, x) > 1e-3 * patch_frechet(x[:20], x[20:])


def test_the_sharpness_of_a_wave_is_in_its_frequency() -> None:
    at = torch.arange(32.0)
    coarse, fine = (torch.sin(2 * np.pi * f * at / 32).expand(1, 1, 32, 32) for f in (3, 11))
    assert sharpness(coarse, fine) == pytest.approx(0, abs=1e-6)
    assert sharpness(coarse + fine, fine) == pytest.approx(1, abs=1e-4)


def test_patches_are_windows_of_the_pictures() -> None:
    x = torch.arange(2 * 3 * 10 * 12.0).view(2, 3, 10, 12)
    for patch in patches(x, 50, Draws(0)).view(50, 3, 8, 8):
        k, i, j = (
            int(patch[0, 0, 0]) // 360,
            int(patch[0, 0, 0]) % 120 // 12,
            int(patch[0, 0, 0]) % 12,
        )
        assert torch.equal(patch, x[k, :, i : i + 8, j : j + 8])


def test_the_perceptual_distance_is_nothing_between_equals_and_grows_with_blur() -> None:
    assert imagenet.available()  # it is among the development packages
    x = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    once = torch.nn.functional.avg_pool2d(x, 3, 1, 1)
    more = torch.nn.functional.avg_pool2d(x, 7, 1, 3)
    told = [imagenet.perceptual_distance(y, x) for y in (x, once, more)]
    assert told[0] == pytest.approx(0, abs=1e-6)
    assert told[0] < told[1] < told[2]
    twice = imagenet.perceptual_distance(torch.cat([once, once]), torch.cat([x, x]))
    assert twice == pytest.approx(told[1], rel=1e-4)
    assert imagenet.perceptual_distance(x[:, :1], x[:, :1]) == pytest.approx(0, abs=1e-6)
    assert imagenet.features(x).shape == (6, 1280)


VECTORS: Any = {"told": np.random.default_rng(0).normal(size=(30, 6)), "icons": scene(30)}
ICONS: dict[str, Any] = {
    "task": "translate:source=told,target=icons",
    "term": "reconstruction:weight=3",
}


@pytest.mark.parametrize(
    ("source", "said", "chain"),
    [(scene(30), ENLARGE | SMALL, False), (VECTORS, ICONS | {"critic": "conv:width=4"}, True)],
    ids=["picture to picture", "vector to picture"],
)
def test_the_content_loss_and_its_gradient_are_those_of_the_equation(
    source: Any, said: dict[str, Any], chain: bool
) -> None:
    data, config = prepare(source, {**QUICK, **said, "precision": "float32"})
    game = game_of(config, data.codec)
    assert isinstance(game.critic, ChainCritic) == chain
    real = data.train.draw(8, Draws(0))
    terms = game.generator_loss(real, Draws(1))
    (term,) = game.terms
    assert isinstance(term, Reconstruction)
    made = game.generate(8, real.cond, Draws(1)).x
    assert float(terms["reconstruction"].detach()) == pytest.approx(
        term.weight * float((made - real.x).abs().mean().detach()), rel=1e-5
    )
    told, found = game.generator_gradients(real, Draws(1))
    total = torch.stack(list(terms.values())).sum()
    by_hand = torch.autograd.grad(
        total, list(game.generator.parameters()), materialize_grads=True, allow_unused=True
    )
    assert set(told) == set(terms)
    for a, b in zip(found, by_hand, strict=True):
        assert torch.allclose(a, b, atol=1e-6)
    three, none = Batch(torch.full((3,), 3.0)), Batch(torch.zeros(3))
    assert float(Reconstruction(2.0, "l2")(three, none)) == 18


def test_answers_are_kept_near_the_range_of_pictures_with_a_slope_beyond() -> None:
    data, _ = prepare(scene(30), {**QUICK, **ENLARGE, **SMALL})
    raw = torch.tensor([-3.0, -1.0, 0.5, 1.0, 2.0])
    beyond = torch.tensor([-2.0, 0.0, 0.0, 0.0, 1.0])
    assert torch.allclose(data.codec.head(raw, Draws(0)), raw.clamp(-1, 1) + OUTER_SLOPE * beyond)


@pytest.mark.parametrize(("depth", "white"), [(None, None), (65_535, None), (4095, 4095)])
@pytest.mark.parametrize("side", ["given", "target"])
def test_the_white_of_deep_pictures_is_kept_with_the_run(
    side: str, depth: int | None, white: int | None
) -> None:
    sides = {
        name: Arrays(scene(4), {}, name, depth=depth if name == side else None)
        for name in ("given", "target")
    }
    found = PairFiles().defaults(Pairs(**sides), {"task": "super-resolution:scale=2"})
    assert found.get("white") == white


@pytest.mark.parametrize(
    ("sharp", "words"),
    [
        (0.69, "blurred"),
        (0.7, "nearly as sharp as real pictures"),
        (0.9, "as sharp as real pictures"),
        (1.1, "as sharp as real pictures"),
        (1.4, "nearly as sharp as real pictures"),
        (1.41, "harsher than real pictures"),
    ],
)
def test_the_verdict_on_answers_says_how_sharp_they_are(sharp: float, words: str) -> None:
    figures = Figures(
        (
            Figure("psnr", 20.0, n=1000),
            Figure("sharpness", sharp, 1.0),
            Figure("patch_frechet", 0.5, 0.1),
        )
    )
    assert verdict(figures).startswith(f"The answers to 1,000 held-out pictures are {words}: PSNR")


def test_a_warm_start_is_the_content_loss_alone() -> None:
    data, config = prepare(scene(30), {**QUICK, **ENLARGE, **SMALL})
    game = game_of(config, data.codec)
    terms, _ = game.warm_gradients(data.train.draw(8, Draws(0)), Draws(1))
    assert set(terms) == {"reconstruction"}


def test_a_run_answers_pictures_of_any_size(run: surveyor.Model) -> None:
    low = np.random.default_rng(1).integers(0, 17, (3, 5, 9), dtype=np.uint8)
    made = run.translate(low)["images"]
    assert made.shape == (3, 10, 18)
    assert made.dtype == np.uint8
    assert (made == run.translate(low)["images"]).all()
    with pytest.raises(InputError, match="up to 200"):
        run.translate(np.full((3, 5, 9), 200, np.uint8))
    with pytest.raises(InputError, match="colour"):
        run.translate(scene(3) // 20)
    with pytest.raises(InputError, match="surveyor translate"):
        run.sample(3)
    with pytest.raises(InputError, match="surveyor translate"):
        run.walk(3)


def test_an_answering_run_is_told_beside_bicubic_enlargement(run: surveyor.Model) -> None:
    told = run.evaluation
    assert "bicubic" in told.verdict
    for name in ("psnr", "ssim", "perceptual", "patch_frechet", "sharpness"):
        assert np.isfinite(told[name].known)
        assert np.isfinite(told[name, BICUBIC].known)
    report = (run.run.path / "report.html").read_text()
    assert "bicubic enlargement" in report
    assert told["w1"].n == ROWS  # patches, however few the pictures
    assert f"patches of answers and of other held-out pictures, {ROWS} of each" in report
    assert "Perceptual distance" in report
    again = run.evaluate()
    assert again.figures == told.figures
    other = run.evaluate(run.run.path.parent / "digits.npz")
    assert other["psnr"].value == pytest.approx(told["psnr"].known, abs=2)


def test_a_resumed_task_is_the_same_run(run: surveyor.Model, tmp_path: Path) -> None:
    path = tmp_path / "again"
    said = {**QUICK, **ENLARGE, **SMALL}

    def stop(session: Any, record: Any) -> None:
        if record.step == 4:  # within the game, after the warm start
            raise KeyboardInterrupt

    with pytest.raises(surveyor.Interrupted, match="surveyor train --resume"):
        surveyor.fit(run.run.path.parent / "digits.npz", path, watch=stop, **said)
    assert main(["train", "--resume", str(path)]) == 0
    for name in ("generator.safetensors", "critic.safetensors", "history.jsonl"):
        assert (path / name).read_bytes() == (run.run.path / name).read_bytes()


def test_folders_are_translated_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = folders(tmp_path)
    monkeypatch.chdir(tmp_path)
    command = "train --task translate:source=edges,target=icons --out run --steps 4 --batch 4"
    nets = "--generator unet:width=4 --critic patch:width=4,per=patch --measure w1:rows=8"
    assert main([*command.split(), *nets.split(), "--threads", "1"]) == 0
    assert (tmp_path / "run" / "answers.png").exists()
    assert "answers to" in capsys.readouterr().out
    assert main(["translate", "run", "edges", "-o", "made.npz"]) == 0
    assert np.load(tmp_path / "made.npz")["images"].shape == (12, 16, 16, 3)
    assert main(["translate", "run", "edges", "-o", "made"]) == 0
    assert sorted(p.name for p in (tmp_path / "made").iterdir()) == sorted(
        p.name for p in a.iterdir()
    )
    assert np.asarray(Image.open(tmp_path / "made" / "3.png")).shape == (16, 16, 3)
    assert main(["translate", "run", "edges", "-o", "made"]) == 2
    larger = Image.fromarray(scene(1, 20)[0, ..., 0])
    (tmp_path / "several").mkdir()
    for k, side in enumerate((16, 20, 17)):
        larger.crop((0, 0, side, side)).save(tmp_path / "several" / f"{k}.png")
    assert main(["translate", "run", "several", "-o", "one.npz"]) == 2
    assert "-o FOLDER" in capsys.readouterr().err
    assert main(["translate", "run", "several", "-o", "each"]) == 0
    for k, side in enumerate((16, 20, 17)):
        assert np.asarray(Image.open(tmp_path / "each" / f"{k}.png")).shape == (side, side, 3)
    assert main(["evaluate", "run"]) == 0
    kept = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert {f.get("of", "") for f in kept["figures"] if f["name"] == "psnr"} == {""}
    (a / "7.png").unlink()
    (b / "3.png").unlink()
    assert main(["train", "--task", f"translate:source={a},target={b}", "--out", "no"]) == 2
    told = capsys.readouterr().err
    assert "3 without a partner" in told
    assert "7 without a partner" in told
    assert not (tmp_path / "no").exists()


def test_pictures_are_made_of_vectors_that_a_user_gives(tmp_path: Path) -> None:
    told = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
    said = {"task": "translate:source=told,target=icons", **QUICK}
    data = {"told": told, "icons": scene(40)}
    model = surveyor.fit(data, tmp_path / "run", **said)
    assert model.run.config.generator.startswith("conv")
    made = model.translate(told[:3] + 1)["icons"]
    assert made.shape == (3, 16, 16, 3)
    assert not (made == model.translate(told[:3] - 1)["icons"]).all()
    again = surveyor.load(tmp_path / "run")
    assert (again.translate(told[:3] + 1)["icons"] == made).all()
    assert np.isfinite(again.evaluate(data)["patch_frechet"].known)
    with pytest.raises(InputError, match="5"):
        model.translate(told[:, :5])


def test_what_is_given_is_found_by_its_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", edges=scene(40)[..., 0], photo=scene(40, seed=1))
    small = {"generator": "unet:width=4", "critic": "patch:width=4"}
    said: dict[str, Any] = {"task": "translate:source=photo,target=edges", **QUICK, **small}
    model = surveyor.fit(tmp_path / "p.npz", **said)
    made = model.translate(tmp_path / "p.npz")["edges"]
    assert (made == model.translate(scene(40, seed=1))["edges"]).all()
    Image.fromarray(scene(1, 33)[0]).save(tmp_path / "one.png")
    assert model.translate(tmp_path / "one.png")["edges"].shape == (1, 33, 33)
    with pytest.raises(InputError, match="no such file"):
        model.translate(tmp_path / "none.png")
    with pytest.raises(InputError, match="do not divide"):
        surveyor.fit(scene(30), critic="packed:members=3", **QUICK)


def test_pictures_without_partners_are_named_three_of_a_folder_and_counted(tmp_path: Path) -> None:
    a, b = folders(tmp_path)
    for name in ("1", "2", "3", "4", "5"):
        (b / f"{name}.png").unlink()
    (a / "7.png").unlink()
    said: dict[str, Any] = {"task": f"translate:source={a.name},target={b.name}", **QUICK}
    with pytest.raises(InputError) as error:
        surveyor.fit(str(tmp_path), **said)
    told = str(error.value)
    assert f"{a}: 1, 2, 3 and 2 more without a partner in {b}" in told
    assert f"{b}: 7 without a partner in {a}" in told


@pytest.mark.filterwarnings("ignore::surveyor.errors.Notice")
def test_folders_of_two_depths_are_refused_with_both(tmp_path: Path) -> None:
    for name, most in (("source", 1000), ("target", 60_000)):
        (tmp_path / name).mkdir()
        for k in range(12):
            pixels = np.linspace(k, most, 64).reshape(8, 8).astype(np.uint16)
            Image.fromarray(pixels).save(tmp_path / name / f"{k}.png")
    with pytest.raises(InputError, match=r"white would be 1,023 in one and 65,535 in the other"):
        prepare(str(tmp_path), {"task": "translate:source=source,target=target"})


PICTURES = {"a": scene(30)[..., 0], "b": scene(30), "c": scene(20)}
REFUSED: list[tuple[Any, dict[str, Any], str]] = [
    (scene(30), {"task": "super-resolution:scale=3"}, "does not divide"),
    (scene(30), {"task": "super-resolution:scale=8"}, "leaves 2 x 2"),
    (scene(30).astype(np.float32), {"task": "super-resolution:scale=3"}, "crop them"),
    (PICTURES, {"task": "translate:source=/a,target=b"}, "would not be read"),
    (scene(30), {"task": "super-resolution:scale=1"}, "between 2 and 16"),
    (scene(30), {"term": "reconstruction"}, "give a task"),
    (scene(30), {"task": "sharpen"}, "unknown task 'sharpen'"),
    (scene(30), {"task": "super-resolution", "condition": ["x"]}, "condition: not with"),
    (scene(30), {"task": "super-resolution", "generator": "conv"}, "takes no picture"),
    (scene(30), {"task": "super-resolution", "generator": "unet"}, "give task"),
    (scene(30), {"generator": "unet"}, "give task"),
    (scene(30), {"critic": "patch"}, "give task"),
    (PICTURES, {"task": "translate:source=a"}, "both source and target are needed"),
    (PICTURES, {"task": "translate:source=a,target=bb"}, "did you mean 'b'"),
    (PICTURES, {"task": "translate:source=a,target=c"}, "target=c has 20; give the same number"),
    (
        PICTURES,
        {"task": "translate:source=a,target=b", "privacy": "gaussian:epsilon=1"},
        "privacy: not",
    ),
    (
        {"a": scene(30, 8)[..., 0], "b": scene(30)},
        {"task": "translate:source=a,target=b"},
        "bring both to one size with size N",
    ),
]


@pytest.mark.filterwarnings("ignore::surveyor.errors.Notice")
@pytest.mark.parametrize(("data", "said", "told"), REFUSED, ids=[told for *_, told in REFUSED])
def test_what_cannot_be_a_task_is_refused(data: Any, said: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError) as error:
        surveyor.fit(data, **said)
    assert told in str(error.value)
