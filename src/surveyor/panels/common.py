"""Panels of every kind of data: training, parts, the critic, memorising, privacy."""

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
        """Yield the curve, where anything was measured on the way."""
        if not shown.history:
            return
        none = (
            ""
            if shown.seen.game.objective.is_distance
            else (" (this objective has none: its gap is no distance)")
        )
        picture = draw.progress(shown.history, self.what, shown.warm)
        note = (
            "The critic's estimate is its own gap between held-out and generated points on the "
            f"same batch{none}. It is a lower bound on W1 only where the slope is held to 1."
        )
        notes = tuple(Text(text, note=True) for text in (self.notes or (note,)))
        said = f"{self.what}, its floor and the critic's estimate over the steps"
        yield Section(self.title, (Picture(picture, said), *notes))


@dataclass(frozen=True)
class Parts(Panel):
    """W1 and the critic's slope by condition and by group."""

    def __call__(self, shown: Shown) -> Iterator[Section]:
        """Yield a table of each."""
        if parts := shown.evaluation.parts("w1", "condition"):
            noise = 100 * shown.label_noise
            note = (
                f"{noise:.3g}% of the labels are wrong, so a label's real rows are of several "
                "conditions: beside them stand generated rows of the conditions behind that label, "
                "in the shares that follow."
            )
            notes = (Text(note, note=True),) if noise else ()
            yield Section("By condition", (_by_part(shown, parts), *notes, SLOPES))
        if parts := shown.evaluation.parts("w1", "group"):
            yield Section("By group", (_by_part(shown, parts), SLOPES))


SLOPES = Text(
    "The slope is the critic's mean gradient norm between real and generated points, per unit "
    "asked for: one penalty need not hold all parts alike.",
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
        """Yield the curves, and the numbers."""
        told, slopes = shown.evaluation, shown.seen.slopes
        histogram = {place: slopes.histogram(place) for place in PLACES}
        picture = draw.slope_figure(shown.history, histogram)
        at = {place: told["gradient_norm", place].known for place in PLACES}
        bound = told["proven_bound"].value
        proven = "none" if bound is None else f"{bound:.4g} (product of layer norms, often loose)"
        facts = shown.history[-1].facts if shown.history else {}
        said = (
            f"Mean slope {at['real']:.4g} at real, {at['fake']:.4g} at {self.generated}, "
            f"{at['between']:.4g} between; largest {told['gradient_norm_max'].known:.4g}. "
            f"Proven bound: {proven}. "
        ) + " ".join(f"{name.capitalize()}: {value:.4g}." for name, value in facts.items())
        blocks = Picture(picture, "gradient norms of the critic"), Text(said, note=True)
        yield Section("The critic's slope", blocks)


@dataclass(frozen=True)
class Memory(Panel):
    """What samples give away of training rows; ``equal`` says which rows are equal."""

    equal: str = ""

    def __call__(self, shown: Shown) -> Iterator[Section]:
        """Yield the figures in words, of data that the run was trained on."""
        told = shown.evaluation.by_name
        if "copies" not in told:
            return
        copies, closer, attack = (
            told[name] for name in ("copies", "closer_to_training", "membership_auc")
        )
        nearest, trained = told["nearest_training"], len(shown.seen.data.train)
        said = (
            f"Of {copies.n:,} samples {copies.known:.2%} equal one of all {trained:,} training "
            f"rows; of held-out rows {copies.known_floor:.2%} do.{self.equal} How often the row "
            f"nearest to a sample is a training row, of {closer.n:,} of them and the held-out "
            f"ones: {closer.known:.3f} (0.5 is as often as by chance, 1 always; standard error "
            f"{closer.known_spread:.3f}). The median distance to the closest of those training "
            f"rows is {nearest.known:.3g}; of held-out rows {nearest.known_floor:.3g}. An attack "
            f"that takes rows near a sample for training rows, tried on {attack.n:,} training "
            f"rows and as many held-out ones, has an AUC of {attack.known:.3f} (0.5 is chance)."
        )
        held, train = told.get("critic_estimate"), told.get("critic_estimate_training")
        if held is not None and train is not None:
            said += (
                f" The critic's gap is {train.known:.4g} on training rows and {held.known:.4g} on "
                "held-out ones."
            )
        yield Section("Memorising", (Text(said),))


@dataclass(frozen=True)
class Account(Panel):
    """What a run with differential privacy has spent, and what is covered."""

    def __call__(self, shown: Shown) -> Iterator[Section]:
        """Yield the account."""
        p = shown.evaluation.privacy
        if p is None:
            return
        said = (
            f"(ε, δ) = ({p.epsilon:.2f}, {p.delta:.4g}): whether a row of the file is there or "
            "left blank changes the odds of anything in the run folder, and of all samples, by "
            "at most a factor of exp(ε), but for the probability δ."
        )
        rows: list[tuple[str, str, float]] = []
        if p.codec is not None and p.codec_epsilon > 0:
            least = f"{p.codec.threshold:,.0f}" if p.codec.shown > 0 else "no number of"
            counts = (
                f"counts with noise of deviation {p.codec.noise:.1f}; a value is shown from a "
                f"count of about {least} rows on"
            )
            rows.append(("columns", counts, p.codec_epsilon))
        updates = (
            f"{p.updates:,} updates, each on every training row with probability {p.rate:.4g}, "
            f"each row's gradient clipped to norm {p.norm:.4g}, noise of {p.noise:.3f} times that "
            "norm"
        )
        rows.append(("nets", updates, p.training_epsilon))
        head = "part", "what it sees of the rows", "ε alone"
        yield Section(
            "Differential privacy", (Text(said), Table(head, tuple(rows)), Text(COVERED, note=True))
        )


COVERED = (
    "Covered: samples, and all files of the run folder. Taken as public: the number of rows, the "
    "columns' names, types and kinds, and the options of the run. Not covered: this report and "
    "the evaluation, which are measured on rows and therefore lie beside the run folder; the "
    "time training took; the rounding of gradients beyond 0.1% of their norm. Every run spends "
    "its own ε: of two that are shared the sum counts, and so it does where one run was resumed "
    "twice from one state."
)
