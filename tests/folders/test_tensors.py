"""Tensors of a run folder: those that the configuration builds, and no others."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load as load_tensors

from surveyor.api import prepare
from surveyor.build import game_of
from surveyor.errors import InputError
from surveyor.outline import outline
from surveyor.reading import form_of
from surveyor.run import load, resume, start
from surveyor.training.optimizers import optimizers
from tests.conftest import QUICK, mixed
from tests.folders.conftest import SOURCE, again, files, half, rewritten


def first_moment(tensors: dict[str, Any]) -> str:
    return next(k for k in sorted(tensors) if "optimizer/" in k and tensors[k].ndim == 2)


MOMENTS: dict[str, Callable[[dict[str, Any], str], None]] = {
    "one number": lambda t, k: t.update({k: t[k].reshape(-1)[:1].clone()}),
    "a row short": lambda t, k: t.update({k: t[k][:-1].clone()}),
    "flat": lambda t, k: t.update({k: t[k].reshape(-1).clone()}),
    "none at all": lambda t, k: t.update({k: t[k][:0].clone()}),
    "double precision": lambda t, k: t.update({k: t[k].double()}),
    "not a number": lambda t, k: t[k].fill_(torch.nan),
    "gone": lambda t, k: t.__delitem__(k),
    "of no parameter": lambda t, k: t.update({k.replace("/0/", "/99/").replace("/1/", "/99/"): t[k].clone()}),
    "of no optimizer": lambda t, k: t.update({k.rpartition("/")[0] + "/max_exp_avg_sq": t[k].clone()}),
}  # fmt: skip


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("halves")
    names = [n for n in sorted(optimizers()) if n != "sgd"] + ["sgd:momentum=0.5"]
    return {n: half(folder / n.partition(":")[0], optimizer=n) for n in names}


@pytest.mark.parametrize("how", MOMENTS)
def test_an_optimizer_is_handed_only_moments_of_its_own_shapes(
    halves: dict[str, Path], tmp_path: Path, how: str
) -> None:
    for name, path in halves.items():
        hurt = tmp_path / name.partition(":")[0]
        shutil.copytree(path, hurt)
        state = hurt / "checkpoint" / "state.safetensors"
        rewritten(state, lambda t: MOMENTS[how](t, first_moment(t)))
        before = files(hurt)
        with pytest.raises(InputError, match=r"state\.safetensors: (tensors do not match|damaged)"):
            again(hurt, optimizer=name)
        assert files(hurt) == before


def test_moments_that_must_be_there_after_a_warm_start(tmp_path: Path) -> None:
    frame = mixed(120)
    said = QUICK | {"warm_start": 0.5, "generator": "autoregressive:width=8,depth=1"}
    data, config = prepare(frame, said)
    for record in start(data, "", config, tmp_path / "run").records():
        if record.step == 2:  # of three without a critic
            break
    state = tmp_path / "run" / "checkpoint" / "state.safetensors"
    assert not [k for k in load_tensors(state.read_bytes()) if k.startswith("critic_optimizer")]
    for record in resume(tmp_path / "run", data).records():
        if record.step == 4:
            break
    shutil.copytree(tmp_path / "run", tmp_path / "hurt")

    def forget(tensors: dict[str, Any]) -> None:
        for key in [k for k in tensors if k.startswith("critic_optimizer")]:
            del tensors[key]

    rewritten(tmp_path / "hurt" / "checkpoint" / "state.safetensors", forget)
    with pytest.raises(InputError, match="do not match"):
        resume(tmp_path / "hurt", data)
    assert resume(tmp_path / "run", data).state.step == 4


WEIGHTS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "one NaN": lambda t: t.flatten().index_fill(0, torch.tensor([0]), torch.nan).view_as(t),
    "infinite": lambda t: t / 0.0,
    "bytes": lambda t: t.to(torch.int8),
    "flags": lambda t: t > 0,
    "half precision": lambda t: t.half(),
    "turned": lambda t: t.flatten().unsqueeze(0).contiguous(),
}


@pytest.mark.parametrize("how", WEIGHTS)
@pytest.mark.parametrize("net", ["generator", "critic"])
def test_weights_are_those_that_the_configuration_builds(copy: Path, net: str, how: str) -> None:
    def change(tensors: dict[str, Any]) -> None:
        name = next(k for k in sorted(tensors) if tensors[k].ndim == 2)
        tensors[name] = WEIGHTS[how](tensors[name])

    rewritten(copy / f"{net}.safetensors", change)
    with pytest.raises(InputError, match=rf"{net}\.safetensors: (tensors do not match|damaged)"):
        load(copy)


PLAIN = ("spectral", "orthogonal", "clip", "gradient-penalty", "none")
CRITICS = (
    ("toy:ring:60", "mlp:width=4,fourier=3"), ("toy:ring:60", "committee:members=3"),
    ("toy:ring:60", "committee:see=columns"), ("example:digits", "conv:width=2"),
    ("example:digits", "residual:width=2,attention=true"), ("example:digits", "committee:see=bands,of=conv,members=2"),
    ("example:digits", "packed:of=conv,members=2"),
)  # fmt: skip


@pytest.mark.parametrize(("source", "critic"), CRITICS)
def test_an_outline_has_the_names_and_shapes_of_the_nets(source: str, critic: str) -> None:
    for constraint in PLAIN:
        said = {"critic": critic, "constraint": constraint, "batch": 8}
        data, config = prepare(source, said)
        before = torch.get_rng_state()
        found = outline(config, data.codec)
        assert torch.equal(torch.get_rng_state(), before)
        game = game_of(config, data.codec)
        assert found["generator"] == form_of(game.generator.state_dict())
        assert found["critic"] == form_of(game.critic.state_dict())


def test_an_outline_of_columns_with_many_codes() -> None:
    data, config = prepare(mixed(200), {"generator": "autoregressive:width=4,embedding=3"})
    found = outline(config, data.codec)
    assert found["generator"] == form_of(game_of(config, data.codec).generator.state_dict())


@pytest.mark.parametrize(
    "nets_of",
    [
        {"generator": "mlp:width=65536,depth=64"},
        {"critic": "mlp:width=65536,depth=64"},
        {"generator": "conv:width=65536"},
    ],
)
def test_nets_that_no_memory_holds_are_refused_by_arithmetic(nets_of: dict[str, str]) -> None:
    source = "example:digits" if "conv" in str(nets_of) else SOURCE
    data, config = prepare(source, nets_of)
    with pytest.raises(InputError, match=r"cannot be built|parameters, .* take"):
        game_of(config, data.codec)


def test_a_construction_without_end_is_ended() -> None:
    data, config = prepare(SOURCE, {"critic": "mlp:width=1,depth=65536"})
    with pytest.raises(InputError, match="more layers than can be built"):
        outline(config, data.codec, calls=5000)
