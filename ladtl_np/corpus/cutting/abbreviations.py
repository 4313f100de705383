"""Words of English that tell whether a period ends a sentence."""

from __future__ import annotations

__all__ = ["BEFORE_NUMBERS", "NEVER_LAST", "OPENERS"]

OPENERS = frozenset(
    "The A An This That These Those He She It We They You I There Here His Her Its Our Their My "
    "In On At For From By With To As If When While After Before Since During Although Though "
    "However But And Or So Then Also No Not Both All Some Many Most Each What Who Why How Where "
    "Patient Patients".split()
)
"""Capitalised words that open a sentence more often than they belong to a name."""

NEVER_LAST = frozenset(
    "dr mr mrs ms mx prof rev hon gen col lt sgt capt cmdr gov sen rep st mt ft messrs mme "
    "vs cf eg ie viz approx ed eds al ca pt pts hx dx tx rx "
    "resp dept est tel ext".split()
)
"""Abbreviations that something follows, in lower case and without periods."""

BEFORE_NUMBERS = frozenset("no nos fig figs tab eq eqs sec ch vol pp p art".split())
"""Abbreviations if a number follows; some are words as well."""
