"""Runs of several clients: the folder, what left each client, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import surveyor
from surveyor import build, federated
from surveyor.batch import Draws
from surveyor.cli import main
from surveyor.critics import OfClients
from surveyor.errors import InputError
from surveyor.federated import Client, Request, Sums, left, members_in
from surveyor.federated.places import names_of
from surveyor.federated.weighing import shares, weighing_problems
from surveyor.kinds.table.measures import both
from surveyor.measures.by_client import ByClient
from surveyor.measures.two_sample import TwoSample
from surveyor.run import load
from surveyor.training.plan import Plan
from tests.conftest import mixed

SIZES = {"north": 120, "south": 240, "west": 60}
QUICK = {
    "steps": 8, "batch": 32, "threads": 1, "measure": "w1:every=4,rows=32",
    "generator": "autoregressive:width=16,depth=2,embedding=8", "critic": "mlp:width=16,depth=2",
}  # fmt: skip
WORDS = [word for name, value in QUICK.items() for word in (f"--{name}", str(value))]


def files(folder: Path, sizes: Mapping[str, int] = SIZES) -> list[str]:
    for k, (name, n) in enumerate(sizes.items()):
        mixed(n, k).to_csv(folder / f"{name}.csv", index=False)
    return [str(folder / f"{name}.csv") for name in sizes]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("hospitals")
    path = folder / "run"
    assert main(["federate", *files(folder), "--out", str(path), *WORDS]) == 0
    return path


def test_the_folder_is_that_of_an_ordinary_run(run: Path) -> None:
    model = surveyor.load(run)
    made = model.sample(50)
    assert list(made) == list(mixed())
    assert set(made["town"].dropna()) <= set(mixed()["town"])
    assert model.run.config.rules == "no"
    again = model.evaluate()
    assert again.figures == load(run).evaluation.figures  # type: ignore[union-attr]
    page = model.report().read_text()
    places = [page.index(f"<td>{name}</td>") for name in ("west", "north", "south")]
    assert places == sorted(places)
    assert "What left each client" in page


def test_every_client_has_its_figures_the_smallest_first(run: Path) -> None:
    found = load(run).evaluation
    assert found is not None
    for name in ("w1", "auc"):
        figures = found.parts(name, "client")
        assert [f.of for f in figures] == ["west", "north", "south"]
        assert all(f.value is not None and f.floor is not None for f in figures)
        assert [f.n for f in figures] == [8, 16, 32]


def test_what_leaves_a_client_is_counted(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes in the report are those of the messages, where a client is in every batch."""
    sent = [0, 0, 0]
    answer = Client.answer

    def counted(self: Client, request: Request) -> Sums:
        found = answer(self, request)
        sent[self.rank] += found.nbytes
        return found

    monkeypatch.setattr(Client, "answer", counted)
    members = members_in(run)
    assert members is not None
    sources = [m.source for m in members.clients]
    options = QUICK | {"warm_start": 0.5, "critic_steps": 2, "steps": 4}
    joined, members, config = federated.prepare(sources, options, ["alike"])
    session = federated.start(joined, members, config, run.with_name("counted"))
    list(session.records())
    told = left(members, session.game, session.plan, session.data.codec)
    assert [own.bytes for own in told if own.name == "sums"] == sent
    assert {own.bytes for own in told if own.name == "counts"} == {
        member.told for member in members.clients
    }


def test_an_interrupted_run_ends_as_if_undisturbed(run: Path, tmp_path: Path) -> None:
    members = members_in(run)
    assert members is not None
    joined, members, config = federated.prepare([m.source for m in members.clients], QUICK)
    session = federated.start(joined, members, config, tmp_path / "cut")
    for record in session.records():
        if record.step == 6:
            break
    session.release()
    again = federated.resume(tmp_path / "cut")
    assert again.state.step == 4
    list(again.records())
    for name in ("generator.safetensors", "history.jsonl"):
        assert (tmp_path / "cut" / name).read_bytes() == (run / name).read_bytes()


def test_shares_are_by_rows_alike_or_as_said() -> None:
    rows = {"a": 100, "b": 300, "c": 600}
    assert shares(["rows"], rows) == {"a": 0.1, "b": 0.3, "c": 0.6}
    assert shares(["alike"], rows) == dict.fromkeys(rows, 1 / 3)
    assert shares(["a=0.4"], rows) == pytest.approx({"a": 0.4, "b": 0.2, "c": 0.4})
    assert shares(["a=0.2", "b=0.2", "c=0.6"], rows) == {"a": 0.2, "b": 0.2, "c": 0.6}


