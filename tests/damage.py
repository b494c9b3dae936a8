"""Seeded damage to the files of a run folder: bytes, values, tensors, and what a file is."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import socket
import stat
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import tomli_w

from surveyor.run.opening import digest_of

FILES = (
    "config.toml", "codec.json", "codec.safetensors", "generator.safetensors",
    "critic.safetensors", "checkpoint/state.safetensors", "history.jsonl", "timing.jsonl",
    "evaluation.json",
)  # fmt: skip
CODEC_FILES = ("codec.json", "codec.safetensors")


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
