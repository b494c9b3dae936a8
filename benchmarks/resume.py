"""Resume: a run killed with SIGKILL at 20 random moments ends as the undisturbed run, byte for byte."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.common import show, write
from benchmarks.page import Found, Row, Section

OPTIONS = ["--steps", "1500", "--measure", "w1:every=25", "--threads", "1", "--batch", "64"]
SOURCE, KILLS = "example:digits", 20


def command(run: Path) -> list[str]:
    words = [sys.executable, "-m", "surveyor", "train"]
    if run.exists():
        return [*words, "--resume", str(run)]
    return [*words, SOURCE, "--condition", "digit", "--out", str(run), *OPTIONS]


def files(run: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(run)): p.read_bytes()
        for p in sorted(run.rglob("*"))
        if p.is_file() and p.name != "timing.jsonl"
    }


def main() -> None:
    random.seed(0)
    with tempfile.TemporaryDirectory() as place:
        whole, broken = Path(place) / "whole" / "run", Path(place) / "broken" / "run"
        whole.parent.mkdir()
        broken.parent.mkdir()
        begun = time.monotonic()
        subprocess.run(command(whole), check=True, capture_output=True)
        seconds = time.monotonic() - begun
        kills, finished, refused = 0, 0, 0
        while kills < KILLS:
            process = subprocess.Popen(
                command(broken), stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            time.sleep(random.uniform(0.3, 3.5 + seconds / 12))
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
            elif process.returncode == 0:
                finished += 1
                if finished > 3:
                    break
            else:
                refused += 1
                print(process.stderr.read().decode() if process.stderr else "")
                break
            process.communicate()
        done = subprocess.run(command(broken), capture_output=True, text=True)
        same = files(whole) == files(broken)
        different = [k for k in files(whole) if files(whole).get(k) != files(broken).get(k)]
    rows = [
        ("kills", kills),
        ("resumes refused", refused),
        ("last exit code", done.returncode),
        ("files that differ", ", ".join(different) or "none"),
        ("undisturbed run, s", f"{seconds:.1f}"),
    ]
    show("Killed at random moments", ("", ""), rows)
    result = {"kills": kills, "refused": refused, "same_bytes": same, "different": different}
    write("resume", {"seeds": [0], **result})
    sys.exit(0 if same and not refused else 1)


def section(found: Found) -> str:
    end = (
        "every file equals that of the uninterrupted run, byte for byte"
        if found["same_bytes"]
        else (f"these files differ: {', '.join(found['different'])}")
    )
    return (
        f"**Resume** (`make bench-resume`): killed with SIGKILL at {found['kills']} random moments, "
        f"{found['refused']} resumes refused; {end}."
    )


def headline(found: Found) -> list[str]:
    same = found["kills"] if found["same_bytes"] else 0
    return [
        "Killed at random moments and resumed: same result as an uninterrupted run, byte for byte",
        f"**{same} of {found['kills']}**",
        f"{found['refused']} resumes refused",
    ]


SECTION = Section(50, section, Row(4, headline))


if __name__ == "__main__":
    main()
