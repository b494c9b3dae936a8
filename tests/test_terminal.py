"""What reaches the terminal and the disk: strangers' text, closed pipes, full disks, Ctrl-C."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from surveyor import InputError, Model, fit
from surveyor.cli import main
from surveyor.cli.console import app
from surveyor.data import bounds
from surveyor.errors import Notice
from surveyor.kinds.images.pictures import list_pictures
from surveyor.kinds.images.sheets import sheet
from surveyor.kinds.table.files import Table
from surveyor.writing import MARK
from tests.conftest import QUICK

EVIL = "a\x1b[2J\x9b31m\nsurveyor: no difference\r\u202eb[bold]"


def evil_table(path: Path, shift: float = 0.0, seed: int = 0) -> str:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({EVIL: rng.choice([EVIL, "=1+1", "c"], 80), "x": rng.normal(shift, 1, 80)})
    frame.loc[:40, EVIL] = EVIL if shift else "c"
    frame.to_csv(path, index=False)
    return str(path)


def harmless(text: str) -> bool:
    return (
        not any(c in text for c in "\x1b\x9b\u202e\r") and "\nsurveyor: no difference" not in text
    )


def test_strangers_names_and_values_are_shown_escaped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = evil_table(tmp_path / "a.csv"), evil_table(tmp_path / "b.csv", 3.0, 1)
    assert main(["distance", a, b]) == 0
    said = capsys.readouterr()
    assert "\\x1b[2J" in said.out
    assert "[bold]" in said.out
    out = str(tmp_path / "run")
    words = ["train", a, "--out", out, "--steps", "2", "--batch", "8", "--threads", "1"]
    assert main(words) == 0
    assert main(["evaluate", out]) == 0
    assert main(["sample", out, "-n", "3", "-o", str(tmp_path / f"s{EVIL}.csv")]) == 0
    assert main(["sample", out, "-n", "3", "--where", f"{EVIL}=q"]) == 2
    assert main(["train", a, "--out", str(tmp_path / "r"), "--drop", EVIL + "q"]) == 2
    rest = capsys.readouterr()
    for text in (said.out, said.err, rest.out, rest.err):
        assert harmless(text)
    for line in rest.err.splitlines():
        assert line.startswith("surveyor: ")


@pytest.fixture(scope="module")
def evil_run(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("evil")
    return fit(evil_table(folder / "a.csv"), folder / "run", **QUICK)


def test_text_that_a_spreadsheet_would_run_is_told_or_quoted(
    evil_run: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pd.DataFrame({"=n": ["=1", "@a", "-2.5", "-", "+47 1", None], "x": [-1, 2, 3, 4, 5, 6]})
    paths = [tmp_path / "plain.csv", tmp_path / "safe.csv"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Model, "sample", lambda *_: frame)
        for path, flags in zip(paths, ([], ["--safe-csv"]), strict=True):
            run = str(evil_run.run.path)
            assert main(["sample", run, "-n", "6", "-o", str(path), *flags]) == 0
    said = capsys.readouterr().err
    assert said.count("note:") == 1
    assert "3 of column =n, the name =n; --safe-csv" in said
    plain, safe = (pd.read_csv(path, dtype=str) for path in paths)
    assert plain["=n"].tolist()[:5] == ["=1", "@a", "-2.5", "-", "+47 1"]
    assert safe["'=n"].tolist()[:5] == ["'=1", "'@a", "-2.5", "-", "'+47 1"]
    assert safe["'=n"].isna().tolist() == [False] * 5 + [True]
    assert safe["x"].tolist() == plain["x"].tolist()


def run_command(*words: str, **how: Any) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "surveyor", *words]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, **how)


def test_a_closed_pipe_loses_the_output_and_not_the_training(tmp_path: Path) -> None:
    a, out = evil_table(tmp_path / "a.csv"), tmp_path / "run"
    words = ["train", a, "--out", str(out), "--steps", "40", "--batch", "8", "--threads", "1"]
    process = run_command(*words, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.communicate()[1] == b""
    assert process.returncode == 0
    assert json.loads((out / "evaluation.json").read_text())["steps"] == 40
    assert (out / "report.html").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize(("command", "code"), [("train", 0), ("sample", 2)])
def test_a_full_disk_under_the_output(
    command: str, code: int, evil_run: Model, tmp_path: Path
) -> None:
    a, out = evil_table(tmp_path / "a.csv"), tmp_path / "run"
    words = {
        "train": ["train", a, "--out", str(out), "--steps", "4", "--batch", "8", "--threads", "1"],
        "sample": ["sample", str(evil_run.run.path), "-n", "9"],
    }
    with open("/dev/full", "wb") as full:
        process = run_command(*words[command], stdout=full)
    said = process.communicate()[1].decode()
    assert process.returncode == code
    assert "Traceback" not in said
    assert ("No space left" in said) == (code == 2)
    assert (out / "report.html").exists() == (command == "train")


def test_an_interruption_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("surveyor.cli.distance.measured", interrupted)
    assert main(["distance", "example:iris", "example:iris"]) == 130
    assert capsys.readouterr().err == "surveyor: interrupted\n"


def test_a_table_on_a_screen_has_no_control_characters(
    evil_run: Model, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sample", str(evil_run.run.path), "-n", "9"]) == 0
    assert "\x1b" in capsys.readouterr().out  # data in a pipe stay as they are
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert main(["sample", str(evil_run.run.path), "-n", "9"]) == 0
    assert "\x1b" not in capsys.readouterr().out


# Writing


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have writers write a part, and then find the disk full."""

    def half(content: bytes) -> Callable[..., None]:
        def write(*arguments: Any, **_: Any) -> None:
            target = next(a for a in arguments if isinstance(a, (str, Path)))
            Path(target).write_bytes(content)
            raise OSError(28, "No space left on device")

        return write

    monkeypatch.setattr(Table, "write", half(b"a,b\n1"))
    monkeypatch.setattr(pd.DataFrame, "to_csv", half(b"a,b\n1"))
    monkeypatch.setattr("PIL.Image.Image.save", half(b"\x89PNG"))
    monkeypatch.setattr(Path, "write_bytes", _refusing(Path.write_bytes))


