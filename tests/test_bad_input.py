"""Bad input, one by one: one line a problem, exit code 2, and nothing lost or overwritten."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from surveyor import Model
from surveyor.cli import main
from surveyor.errors import InputError

Make = Callable[[Path], str]


def text(content: str, name: str = "data.csv") -> Make:
    def make(folder: Path) -> str:
        (folder / name).write_text(content)
        return str(folder / name)

    return make


def array(content: object, name: str = "data.npy") -> Make:
    def make(folder: Path) -> str:
        if name.endswith(".npz"):
            np.savez(folder / name, **content, allow_pickle=True)  # type: ignore[arg-type]
        else:
            np.save(folder / name, content)  # type: ignore[arg-type]
        return str(folder / name)

    return make


def table(**columns: object) -> Make:
    def make(folder: Path) -> str:
        pd.DataFrame(columns).to_csv(folder / "data.csv", index=False)
        return str(folder / "data.csv")

    return make


def pictures(*made: tuple[str, tuple[int, int], str]) -> Make:
    def make(folder: Path) -> str:
        (folder / "p").mkdir()
        for name, size, mode in made:
            Image.new(mode, size).save(folder / "p" / name)
        return str(folder / "p")

    return make


def animated(folder: Path) -> str:
    frames = [Image.new("L", (8, 8), 40 * k) for k in range(3)]
    frames[0].save(folder / "a.gif", save_all=True, append_images=frames[1:])
    return str(folder)


def broken(folder: Path) -> str:
    content = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(content, format="PNG")
    (folder / "p").mkdir()
    (folder / "p" / "half.png").write_bytes(content.getvalue()[:3000])
    (folder / "p" / "text.png").write_text("not a picture")
    return str(folder / "p")


def array_bomb(folder: Path) -> str:
    np.savez_compressed(folder / "data.npz", x=np.zeros((40, 2**22)))
    return str(folder / "data.npz")


def cut(kind: str) -> Make:
    def make(folder: Path) -> str:
        content = io.BytesIO()
        noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).save(content, format=kind)
        return _bytes(folder, content.getvalue()[:700], f"p/a.{kind.lower()}")

    return make


def numbers(n: int = 40) -> list[float]:
    return [float(k % 7) for k in range(n)]


def with_hole(value: float) -> np.ndarray:
    values = np.ones((20, 2))
    values[7, 1] = value
    return values


DATA: dict[str, tuple[Make, str]] = {
    "no such file": (lambda f: str(f / "nothing.csv"), "no such file"),
    "a misspelt file": (lambda f: text("a\n1\n")(f)[:-8] + "dta.csv", "did you mean 'data.csv'"),
    "an unknown kind": (text("x", "data.docx"), "unknown kind of data"),
    "an empty file": (text(""), "empty file"),
    "an empty array file": (text("", "data.npy"), "empty file"),
    "a header only": (text("a,b\n"), "no rows"),
    "one row": (text("a,b\n1,2\n"), "1 row"),
    "a repeated column": (text("a,a\n" + "1,2\n" * 20), "appears twice"),
    "bytes that are no text": (lambda f: _bytes(f, b"\x80\xfe\x00a\x80,\n" * 30), "not UTF-8 text"),
    "ragged rows": (text("a,b\n1,2\n1,2,3,4\n"), "cannot be read"),
    "semicolons": (text("a;b\n" + "1;2\n" * 20), "save the table with commas"),
    "nothing but constants": (table(a=[1] * 40, b=["x"] * 40), "nothing to learn"),
    "a broken parquet": (text("PAR1 nothing", "data.parquet"), "cannot be read"),
    "a category a row": (table(name=[f"n{'x' * k}" for k in range(60)], x=numbers(60)), "--drop name"),
    "a date that does not exist, day first": (table(d=[*[f"{1 + k % 28}/1/2024" for k in range(40)], "31/2/2023"], y=numbers(41)), "line 42: '31/2/2023'"),
    "dates of two orders": (table(d=[f"{13 + k % 15}/{1 + k % 12}/2024" if k % 2 else f"{1 + k % 12}/{13 + k % 15}/2024" for k in range(60)], y=numbers(60)), "would change if read as dates"),
    "infinite numbers": (table(x=[*numbers(), np.inf], y=numbers(41)), "line 42: 'inf'"),
    "one mistyped number": (table(x=[*(f"{v:.1f}" for v in numbers()), "12,5"], y=numbers(41)), "line 42: '12,5'"),
    "a date that does not exist": (table(d=[*[f"2024-01-{1 + k % 28:02}" for k in range(40)], "2023-02-29"], y=numbers(41)), "line 42: '2023-02-29'"),
    "no header": (text("".join(f"{k}.5,{k % 3}\n" for k in range(40))), "no header"),
    "bars": (text("a|b\n" + "1|2\n" * 20), "save the table with commas"),
    "a time that does not exist": (table(t=[*[f"{k % 24:02}:{k % 60:02}" for k in range(60)], "12:75"], x=numbers(61)), "line 62: '12:75'"),
    "a folder of Parquet": (lambda f: _folder(f), "join its 1 Parquet file"),
    "thousands of columns": (text(",".join(f"c{k}" for k in range(6000)) + "\n" + ",".join("1" * 6000) + "\n"), "at most 5,000"),
    "nan in an array": (array(with_hole(np.nan)), "row 7"),
    "infinity in an array": (array(with_hole(-np.inf)), "row 7"),
    "text in an array": (array(np.array([["a", "b"]] * 20)), "is not numeric"),
    "one axis": (array(np.ones(20)), "shape (20,)"),
    "an object array": (array(np.array([{"a": 1}] * 20, dtype=object)), "never loaded"),
    "a pickle in an npz": (array({"x": np.array([{1}] * 20, dtype=object)}, "data.npz"), "never loaded"),
    "an npz of text": (lambda f: _zipped(f, "notes.txt", b"hello"), "'notes.txt': not a readable array"),
    "an npz that unpacks to gigabytes": (array_bomb, "unpack to 1.34 GB"),
    "an array of terabytes": (lambda f: _claims(f, "(40000, 5000000)"), "1.6 TB, but 80 bytes follow"),
    "a header that is no array's": (lambda f: _claims(f, "os.getpid()"), "not a readable array file"),
    "a gif cut short": (cut("GIF"), "broken picture"),
    "a tiff cut short": (cut("TIFF"), "broken picture"),
    "postscript by another name": (lambda f: _bytes(f, b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n", "p/a.png"), "broken picture"),
    "nothing but other suffixes": (lambda f: _bytes(f, b"ftypheic", "p/a.heic"), ".heic (1)"),
    "no npz at all": (text("hello", "data.npz"), "neither .npy nor .npz inside"),
    "equal vectors": (array(np.ones((20, 2))), "vectors are equal"),
    "a broken picture": (broken, "broken picture"),
    "pictures of mixed sizes": (pictures(("a.png", (8, 8), "L"), ("b.png", (9, 8), "L")), "with --size N, such as --size 8"),
    "an animated picture": (animated, "animated, 3 frames"),
    "a picture of floats": (pictures(("a.tif", (8, 8), "F")), "mode F"),
    "a folder without pictures": (pictures(), "no pictures"),
    "an unknown example": (lambda f: "example:irsi", "did you mean 'iris'"),
    "an unknown toy": (lambda f: "toy:rnig", "did you mean 'ring'"),
    "no number of points": (lambda f: "toy:ring:many", "not a number of points"),
}  # fmt: skip


def _folder(folder: Path) -> str:
    (folder / "parts.parquet").mkdir()
    pd.DataFrame({"x": numbers()}).to_parquet(folder / "parts.parquet" / "part-0.parquet")
    return str(folder / "parts.parquet")


def _bytes(folder: Path, content: bytes, name: str = "data.csv") -> str:
    """Write a file; return its name, or that of the folder made for it."""
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    return str(folder / name.partition("/")[0])


def _zipped(folder: Path, name: str, content: bytes) -> str:
    with zipfile.ZipFile(folder / "data.npz", "w") as archive:
        archive.writestr(name, content)
    return str(folder / "data.npz")


def _claims(folder: Path, shape: str) -> str:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    start = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little")
    return _bytes(folder, start + header + bytes(80), "data.npy")


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run a command that must be refused; return what it said."""
    assert main(list(words)) == 2
    said = capsys.readouterr()
    assert said.err
    for line in said.err.splitlines():
        assert line.startswith("surveyor: ")
    assert "Traceback" not in said.err
    return said.err


