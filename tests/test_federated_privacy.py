"""Private clients: what leaves them is private by their own accounts, and nothing else does."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import surveyor
from surveyor import federated
from surveyor.batch import Batch, Draws
from surveyor.cli import main
from surveyor.data import Data, Source
from surveyor.federated import accounts_in, members_in
from surveyor.federated.messages import Request
from surveyor.federated.private import ByPrivateSums, PrivateClient
from surveyor.federated.sums import NETS, weights_of
from surveyor.run import load
from surveyor.streams import Stream
from surveyor.training.plan import Plan
from surveyor.training.privacy import Privacy, privacy_for
from tests.conftest import built, mixed
from tests.test_federate import files

SIZES = {"north": 220, "south": 340, "west": 160}
WORDS = ["--privacy", "gaussian:epsilon=3", "--steps", "6", "--batch", "60", "--threads", "1",
         "--generator", "autoregressive:width=16,depth=2,embedding=8"]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("private")
    assert main(["federate", *files(folder, SIZES), "--out", str(folder / "run"), *WORDS]) == 0
    return folder / "run"


def nothing(n: int, draws: Draws) -> Batch:
    raise AssertionError("no generator step")


def divided(data: Data, *ends: int) -> list[Source]:
    return [replace(data.train, index=i) for i in np.split(data.train.index, ends)]


def exact(plan: Plan, parts: list[Source]) -> ByPrivateSums:
    """Return sums in which nothing is left out, clipped or perturbed."""
    sizes = np.array([len(part) for part in parts])
    accounts = [Privacy(1.0, 1e-5, 1e9, 0.0, 1.0, 1)] * len(parts)
    shares = sizes / sizes.sum()
    return ByPrivateSums(parts, shares, plan, accounts=accounts, conditions=nothing)


def test_without_noise_the_sums_are_the_gradient_on_all_rows() -> None:
    data, game, plan, _ = built(mixed(), generator="autoregressive:width=16,depth=2,embedding=8")
    terms, found = exact(plan, divided(data, 50, 90)).likelihood(
        game, Draws(0, 3, Stream.GENERATOR)
    )
    rows = data.train.first(len(data.train))
    loss = -game.log_likelihood(rows).mean()
    wanted = torch.autograd.grad(loss, list(game.generator.parameters()))
    assert terms == {}
    for a, b in zip(found, wanted, strict=True):
        assert float((a - b).abs().max()) < 1e-5 * (1 + float(b.abs().max()))


def test_a_client_answers_with_noise_of_its_account_and_no_loss() -> None:
    data, game, _, _ = built(mixed(), generator="autoregressive:width=16,depth=2,embedding=8")
    part = divided(data, 100)[0]
    noisy = Privacy(1.0, 1e-5, 0.1, 40.0, 0.3, 1)
    client = PrivateClient(game, part, 0, 0, noisy)
    request = Request(
        "likelihood", 1, int(Stream.GENERATOR), 30.0, 0.0, weights_of(game, ("generator",))
    )
    first, second = client.answer(request), client.answer(request)
    assert first.terms == {}
    a, b = (np.concatenate([g.ravel() for g in own.gradients]) for own in (first, second))
    # The rows add at most 30 gradients of norm .1, the noise has a deviation of 40 x .1 an entry.
    assert a.std() == pytest.approx(4.0, rel=0.05)
    assert np.corrcoef(a, b)[0, 1] == pytest.approx(0.0, abs=0.05)
    for stage in ("generator", "auc"):
        with pytest.raises(ValueError, match="no private client"):
            client.answer(replace(request, stage=stage, weights=weights_of(game, NETS[stage])))


def test_every_client_has_an_account_of_its_own_rows(run: Path) -> None:
    opened, members = load(run), members_in(run)
    assert members is not None
    found = accounts_in(opened)
    assert list(found) == list(SIZES)
    for member in members.clients:
        own = found[member.name]
        assert own.delta == pytest.approx(0.1 / member.rows)
        assert 2.5 < own.epsilon <= 3
        assert own.rate == pytest.approx(60 * member.share / member.rows)
        assert member.account is not None
        again = privacy_for(
            3, None, 1.0, 60 * member.share, member.rows, own.updates, member.account
        )
        assert own == again
        assert 0 < own.codec_epsilon < own.epsilon
    evaluation = opened.evaluation
    assert evaluation is not None
    assert evaluation.privacy == found["west"]  # the fewest rows, so the greatest delta


def test_the_report_has_a_line_of_privacy_a_client(run: Path) -> None:
    model = surveyor.load(run)
    page = model.report().read_text()
    assert "Privacy at each client" in page
    assert "s gap is" not in page  # no critic was trained
    assert "rows can be inferred" not in page
    assert "Sums: of clipped gradients, with noise" in page
    made = model.sample(50)
    assert list(made) == list(mixed())


def test_opening_a_run_again_spends_nothing(run: Path, tmp_path: Path) -> None:
    before = {p.name: p.read_bytes() for p in run.glob("codec.*")}
    surveyor.load(run).evaluate()
    assert {p.name: p.read_bytes() for p in run.glob("codec.*")} == before
    assert "codec.json" in before
    members = members_in(run)
    assert members is not None
    sources = [m.source for m in members.clients]
    joined, members, config = federated.prepare(
        sources, dict(privacy="gaussian:epsilon=3", steps=6, batch=60, threads=1)
    )
    session = federated.start(joined, members, config, tmp_path / "cut")
    for record in session.records():
        if record.step == 3:
            break
    session.release()
    told = json.loads((tmp_path / "cut" / "federated.json").read_text())
    session = federated.resume(tmp_path / "cut")
    for _ in session.records():
        pass
    session.finish()
    assert json.loads((tmp_path / "cut" / "federated.json").read_text()) == told
    assert session.state.step == 6


def test_critics_at_clients_are_not_private(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*WORDS, "--critic", "odds:of=mlp", "--objective", "minimax"]
    assert main(["federate", *files(tmp_path, SIZES), "--out", str(tmp_path / "run"), *words]) == 2
    assert "--privacy: the loss must be a sum over rows" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_delta_that_gives_away_the_rows_of_one_client_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--privacy", "gaussian:epsilon=3,delta=0.005"]
    assert main(["federate", *files(tmp_path, SIZES), "--out", str(tmp_path / "run"), *words]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "surveyor: south: --privacy: delta=0.005 would allow publishing whole rows of the 272 in "
        "training; give far less than 0.0037, or leave it out for 0.00037"
    ]