@pytest.mark.parametrize(
    ("weigh", "said"),
    [
        (["norht=0.3"], "--weigh norht=0.3: no such client; did you mean 'north'?"),
        (["alik"], "--weigh alik: give rows, alike, or the share of a client as NAME=SHARE; did you mean 'alike'?"),
        (["alike", "north=0.3"], "--weigh alike: give it alone, or shares alone"),
        (["north=1.5"], "--weigh north=1.5: the share is not above 0 and at most 1"),
        (["north=nan"], "--weigh north=nan: the share is not above 0 and at most 1"),
        (["north=0.7", "south=0.7"], "--weigh: the shares add up to 1.4; make that at most 1"),
        (["north=0.5", "south=0.4", "west=0.05"], "--weigh: the shares of all clients add up to 0.95; make that 1"),
        (["north=0.5", "south=0.5"], "--weigh: the shares leave nothing to the other clients; give less"),
        (["north=0.2", "north=0.3"], "--weigh north=0.3: a second share of this client; leave one out"),
    ],
)  # fmt: skip
def test_shares_that_are_none_are_refused(weigh: list[str], said: str) -> None:
    assert weighing_problems(weigh, list(SIZES)) == [said]


def table(folder: Path, name: str, n: int = 60, **columns: Any) -> str:
    rng = np.random.default_rng(len(name))
    frame = {"age": rng.integers(18, 80, n), "town": rng.choice(["a", "b"], n)} | columns
    path = folder / f"{name}.csv"
    path.parent.mkdir(exist_ok=True)
    pd.DataFrame({k: v for k, v in frame.items() if v is not None}).to_csv(path, index=False)
    return str(path)


def refused(words: list[str], capsys: pytest.CaptureFixture[str], out: Path) -> list[str]:
    assert main(["federate", *words, "--out", str(out)]) == 2
    assert not out.exists()
    lines = capsys.readouterr().err.splitlines()
    return [
        line.removeprefix("surveyor: ") for line in lines if not line.startswith("surveyor: note")
    ]


def test_all_problems_are_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [f"word {k % 7}" for k in range(60)]
    paths = [
        table(tmp_path, "one"),
        table(tmp_path, "two", income=np.arange(60) + 0.5),
        table(tmp_path, "three", town=None),
        table(tmp_path, "four", age=words),
        table(tmp_path, "five", n=30),
        table(tmp_path / "more", "one"),
        str(tmp_path / "fife.csv"),
    ]
    lines = refused(
        [*paths, "--weigh", "tow=0.3", "--group", "town", "--batch", "1"], capsys, tmp_path / "run"
    )
    assert lines == [
        f"{paths[5]}: a second client of the name one, beside {paths[0]}; rename one of the files",
        "--group: groups are not merged between clients; leave it out",
        "--weigh tow=0.3: no such client; did you mean 'two'?",
        "five: 30 rows, too few for a client; give at least 50",
        f"{paths[6]}: no such file; did you mean 'five.csv'?",
        "three: lacks the column 'town' of one; add it, or leave it out of all with --drop town",
        "two: has a column 'income' that one lacks; leave it out with --drop income",
        "four: column 'age' is read as category, but as number in one; correct it, or read it as text at all places with --type age=category",
        "--batch 1: must be at least 2",
    ]


