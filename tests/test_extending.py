"""A kind of data of one's own, in one file, goes the whole way through the public commands."""

from __future__ import annotations

import importlib
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import surveyor
from surveyor import kinds
from surveyor.cli import main
from surveyor.data import types
from tests.conftest import QUICK

STEPS = [
    "--steps",
    "6",
    "--batch",
    "16",
    "--measure",
    "w1:every=2,rows=32",
    "--threads",
    "1",
]


@pytest.fixture(autouse=True)
def _angles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the kind known for these tests alone."""
    monkeypatch.setattr(kinds, "_ADDED", {})
    from tests import toy_kind

    kinds.add(toy_kind.KIND)


@pytest.fixture
def wind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    angles = rng.vonmises(1.0, 4.0, 400) * 180 / np.pi % 360
    Path("wind.deg").write_text("".join(f"{a:.2f}\n" for a in angles))
    return tmp_path


def test_a_kind_of_ones_own_trains_samples_is_measured_scored_reported_and_compared(
    wind: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "wind.deg", "--out", "run", *STEPS]) == 0
    assert "W1" in capsys.readouterr().out
    assert main(["sample", "run", "-n", "50", "-o", "made.deg"]) == 0
    made = np.loadtxt("made.deg")
    assert made.shape == (50,)
    assert ((made >= 0) & (made < 360)).all()
    capsys.readouterr()
    assert main(["sample", "run", "-n", "5", "-o", "made.csv"]) == 2
    assert "known: .deg" in capsys.readouterr().err
    assert main(["sample", "run", "-n", "5"]) == 0
    assert np.loadtxt("samples.deg").shape == (5,)
    capsys.readouterr()
    assert main(["evaluate", "run", "--json"]) == 0
    told = {f["name"]: f for f in json.loads(capsys.readouterr().out)["figures"]}
    assert told["concentration"]["floor"] == pytest.approx(0.86, abs=0.1)  # I1(4) / I0(4)
    assert main(["score", "run", "wind.deg", "-o", "scores.csv"]) == 0
    assert len(pd.read_csv("scores.csv")) == 400
    assert main(["report", "run"]) == 0
    page = (wind / "run" / "report.html").read_text()
    assert "Directions" in page
    assert "Memorising" in page
    assert main(["distance", "wind.deg", "made.deg", "--html", "page.html"]) == 0
    assert "chords of the unit circle" in (wind / "page.html").read_text()
    assert main(["evaluate", "run", "--against", "made.deg"]) == 0
    words = ["judge", "wind.deg", "made.deg", "--holdout", "wind.deg"]
    assert main([*words, "--html", "judged.html"]) == 0
    assert "made.deg against wind.deg" in (wind / "judged.html").read_text()
    capsys.readouterr()
    assert main([*words, "--target", "north"]) == 2
    assert "--target north: unknown column" in capsys.readouterr().err


def test_its_runs_resume_bit_for_bit(wind: Path) -> None:
    surveyor.fit("wind.deg", "whole", **QUICK)

    def stop(session: object, record: surveyor.training.Record) -> None:
        if record.step == 4:
            raise KeyboardInterrupt

    with pytest.raises(surveyor.Interrupted):
        surveyor.fit("wind.deg", "parted", watch=stop, **QUICK)
    surveyor.resume("parted")
    for name in ("generator.safetensors", "critic.safetensors", "history.jsonl"):
        assert (wind / "parted" / name).read_bytes() == (wind / "whole" / name).read_bytes()


def test_its_own_refusals_and_checks_are_told(
    wind: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bad.deg").write_text("1\n2\nnorth\n")
    assert main(["train", "bad.deg", "--out", "no"]) == 2
    assert "bad.deg, line 3: 'north' is no number" in capsys.readouterr().err
    assert not (wind / "no").exists()
    Path("same.deg").write_text("10\n" * 60)
    assert main(["train", "same.deg", "--out", "same", *STEPS]) == 0
    assert "A01" in capsys.readouterr().out


def test_its_name_is_among_the_known_suffixes(
    wind: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("x.unknown").write_text("1\n")
    assert main(["train", "x.unknown", "--out", "no"]) == 2
    assert ".deg" in capsys.readouterr().err


TICKET = """
import re
import pandas as pd
from surveyor.data.types import Fit, Labels

