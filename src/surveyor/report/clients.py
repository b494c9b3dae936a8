"""The section of a report on the clients of a federated run."""

from __future__ import annotations

from collections.abc import Iterator

from surveyor.build import plan_of
from surveyor.data.bounds import format_bytes
from surveyor.federated import Member, accounts_in, left, members_in
from surveyor.measures import Figure
from surveyor.panels import Section, Shown, Table, Text
from surveyor.run import Run
from surveyor.training.privacy import Privacy

CHOSEN = (
    "Of as many generated rows as its share should need, each client draws those that are most "
    "likely like its own, by the odds of trees on its training rows, and compares them with rows "
    "that it has held out: W1, and the AUC of a classifier, each beside the same between its "
    "training rows and its held-out ones."
)
SIMULATED = (
    "This run was simulated in one process. W1 over training, the best step and all other figures "
    "of this page are of the held-out rows of all clients together, which no one has where the "
    "clients are apart."
)
LEFT = (
    "At most: a client is not in every batch. Sums of gradients are not private by themselves; "
    "rows can be inferred from them where few are summed."
)
SPENT = ("", "ε", "δ", "probability of a row in an update", "noise / norm")
PRIVATE = (
    "Each client's own account, of its own rows, whatever the server and the other clients do. "
    "The section on differential privacy has that of the greatest δ. The figures of clients are "
    "outside of it."
)


def clients(run: Run, shown: Shown) -> Iterator[Section]:
    """Yield a row a client, the smallest first, and what left each; nothing for other runs."""
    members = members_in(run.path)
    if members is None:
        return
    figures = {(f.name, f.of): f for f in shown.evaluation.figures if f.by == "client"}
    order = sorted(members.clients, key=lambda member: member.rows)
    head = ("", "training rows", "share", "W1", "floor", "W1 / floor", "AUC", "floor")
    rows = tuple((*_first(m), *_figures(m.name, figures)) for m in order)
    notes = Text(CHOSEN, note=True), Text(SIMULATED, note=True)
    table = Table(head, rows, amounts=len(head) - 1)
    yield Section("Clients, the smallest first", (table, *notes))
    told = left(members, run.game, plan_of(run.config), run.codec)
    names = tuple(dict.fromkeys(own.name for own in told))
    by = {(own.client, own.name): format_bytes(own.bytes) for own in told}
    every = tuple((m.name, *(by[m.name, name] for name in names)) for m in order)
    table = Table(("", *names), every, amounts=len(names))
    what, accounts = " ".join(dict.fromkeys(own.what for own in told)), accounts_in(run)
    note = what if accounts else f"{what} {LEFT}"
    yield Section("What left each client", (table, Text(note, note=True)))
    if accounts:
        spent = tuple(_spent(m.name, accounts[m.name]) for m in order)
        blocks = Table(SPENT, spent, amounts=len(SPENT) - 1), Text(PRIVATE, note=True)
        yield Section("Privacy at each client", blocks)


def _spent(name: str, own: Privacy) -> tuple[str, ...]:
    return name, *(f"{v:.4g}" for v in (own.epsilon, own.delta, own.rate, own.noise))


def _first(member: Member) -> tuple[str, str, str]:
    return member.name, f"{member.rows:,}", f"{member.share:.1%}"


def _figures(name: str, figures: dict[tuple[str, str], Figure]) -> tuple[float | None, ...]:
    w1, auc = figures.get(("w1", name)), figures.get(("auc", name))
    first = (None, None, None) if w1 is None else (w1.value, w1.floor, w1.ratio)
    return (*first, *((None, None) if auc is None else (auc.value, auc.floor)))
