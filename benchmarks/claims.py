"""The claims of the theory, each on five seeds: a file a claim in ``results/claims``."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from benchmarks.common import RESULTS, console
from benchmarks.origin import origin
from surveyor.claims import Outcome, claims, find, judge
from surveyor.claims.gallery import headline, read, sentence, told, write

PLACE = RESULTS / "claims"


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("names", nargs="*", help="all of them where none is named")
    asked.add_argument(
        "--count", type=int, help="of seeds, from 1 on; a claim's own where not given"
    )
    asked.add_argument("--gallery", type=Path, help="folder of pages to write as well")
    asked.add_argument(
        "--judge", action="store_true", help="run nothing: judge the kept figures anew"
    )
    given = asked.parse_args()
    PLACE.mkdir(parents=True, exist_ok=True)
    if given.judge:
        rejudged()
        return
    for name in map(find, given.names or claims()):
        claim = claims()[name]
        outcome, found = judge(name, processes=os.cpu_count() or 1, count=given.count)
        measured = origin("claims") | {"code": outcome.code}
        keep(outcome, measured)
        if given.gallery:
            write(given.gallery, outcome, found)
        console.print(f"{name}: {sentence(outcome, claim)}", highlight=False)
        console.print(f"  {headline(outcome, claim)}; {outcome.seconds:.0f} s", highlight=False)


def rejudged() -> None:
    """Write the kept results with the verdicts of today, and what they were measured with as it was."""
    for path in sorted(PLACE.glob("*.json")):
        kept = json.loads(path.read_text())
        keep(read(kept, path.stem), kept["measured"])


def keep(outcome: Outcome, measured: dict[str, Any]) -> None:
    whole = {"measured": measured, **told(outcome, claims()[outcome.name])}
    (PLACE / f"{outcome.name}.json").write_text(json.dumps(whole, indent=1) + "\n")


if __name__ == "__main__":
    main()
