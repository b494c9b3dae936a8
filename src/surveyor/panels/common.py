"""Panels for all kinds of data: training, parts, the critic, memorising, privacy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import surveyor.panels.drawing as draw
from surveyor.diagnostics import PLACES
from surveyor.measures import Figure
from surveyor.panels import Panel, Picture, Section, Shown, Table, Text


@dataclass(frozen=True)
class Progress(Panel):
    """W1 and its floor over training."""

    title: str = "Distance over training"
    what: str = "W1"
    notes: tuple[str, ...] = ()

    def __call__(self, shown: Shown) -> Iterator[Section]:
        """Yield the curve, if training was measured."""
        if not shown.history:
            return
        none = (
            ""
            if shown.seen.game.objective.is_distance
            else (" (this objective has none: its gap is not a distance)")
        )
        picture = draw.progress(shown.history, self.what, shown.warm)
        note = (
            "The critic's estimate is its own gap between held-out and generated points on the "
            f"same batch{none}. It is a lower bound on W1 only if the slope is at most 1."
        )
        if not shown.critic_trained:
            note = UNTRAINED
        notes = tuple(Text(text, note=True) for text in (self.notes or (note,)))
        alternative = f"{self.what}, its floor and the critic's estimate over the steps"
        yield Section(self.title, (Picture(picture, alternative), *notes))


@dataclass(frozen=True)
class Parts(Panel):
    """W1 and the critic's slope by condition and by group."""

    def __call__(self, shown: Shown) -> Iterator[Section]:
        """Yield one table for conditions and one for groups."""
        if parts := shown.evaluation.parts("w1", "condition"):
            noise = 100 * shown.label_noise
            note = (
                f"{noise:.3g}% of the labels are wrong, so real rows with one label come from "
                "several conditions: they are compared with rows generated under these conditions "
                "in the same proportions."
            )
            notes = (Text(note, note=True),) if noise else ()
            yield Section("By condition", (_by_part(shown, parts), *notes, SLOPES))
        if parts := shown.evaluation.parts("w1", "group"):
            yield Section("By group", (_by_part(shown, parts), SLOPES))


SLOPES = Text(
    "The slope is the critic's mean gradient norm between real and generated points, relative to "
    "its target: a penalty may hold some parts less than others.",
    note=True,
)


def _by_part(shown: Shown, parts: tuple[Figure, ...]) -> Table:
    slopes = {f.of: f.value for f in shown.evaluation.parts("gradient_norm")}
    rows = tuple((p.of, p.n, p.value, p.floor, slopes.get(p.of)) for p in parts)
    return Table(("", "held-out rows", "W1", "floor", "critic's slope"), rows)


@dataclass(frozen=True)
class Gradients(Panel):
    """The critic's slope over training and at the end."""

    generated: str = "generated points"

    def __call__(self, shown: Shown) -> Iterator[Section]:
        """Yield the curves, and the numbers; a line if no step trained the critic."""
        if not shown.critic_trained:
            yield Section("The critic's slope", (Text(UNTRAINED, note=True),))
            return
        evaluation, slopes = shown.evaluation, shown.seen.slopes
        histogram = {place: slopes.histogram(place) for place in PLACES}
        picture = draw.slope_figure(shown.history, histogram)
        at = {place: evaluation["gradient_norm", place].known for place in PLACES}
        bound = evaluation["proven_bound"].value
        proven = "none" if bound is None else f"{bound:.4g} (product of layer norms, often loose)"
        facts = shown.history[-1].facts if shown.history else {}
        text = (
            f"Mean slope {at['real']:.4g} at real, {at['fake']:.4g} at {self.generated}, "
            f"{at['between']:.4g} between; largest {evaluation['gradient_norm_max'].known:.4g}. "
            f"Proven bound: {proven}. "
        ) + " ".join(f"{name.capitalize()}: {value:.4g}." for name, value in facts.items())
        blocks = Picture(picture, "gradient norms of the critic"), Text(text, note=True)
        yield Section("The critic's slope", blocks)


@dataclass(frozen=True)
class Memory(Panel):
    """What samples reveal of training rows; ``equal`` explains when rows are equal."""

    equal: str = ""

    def __call__(self, shown: Shown) -> Iterator[Section]:
        """Yield the figures as text, for data that the run was trained on."""
        figures = shown.evaluation.by_name
        if "copies" not in figures:
            return
        copies, closer, attack = (
            figures[name] for name in ("copies", "closer_to_training", "membership_auc")
        )
        nearest, trained = figures["nearest_training"], len(shown.seen.data.train)
        text = (
            f"Of {copies.n:,} samples {copies.known:.2%} equal one of all {trained:,} training "
            f"rows; {copies.known_floor:.2%} of held-out rows do.{self.equal} Among {closer.n:,} "
            "training rows and the held-out rows, a sample's nearest neighbour is a training row "
            f"with a score of {closer.known:.3f} (0.5 is chance, 1 always; standard error "
            f"{closer.known_spread:.3f}). The median distance from a sample to the closest of "
            f"these training rows is {nearest.known:.3g}; from a held-out row it is "
            f"{nearest.known_floor:.3g}. An attack that takes rows near a sample for training "
            f"rows has an AUC of {attack.known:.3f} on {attack.n:,} training rows and as many "
            "held-out ones (0.5 is chance)."
        )
        held, train = figures.get("critic_estimate"), figures.get("critic_estimate_training")
        if held is not None and train is not None and shown.critic_trained:
            text += (
                f" The critic's gap is {train.known:.4g} on training rows and {held.known:.4g} on "
                "held-out ones."
            )
        yield Section("Memorising", (Text(text),))


@dataclass(frozen=True)
class Account(Panel):
    """The privacy budget that a run has spent, and what it covers."""

    def __call__(self, shown: Shown) -> Iterator[Section]:
        """Yield the account, if the run is differentially private."""
        p = shown.evaluation.privacy
        if p is None:
            return
        guarantee = (
            f"(ε, δ) = ({p.epsilon:.2f}, {p.delta:.4g}): leaving one row of the file blank changes "
            "the probability of anything in the run folder, and of all samples, by at most a "
            "factor of exp(ε), except with probability δ."
        )
        rows: list[tuple[str, str, float]] = []
        if p.codec is not None and p.codec_epsilon > 0:
            least = f"{p.codec.threshold:,.0f}" if p.codec.shown > 0 else "no number of"
            counts = (
                f"counts with noise of standard deviation {p.codec.noise:.1f}; a value is released "
                f"from a count of about {least} rows"
            )
            rows.append(("columns", counts, p.codec_epsilon))
        updates = (
            f"{p.updates:,} updates, each with every training row at probability {p.rate:.4g}, "
            f"each row's gradient clipped to norm {p.norm:.4g}, noise of {p.noise:.3f} times that "
            "norm"
        )
        rows.append(("nets", updates, p.training_epsilon))
        head = "part", "what it sees of the rows", "ε alone"
        blocks = Text(guarantee), Table(head, tuple(rows)), Text(COVERED, note=True)
        yield Section("Differential privacy", blocks)


UNTRAINED = (
    "All steps were by likelihood. No critic was trained, so there is no estimate of W1 by one, "
    "and no slope."
)
COVERED = (
    "Covered: samples, and all files of the run folder. Assumed public: the number of rows, the "
    "columns' names, types and kinds, and the options of the run. Not covered: this report and "
    "the evaluation, which use the rows themselves and are therefore kept beside the run folder; "
    "the training time; the rounding of gradients beyond 0.1% of their norm. Every run spends its "
    "own ε: the budgets of two shared runs add up, and so do those of one run resumed twice from "
    "the same state."
)
