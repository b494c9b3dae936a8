"""Damaged and hostile run folders: seeded mutations of every file, put through all that reads them.

``python -m tests.attack [MUTATIONS [FILE ...]]`` (``make attack``) makes so many of each file, and
tells how many were refused, how many were taken, and whatever else came of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import shutil
import socket
import stat
import sys
import tempfile
import time
import tomllib
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import tomli_w
import torch

import surveyor
from surveyor.api import prepare
from surveyor.data import Data
from surveyor.errors import InputError, SurveyorError
from surveyor.run import resume, start
from surveyor.run.opening import digest_of
from tests.conftest import QUICK, WGAN, mixed

FILES = (
    "config.toml", "codec.json", "codec.safetensors", "generator.safetensors",
    "critic.safetensors", "checkpoint/state.safetensors", "history.jsonl", "timing.jsonl",
    "evaluation.json",
)  # fmt: skip
CODEC_FILES = ("codec.json", "codec.safetensors")
STEPS = 4  # of 6: the runs are stopped there


@dataclass(frozen=True)
class Sound:
    """A run stopped half-way, with everything that a run folder can hold, and its data."""

    path: Path
    source: str
    said: dict[str, Any]


def sound_runs(folder: Path) -> list[Sound]:
    """Return runs of a table, of vectors and of pictures, trained for a few steps."""
    rng = np.random.default_rng(0)
    mixed(150).to_csv(folder / "table.csv", index=False)
    np.save(folder / "vectors.npy", rng.standard_normal((90, 3)))
    np.savez(
        folder / "pictures.npz",
        x=rng.integers(0, 255, (90, 8, 8), np.uint8),
        label=rng.integers(0, 3, 90),
    )
    own: dict[str, dict[str, Any]] = {
        "table.csv": {"condition": ["town"], "group": "member"},
        "vectors.npy": {"whiten": True, "generator": "mlp:width=8", **WGAN},
        "pictures.npz": {"condition": ["label"], "generator": "conv:width=2", "optimizer": "rmsprop"},
    }  # fmt: skip
    made = []
    for name, more in own.items():
        said = QUICK | {"critic": "mlp:width=8", "warm_start": 0.0} | more
        run = Sound(folder / Path(name).stem, str(folder / name), said)
        data, config = prepare(run.source, said)
        for record in start(data, run.source, config, run.path).records():
            if record.step == STEPS:
                break
        surveyor.load(run.path).evaluate()
        surveyor.load(run.path).report()
        made.append(run)
    return made


# What a value in a text may become.
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 1, 0.5, 7, 10**6, 2**31, 2**63, 10**30, 1e308, -1e308, float("nan"),
    float("inf"), "", "x", "x\n\x1b[2J", "x" * 2000, [], {}, [None], [[]], {"a": 1}, [1] * 1000,
)  # fmt: skip
DEEP = 20_000


def flip(content: bytes, rng: random.Random) -> bytes:
    made = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4, 30))):
        made[rng.randrange(len(made))] ^= 1 << rng.randrange(8)
    return bytes(made)


def cut(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content))]


def grow(content: bytes, rng: random.Random) -> bytes:
    return content + rng.randbytes(rng.choice((1, 8, 5000)))


def move(content: bytes, rng: random.Random) -> bytes:
    a, b = sorted(rng.sample(range(len(content)), 2))
    return rng.choice(
        (content[:a] + content[b:], content[a:] + content[:a], content[:b] + content[a:])
    )


def blot(content: bytes, rng: random.Random) -> bytes:
    a, b = sorted(rng.sample(range(len(content)), 2))
    return content[:a] + rng.choice((b"\0", b"\xff", b"9", b"[", b'"')) * (b - a) + content[b:]


def digits(content: bytes, rng: random.Random) -> bytes:
    """Make one number in a text another, which may be huge."""
    at = [k for k, c in enumerate(content) if chr(c).isdigit()]
    if not at:
        return flip(content, rng)
    k = rng.choice(at)
    told = rng.choice(
        (b"9" * 400, b"9" * 6000, b"1e999", b"-5", b"12345678", b"0x", b"007", b"nan")
    )
    return content[:k] + told + content[k + 1 :]


BYTES = (flip, flip, flip, cut, grow, move, blot, digits)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()  # fmt: skip
    for key, child in inner:
        yield from places(child, (*at, key))


def changed(value: Any, rng: random.Random) -> Any:
    """Return a value with one of its parts changed, moved, doubled or gone."""
    every = [at for at in places(value) if at]
    if not every:
        return rng.choice(ODD)
    # A part near the top as often as one of the many numbers below.
    depth = rng.choice(sorted({len(at) for at in every}))
    at = rng.choice([a for a in every if len(a) == depth])
    value = json.loads(json.dumps(value))
    parent = value
    for key in at[:-1]:
        parent = parent[key]
    how = rng.randrange(8)
    if how == 0:
        del parent[at[-1]]
    elif how == 1 and isinstance(parent, dict):
        parent[str(rng.choice(("extra", "__class__", "", "step", "x" * 300)))] = parent[at[-1]]
    elif how == 2:
        other = rng.choice(every)
        found = value
        with contextlib.suppress(KeyError, IndexError, TypeError):
            for key in other:
                found = found[key]
        parent[at[-1]] = json.loads(json.dumps(found))
    elif how == 3 and isinstance(parent[at[-1]], (int, float)):
        parent[at[-1]] = parent[at[-1]] * rng.choice((-1, 0, 2, 1000, 10**9)) + rng.choice(
            (0, 1, 0.5)
        )
    elif how == 4 and isinstance(parent[at[-1]], list) and parent[at[-1]]:
        whole = parent[at[-1]]
        parent[at[-1]] = rng.choice(
            (whole[:-1], whole * 2, whole[::-1], [whole], [*whole, whole[0]])
        )
    else:
        parent[at[-1]] = rng.choice(ODD)
    return value


def nested(rng: random.Random) -> str:
    return rng.choice(
        ("[" * DEEP, "[" * DEEP + "]" * DEEP, '{"a":' * DEEP, "1" * 10_000, "[1e5" + "0" * 9999)
    )


def json_text(content: bytes, rng: random.Random) -> bytes:
    if rng.random() < 0.08:
        return nested(rng).encode()
    if rng.random() < 0.08:
        text = content.decode()
        k = text.find(":", rng.randrange(len(text)))
        return (text[: k + 1] + nested(rng) + text[k + 1 :]).encode()
    return json.dumps(changed(json.loads(content), rng)).encode()


def json_lines(content: bytes, rng: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    how, k = rng.randrange(6), rng.randrange(len(lines))
    if how == 0:
        rng.shuffle(lines)
    elif how == 1:
        lines.pop(k)
    elif how == 2:
        lines.insert(k, lines[k])
    elif how == 3:
        lines[k] = lines[k].rstrip(b"\n")
    else:
        lines[k] = json_text(lines[k], rng) + b"\n"
    return b"".join(lines)


def toml_text(content: bytes, rng: random.Random) -> bytes:
    if rng.random() < 0.1:
        return content + b"\nx = " + nested(rng).encode()
    found = tomllib.loads(content.decode())
    if rng.random() < 0.3:  # fields of parts
        key = rng.choice([k for k, v in found["run"].items() if isinstance(v, str) and "=" in v])
        name, _, fields = found["run"][key].partition(":")
        pairs = [pair.split("=") for pair in fields.split(",")]
        rng.choice(pairs)[1] = str(
            rng.choice(
                (0, -1, 1, 3, 7, 65536, 10**9, 10**30, "nan", "inf", "1e300", "", "x", "9" * 5000)
            )
        )
        found["run"][key] = f"{name}:{','.join('='.join(pair) for pair in pairs)}"
    else:
        found = changed(found, rng)
    try:
        return tomli_w.dumps(found).encode()
    except (TypeError, AttributeError):
        return toml_text(content, rng)


def tensors(content: bytes, rng: random.Random) -> bytes:
    length = int.from_bytes(content[:8], "little")
    header, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    how = rng.randrange(4)
    if how == 0:  # what is said of the tensors, their bytes left as they are
        told = json.dumps(changed(header, rng)).encode()
        return len(told).to_bytes(8, "little") + told + data
    if how == 1:
        size = rng.choice((0, 1, length - 1, length + 1, 2**31, 2**63, 2**64 - 1))
        return size.to_bytes(8, "little") + content[8:]
    meta = header.pop("__metadata__", None)
    if how == 2 and meta and "surveyor" in meta:
        meta["surveyor"] = json_text(meta["surveyor"].encode(), rng).decode()
        found = safetensors.numpy.load(content)
    else:
        found = _other_arrays(safetensors.numpy.load(content), rng)
    return safetensors.numpy.save({k: np.ascontiguousarray(v) for k, v in found.items()}, meta)


def _other_arrays(found: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    name = rng.choice(sorted(found))
    array, other = found[name], rng.choice(sorted(found))
    how = rng.randrange(13)
    if how == 0:
        del found[name]
    elif how == 1:
        found[rng.choice(("x", name + "/x", name[:-1], "generator/x"))] = found.pop(name)
    elif how == 2:
        found[name], found[other] = found[other], found[name]
    elif how == 3:
        found[name] = array.astype(rng.choice((np.float64, np.float16, np.int8, np.int64, bool)))
    elif how == 4:
        found[name] = array.reshape(-1)
    elif how == 5:
        found[name] = array.reshape(-1)[:1]
    elif how == 6:
        found[name] = array[:0] if array.ndim else array.reshape(1)
    elif how == 7:
        found[name] = np.concatenate([array.reshape(-1)] * rng.choice((2, 50)))
    elif how == 8:
        found[name] = array[None]
    else:
        array = array.copy().reshape(-1)
        if len(array):
            odd = rng.choice((np.nan, np.inf, -np.inf, 0, -1, 1, 1e38, -1e38, 2**31 - 1, 1e308))
            with np.errstate(all="ignore"):
                array[slice(None) if how == 9 else rng.randrange(len(array))] = np.asarray(
                    odd
                ).astype(array.dtype)
        found[name] = array.reshape(found[name].shape)
    return found


FORMS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    ".toml": toml_text, ".json": json_text, ".jsonl": json_lines, ".safetensors": tensors,
}  # fmt: skip


def mutate(folder: Path, name: str, outside: Path, rng: random.Random) -> str:
    """Change one file of a run folder; return how."""
    path, what = folder / name, rng.random()
    if what < 0.12:
        return _other_kind(path, folder, outside, rng)
    content = path.read_bytes()
    change = rng.choice(BYTES) if what < 0.45 else FORMS[path.suffix]
    path.write_bytes(change(content, rng))
    return change.__name__


def forge(folder: Path) -> None:
    """Write the digest of a changed codec into all weights, as somebody would who means harm."""
    there = [folder / name for name in FILES if os.path.lexists(folder / name)]
    about = [path.lstat() for path in there]
    if not all(stat.S_ISREG(a.st_mode) and a.st_size < 2**26 for a in about):
        return
    with contextlib.suppress(OSError, ValueError, KeyError):
        digest = digest_of({name: (folder / name).read_bytes() for name in CODEC_FILES})
        for name in FILES:
            if name.endswith(".safetensors") and name not in CODEC_FILES:
                content = (folder / name).read_bytes()
                length = int.from_bytes(content[:8], "little")
                header = json.loads(content[8 : 8 + length])
                meta = json.loads(header["__metadata__"]["surveyor"]) | {"codec": digest}
                header["__metadata__"]["surveyor"] = json.dumps(meta)
                told = json.dumps(header).encode()
                made = len(told).to_bytes(8, "little") + told + content[8 + length :]
                (folder / name).write_bytes(made)


def _other_kind(path: Path, folder: Path, outside: Path, rng: random.Random) -> str:
    how = rng.choice(
        ("gone", "empty", "pipe", "folder", "socket", "endless", "loop", "dangling", "outside", "inside", "huge", "swapped", "parent")
    )  # fmt: skip
    other = folder / rng.choice([f for f in FILES if folder / f != path])
    if how == "parent" and path.parent == folder:
        how = "outside"
    if how == "huge":
        os.truncate(path, 2**40)
        return how
    if how == "swapped":
        shutil.copyfile(other, path)
        return how
    if how == "parent":
        shutil.rmtree(path.parent)
        path.parent.symlink_to(outside.parent)
        return how
    path.unlink()
    if how == "empty":
        path.touch()
    elif how == "pipe":
        os.mkfifo(path)
    elif how == "folder":
        path.mkdir()
    elif how == "socket":
        with contextlib.chdir(path.parent), socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    elif how != "gone":
        link = {"endless": Path("/dev/zero"), "loop": path, "dangling": outside / "absent", "outside": outside, "inside": other}  # fmt: skip
        path.symlink_to(link[how])
    return how


RESUMED = ("checkpoint/state.safetensors", "timing.jsonl")


def commands(
    run: Sound, data: Data, name: str, thorough: bool
) -> dict[str, Callable[[Path], object]]:
    """Return all that reads a file; evaluation, which is slow, only where ``thorough``."""

    def go_on(path: Path) -> None:
        session = resume(path, data)
        for record in session.records():
            if record.step >= STEPS + 1:
                break

    every: dict[str, Callable[[Path], object]] = {
        "sample": lambda path: surveyor.load(path).sample(20),
        "report": lambda path: surveyor.load(path).report(run.source),
        "resume": go_on,
    }
    if name in RESUMED:
        return {"resume": go_on}
    if thorough:
        every["evaluate"] = lambda path: surveyor.load(path).evaluate()
    return every


def whole(path: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return every entry of a folder: its kind, its size, and what it holds."""
    found = {}
    for entry in sorted(path.rglob("*")):
        about = entry.lstat()
        read = stat.S_ISREG(about.st_mode) and about.st_size < 2**26
        content = entry.read_bytes() if read else b""
        found[str(entry.relative_to(path))] = stat.S_IFMT(about.st_mode), about.st_size, content
    return found


