"""The run folder, and the session that trains into it."""

from surveyor.run.answering import answer, answered
from surveyor.run.folder import (
    Run,
    described,
    fingerprint,
    keep_evaluation,
    load,
    own_data,
    read_history,
    refuse_existing,
    same_data,
)
from surveyor.run.parity import with_parity
from surveyor.run.sampling import draw_samples
from surveyor.run.scoring import scored
from surveyor.run.session import Session, resume, start
from surveyor.run.walking import walk

__all__ = [
    "Run",
    "Session",
    "answer",
    "answered",
    "described",
    "draw_samples",
    "fingerprint",
    "keep_evaluation",
    "load",
    "own_data",
    "read_history",
    "refuse_existing",
    "resume",
    "same_data",
    "scored",
    "start",
    "walk",
    "with_parity",
]
