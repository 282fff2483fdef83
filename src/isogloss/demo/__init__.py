"""The whole chain on the embedded phrasebook, in minutes on a CPU: from text to zero-shot scores and a report."""

from __future__ import annotations

from isogloss.demo.chain import DemoSettings, run_demo
from isogloss.demo.report import write_report

__all__ = ["DemoSettings", "run_demo", "write_report"]
