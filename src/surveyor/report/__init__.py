"""The report: one self-contained HTML file that works offline."""

from surveyor.report.build import STRIP, build_report, strip

__all__ = ["STRIP", "build_report", "strip"]
