"""Comparisons as test cases of JUnit, which pipelines show."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from xml.etree import ElementTree

from surveyor.cli.console import visible
from surveyor.cli.several import Found, Measured
from surveyor.two_sample import LEVEL, p_text


def junit_of(found: Measured, fail_above: float | None) -> bytes:
    """Return XML with a suite for each data set, and a case for each test and column.

    A case fails if it proves a difference by itself, at its share of the level of its data set; the
    case of W1 if its lower bound is above the limit.
    """
    root = ElementTree.Element("testsuites", name="surveyor distance")
    counts = {"tests": 0, "failures": 0, "skipped": 0}
    for name, one in found.items():
        suite = ElementTree.SubElement(root, "testsuite", name=_text(name))
        own = {"tests": 0, "failures": 0, "skipped": 0}
        for case, failure in _cases(one, fail_above):
            made = ElementTree.SubElement(
                suite, "testcase", classname=_text(name), name=_text(case)
            )
            own["tests"] += 1
            if failure:
                own["failures"] += 1
                ElementTree.SubElement(made, "failure", message=_text(failure))
            elif isinstance(one, str):
                own["skipped"] += 1
                ElementTree.SubElement(made, "skipped", message=_text(one))
        if not isinstance(one, str):
            ElementTree.SubElement(suite, "system-out").text = _text(one.comparison.verdict)
        for key, count in own.items():
            suite.set(key, str(count))
            counts[key] += count
    for key, count in counts.items():
        root.set(key, str(count))
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _cases(one: Found | str, fail_above: float | None) -> Iterator[tuple[str, str]]:
    """Yield the name of each case, and why it fails, or ""."""
    if isinstance(one, str):
        yield "all tests", ""
        return
    c = one.comparison
    share = max(len(c.tests), 1)
    for test in c.tests:
        p = min(1.0, share * test.p_value)
        yield f"test: {test.test}", f"{test.witness} ({p_text(p)})" if p <= LEVEL else ""
    for column in one.columns:
        if column.p_value is not None:
            p = min(1.0, share * column.p_value)
            yield f"column: {column.name}", f"{column.change} ({p_text(p)})" if p <= LEVEL else ""
    if fail_above is not None:
        above = f"W1 is at least {c.low:.4g}, above the limit of {fail_above:g}"
        yield "W1", above if c.low > fail_above else ""


def _text(text: object) -> str:
    """Return text with characters that XML cannot hold escaped."""
    return "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) == "Cn" else c
        for c in visible(text)
    )
