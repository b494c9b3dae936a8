"""The verdicts that README and docs state: generated from the results, and found again by whole runs."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks import claims as benchmark
from benchmarks.summary import CLAIMS, README, THEORY, between

from surveyor.claims import claims, judge
from surveyor.claims.gallery import entry_of

STATED = sorted(path.stem for path in benchmark.PLACE.glob("*.json"))


def test_readme_and_theory_state_what_was_measured() -> None:
    found = benchmark.results()
    for path, words in ((README, benchmark.counts(found)), (THEORY, benchmark.verdicts(found))):
        text = path.read_text(encoding="utf-8")
        assert len(CLAIMS.findall(text)) == 1
        assert between(CLAIMS, text, words) == text


@pytest.mark.parametrize(
    "change",
    [{"code": "other"}, {"verdict": "proved"}, {"parts": {}}, {"findings": {"a": "holds"}}],
)
def test_results_older_than_the_claim_are_refused(
    change: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = STATED[0]
    found = json.loads((benchmark.PLACE / f"{name}.json").read_text())
    monkeypatch.setattr(benchmark, "PLACE", tmp_path)
    (tmp_path / f"{name}.json").write_text(json.dumps(found))
    assert list(benchmark.results()) == [name]
    (tmp_path / f"{name}.json").write_text(json.dumps(found | change))
    with pytest.raises(ValueError, match=f"older than the claim; run .*{name}"):
        benchmark.results()


def test_claims_that_were_not_run_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "PLACE", tmp_path)
    assert benchmark.results() == {}
    count = len(claims())
    assert benchmark.counts({}) == f"Of {count} claims {count} are {benchmark.OPEN}.\n"
    assert benchmark.verdicts({}).count(benchmark.OPEN) == count


def test_verdicts_on_fewer_seeds_are_marked_and_not_counted() -> None:
    name, (outcome, measured) = next(iter(benchmark.results().items()))
    whole = replace(outcome, seeds=(1, 2, 3, 4, 5), figures=outcome.figures[:1] * 5)
    few = replace(outcome, seeds=(1, 2), figures=outcome.figures[:1] * 2)
    verdict, count = claims()[name].verdict(few.figures), len(claims())
    assert f"| {verdict} | 5 |" in benchmark.verdicts({name: (whole, measured)})
    assert benchmark.counts({name: (whole, measured)}).startswith(f"Of {count} claims 1 ")
    assert f"| {verdict}, so far | 2 |" in benchmark.verdicts({name: (few, measured)})
    assert benchmark.counts({name: (few, measured)}) == benchmark.counts({})


@pytest.mark.slow
@pytest.mark.parametrize("name", STATED)
def test_a_whole_run_gives_the_verdicts_that_are_stated(name: str) -> None:
    stated = json.loads((benchmark.PLACE / f"{name}.json").read_text())
    outcome, _ = judge(name, processes=os.cpu_count() or 1, count=len(stated["seeds"]))
    now = entry_of(outcome, claims()[name])
    for key in ("verdict", "parts", "findings"):
        assert now[key] == stated[key], now["figures"]