def test_declared_types_and_dropped_columns_bring_clients_together(tmp_path: Path) -> None:
    paths = [
        table(tmp_path, "one"),
        table(tmp_path, "two", age=["x", "y", "z"] * 20, more=["k"] * 60),
    ]
    told = QUICK | {"type": ["age=category"], "drop": ["more"]}
    with pytest.raises(InputError, match="has a column 'more'"):
        federated.prepare(paths, QUICK)
    drop = {k: v for k, v in told.items() if k != "drop"}
    with pytest.raises(InputError, match="more"):
        federated.prepare(paths, drop)
    table(tmp_path, "one", more=["k"] * 60)
    joined, _, _ = federated.prepare(paths, told)
    ages = next(c for c in joined.data.codec.selectable if c.name == "age")
    assert {"x", "y", "z"} <= set(ages.labels)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("--device cuda", "--device"),
        ("--rule age>=18", "--rule"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    name: str, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [table(tmp_path, "one"), table(tmp_path, "two")]
    lines = refused([*paths, *name.split()], capsys, tmp_path / "run")
    assert [line.partition(":")[0] for line in lines] == [problem]


def test_keys_and_other_kinds_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keyed = [table(tmp_path, name, id=np.arange(60) + 1000) for name in ("one", "two")]
    lines = refused(keyed, capsys, tmp_path / "run")
    assert lines == [
        f"{name}: column 'id': a key, of which only its own table can make new ones; leave it out "
        "with --drop id, or read it with --type id=number"
        for name in ("one", "two")
    ]
    np.save(tmp_path / "x.npy", np.zeros((60, 3)))
    assert (
        "not trained federated yet; known: images, table"
        in refused([str(tmp_path / "x.npy")], capsys, tmp_path / "run")[0]
    )


def test_names_are_those_of_files() -> None:
    assert names_of(["a/north.csv", "b/south.csv.gz"]) == (
        {"north": "a/north.csv", "south": "b/south.csv.gz"},
        [],
    )


def clouds(folder: Path) -> Mapping[str, Any]:
    rng = np.random.default_rng(0)
    found = {}
    for name, n, at in (("large", 1600, 0.0), ("small", 320, 8.0)):
        x = rng.normal(at, 1, (n, 2)).round(3)
        pd.DataFrame({"x": x[:, 0], "y": x[:, 1], "of": [name[:3]] * n}).to_csv(
            folder / f"{name}.csv", index=False
        )
        found[name] = lambda m, at=at, name=name: pd.DataFrame(
            {"x": rng.normal(at, 1, m), "y": rng.normal(at, 1, m), "of": [name[:3]] * m}
        )
    return found


@pytest.mark.parametrize("forgotten", [False, True])
def test_a_client_that_is_forgotten_is_seen_by_itself(forgotten: bool, tmp_path: Path) -> None:
    """True rows lie near the floors of every client; without those of one, its own are far off."""
    made = clouds(tmp_path)
    joined, _, _ = federated.prepare([str(tmp_path / f"{n}.csv") for n in made], QUICK)

    def decoded(n: int) -> pd.DataFrame:
        few = 0 if forgotten else round(n / 6)
        rows = pd.concat([made["small"](few), made["large"](n - few)], ignore_index=True)
        mixed_up: pd.DataFrame = rows.sample(frac=1, random_state=1, ignore_index=True)
        return mixed_up

    seen: Any = SimpleNamespace(
        data=joined.data, codec=joined.data.codec, rows=512, seed=0, decoded=decoded,
        draws=lambda step, stream: Draws(0, step, stream),
    )  # fmt: skip
    found = {(f.name, f.of): f for f in ByClient(TwoSample(both)).of_run(seen)}
    assert [of for _, of in found] == ["small", "small", "large", "large"]
    large, small = found["w1", "large"].ratio, found["w1", "small"].ratio
    assert large is not None
    assert small is not None
    assert large < 1.2
    assert found["auc", "large"].known < found["auc", "large"].known_floor + 0.06
    if forgotten:
        assert small > 3
        assert found["auc", "small"].known > 0.95
    else:
        assert small < 1.25
        assert found["auc", "small"].known < found["auc", "small"].known_floor + 0.12


def test_one_file_is_one_client(tmp_path: Path) -> None:
    path = table(tmp_path, "one", n=200)
    joined, members, config = federated.prepare([path], QUICK)
    assert members.clients[0].share == 1.0
    plan = Plan(1, 8, 1, 1e-3, 1e-3, None)  # type: ignore[arg-type]
    own = joined.data.train.gradients(plan)  # type: ignore[attr-defined]
    assert own.rows_of(Draws(0)).tolist() == [8]
    assert config.compile == "no"


OWN = {**QUICK, "critic": "odds:of=(mlp:width=16,depth=2)", "objective": "minimax",
       "constraint": "gradient-penalty:points=real,target=0", "warm_start": 0.5}  # fmt: skip
OWN_WORDS = [
    word for name, value in OWN.items() for word in (f"--{name.replace('_', '-')}", str(value))
]


def test_critics_that_stay_at_their_clients(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run"
    words = ["federate", *files(tmp_path), "--weigh", "alike", *OWN_WORDS]
    assert main([*words, "--out", str(path)]) == 0
    opened = load(path)
    assert opened.config.critic.endswith("shares=(0.333333333,0.333333333,0.333333333)")
    assert isinstance(opened.game.critic, OfClients)
    assert len(opened.game.critic.members) == 3
    members = members_in(path)
    assert members is not None
    model = surveyor.load(path)
    told = {
        own.name: own
        for own in left(members, opened.game, build.plan_of(opened.config), opened.codec)
    }
    weights = sum(p.numel() for p in opened.game.generator.parameters())
    assert told["sums"].bytes == 4 * 4 * weights  # of four steps by likelihood
    assert told["scores"].bytes == 4 * 32 * 4 * (1 + opened.codec.space.width)
    assert "the critic stays" in model.report().read_text()
    joined, members, config = federated.prepare(
        [m.source for m in members.clients], OWN, members.weigh
    )
    session = federated.start(joined, members, config, tmp_path / "cut")
    for record in session.records():
        if record.step == 6:
            break
    session.release()
    for _ in federated.resume(tmp_path / "cut").records():
        pass
    for name in ("generator", "critic"):
        once, twice = (load(p).game for p in (path, tmp_path / "cut"))
        a, b = (getattr(game, name).state_dict() for game in (once, twice))
        assert all(torch.equal(a[key], b[key]) for key in a)


def test_own_critics_need_odds_and_use_no_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = files(tmp_path)
    told = [w for w in OWN_WORDS if w not in ("--objective", "minimax")]
    assert refused([*paths, *told], capsys, tmp_path / "run") == [
        "--critic odds: adds up odds, which critics estimate under the minimax objective alone; "
        "give --objective minimax"
    ]
    assert refused([*paths, *OWN_WORDS, "--term", "anchor"], capsys, tmp_path / "run") == [
        "--term: no rows are used for the generator under odds; leave it out"
    ]
