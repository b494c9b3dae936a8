"""The report: a self-contained HTML file that works offline."""

from surveyor.report.build import build_report

__all__ = ["build_report"]
