"""Single faults in the code, by mutmut's operators: an operator swapped, an argument dropped."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import deep_replace
from mutmut.mutation.mutators import mutation_operators, operator_string

from benchmarks.common import console
from benchmarks.origin import CODE, ROOMS

HEADED = (cst.For, cst.If, cst.While, cst.With)


@dataclass(frozen=True)
class Mutant:
    """One fault: its file below the package, its statement's lines, the text without and with it."""

    file: str
    source: str
    lines: range
    key: str
    make: Callable[[], str]

    @property
    def diff(self) -> str:
        """Return the lines that change."""
        pair = (self.source.splitlines(), self.make().splitlines())
        lines = list(difflib.unified_diff(*pair, lineterm="", n=0))[2:]
        return "\n".join(line.rstrip() for line in lines if not line.startswith("@@"))


class Faults(cst.CSTVisitor):  # type: ignore[misc]
    """Collects every fault within the functions of a module."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        self.found: list[tuple[cst.CSTNode, cst.CSTNode, range, str]] = []
        self.inside: list[str] = []
        self.depth = 0
        self.statement: range | None = None
        self.headers: list[range] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Collect the faults of ``node``; leave out what runs when the module is read."""
        if isinstance(node, (cst.Decorator, cst.Annotation, cst.Param)):
            return False
        if isinstance(node, cst.SimpleString) and (" " in node.value or node.value[:3] == '"""'):
            return False
        if isinstance(node, cst.Call) and getattr(node.func, "value", "") in ("isinstance", "len"):
            return False
        if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
            self.inside.append(node.name.value)
            self.depth += isinstance(node, cst.FunctionDef)
        elif self.depth:
            if isinstance(node, cst.SimpleStatementLine):
                self.statement = self._lines(node)
            elif isinstance(node, HEADED):
                first = self._lines(node.body.body[0] if node.body.body else node).start
                self.headers.append(range(self._lines(node).start, first))
            self._collect(node)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        """Leave a function or class."""
        if isinstance(original_node, (cst.FunctionDef, cst.ClassDef)):
            self.inside.pop()
            self.depth -= isinstance(original_node, cst.FunctionDef)
        elif isinstance(original_node, cst.SimpleStatementLine):
            self.statement = None
        elif self.depth and isinstance(original_node, HEADED):
            self.headers.pop()

    def _lines(self, node: cst.CSTNode) -> range:
        place = self.get_metadata(PositionProvider, node)
        return range(place.start.line, place.end.line + 1)

    def _reached(self, node: cst.CSTNode) -> range:
        """Return the lines any of which says that a node was reached: its statement's, or head's."""
        own = self._lines(node)
        head = next((h for h in reversed(self.headers) if own.start in h), own)
        return self.statement or head

    def _collect(self, node: cst.CSTNode) -> None:
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                made = list(operator(node))
                # A word in other letters is another word: one fault each is enough.
                for new in made[:1] if operator is operator_string else made:
                    lines = self._reached(node)
                    self.found.append((node, new, lines, ".".join(self.inside)))


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Yield every mutant of a file."""
    yield from mutants_in(path.read_text(), path.relative_to(CODE).as_posix())


def mutants_in(source: str, name: str) -> Iterator[Mutant]:
    """Yield every mutant of the text of a file."""
    wrapper = MetadataWrapper(cst.parse_module(source))
    visitor = Faults()
    wrapper.visit(visitor)

    def text(old: cst.CSTNode, new: cst.CSTNode) -> str:
        changed = deep_replace(wrapper.module, old, new)
        assert isinstance(changed, cst.Module)
        return str(changed.code)

    seen: dict[str, int] = {}
    for old, new, lines, function in visitor.found:
        code = "\0".join(wrapper.module.code_for_node(n) for n in (old, new))
        key = f"{name}\0{function}\0{code}"
        seen[key] = seen.get(key, 0) + 1
        yield Mutant(name, source, lines, f"{key}\0{seen[key]}", functools.partial(text, old, new))


def sample(n: int, seed: int) -> list[Mutant]:
    """Return ``n`` mutants of the rooms; a change of the code leaves those of other lines in it."""
    found: list[Mutant] = []
    for room in ROOMS:
        paths = sorted((CODE / room).rglob("*.py")) if not room.endswith(".py") else [CODE / room]
        for path in paths:
            found += mutants_of(path)
    console.print(f"{len(found):,} mutants in all", highlight=False)
    return sorted(found, key=lambda m: short(f"{seed}\0{m.key}"))[:n]


def short(text: str) -> str:
    """Return a short hash."""
    return blake2b(text.encode(), digest_size=8).hexdigest()
