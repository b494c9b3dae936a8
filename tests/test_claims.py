"""The gallery: every claim's quick run, its page, its verdict, and the command."""

from __future__ import annotations

import html
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from surveyor.claims import Claim, Evidence, Outcome, Part, claims, find, hash_of, judge, runs
from surveyor.claims.gallery import outcomes, picture, verdict_sentence, write
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
    assert not claim.headline or claim.headline in found.figures
    index = (tmp_path / "index.html").read_text()
    assert f'href="{name}.html"' in index
    verdict = claim.verdict(outcome.figures)
    assert f"{verdict} 0" in index
    write(tmp_path, replace(outcome, quick=False), found)
    assert f"{verdict} 1" in (tmp_path / "index.html").read_text()


SIDES = ("left", "right")


class Coin(Claim):
    title = statement = equation = source = "a < b"
    parts = (Part("small", lambda f, side: f[side] < 1, SIDES, "it is left", SIDES[:1]),)

    def run(self, seed: int, quick: bool = False) -> Evidence:
        return Evidence({side: float(seed) for side in SIDES})

    def draw(self, found: Evidence, figure: Figure) -> None:
        figure.subplots().plot([0, found.figures["left"]])


def tossed(left: float, right: float) -> dict[str, float]:
    return {"left": left, "right": right}


def test_a_statement_holds_on_every_seed_or_where_it_says_or_not_at_all() -> None:
    (part,) = Coin.parts
    assert part.verdict([tossed(0, 0), tossed(0, 0)]) == "holds"
    assert part.verdict([tossed(0, 0), tossed(0, 9)]) == "holds under conditions"
    assert part.verdict([tossed(0, 0), tossed(9, 0)]) == "does not hold"
    assert replace(part, where="", there=()).verdict([tossed(0, 9)]) == "does not hold"
    assert part.verdict([tossed(float("nan"), 0)]) == "does not hold"


@pytest.mark.parametrize("there", [SIDES, ("up",), ("left", "up"), ()])
def test_a_condition_leaves_cases_out_and_adds_none(there: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="must be some of the cases"):
        Part("small", lambda f, side: f[side] < 1, SIDES, "somewhere", there)
    with pytest.raises(ValueError, match="give where and there together"):
        Part("small", lambda f, side: f[side] < 1, SIDES, "", SIDES[:1])


def test_a_claim_is_what_its_statements_are(monkeypatch: pytest.MonkeyPatch) -> None:
    (part,) = Coin.parts
    plain = replace(part, where="", there=())
    never = Part("never", lambda f, _: False)
    claim, narrow, small = Coin(), [tossed(0, 9)], [tossed(0, 0)]
    for parts, found, verdict in (
        ((part,), narrow, "holds under conditions"),
        ((part, plain), small, "holds"),
        ((part, plain), narrow, "holds in part"),
        ((part, Part("always", lambda f, _: True)), narrow, "holds under conditions"),
        ((plain, never), narrow, "does not hold"),
        ((plain, never), small, "holds in part"),
    ):
        monkeypatch.setattr(Coin, "parts", parts)
        assert claim.verdict(found) == verdict
    monkeypatch.setattr(Coin, "findings", (never,))
    monkeypatch.setattr(Coin, "parts", (part,))
    assert claim.verdict(small) == "holds"
    shown = Evidence(tossed(3, 3))
    assert picture(claim, shown) == picture(claim, shown)


def test_every_claim_has_five_seeds() -> None:
    assert {claim.seeds for claim in claims().values()} == {5}


def test_words_and_verdicts_may_change_without_a_run() -> None:
    text = (
        '"""A claim."""\n\n\nclass Own(Claim):\n    """Told."""\n\n    title = "a"\n'
        '    parts = (\n        Part("a", lambda f, _: f["a"] < 1),\n    )\n    rate = 2\n\n'
        "    def run(self, seed):\n        return half(seed)\n\n    def draw(self):\n"
        "        return 1\n\n\ndef half(x):\n    return x / 2\n"
    )
    for old, new, same in (
        ('"a"\n', '"b"\n', True), ("< 1", "< 2", True), ("Told", "Said", True),
        ("return 1", "return 2", True), ("rate = 2", "rate = 3", False),
        ("half(seed)", "half(2)", False), ("x / 2", "x / 3", False),
    ):  # fmt: skip
        changed = text.replace(old, new)
        assert changed != text
        assert (hash_of(changed, "Own") == hash_of(text, "Own")) is same, new


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
    assert told["parts"]["the eigenvalues are the formula's"] == "holds"
    short = [dict(list(told["figures"][0].items())[:2])]
    for wrong in (
        {"name": 3}, told | {"figures": [{}]}, told | {"figures": short}, told | {"seeds": [1, 2]},
        [1],
    ):  # fmt: skip
        path = tmp_path / "gallery" / "results" / "c27-dynamics.json"
        path.write_text(json.dumps(wrong))
        assert main(["claims"]) == 2
        assert "delete it" in capsys.readouterr().err
    path.write_text(json.dumps(told | {"code": "other"}))
    assert main(["claims"]) == 0
    assert "holds (quick run, code has changed)" in capsys.readouterr().out
    path.write_text(json.dumps(told | {"quick": False}))
    assert main(["claims", "27", "--quick"]) == 2
    assert "another folder" in capsys.readouterr().err
    assert main(["claims", "nonsense", "²", "--seed", "-1"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 3
    (tmp_path / "file").touch()
    assert main(["claims", "1", "--out", "file"]) == 2


def test_a_verdict_in_words() -> None:
    small, left = tossed(0, 0), tossed(0, 9)
    outcome = Outcome("c", (1, 2), (small, small), 1.0, False, "code")
    assert verdict_sentence(outcome, Coin()) == "Holds on 2 of 2 seeds."
    assert verdict_sentence(replace(outcome, figures=(small, left)), Coin()) == (
        "Holds under conditions: it is left."
    )
    lost = replace(outcome, figures=(small, tossed(9, 0)), quick=True)
    assert "it held on 1 of 2 seeds. A quick run" in verdict_sentence(lost, Coin())
    assert replace(outcome, figures=(left, tossed(2, 3))).row("left") == (1.0, 0.0, 2.0)
