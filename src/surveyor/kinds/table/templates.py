"""Patterns of identifiers, and new ones that no cell of a column has."""

from __future__ import annotations

import hashlib
import re
import string
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

NEARLY_ALL = 0.9  # share of cells that a pattern must have
ROOM = 100  # new identifiers a pattern should have for each one in the data
FEW_CHARACTERS, CELLS = 5, 100  # no more characters at a place, of at least so many cells
SPARSE = 2**63  # of so many identifiers, ones drawn at random are new
LAST_NUMBER = re.compile(r"(.*?)([0-9]{1,15})([^0-9]*)", re.DOTALL)
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")
RESERVED = ("example.com", "example.org", "example.net")  # RFC 2606: nobody's
ALPHABETS = (
    string.digits,
    string.ascii_uppercase,
    string.ascii_lowercase,
    string.digits + "abcdef",
    string.digits + "ABCDEF",
    string.digits + string.ascii_uppercase,
    string.digits + string.ascii_lowercase,
    string.digits + string.ascii_letters,
)


class Template(ABC):
    """A pattern of identifiers, of which ``room`` (None: any number) are not in the data."""

    @property
    @abstractmethod
    def room(self) -> int | None:
        """Return how many new identifiers there are."""

    @abstractmethod
    def text(self, k: int) -> str:
        """Return the new identifier number ``k``, counted from 0; all are different."""


@dataclass(frozen=True)
class Numbered(Template):
    """A head, a number of at least ``width`` digits counted upwards, and a tail.

    ``start`` is larger than every number in the data. The ``heads`` take turns.
    """

    heads: tuple[str, ...]
    start: int
    width: int
    tail: str = ""

    @property
    def room(self) -> None:
        """Return None: numbers have no end."""

    def text(self, k: int) -> str:
        """Return head, number and tail."""
        head = self.heads[k % len(self.heads)]
        return f"{head}{self.start + k:0{self.width}d}{self.tail}"


@dataclass(frozen=True)
class Placed(Template):
    """A character of an alphabet of its own at every place.

    Texts are numbers in mixed radix, whose places with the largest alphabets count most. The next
    ``free`` of them from ``start`` on are in no cell. Where there are at least 2^63 texts, hashes
    of ``salt`` and k are taken instead: one of m is in n cells with probability below m n / 2^63.
    """

    alphabets: tuple[str, ...]
    start: int = 0
    free: int = 0
    salt: str = ""

    @property
    def room(self) -> int | None:
        """Return how many numbers follow ``start``."""
        return None if self.salt else self.free

    def text(self, k: int) -> str:
        """Return the text of a number."""
        number = self.start + k
        if self.salt:
            digest = hashlib.sha256(f"{self.salt}:{k}".encode()).digest()
            number = int.from_bytes(digest, "big")
        made = [""] * len(self.alphabets)
        for place in reversed(_significance(self.alphabets)):
            number, digit = divmod(number, len(self.alphabets[place]))
            made[place] = self.alphabets[place][digit]
        return "".join(made)


def template_of(cells: Sequence[str]) -> Template | None:
    """Return the pattern of identifiers, given their distinct cells; None if they have none."""
    return _emails(cells) or _numbered(cells) or _placed(cells) or _numbered(cells, crowded=True)


def _emails(cells: Sequence[str]) -> Template | None:
    if sum(bool(EMAIL.fullmatch(c)) for c in cells) < NEARLY_ALL * len(cells):
        return None
    lowered = [c.lower() for c in cells]
    for domain in RESERVED:
        if not any(c.endswith(domain) for c in lowered):
            return Numbered(("user",), 1, 1, f"@{domain}")
    return None


def _numbered(cells: Sequence[str], crowded: bool = False) -> Template | None:
    """Return numbers that go on, with more digits only where ``crowded`` ones are allowed to."""
    found = [m.groups() for m in map(LAST_NUMBER.fullmatch, cells) if m]
    tail = Counter(tail for _, _, tail in found).most_common(1)
    if len(found) < len(cells) or tail[0][1] < len(cells):
        return None
    heads = Counter(head for head, _, _ in found)
    widths = {len(number) for _, number, _ in found}
    start = 1 + max(int(number) for _, number, _ in found)
    padded = any(number[0] == "0" and len(number) > 1 for _, number, _ in found)
    fixed = padded or (len(widths) == 1 and len(cells) >= CELLS)
    full = 10 ** max(widths) - start < ROOM * len(cells)
    if len(heads) > max(1, len(cells) // 10) or (padded and len(widths) > 1):
        return None
    if fixed and full and not crowded:
        return None
    return Numbered(tuple(sorted(heads)), start, max(widths) if fixed else 1, tail[0][0])


def _placed(cells: Sequence[str]) -> Template | None:
    """Return the pattern with the narrowest alphabets of those that have room.

    First a place has only the characters seen there, if they are few; then all of their kind; then
    digits that never change do as well.
    """
    length, count = Counter(map(len, cells)).most_common(1)[0]
    if count < NEARLY_ALL * len(cells) or length == 0:
        return None
    alike = [c for c in cells if len(c) == length]
    letters = np.array(alike, dtype=f"U{length}").view("U1").reshape(len(alike), length)
    seen = ["".join(np.unique(letters[:, k])) for k in range(length)]
    few = FEW_CHARACTERS if len(alike) >= CELLS else 1
    narrow = tuple(own if len(own) <= few else _of_kind(own) for own in seen)
    wider = tuple(own if len(own) == 1 else _of_kind(own) or own for own in seen)
    widest = tuple(string.digits if own in string.digits else own for own in wider)
    if any(not own for own in narrow) or not any(len(o) > 1 and o[0] in "0123" for o in narrow):
        return None
    found = [_with_alphabets(own, alike, letters) for own in (narrow, wider, widest)]
    roomy = (own for own in found if own.room is None or own.room >= ROOM * len(cells))
    made = next(roomy, found[-1])
    return made if made.room is None or made.room >= len(cells) else None


def _with_alphabets(
    alphabets: tuple[str, ...], cells: Sequence[str], letters: np.ndarray
) -> Template:
    """Return the pattern of ``letters`` (n, places), the characters of ``cells``.

    The new ones follow the largest, or lie in the widest gap.
    """
    total = int(np.prod([float(len(own)) for own in alphabets]))
    if total >= SPARSE:
        salt = hashlib.sha256("\n".join(sorted(cells)).encode()).hexdigest()[:16]
        return Placed(alphabets, salt=salt)
    numbers = np.zeros(len(cells), dtype=np.int64)
    for place in _significance(alphabets):
        own = np.array(list(alphabets[place]))
        order = np.argsort(own)
        numbers = numbers * len(own) + order[np.searchsorted(own[order], letters[:, place])]
    ends = np.concatenate([[-1], np.unique(numbers), [total]])
    gaps = np.diff(ends)
    widest = len(gaps) - 1 if gaps[-1] > ROOM * len(cells) else int(gaps.argmax())
    return Placed(alphabets, int(ends[widest]) + 1, int(gaps[widest]) - 1)


def _of_kind(seen: str) -> str:
    """Return all characters of the kind of those seen; "" if they are of no known kind."""
    return next((own for own in ALPHABETS if set(seen) <= set(own)), "")


def _significance(alphabets: Sequence[str]) -> list[int]:
    return sorted(range(len(alphabets)), key=lambda place: -len(alphabets[place]))