def _refusing(usual: Callable[[Path, bytes], int]) -> Callable[[Path, bytes], int]:
    def write(path: Path, content: bytes) -> int:
        usual(path, content[:5])
        if len(content) > 5:
            raise OSError(28, "No space left on device")
        return 5

    return write


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("name", ["s.csv", "s.png", "pictures", "page.html", "scores.csv"])
def test_a_full_disk_leaves_the_old_file_whole_and_none_of_the_new(
    name: str,
    before: bool,
    table_run: Model,
    digits_run: Model,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    target = tmp_path / name
    data = str(tmp_path / "data.csv")
    table_run.sample(30).to_csv(data, index=False)
    if before and name == "pictures":
        target.mkdir()
    if before:
        (target / "01.png" if name == "pictures" else target).write_bytes(b"old")
    run = (digits_run if name in ("s.png", "pictures") else table_run).run.path
    words = {
        "page.html": ["distance", "example:iris", "example:iris", "--html", str(target)],
        "scores.csv": ["score", str(run), data, "-o", str(target)],
    }.get(name, ["sample", str(run), "-n", "12", "-o", str(target)])
    request.getfixturevalue("full")
    assert main([*words, *(["--overwrite"] if before else [])]) == 2
    said = capsys.readouterr().err
    assert f"surveyor: {target}: cannot be written: the disk is full" in said
    assert len(said.splitlines()) == 1
    if before:
        own = target / "01.png" if name == "pictures" else target
        assert own.read_bytes() == b"old"
    assert target.exists() == before
    assert not [p for p in tmp_path.rglob("*") if p.name.startswith(MARK)]


def test_pictures_in_a_folder_replace_those_of_their_names(
    digits_run: Model, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "1.png").write_bytes(b"old")
    (folder / "mine.txt").write_text("mine")
    words = ["sample", str(digits_run.run.path), "-n", "3", "-o", str(folder), "--overwrite"]
    assert main(words) == 0
    assert sorted(p.name for p in folder.iterdir()) == ["1.png", "2.png", "3.png", "mine.txt"]
    assert (folder / "1.png").read_bytes()[1:4] == b"PNG"


@pytest.mark.parametrize(
    ("name", "begins"),
    [("v.NPY", b"\x93NUMPY"), ("v.npz", b"PK"), (f"v.{'long' * 9}.csv", b"x_0,x_1")],
)
def test_a_suffix_is_taken_as_it_is_written(
    name: str, begins: bytes, toy_run: Model, tmp_path: Path
) -> None:
    assert main(["sample", str(toy_run.run.path), "-n", "5", "-o", str(tmp_path / name)]) == 0
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes().startswith(begins)


# Sizes


@pytest.mark.parametrize(
    "words",
    [
        ["sample", "-n", "30000"],
        ["walk", "-n", "30000", "-o", "w.gif"],
        ["sample", "-n", "30000", "-o", "pictures"],
    ],
)
def test_more_pictures_than_memory_holds_are_not_begun(
    words: list[str],
    digits_run: Model,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("surveyor.run.sampling.UNASKED", 1000)
    path = str(digits_run.run.path)
    monkeypatch.setattr(bounds, "available", lambda: 3_000_000)
    assert main([words[0], path, *words[1:]]) == 2
    said = capsys.readouterr().err
    assert "30,000" in said
    assert "of memory, but only 3 MB are free" in said
    assert not list(tmp_path.iterdir())


def test_a_large_picture_is_answered_only_where_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 255, (16, 16, 16), dtype=np.uint8)
    model = fit(
        {"a": pictures, "b": pictures}, task="translate:source=a,target=b", steps=1, batch=4,
        threads=1, measure="w1:rows=4", generator="unet:width=2", critic="patch:width=2",
    )  # fmt: skip
    monkeypatch.setattr("surveyor.run.answering.PIXELS", 1000)
    large = rng.integers(0, 255, (1, 96, 80), dtype=np.uint8)
    assert model.translate(large)["b"].shape == (1, 96, 80)
    monkeypatch.setattr(bounds, "available", lambda: 500_000)
    with pytest.raises(InputError, match=r"a picture of 80 x 96 takes 553 kB of memory"):
        model.translate(large)


def test_nets_are_weighed_before_they_are_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = np.random.default_rng(0).normal(size=(60, 3))
    told = r"critic mlp:width=65000.*: [\d,]+ parameters, 5 numbers of 4 bytes each, take 2.45 TB"
    with pytest.raises(InputError, match=told):
        fit(data, tmp_path / "a", **QUICK | {"critic": "mlp:width=65000,depth=30"})
    with monkeypatch.context() as patch:
        patch.setattr(bounds, "available", lambda: 10**9)
        with pytest.raises(InputError, match=r"draws for each frequency take 1\.44 GB"):
            fit(data, tmp_path / "c", **QUICK | {"critic": "mlp:fourier=60000"})
    monkeypatch.setattr(bounds, "LARGE", 1000)
    with pytest.warns(Notice, match="parameters, 5 numbers of 4 bytes each, take"):
        fit(data, tmp_path / "d", **QUICK | {"critic": "mlp"})
    assert [p.name for p in tmp_path.iterdir()] == ["d"]


def test_a_sheet_of_many_small_pictures_is_not_enlarged_beyond_use() -> None:
    few, many = np.zeros((4, 8, 8), np.uint8), np.zeros((40_000, 8, 8), np.uint8)
    assert sheet(few).size == (2 * 9 * 8, 2 * 9 * 8)
    assert max(sheet(many).size) <= 16_384


def test_names_that_are_not_utf8_are_refused_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.csv")
    evil_table(Path(odd))
    good = evil_table(tmp_path / "a.csv")
    for source, out in ((odd, tmp_path / "run"), (good, Path(odd[:-4]))):
        assert main(["train", source, "--out", str(out), "--steps", "2"]) == 2
        said = capsys.readouterr().err
        assert said.count("the name is not UTF-8; rename it") == 1
        assert "\\udcff" in said
        assert not out.exists()
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/pictures/\xff"))
    folder.mkdir(parents=True)
    Image.new("L", (8, 8)).save(folder / "a.png")
    with pytest.raises(InputError, match="the name is not UTF-8"):
        list_pictures(folder.parent)


@pytest.mark.parametrize("command", [name for name in app if not name.startswith("-")])
def test_no_flag_has_a_negative_that_nobody_wrote(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cyclopts offers ``--no-x`` beside each switch and ``--empty-x`` beside each list."""
    assert main([command, "--help"]) == 0
    told = capsys.readouterr().out
    assert "Usage:" in told
    assert "--no-" not in told
    assert "--empty-" not in told
