"""Checks documents without running them: what would go wrong on a call is told by line and by rule."""

from vxml.checking.check import check
from vxml.checking.finding import RULES, Finding, Missing, Read

__all__ = ["RULES", "Finding", "Missing", "Read", "check"]
