"""The run folder, and the training session that writes it."""

from surveyor.run.answering import answer, answered
from surveyor.run.begin import privacy_of, resume, start
from surveyor.run.filling import Show, imputed, predicted, silent
from surveyor.run.folder import (
    Run,
    completed,
    fingerprint,
    keep_evaluation,
    load,
    other_modules,
    own_data,
    read_history,
    refuse_existing,
    resume_command,
    same_data,
)
from surveyor.run.lock import Lock
from surveyor.run.opening import opened
from surveyor.run.parity import with_parity
from surveyor.run.reading import other_data, read_for, trained_on
from surveyor.run.sampling import PART, draw_parts, draw_samples
from surveyor.run.scoring import scored
from surveyor.run.session import Session, threads, with_calibration
from surveyor.run.temporary import Temporary
from surveyor.run.walking import walk

__all__ = [
    "PART",
    "Lock",
    "Run",
    "Session",
    "Show",
    "Temporary",
    "answer",
    "answered",
    "completed",
    "draw_parts",
    "draw_samples",
    "fingerprint",
    "imputed",
    "resume_command",
    "keep_evaluation",
    "load",
    "opened",
    "other_data",
    "other_modules",
    "own_data",
    "predicted",
    "privacy_of",
    "read_for",
    "read_history",
    "refuse_existing",
    "resume",
    "same_data",
    "scored",
    "silent",
    "start",
    "threads",
    "trained_on",
    "walk",
    "with_calibration",
    "with_parity",
]
