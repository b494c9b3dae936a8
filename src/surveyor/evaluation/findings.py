"""What a person should know of a finished run before using its samples; one function each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from surveyor.diagnostics import Finding
from surveyor.training import Game

Result = Mapping[str, Any]
Check = Callable[[Result, Game], Iterator[Finding]]


def findings(result: Result, game: Game, checks: Sequence[Check] | None = None) -> list[Finding]:
    """Return every finding about the numbers of ``assess``, or those of some checks alone."""
    every = CHECKS if checks is None else checks
    return [finding for check in every for finding in check(result, game)]


def steep(result: Result, game: Game) -> Iterator[Finding]:
    """A critic steeper than asked for overstates W1."""
    steepest = result["critic"]["slope_max"]
    if game.objective.is_distance and steepest > 1.5:
        yield Finding(
            "R01",
            "warn",
            f"the critic's slope reaches {steepest:.2f} times what was asked for, so its own "
            "estimate is not a lower bound on W1",
            "Trust the exact W1; raise the penalty weight if the estimate matters",
        )


def remembering_critic(result: Result, game: Game) -> Iterator[Finding]:
    """A gap that training rows have and held-out rows have not."""
    held, train = (result["critic"][k] for k in ("estimate", "estimate_on_training_rows"))
    if held is not None and train - held > max(0.5 * abs(train), 0.1 * result["w1_floor"]):
        yield Finding(
            "R02",
            "warn",
            f"the critic's gap is {train:.3g} on training rows and {held:.3g} on held-out ones: it "
            "has begun to memorise",
            "Use more data, a narrower critic, or fewer steps",
        )


def close_to_training(result: Result, game: Game) -> Iterator[Finding]:
    """Samples that lie closer to training rows than held-out rows do."""
    memory = result.get("memorising")
    # Four standard errors, and a little.
    if memory and memory["closer_to_training"] > 0.54 + 4 * memory["closer_error"]:
        yield Finding(
            "R03",
            "warn",
            "the row nearest to a sample is a training row more often than by chance: "
            f"{memory['closer_to_training']:.2f}, where .50 is chance and 1 always",
            "The samples reveal training rows; train shorter or on more data before sharing",
        )


def copies(result: Result, game: Game) -> Iterator[Finding]:
    """Samples that are training rows."""
    memory = result.get("memorising")
    if memory is None:
        return
    n = memory["n"]
    floor = (memory["copies_floor"] * n + 1) / (n + 2)  # above 0, however few rows are held out
    error = np.sqrt(floor * (1 - floor) / n)
    if memory["copies"] > min(2 * floor + 0.01, (1 + floor) / 2) + 4 * error:
        yield Finding(
            "R04",
            "warn",
            f"{memory['copies']:.1%} of samples equal a training row; of held-out rows "
            f"{memory['copies_floor']:.1%} do",
            "Remove copies before sharing the samples",
        )


def membership(result: Result, game: Game) -> Iterator[Finding]:
    """An attack that tells training rows from others by the samples near them."""
    memory = result.get("memorising")
    # Four standard errors of an AUC of two times n, sqrt(1 / 6n), and a little.
    if memory and memory["membership_auc"] > 0.52 + 4 / np.sqrt(6 * memory["n"]):
        yield Finding(
            "R07",
            "warn",
            f"whoever sees the samples tells training rows from others with an AUC of "
            f"{memory['membership_auc']:.2f} (.50 is chance)",
            "Train shorter or on more data before sharing",
        )


def uneven(result: Result, game: Game) -> Iterator[Finding]:
    """Conditions and groups that are served worse than the rest."""
    overall = result["ratio"] or 1.0
    limit = 1.5 * max(overall, 1)
    for part in (*result["conditions"], *result["groups"]):
        name = part["name"]
        if part["w1"] is None:
            yield Finding("R05", "warn", f"{name}: hardly ever generated", "Make it a --condition")
            continue
        # Beyond what the floor scatters by between sets of rows.
        if part["floor"] > 0 and part["w1"] - 2 * part["floor_spread"] > limit * part["floor"]:
            yield Finding(
                "R05",
                "warn",
                f"{name}: W1 / floor is {part['w1'] / part['floor']:.2f}, {overall:.2f} overall",
                "Use its samples with care, or train on it alone",
            )


def narrow(result: Result, game: Game) -> Iterator[Finding]:
    """Samples less varied than the data, which a sample's W1 alone would favour."""
    if result["w1_self"] < 0.85 * result["w1_floor"]:
        yield Finding(
            "R06",
            "warn",
            f"samples are {result['w1_self'] / result['w1_floor']:.0%} as far from each other as "
            "real rows are: less varied than the data",
            "Train longer or with more critic steps, or widen the latent",
        )


def unevenly_held(result: Result, game: Game) -> Iterator[Finding]:
    """A penalty that holds the critic for one condition or group and not for another."""
    parts = [p for p in (*result["conditions"], *result["groups"]) if p["slope"] is not None]
    if not game.objective.is_distance or len(parts) < 2:
        return
    low, *_, high = sorted(parts, key=lambda part: float(part["slope"]))
    if high["slope"] > 2 * low["slope"]:
        yield Finding(
            "R08",
            "warn",
            f"the critic's mean slope is {high['slope']:.2f} at {high['name']} and "
            f"{low['slope']:.2f} at {low['name']}: one penalty does not hold all alike",
            "Where the steeper part has the larger W1 / floor, name its column with --group and "
            "add --balance",
        )


CHECKS: tuple[Check, ...] = (
    steep,
    remembering_critic,
    close_to_training,
    copies,
    membership,
    uneven,
    unevenly_held,
    narrow,
)

PAIRED: tuple[Check, ...] = (steep, remembering_critic)  # those of answers to pictures
