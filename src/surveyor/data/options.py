"""How data are to be read."""

from __future__ import annotations

from dataclasses import dataclass

from surveyor.catalog import Part


@dataclass(frozen=True)
class Options:
    """How data are to be read.

    ``type`` gives the types of table columns (``COLUMN=TYPE``), ``missing`` the words that stand
    for a missing value. With ``lenient``, cells that do not fit their column are taken as missing,
    with a notice. With a ``task`` the data are pairs of pictures. ``white`` is the value of white
    in pictures of more than eight bits. With ``rules`` "found", rules found in a table are kept in
    every sample, but for those in ``except_rule``; each ``rule`` is kept in any case. The column
    ``node`` holds nodes of the network in the file ``graph``, whose column ``length`` has the
    lengths of edges. With an ``epsilon``, fitting the codec spends a part of (epsilon, delta). A
    ``shared`` codec may leave the place of its rows: it names no value of few rows, and has no
    rules.
    """

    condition: tuple[str, ...] = ()
    group: str | None = None
    drop: tuple[str, ...] = ()
    type: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    whiten: bool = False
    size: int | None = None
    white: int | None = None
    task: Part | None = None
    epsilon: float | None = None
    delta: float | None = None
    lenient: bool = False
    rules: str = "no"
    rule: tuple[str, ...] = ()
    except_rule: tuple[str, ...] = ()
    graph: str | None = None
    node: str | None = None
    length: str | None = None
    shared: bool = False

    @property
    def guarded(self) -> bool:
        """Return whether a codec may say little of rows, so that nothing is looked for in them."""
        return self.shared or self.epsilon is not None


DEFAULT_OPTIONS = Options()