class Ticket(Labels):
    samples = ("T-000001", "T-123456")

    def fit(self, cells, format_=""):
        bad = (c for c in cells.distinct if not re.fullmatch(r"T-[0-9]{6}", c))
        return Fit("ticket", odd=tuple(bad))

    def label(self, value):
        return "a ticket"

    def sample_values(self, values, form, draws):
        made = [f"T-{k:06}" for k in draws.index(len(values), 1_000_000).tolist()]
        return pd.Series(made, name=values.name, dtype=values.dtype).where(values.notna())
"""


def test_a_column_type_whose_values_are_drawn_anew_is_one_file(
    wind: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (wind / "added").mkdir()
    (wind / "added" / "ticket.py").write_text(TICKET)
    monkeypatch.setattr(types, "__path__", [*types.__path__, str(wind / "added")])
    rng = np.random.default_rng(0)
    tickets = [f"T-{k:06}" for k in rng.permutation(1000)[:200]]
    pd.DataFrame({"t": [*tickets, *[""] * 40], "x": rng.normal(size=240)}).to_csv("in.csv")
    assert (
        main(
            ["train", "in.csv", "--type", "t=ticket", "--drop", "Unnamed: 0", "--out", "r", *STEPS]
        )
        == 0
    )
    assert main(["sample", "r", "-n", "100", "--seed", "3", "-o", "out.csv"]) == 0
    made = pd.read_csv("out.csv", dtype=str)["t"]
    assert 0 < made.isna().sum() < 50
    assert made.dropna().str.fullmatch(r"T-\d{6}").all()
    assert made.dropna().nunique() > 40
    assert not set(made.dropna()) & set(tickets)
    assert main(["sample", "r", "-n", "100", "--seed", "3", "-o", "again.csv"]) == 0
    assert Path("again.csv").read_text() == Path("out.csv").read_text()
    assert main(["evaluate", "r", "--against", "out.csv"]) == 0
    Path("bad.csv").write_text(Path("in.csv").read_text().replace(tickets[5], "none"))
    capsys.readouterr()
    assert main(["train", "bad.csv", "--type", "t=ticket", "--out", "no"]) == 2
    assert "line 7: 'none'" in " ".join(capsys.readouterr().err.split())


# -- docs/extending.md --------------------------------------------------------------------------

PAGE = Path(__file__).parents[1] / "docs" / "extending.md"
BLOCK = re.compile(r"```(python|console)\n(.*?)```", re.DOTALL)


def test_the_page_is_executed(wind: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are added to the packages of their rooms, and commands run, in the page's order."""
    made = 0
    for form, block in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if form == "console":
            for line in block.strip().splitlines():
                words = shlex.split(line)[1:]
                more = ["--batch", "16", "--threads", "1"] if words[0] == "train" else []
                assert main([*words, *more]) == 0, line
        elif found := re.match(r"# src/surveyor/([\w/]+)/(\w+)\.py\n", block):
            room = importlib.import_module(f"surveyor.{found[1]}".replace("/", "."))
            folder = wind / "added" / found[1]
            folder.mkdir(parents=True)
            (folder / f"{found[2]}.py").write_text(block, encoding="utf-8")
            monkeypatch.setattr(room, "__path__", [*room.__path__, str(folder)])
            made += 1
        elif block.startswith("# tests/toy_kind.py\n"):
            own = (Path(__file__).parent / "toy_kind.py").read_text(encoding="utf-8")
            assert block.partition("\n")[2] in own
        else:
            exec(compile(block, str(PAGE), "exec"), {})
    assert made == 5
    assert (wind / "gallery" / "c32-shift.html").exists()
