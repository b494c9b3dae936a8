"""Notices, and what the terminal shows of strangers' names."""

from __future__ import annotations

import warnings

import pytest

from surveyor.cli import main
from surveyor.cli.console import print_error, print_notices, visible
from surveyor.errors import Notice, notify


def test_a_notice_points_at_the_line_that_called_surveyor() -> None:
    with pytest.warns(Notice, match="left out") as told:
        notify("a.heic: left out")
    assert told[0].filename == __file__


def test_a_notice_is_a_line_and_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    with print_notices():
        for name in ("a.heic", "b.heic", "a.heic"):
            notify(f"{name}: left out")
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        "surveyor: note: a.heic: left out",
        "surveyor: note: b.heic: left out",
    ]
    assert not said.out


def test_notices_leave_other_warnings_as_they_are() -> None:
    with pytest.warns(DeprecationWarning, match="old"), print_notices():
        warnings.warn("old", DeprecationWarning, stacklevel=1)


HOSTILE = {
    "\x1b[2J": "\\x1b[2J",
    "\x9b31m": "\\x9b31m",
    "\x1b]52;c;aGk=\x07": "\\x1b]52;c;aGk=\\x07",
    "a\nsurveyor: done\r": "a\\nsurveyor: done\\r",
    "a\u2028b\u2029c\x85": "a\\u2028b\\u2029c\\x85",
    "\u202etxt.exe\u2066": "\\u202etxt.exe\\u2066",
    "\udcff": "\\udcff",
    "zero\u200bwidth\ufeff": "zero\\u200bwidth\\ufeff",
}


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_moves_a_cursor_or_forges_a_line_is_shown(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert visible(text) == HOSTILE[text]
    print_error(text)
    assert capsys.readouterr().err == f"surveyor: {HOSTILE[text]}\n"


@pytest.mark.parametrize(
    "text", ["größe", "身長\u3000cm", "می\u200cخواهم", "👩\u200d👧", "1\u00a0000", "a\\b"]
)
def test_people_s_own_writing_is_shown_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_a_file_name_cannot_forge_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["distance", "a\nsurveyor: no difference", "b\x1b[2K"]) == 2
    said = capsys.readouterr().err
    assert all(line.startswith("surveyor: a\\n") for line in said.splitlines())
    assert "\x1b" not in said
