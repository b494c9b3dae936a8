"""``surveyor sample``: draw from a trained run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from cyclopts import Parameter

from surveyor import api
from surveyor.cli.console import app, place, unwritable
from surveyor.cli.flags import Device
from surveyor.cli.spreadsheet import formulas_told, print_csv
from surveyor.data import Files
from surveyor.errors import InputError
from surveyor.kinds.images.pictures import listed, read_each, several_sizes
from surveyor.kinds.images.sheets import ANIMATED, animate, write_folder
from surveyor.writing import replacing


@app.command
def sample(
    run: Path,
    /,
    *,
    n: Annotated[int, Parameter(name=["-n", "--number"])] = 1000,
    where: tuple[str, ...] = (),
    output: Annotated[Path | None, Parameter(name=["-o", "--output"])] = None,
    parity: str | None = None,
    apart_from: Path | None = None,
    truncate: float = 1.0,
    walk: Annotated[bool, Parameter(negative=())] = False,
    answer: str | None = None,
    seed: int = 0,
    device: Device = None,
    safe_csv: Annotated[bool, Parameter(negative=())] = False,
    overwrite: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Draw samples from a trained run.

    Parameters
    ----------
    run
        The run folder.
    n
        How many.
    where
        COL=VALUE, COL=A|B or COL=LOW..HIGH, repeatable; true in every sample returned.
    output
        The file to write; its suffix says the format, a name without one is a folder of pictures.
    parity
        OUTCOME:GROUP, such as income:sex: the outcome as frequent in every group as in all rows.
    apart_from
        A table, such as the one trained on: no row returned equals one of its rows.
    truncate
        Below 1: the latent of pictures and vectors that much narrower, for more typical samples.
    walk
        Samples along a closed walk through the latent, as an animated picture (.gif, .webp, .png);
        from condition to condition with COL=A|B|C.
    answer
        Pictures for a run with a task to enlarge or to translate; -n is then theirs.
    seed
        Equal seeds give equal samples.
    safe_csv
        Put ' before text of a .csv that a spreadsheet would run as a formula.
    overwrite
        Replace the file if it exists.
    """
    model, plain = api.load(run, device=device), not (parity or apart_from or truncate != 1)
    conditions = _where(where, model.run.codec.columns_named)
    files, pictures = model.run.kind.files, model.run.kind.gallery
    endings = (*files.suffixes, *files.outputs, *_more(walk, pictures))
    fair, problems = _fair(parity)
    problems += unwritable(output, endings, overwrite)
    problems += _at_odds(walk, answer is not None, bool(where), plain)
    if problems:
        raise InputError(*problems)
    if answer is not None:
        made: Any = _answers(model, answer, output, seed)
    elif walk:
        made = model.walk(n, _stops(conditions), seed=seed)
    else:
        made = model.sample(n, conditions, seed, fair, apart_from, truncate)
    if isinstance(made, pd.DataFrame) if output is None else _csv(output):
        made = formulas_told(model.run.codec.spelt(made), safe_csv, str(output or "the samples"))
    if output is None and isinstance(made, pd.DataFrame):
        print_csv(made)
        return 0
    output = output or _usual(walk, pictures, endings, overwrite)
    _write(made, files, output, walk, answer)
    return 0


def _at_odds(walk: bool, answers: bool, where: bool, plain: bool) -> list[str]:
    """Return which options do not go together."""
    problems = []
    if walk and not plain:
        problems.append("--walk: leave --parity, --apart-from and --truncate out")
    if answers and (walk or where or not plain):
        problems.append("--answer: every picture has one answer; leave other options out")
    return problems


def _answers(model: api.Model, answer: str, output: Path | None, seed: int) -> Any:
    """Return answers, of pictures of several sizes a list where they go to a folder."""
    resized = model.run.config.size is not None and model.run.config.scale is None
    into_folder = output is not None and not output.suffix
    if resized or not into_folder or not several_sizes(Path(answer)):
        return model.answer(answer, seed)
    pictures = read_each(Path(answer), model.run.config.white)
    made: dict[int, dict[str, Any]] = {}
    for shape in dict.fromkeys(p.shape for p in pictures):
        own = [k for k, p in enumerate(pictures) if p.shape == shape]
        found = model.answer(np.stack([pictures[k] for k in own]), seed)
        made |= {k: {n: v[j : j + 1] for n, v in found.items()} for j, k in enumerate(own)}
    return [made[k] for k in sorted(made)]


def _fair(parity: str | None) -> tuple[tuple[str, str] | None, list[str]]:
    """Return what OUTCOME:GROUP names, and what is wrong with it."""
    outcome, _, group = (parity or "").partition(":")
    if parity is None:
        return None, []
    wrong = [] if outcome and group else [f"--parity {parity}: write OUTCOME:GROUP, as income:sex"]
    return (outcome, group), wrong


def _usual(walk: bool, pictures: bool, endings: Sequence[str], overwrite: bool) -> Path:
    """Return the file to write where none is named."""
    path = Path(("walk.gif" if walk else "samples.png") if pictures else f"samples{endings[0]}")
    if problems := unwritable(path, endings, overwrite):
        raise InputError(*problems)
    return path


def _more(walk: bool, pictures: bool) -> tuple[str, ...]:
    """Return the endings of animations, or "" for a folder of pictures."""
    if not pictures:
        return ()
    return ANIMATED if walk else ("",)


def _csv(path: Path) -> bool:
    return path.name.lower().endswith((".csv", ".csv.gz"))


def _write(made: Any, files: Files, output: Path, walk: bool, answer: str | None) -> None:
    parts = made if isinstance(made, list) else [made]
    mains = [part[next(iter(part))] for part in parts]
    main: Any = mains[0] if len(mains) == 1 else [p for several in mains for p in several]
    if not output.suffix:
        folder = Path(answer or "")
        own = listed(folder) if answer and folder.is_dir() else []
        names = [str(p.relative_to(folder).with_suffix("")) for p in own]
        write_folder(main, output, names if len(set(names)) == len(names) else ())
        place(f"{len(main):,} pictures in {output}")
        return
    animated = walk and output.suffix.lower() in (*ANIMATED, ".png")
    with replacing(output) as new:
        animate(main, new) if animated else files.write(made, new)
    place(f"{len(main):,} samples in {output}")


def _stops(conditions: dict[str, str]) -> list[dict[str, str]]:
    """Return what A|B|C asks of each stop of a walk."""
    lists = {name: text.split("|") for name, text in conditions.items()}
    count = max(map(len, lists.values()), default=0)
    return [{name: texts[k % len(texts)] for name, texts in lists.items()} for k in range(count)]


def _where(items: Sequence[str], columns: Sequence[str]) -> dict[str, str]:
    """Return what is asked of each column; a name may hold an equals sign itself."""
    result: dict[str, str] = {}
    problems = []
    for item in items:
        fits = [c for c in columns if "=" in c and item.startswith(f"{c}=")]
        name = max(fits, key=len, default=item.partition("=")[0])
        equals, value = item[len(name) : len(name) + 1], item[len(name) + 1 :]
        if not equals or not name:
            problems.append(f"--where {item}: write COL=VALUE")
        elif name in result and result[name] != value:
            problems.append(
                f"--where {name}: both {result[name]!r} and {value!r} asked for; choose one"
            )
        result[name] = value
    if problems:
        raise InputError(*problems)
    return result
