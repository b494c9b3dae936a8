"""Rows that any tool has made, judged by real ones: the evaluation of a run, without a run."""

from surveyor.judgement.judge import Judged, Judgement, judge
from surveyor.judgement.summary import Line, summary

__all__ = ["Judged", "Judgement", "Line", "judge", "summary"]
