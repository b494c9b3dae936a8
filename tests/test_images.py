"""Folders of pictures as people have them: every mode and size, brought to one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from surveyor import fit
from surveyor.api import prepare
from surveyor.data import scratch
from surveyor.errors import InputError, Notice
from surveyor.kinds.images.pictures import read_folder
from surveyor.kinds.images.reading import read_pictures
from surveyor.kinds.images.sheets import white_of
from tests.conftest import QUICK


def saved(folder: Path, name: str, pixels: np.ndarray, mode: str | None = None) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels, mode).save(path)


def grey(value: int, size: tuple[int, int] = (8, 8)) -> np.ndarray:
    return np.full(size, value, dtype=np.uint8)


def test_grey_stays_grey_and_colour_makes_all_rgb(tmp_path: Path) -> None:
    saved(tmp_path, "a.png", grey(10))
    saved(tmp_path, "b.png", grey(20))
    assert read_folder(tmp_path).main.shape == (2, 8, 8)
    assert read_folder(tmp_path).columns == {}
    saved(tmp_path, "c.png", np.stack([grey(1), grey(2), grey(3)], axis=2))
    found = read_folder(tmp_path).main
    assert found.shape == (3, 8, 8, 3)
    assert found[:, 0, 0].tolist() == [[10, 10, 10], [20, 20, 20], [1, 2, 3]]


def test_sixteen_bits_become_eight_and_transparent_places_white(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 257 * 77, dtype=np.uint16)).save(tmp_path / "a.png")
    half = np.stack([grey(100), grey(0)], axis=2)
    half[:4, :, 1] = 255
    Image.fromarray(half, "LA").save(tmp_path / "b.png")
    found = read_folder(tmp_path).main
    assert found.shape == (2, 8, 8)
    assert np.unique(found[0]).tolist() == [77]
    assert found[1, 0, 0] == 100
    assert found[1, 7, 0] == 255


def test_cmyk_and_palettes_become_rgb(tmp_path: Path) -> None:
    red = np.zeros((8, 8, 3), dtype=np.uint8)
    red[..., 0] = 255
    Image.fromarray(red).convert("CMYK").save(tmp_path / "a.tif")
    Image.fromarray(red).quantize(4).save(tmp_path / "b.png")
    found = read_folder(tmp_path).main
    assert np.abs(found.astype(int) - red).max() <= 2


def test_a_camera_held_sideways_gives_an_upright_picture(tmp_path: Path) -> None:
    picture = Image.fromarray(np.repeat(np.arange(4, dtype=np.uint8) * 60, 6).reshape(4, 6))
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "a.png", exif=exif)
    found = read_folder(tmp_path).main
    assert found.shape == (1, 6, 4)
    assert found[0, 0].tolist() == [180, 120, 60, 0]


def test_sizes_are_brought_to_one_only_where_it_is_said(tmp_path: Path) -> None:
    for k, size in enumerate([(8, 8), (8, 12), (30, 20)]):
        saved(tmp_path, f"{k}.png", grey(50 * k + 50, size))
    with pytest.raises(InputError, match=r"3 sizes: .*30 \(2.png\)|20x30 \(2.png\).*--size 8"):
        read_folder(tmp_path)
    found = read_folder(tmp_path, 16).main
    assert found.shape == (3, 16, 16)
    assert [np.unique(p).tolist() for p in found] == [[50], [100], [150]]


def test_the_middle_square_is_kept(tmp_path: Path) -> None:
    wide = np.concatenate([grey(0, (8, 8)), grey(200, (8, 8)), grey(0, (8, 8))], axis=1)
    saved(tmp_path, "a.png", wide)
    assert np.unique(read_folder(tmp_path, 8).main).tolist() == [200]


def test_arrays_are_resized_too_but_not_floats() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 12, 12), dtype=np.uint8)
    data, config = prepare(pixels, QUICK | {"size": 8})
    assert data.codec.space.shape == (1, 8, 8)
    assert config.size == 8
    with pytest.raises(InputError, match="8-bit"):
        prepare(pixels / 255.0, QUICK | {"size": 8})


def test_white_leaves_room_for_brighter_rows_than_those_seen() -> None:
    rng = np.random.default_rng(0)
    dark = rng.integers(0, 3000, (40, 8, 8), dtype=np.uint16)
    with pytest.warns(Notice, match="up to 2,998; white is taken as 4,095"):
        data, _ = prepare(dark, QUICK)
    bright = dark + 1000
    assert float(data.codec.points(data.codec.rows(bright), np.arange(40)).max()) <= 1
    with pytest.raises(InputError, match="up to 4095"):
        data.codec.rows(dark + 4000)
    floats = rng.random((40, 8, 8))
    floats[data.holdout.index[0]] *= 3
    prepared, _ = prepare(floats, QUICK)
    assert prepared.codec.points({"x": floats}, np.arange(40)).max() == pytest.approx(1)


@pytest.mark.parametrize(
    ("highest", "kind", "white"),
    [
        (0.5, np.float32, 1),
        (7.5, np.float64, 7.5),
        (15, np.uint8, 15),
        (17, np.uint8, 255),
        (255, np.int32, 255),
        (256, np.int32, 511),
        (1000, np.int64, 1023),
    ],
)
def test_white_is_guessed_from_the_highest_value(highest: float, kind: Any, white: float) -> None:
    assert white_of(np.array([0, highest], dtype=kind)) == white


def test_sixteen_bits_that_hold_eight_need_no_notice() -> None:
    eight, nine = (np.full((3, 8, 8), top, dtype=np.uint16) for top in (255, 256))
    assert read_pictures(eight).white == 255
    with pytest.warns(Notice, match=r"up to 256; white is taken as 511 \(9 bits\)"):
        assert read_pictures(nine).white == 511


def test_a_file_of_what_is_no_picture_is_named(tmp_path: Path) -> None:
    flat = np.zeros((5, 3, 8), dtype=np.uint8)
    np.save(tmp_path / "flat.npy", flat)
    for source, where in ((tmp_path / "flat.npy", f"{tmp_path}/flat.npy: "), (flat, "")):
        with pytest.raises(InputError) as told:
            read_pictures(source)
        assert str(told.value).startswith(f"{where}pictures of shape (5, 3, 8): give")


def test_many_pictures_are_kept_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "surveyor.kinds.images.pictures.empty", lambda s, d: scratch.empty(s, d, limit=10)
    )
    saved(tmp_path, "a.png", grey(7))
    found = read_folder(tmp_path).main
    assert isinstance(found, np.memmap)
    assert np.unique(found).tolist() == [7]


def test_every_bad_picture_is_named_at_once(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
    saved(tmp_path, "good.png", noise)
    (tmp_path / "cut.png").write_bytes((tmp_path / "good.png").read_bytes()[:2000])
    (tmp_path / "text.jpg").write_text("no picture")
    with pytest.raises(InputError) as told:
        read_folder(tmp_path)
    named = {p.partition(":")[0].rpartition("/")[2] for p in told.value.problems}
    assert named == {"text.jpg", "cut.png"}


def test_a_dozen_pictures_of_two_labels_train_and_their_run_takes_other_sizes(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(0)
    for k in range(12):
        side = 10 + k
        pixels = rng.integers(0, 255, (side, side, 3), dtype=np.uint8)
        saved(tmp_path, f"in/{'cats' if k % 2 else 'dogs'}/{k}.png", pixels)
    model = fit(str(tmp_path / "in"), tmp_path / "run", condition=["label"], size=8, **QUICK)
    assert model.sample(3, {"label": "cats"})["images"].shape == (3, 8, 8, 3)
    assert model.evaluate(str(tmp_path / "in"))["w1"].known > 0
    assert len(model.score(str(tmp_path / "in"))) == 12
