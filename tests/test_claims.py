"""The gallery: every claim's quick run, its page, its verdict, and the command."""

from __future__ import annotations

import html
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from surveyor.claims import Claim, Evidence, Outcome, claims, find, judge, runs, verdict_of
from surveyor.claims.gallery import outcomes, picture, sentence, shown, write
from surveyor.cli import main
from surveyor.errors import InputError

NAMES = list(claims())


@pytest.mark.parametrize("name", NAMES)
def test_every_claim_runs_and_has_a_page(name: str, tmp_path: Path) -> None:
    claim = claims()[name]
    for text in (claim.title, claim.statement, claim.equation, claim.source):
        assert text
    outcome, found = judge(name, quick=True)
    assert all(np.isfinite(value) for value in found.figures.values()), found.figures
    page = write(tmp_path, outcome, found).read_text()
    assert claim.title in html.unescape(page)
    assert "data:image/svg+xml;base64," in page
    assert [o.name for o in outcomes(tmp_path)] == [name]
    assert not claim.tells or claim.tells in found.figures
    index = (tmp_path / "index.html").read_text()
    assert f'href="{name}.html"' in index
    assert f"{outcome.verdict} 0" in index
    write(tmp_path, replace(outcome, quick=False), found)
    assert f"{outcome.verdict} 1" in (tmp_path / "index.html").read_text()


class Coin(Claim):
    title = statement = equation = source = "a < b"

    def run(self, seed: int, quick: bool = False) -> Evidence:
        return Evidence({"side": float(seed)})

    def holds(self, found: Evidence) -> bool:
        return found.figures["side"] < 1

    def draw(self, found: Evidence, figure: Figure) -> None:
        figure.subplots().plot([0, found.figures["side"]])


class Tossed(Coin):
    condition = "it is not 9"

    def under(self, found: Evidence) -> bool:
        return found.figures["side"] < 9


def test_a_claim_holds_on_every_seed_or_not_at_all() -> None:
    none, some, nine = (Evidence({"side": float(v)}) for v in (0, 3, 9))
    assert verdict_of(Coin(), [none, none]) == "holds"
    assert verdict_of(Coin(), [none, some]) == "does not hold"
    assert verdict_of(Tossed(), [none, some]) == "holds under conditions"
    assert verdict_of(Tossed(), [none, nine]) == "does not hold"
    assert picture(Coin(), some) == picture(Coin(), some)


def test_processes_find_what_one_finds() -> None:
    one, two = (runs("c13-gradient-is-transport", (1, 2), True, n) for n in (1, 2))
    assert [f.figures for f in one] == [f.figures for f in two]
    assert one[0].figures != one[1].figures


def test_claims_are_found_by_number_and_words() -> None:
    assert find("4") == find("c04") == find("clipping") == find("c04_clipping") == "c04-clipping"
    with pytest.raises(InputError, match="did you mean 'c04-clipping'"):
        find("c04-cliping")


def test_the_command_lists_runs_and_judges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["claims"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(NAMES)
    assert main(["claims", "dynamics", "--quick"]) == 0
    told = json.loads((tmp_path / "gallery" / "results" / "c27-dynamics.json").read_text())
    assert told["quick"]
    assert told["verdict"] == "holds"
    assert main(["claims"]) == 0
    assert any(
        "c27-dynamics" in line and "holds" in line for line in capsys.readouterr().out.splitlines()
    )
    for wrong in ({"name": 3}, told | {"figures": [{}]}, told | {"verdict": "proved"}, [1]):
        path = tmp_path / "gallery" / "results" / "c27-dynamics.json"
        path.write_text(json.dumps(wrong))
        assert main(["claims"]) == 2
        assert "remove it" in capsys.readouterr().err
    path.write_text(json.dumps(told | {"quick": False}))
    assert main(["claims", "27", "--quick"]) == 2
    assert "another folder" in capsys.readouterr().err
    assert main(["claims", "nonsense", "²", "--seed", "-1"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 3
    (tmp_path / "file").touch()
    assert main(["claims", "1", "--out", "file"]) == 2


def test_a_verdict_in_words() -> None:
    outcome = Outcome("c", "holds", (1, 2), (True, True), ({"a": 1.0}, {"a": 3.0}), 1.0, False)
    assert sentence(outcome, Coin()) == "Holds on 2 of 2 seeds."
    lost = replace(outcome, verdict="does not hold", held=(True, False), quick=True)
    assert "on 1 of 2 seeds it did. A quick run" in sentence(lost, Coin())
    assert shown(lost) == "does not hold (quick run)"
    assert outcome.row("a") == (2.0, 1.0, 3.0)