@dataclass
class Outcome:
    """What came of mutations: counts, and whatever should not have been."""

    told: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    longest: float = 0.0
    slow: list[str] = field(default_factory=list)


def attack(run: Sound, data: Data, name: str, seed: int, scratch: Path, outcome: Outcome) -> None:
    """Mutate one file of a copy of ``run`` and put it through every command that reads it."""
    rng = random.Random(f"{run.path.name} {name} {seed}")
    hurt, outside = scratch / "hurt", scratch / "outside" / "precious"
    outside.parent.mkdir(exist_ok=True)
    outside.write_bytes(b"precious\n")
    shutil.copytree(run.path, hurt)
    how = mutate(hurt, name, outside, rng)
    forged = name in CODEC_FILES and seed % 2 == 0
    if forged:
        forge(hurt)
    damaged = whole(hurt)
    refused = False
    for command, call in commands(run, data, name, seed % 10 == 0).items():
        label = f"{run.path.name}/{name} #{seed} ({how}): {command}"
        begun = time.monotonic()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", surveyor.errors.Notice)
                call(hurt)
        except SurveyorError as error:
            refused = True
            problems = error.problems if isinstance(error, InputError) else [str(error)]
            if any("\n" in p or len(p) > 1500 for p in problems):
                outcome.wrong.append(f"{label}: no single line: {error!r:.300}")
            if isinstance(error, InputError) and whole(hurt) != damaged:
                outcome.wrong.append(f"{label}: refused, and changed: {error!r:.200}")
        except BaseException:
            outcome.wrong.append(f"{label}: {traceback.format_exc(limit=-4)}")
        seconds = time.monotonic() - begun
        if seconds > outcome.longest:
            outcome.longest = seconds
            outcome.slow.append(f"{seconds:.1f} s: {label}")
        if whole(hurt) != damaged:
            shutil.rmtree(hurt)
            shutil.copytree(run.path, hurt)
            mutate(hurt, name, outside, random.Random(f"{run.path.name} {name} {seed}"))
            if forged:
                forge(hurt)
            damaged = whole(hurt)
    outcome.told["refused" if refused else "taken"] += 1
    if outside.read_bytes() != b"precious\n" or len(list(outside.parent.iterdir())) != 1:
        outcome.wrong.append(f"{run.path.name}/{name} #{seed} ({how}): wrote outside of the folder")
    shutil.rmtree(hurt)


def main(mutations: int = 300, *files: str) -> int:
    """Attack files of every kind of run, all of them unless named; return 1 where one was wrong."""
    torch.set_num_threads(1)
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        runs = sound_runs(scratch)
        every = [(run, prepare(run.source, run.said)[0]) for run in runs]
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for file in files or FILES:
            for k in range(mutations):
                run, data = every[k % len(every)]
                attack(run, data, file, k, scratch, outcome)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20
    for line in outcome.wrong:
        print(line)
    print(
        f"{sum(outcome.told.values()):,} mutations: {outcome.told['refused']:,} refused, "
        f"{outcome.told['taken']:,} taken by all that read them, {len(outcome.wrong):,} wrong; "
        f"slowest command {outcome.longest:.1f} s; {grown:.2f} GiB above a sound run"
    )
    print(*outcome.slow[-3:], sep="\n")
    return 1 if outcome.wrong or outcome.longest > 10 or grown > 1 else 0


if __name__ == "__main__":
    sys.exit(main(int([*sys.argv, "300"][1]), *sys.argv[2:]))
