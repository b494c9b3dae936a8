"""The report: whole, offline, escaped; and looked at in a browser."""

from __future__ import annotations

import html.parser
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import surveyor
from surveyor import Model
from surveyor.panels import drawing as figures
from tests.conftest import QUICK, mixed

EVIL = "<script>document.title='owned'</script>"


class Reader(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [v or "" for k, v in attrs if k in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(model: Model) -> Reader:
    reader = Reader()
    reader.feed((model.run.path / "report.html").read_text())
    return reader


@pytest.fixture(scope="module")
def evil_run(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A table whose names and values come from a stranger."""
    frame = mixed(150).rename(
        columns={"age": EVIL, "income": r"$\frac{1}{0}$", "town": "a'\"&{{7*7}}"}
    )
    frame["x" * 300] = [EVIL, "'; alert(1)//"] * 75
    path = tmp_path_factory.mktemp("runs") / "evil"
    return surveyor.fit(frame, path, condition=["a'\"&{{7*7}}"], group="x" * 300, **QUICK)


def test_the_report_is_self_contained(table_run: Model, digits_run: Model, toy_run: Model) -> None:
    for model in (table_run, digits_run, toy_run):
        page = read(model)
        assert page.sources
        assert all(source.startswith("data:") for source in page.sources)
        assert "script" not in page.tags


def test_the_verdict_comes_first_and_in_words(table_run: Model) -> None:
    said = [text.strip() for text in read(table_run).text if text.strip()]
    verdict = said.index(table_run.evaluation.verdict)
    assert verdict < said.index("Findings")


def test_every_kind_shows_its_own(table_run: Model, digits_run: Model, toy_run: Model) -> None:
    text = {m.run.kind.name: " ".join(read(m).text) for m in (table_run, digits_run, toy_run)}
    assert "Pairs of columns" in text["table"]
    assert "Columns" in [said.strip() for said in read(table_run).text]
    assert "Calibration to the frequencies of the training rows" in text["table"]
    assert "By group" in text["table"]
    assert "Generated, uncurated" in text["images"]
    assert "The two clouds" in text["vectors"]


def test_strangers_names_are_shown_and_do_nothing(evil_run: Model) -> None:
    page = read(evil_run)
    assert "script" not in page.tags
    assert any(EVIL in text for text in page.text)
    assert any("{{7*7}}" in text for text in page.text)
    assert "49" not in re.findall(r"a'\"&(\d+)", " ".join(page.text))


def test_columns_that_follow_are_named_and_escaped(tmp_path: Path) -> None:
    frame = mixed(300)[["age"]]
    frame["older"] = frame["age"] + 1
    frame["town"] = ["Oslo", "Bergen", EVIL] * 100
    frame["land"] = ["Norway", "Norway", "Evil"] * 100
    frame.to_csv(tmp_path / "towns.csv", index=False)
    model = surveyor.fit(tmp_path / "towns.csv", tmp_path / "run", **QUICK)
    said = [text.strip() for text in read(model).text]
    assert any("land from town" in text for text in said)
    assert "older = age + 1" in said[said.index("Rules") :]
    assert "marginals" in model.evaluation.by_name
    assert model.evaluate() == model.evaluation


def test_the_report_is_rebuilt_the_same(table_run: Model, digits_run: Model) -> None:
    before = (digits_run.run.path / "report.html").read_bytes()
    digits_run.report()
    assert (digits_run.run.path / "report.html").read_bytes() == before
    table_run.report(mixed(600))


CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: the report is not looked at")
def test_a_browser_draws_every_figure_without_an_error(
    evil_run: Model, digits_run: Model, toy_run: Model, tmp_path: Path
) -> None:
    assert CHROMIUM is not None
    flags = [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--allow-file-access-from-files", "--enable-logging=stderr", "--virtual-time-budget=5000",
    ]  # fmt: skip
    for model in (evil_run, digits_run, toy_run):
        name = model.run.path.name
        # A copy of the page that may run one script, ours, which tells what was drawn.
        page = (model.run.path / "report.html").read_text()
        page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
        measure = (
            "<script>window.addEventListener('load', () => {"
            "const sizes = [...document.images].map(i => [i.naturalWidth, i.clientHeight]);"
            "document.documentElement.innerHTML = '<body><pre></pre></body>';"
            "document.querySelector('pre').textContent = JSON.stringify(sizes); });</script>"
        )
        looked = tmp_path / f"{name}.html"
        looked.write_text(page.replace("</body>", f"{measure}</body>"))
        profile = f"--user-data-dir={tmp_path / ('profile-' + name)}"
        for target, dump in ((model.run.path / "report.html", False), (looked, True)):
            shown = subprocess.run(
                [CHROMIUM, *flags, profile, "--dump-dom", target.as_uri()],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            assert "CONSOLE" not in shown.stderr, shown.stderr
            assert "owned" not in re.findall(r"<title>(.*?)</title>", shown.stdout)
            if dump:
                sizes = json.loads(re.findall(r"<pre>(.*?)</pre>", shown.stdout)[0])
                assert len(sizes) >= 3
                assert all(width > 50 and height > 50 for width, height in sizes), sizes


def test_a_table_of_one_column_has_a_report(tmp_path: Path) -> None:
    frame = pd.DataFrame({"only": [1.5, 2.5, 3.5] * 30})
    surveyor.fit(frame, tmp_path / "run", **QUICK)
    assert (tmp_path / "run" / "report.html").stat().st_size > 10_000


def test_vectors_of_one_and_of_many_columns_have_a_report(tmp_path: Path) -> None:
    import numpy as np

    for width in (1, 5):
        points = np.random.default_rng(0).normal(size=(120, width))
        surveyor.fit(points, tmp_path / str(width), **QUICK)
        assert (tmp_path / str(width) / "report.html").exists()


HOSTILE = {
    "an unknown backend": (b"", {"MPLBACKEND": "alien"}),
    "TeX and thick lines": (b"text.usetex: True\nlines.linewidth: 9\nlegend.frameon: True\n", {}),
    "unknown fonts and keys": (b"font.family: Nonsense\nbad.key: 3\nfont.size: many\n", {}),
    "no text": (b"font.family: \xff\xfe\n", {}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_person_s_matplotlib_changes_nothing(name: str, tmp_path: Path) -> None:
    content, variables = HOSTILE[name]
    (tmp_path / "matplotlibrc").write_bytes(content)
    code = "from surveyor.panels import drawing as f, style\nimport numpy as np\n"
    code += "a = np.random.default_rng(0).normal(size=(9, 2))\nprint(f.clouds(a, a + 1, None))\n"
    code += "print(style.mpl.rcParams['text.usetex'])"
    path = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path, **variables},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    drawn, tex = done.stdout.split()
    a = np.random.default_rng(0).normal(size=(9, 2))
    assert drawn == figures.clouds(a, a + 1, None)
    assert tex == str(b"usetex" in content)
