"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from surveyor.errors import NotWritten
from surveyor.writing import replacing, tidy_files, write_bytes


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    for content in (b"a\n1\n", b"a\n2\n"):
        write_bytes(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_disk_that_refuses_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    path = tmp_path / "old.html"
    path.write_bytes(b"precious")

    def refuse(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(NotWritten, match=r"old\.html: cannot be written: "):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_text("precious")
    with pytest.raises(KeyError), replacing(path) as temporary:
        temporary.write_text("half of")
        raise KeyError
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]


def test_the_neighbour_has_the_endings_by_which_libraries_choose_a_format(tmp_path: Path) -> None:
    path = tmp_path / "pay.v2.csv.gz"
    frame = pd.DataFrame({"pay": [1, 2]})
    with replacing(path) as temporary:
        assert temporary.parent == tmp_path
        frame.to_csv(temporary, index=False)
    assert path.read_bytes()[:2] == b"\x1f\x8b"
    pd.testing.assert_frame_equal(pd.read_csv(path), frame)


@pytest.mark.parametrize("name", ["n" * 251 + ".csv", "n." + "e" * 253, "größe\udcff.csv"])
def test_every_name_that_the_disk_takes(tmp_path: Path, name: str) -> None:
    write_bytes(tmp_path / name, b"x")
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_links_are_replaced_and_not_followed(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.write_bytes(b"precious")
    inside.symlink_to(outside)
    write_bytes(inside, b"new")
    assert outside.read_bytes() == b"precious"
    assert not inside.is_symlink()
    assert inside.read_bytes() == b"new"


def test_a_link_in_the_neighbours_place_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda _: "known")
    outside, path = tmp_path / "outside", tmp_path / "x.json"
    outside.write_bytes(b"precious")
    (tmp_path / ".surveyor-known.json").symlink_to(outside)
    with pytest.raises(NotWritten):
        write_bytes(path, b"new")
    assert outside.read_bytes() == b"precious"
    assert not path.exists()


def test_permissions_stay_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "private.csv"
    write_bytes(path, b"1")
    path.chmod(0o600)
    write_bytes(path, b"2")
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("where", "told"),
    [("absent/x.csv", "folder .*absent does not exist"), ("folder", "a folder has that name")],
)
def test_what_stands_against_writing_is_said(tmp_path: Path, where: str, told: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(NotWritten, match=told):
        write_bytes(tmp_path / where, b"x")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


DIES = """
import os, signal, sys
from pathlib import Path
from surveyor.writing import replacing
with replacing(Path(sys.argv[1])) as made:
    made.write_text("half of")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_leaves_is_removed_by_the_next(tmp_path: Path) -> None:
    path, notes = tmp_path / "x.csv", tmp_path / ".surveyor-notes"
    notes.touch()
    done = subprocess.run([sys.executable, "-c", DIES, str(path)])
    assert done.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 2
    write_bytes(path, b"whole")
    assert sorted(tmp_path.iterdir()) == [notes, path]


def test_a_file_still_being_written_is_not_tidied_away(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with replacing(path) as made:
        made.write_text("whole")
        tidy_files(tmp_path)
    assert path.read_text() == "whole"