@pytest.mark.parametrize("name", DATA)
def test_data_that_cannot_be_used(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make, message = DATA[name]
    source, out = make(tmp_path), tmp_path / "run"
    assert message in refused(capsys, "train", source, "--out", str(out), "--steps", "2")
    assert not out.exists()
    assert not list(tmp_path.glob(".run*"))


MEASURES = [f"{a} {b} (cm)" for a in ("sepal", "petal") for b in ("length", "width")]
OPTIONS: dict[str, tuple[list[str], str]] = {
    "an unknown condition": (["--condition", "targt"], "did you mean 'target'"),
    "an unknown group": (["--group", "targt"], "did you mean 'target'"),
    "an unknown drop": (["--drop", "targt"], "did you mean 'target'"),
    "nothing left": (["--condition", "target", "--drop", *MEASURES], "nothing left"),
    "whitening a table": (["--whiten"], "not for tables"),
    "a misspelt constraint": (["--constraint", "gradient-penlty"], "did you mean 'gradient-penalty'"),
    "a misspelt field": (["--constraint", "gradient-penalty:wieght=1"], "did you mean 'weight'"),
    "a misspelt objective": (["--objective", "waserstein"], "did you mean 'wasserstein'"),
    "a misspelt net": (["--critic", "mpl"], "did you mean 'mlp'"),
    "a net for pictures": (["--critic", "conv"], "only for pictures"),
    "a misspelt option": (["--stps", "5"], "Did you mean"),
    "text for a number": (["--batch", "many"], "--batch"),
    "no steps": (["--steps", "0"], "at least 1"),
    "a holdout above all": (["--holdout", "2"], "at most 0.5"),
    "cuda that is not there": (["--device", "cuda"], "no CUDA device"),
    "a device with a very long name": (["--device", "x" * 5000], f"--device {'x' * 40}: unknown"),
    "an unknown device": (["--device", "gpu"], "unknown; known: auto, cpu, cuda, mps"),
    "an unknown schedule": (["--schedule", "cosin"], "cosin"),
    "an option that became a field": (["--epsilon", "3"], "--epsilon: did you mean --privacy gaussian"),
    "another one": (["--from=a", "--to", "b"], "--to: did you mean --task translate:source=A"),
    "a field of its own once": (["--latent-normal", "8"], "--latent-normal: did you mean --latent gaussian:dimensions=64"),
    "how often to measure, once": (["--measure-every", "8"], "--measure-every: did you mean --measure w1:every=100"),
    "fields of a measurement, all at once": (["--measure", "w1:every=0,rows=1,patience=-1"], "every=0: give a number from 1 to 1,000,000,000; rows=1: give a number from 2 to 10,000; patience=-1: give a number from 0"),
    "a measurement that is none": (["--measure", "none"], "unknown measure 'none'; known: w1"),
    "a latent of nothing": (["--latent", "gaussian:dimensions=0"], "give at least one of either"),
    "a latent that is none": (["--latent", "none"], "unknown latent 'none'; known: gaussian"),
    "a schedule from Python": (["--schedule", "own"], "unknown schedule 'own'"),
    "an unknown noise": (["--noise", "annael"], "did you mean 'anneal'"),
    "noise from nothing": (["--noise", "anneal:start=0"], "must be above 0"),
    "noise that adapts upwards": (["--noise", "adaptive:start=.1,end=.2"], "give start above end"),
    "noise for a critic that is always right": (["--noise", "adaptive:start=.2,auc=1"], "auc must lie between .5 and .99"),
    "decimals of a whole number": (["--seed", "1.5"], "1.5 is not a whole number"),
    "a net beyond memory": (["--critic", "mlp:width=65000,depth=30"], "numbers of 4 bytes each, take 2.45 TB"),
    "a net beyond counting": (["--generator", "mlp:width=999999999999"], "cannot be built"),
    "white of pictures for a table": (["--white", "0"], "at least 1"),
    "no such config": (["--config", "nowhere.toml"], "no such file"),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIONS)
def test_options_that_cannot_be_used(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    flags, message = OPTIONS[name]
    out = tmp_path / "run"
    words = [
        "train",
        "example:iris",
        "--out",
        str(out),
        *([] if "--steps" in flags else ["--steps", "2"]),
    ]
    assert message in refused(capsys, *words, *flags)
    assert not out.exists()


def test_all_problems_are_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.txt").write_text("x")
    flags = ["--constraint", "clp", "--objective", "x", "--batch", "0", "--condition", "nope"]
    said = refused(capsys, "train", "example:iris", "--out", str(tmp_path / "run"), *flags)
    for part in ("already exists", "'clip'", "unknown objective", "--batch 0", "--condition nope"):
        assert part in said
    assert (tmp_path / "run" / "mine.txt").read_text() == "x"


def test_a_missing_argument(capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, "train")
    assert "no data given" in said
    assert "no --out given" in said


SAMPLING: dict[str, tuple[list[str], str]] = {
    "no rows": (["-n", "0"], "at least 1"),
    "an unknown column": (["--where", "twon=Oslo"], "did you mean 'town'"),
    "a category never seen": (["--where", "town=Osllo"], "did you mean 'Oslo'"),
    "a category of another column": (["--where", "member=perhaps"], "not a value seen"),
    "a number out of range": (["--where", "age=900"], "outside the range"),
    "text for a number": (["--where", "age=old"], "holds numbers"),
    "contradiction": (["--where", "town=Oslo", "--where", "town=Rome"], "choose one"),
    "no value": (["--where", "town"], "write COLUMN=VALUE"),
    "more than memory": (["-n", "99999999999"], "-n 99,999,999,999: "),
    "more than can be tried": (
        ["-n", "99999999999", "--where", "age=30..40"],
        "at most 2,000,000; ask for fewer",
    ),
    "a device that is not there": (["--device", "cuda:7"], "--device cuda:7: no CUDA device"),
    "a seed with decimals": (["--seed", "1.5"], "1.5 is not a whole number"),
    "a suffix alone": (["-o", ".csv"], "a suffix without a name"),
    "a folder of that name": (["-o", "folder.csv"], "a folder has that name"),
    "an unknown format": (["-o", "x.docx"], "unknown format"),
    "no folder": (["-o", "nowhere/x.csv"], "folder nowhere does not exist"),
}


@pytest.mark.parametrize("name", SAMPLING)
def test_sampling_that_cannot_be_done(
    name: str,
    table_run: Model,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.csv").mkdir()
    flags, message = SAMPLING[name]
    flags = flags if "-n" in flags else [*flags, "-n", "5"]
    assert message in refused(capsys, "sample", str(table_run.run.path), *flags)


def test_an_existing_sample_file_is_kept(
    table_run: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "s.csv"
    path.write_text("precious")
    words = ["sample", str(table_run.run.path), "-n", "5", "-o", str(path)]
    assert "already exists" in refused(capsys, *words)
    assert path.read_text() == "precious"
    assert main([*words, "--overwrite"]) == 0
    assert len(pd.read_csv(path)) == 5


DISTANCES: dict[str, tuple[Make, Make, str]] = {
    "other columns": (table(a=numbers(), b=numbers()), lambda f: table(a=numbers())(f), "column 'b' is only in the first"),
    "other shapes": (array(np.eye(20)), lambda f: _saved(f / "b.npy", np.ones((20, 3))), "shapes differ"),
    "other kinds": (table(a=numbers()), lambda f: _saved(f / "b.npy", np.ones((20, 3))), "cannot compare table with"),
}  # fmt: skip


def _saved(path: Path, values: np.ndarray) -> str:
    np.save(path, values)
    return str(path)


@pytest.mark.parametrize("name", DISTANCES)
def test_sets_that_cannot_be_compared(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other, message = DISTANCES[name]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    words = ["distance", one(tmp_path / "a"), other(tmp_path / "b")]
    assert message in refused(capsys, *words)


def test_a_run_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["sample"], ["evaluate"], ["report"], ["train", "--resume"]):
        assert "no run in this folder" in refused(capsys, *words, str(tmp_path))


@pytest.mark.parametrize("words", [["evaluate"], ["report"], ["score", "x.csv", "-o", "y.csv"]])
def test_a_device_is_chosen_wherever_a_run_is_opened(
    words: list[str], table_run: Model, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *rest = words
    told = refused(capsys, command, str(table_run.run.path), *rest, "--device", "cuda:7")
    assert "--device cuda:7: no CUDA device" in told


def test_options_beside_resume(table_run: Model, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, "train", "--resume", str(table_run.run.path), "--steps", "9")
    assert "own configuration" in said


def test_data_of_other_columns_are_not_scored(
    table_run: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = table(age=[20, 30], shoe=[40, 41])(tmp_path)
    out = tmp_path / "s.csv"
    said = refused(capsys, "score", str(table_run.run.path), source, "-o", str(out))
    assert "income" in said
    assert not out.exists()


def test_pictures_without_the_runs_labels_are_not_scored(digits_run: Model) -> None:
    pictures = digits_run.sample(5)["images"]
    with pytest.raises(InputError, match="condition digit: unknown column"):
        digits_run.score({"images": pictures})


@pytest.mark.parametrize("column", [{"x": [1] * 60}, {"x": [None] * 60}])
def test_a_column_that_says_nothing_is_kept_and_named(
    column: dict[str, list[object]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = table(y=numbers(60), **column)(tmp_path)
    out = tmp_path / "run"
    words = ["train", source, "--out", str(out), "--steps", "2", "--batch", "8", "--threads", "1"]
    assert main(words) == 0
    assert "P10" in capsys.readouterr().out
    assert main(["sample", str(out), "-n", "4", "-o", str(tmp_path / "s.csv")]) == 0
    made = pd.read_csv(tmp_path / "s.csv")
    assert (made["x"].isna() if column["x"][0] is None else made["x"] == 1).all()
