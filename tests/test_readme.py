"""Every command and snippet of README and docs runs as written; training is cut to few steps."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from surveyor.cli import main
from tests.conftest import labelled_graphs, mixed, spelt_molecules
from tests.test_constructions import stays

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
DOCS = {p.name: p.read_text() for p in sorted((ROOT / "docs").glob("*.md"))}
JOBS = ("table.md", "guide.md", "molecules.md", "graphs.md", "networks.md", "federated.md")
PAGES = {"README.md": README} | {name: DOCS[name] for name in JOBS}
BLOCKS = {
    name: re.findall(r"```(sh|python)\n(.*?)```", text, flags=re.S) for name, text in PAGES.items()
}
SNIPPETS = [block for blocks in BLOCKS.values() for kind, block in blocks if kind == "python"]
FEW = ["--steps", "4", "--batch", "16", "--threads", "1"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the README speaks of."""
    rng = np.random.default_rng(0)
    people = mixed(300).rename(columns={"town": "city"})
    people.to_csv(tmp_path / "people.csv", index=False)
    stays(400).assign(price=lambda f: 45 * f["nights"]).to_csv(tmp_path / "stays.csv", index=False)
    for name in ("january", "february", "march", "north", "south", "west"):
        mixed(200, seed=len(name)).to_csv(tmp_path / f"{name}.csv", index=False)
    others = {"ctgan": 250, "copula": 220, "unseen": 200}
    for seed, (name, n) in enumerate(others.items(), 1):
        made = mixed(n, seed=seed).rename(columns={"town": "city"})
        made.to_csv(tmp_path / f"{name}.csv", index=False)
    pd.DataFrame({"u": range(60), "v": range(1, 61), "km": 2.5}).to_csv(
        tmp_path / "edges.csv", index=False
    )
    at = np.r_[np.arange(9), rng.integers(0, 9, 291)]
    trips = {"origin": [f"zone {k}" for k in at], "minutes": rng.gamma(2, 9, 300).round(1)}
    pd.DataFrame(trips).to_csv(tmp_path / "trips.csv", index=False)
    roads = {"from": [f"zone {k}" for k in range(8)], "to": [f"zone {k + 1}" for k in range(8)]}
    pd.DataFrame(roads).assign(km=2.5).to_csv(tmp_path / "zones.csv", index=False)
    for name in ("before", "after"):
        visits = pd.DataFrame({"node": rng.integers(0, 10, 60)})
        visits.to_csv(tmp_path / f"{name}.csv", index=False)
    for label in ("cats", "dogs"):
        (tmp_path / "pictures" / label).mkdir(parents=True)
        for k in range(12):
            pixels = rng.integers(0, 255, (16 + k, 40, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pictures" / label / f"{k}.png")
    for folder, side in (("small", 8), ("drawings", 16), ("photos", 16)):
        (tmp_path / folder).mkdir()
        for k in range(12):
            pixels = rng.integers(0, 255, (side, side, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / folder / f"{k}.png")
    smiles = rng.permutation(spelt_molecules(240)).reshape(3, -1)
    for name, own in zip(("molecules", "made", "unseen"), smiles, strict=True):
        (tmp_path / f"{name}.smi").write_text("\n".join(own))
    for name, graphs in (("circuits", labelled_graphs(60)), ("odd_circuits", labelled_graphs(24))):
        (tmp_path / name).mkdir()
        for k, graph in enumerate(graphs):
            nx.write_graphml(graph, tmp_path / name / f"{k}.graphml")
    monkeypatch.chdir(tmp_path)
    return tmp_path


MADE = {
    "README.md": ("oslo.csv", "drift.html", "judged.html", "runs/people/report.html"),
    "guide.md": (
        "cats.png",
        "walk.gif",
        "large/3.png",
        "drift.html",
        "january.ref",
        "drift.xml",
        "judged.html",
    ),
    "molecules.md": ("new.smi", "soluble.csv"),
    "graphs.md": ("more/01.graphml", "unlike.csv"),
    "federated.md": ("patients.csv", "runs/private/federated.json"),
    "networks.md": (
        "nodes.csv",
        "map.html",
        "odd.csv",
        "odd.html",
        "new-edges.csv",
        "new-trips.csv",
    ),
    "table.md": ("synthetic.csv", "some.csv", "oslo.csv", "fair.csv", "new.csv", "scores.csv"),
}


@pytest.mark.parametrize("page", PAGES)
def test_every_command_runs(page: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if page == "molecules.md":
        pytest.importorskip("rdkit", reason="needs RDKit: pip install 'surveyor[molecules]'")
    run = 0
    lines = [line for kind, block in BLOCKS[page] if kind == "sh" for line in block.splitlines()]
    for line in lines:
        words = shlex.split(line)
        if words[0] != "surveyor":
            continue
        few = FEW if words[1] in ("train", "federate") and "--resume" not in words else []
        assert main([*words[1:], *few]) == 0, (line, capsys.readouterr().err)
        run += 1
    assert run >= 3
    assert all((place / name).exists() for name in MADE[page])


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_every_snippet_runs(place: Path, snippet: str) -> None:
    assert "steps=200" in snippet
    exec(compile(snippet.replace("steps=200", "steps=4, threads=1"), "README.md", "exec"), {})


def test_make_knows_every_target_named() -> None:
    every = "\n".join([README, *DOCS.values()])
    for target in sorted(set(re.findall(r"`make ([a-z0-9-]+)", every))):
        if target.startswith("bench-"):
            assert (ROOT / "benchmarks" / f"{target.removeprefix('bench-')}.py").exists(), target
        done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_the_demo_trains_what_it_says(place: Path) -> None:
    plan = subprocess.run(["make", "-n", "demo"], cwd=ROOT, capture_output=True, text=True).stdout
    (line,) = [line for line in plan.splitlines() if "surveyor train" in line]
    words = shlex.split(line)
    assert main([*words[1:], *FEW]) == 0
    assert (place / "runs" / "demo" / "report.html").exists()
    assert (place / "runs" / "demo" / "samples.png").exists()


def test_the_numbers_are_the_measured_ones() -> None:
    from benchmarks.summary import HEADLINE, MARK, first, written

    for mark, page, told in ((MARK, DOCS["results.md"], written()), (HEADLINE, README, first())):
        found = mark.search(page)
        assert found is not None
        assert found.group(0) == found.group(1) + told + found.group(2)


def test_a_newcomer_reads_readme_in_a_sitting() -> None:
    assert len(README.splitlines()) <= 130


def test_links_lead_somewhere() -> None:
    for folder, text in ((ROOT, README), *((ROOT / "docs", page) for page in DOCS.values())):
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (folder / target).exists(), target
