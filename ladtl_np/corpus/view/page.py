"""What pages with marked texts have in common: their head, and the look of each type."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from itertools import pairwise

from ladtl_np.corpus.view.marks import LEVELS, Mark, level_of, percent, safe
from ladtl_np.printable import shown

__all__ = ["HUES", "LINES", "Palette", "page_end", "page_start", "style_sheet"]

HUES = (210, 20, 140, 270, 50, 330, 180, 0, 90, 300)
"""Hues of the types in the order in which they are met; lines under them tell more types."""
LINES = ("solid", "dashed", "dotted", "double")

_HEAD = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
"""


@cache
def style_sheet() -> str:
    """The style of marks and of what stands around them, with a class for each hue and line."""
    found = (files("ladtl_np.corpus.view") / "marks.css").read_text(encoding="utf-8")
    hues = "".join(f".t{n} {{ --h: {hue}; }}\n" for n, hue in enumerate(HUES))
    lines = "".join(f".u{n} {{ border-bottom-style: {line}; }}\n" for n, line in enumerate(LINES))
    return found + hues + lines


def page_start(title: str, *, style: str = "", language: str = "und") -> str:
    """Head of a page that needs nothing from elsewhere and runs nothing; its body is open."""
    return _HEAD.format(language=language, title=safe(title), style=style_sheet() + style)


def page_end() -> str:
    """End of a page."""
    return "</body>\n</html>\n"


class Palette:
    """How each type looks; types are numbered as they are met."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def classes(self, kind: str) -> str:
        """Classes of the hue and the line of a type."""
        number = self._numbers.setdefault(kind, len(self._numbers))
        return f"t{number % len(HUES)} u{number // len(HUES) % len(LINES)}"

    def mark(self, start: int, end: int, kind: str, probability: float | None = None) -> Mark:
        """Mark of an entity, shaded by how probable it is where that is known."""
        name, style = shown(kind), self.classes(kind)
        if probability is None:
            return Mark(start, end, style, kind, name)
        style += f" p{level_of(probability)}"
        title = f"{name}, probability {probability:.4f}"
        return Mark(start, end, style, kind, name, percent(probability), title)

    def swatch(self, kind: str) -> str:
        """The type's name as its entities look."""
        return f'<mark class="{self.classes(kind)}">{safe(shown(kind))}</mark>'

    @staticmethod
    def shades() -> str:
        """A legend of the shades."""
        bounds = [*(f"{100 * least:g}" for least in LEVELS)]
        ranges = [f"under {bounds[0]} %", *(f"{a}–{b} %" for a, b in pairwise(bounds))]
        ranges.append(f"{bounds[-1]} % or more")
        return "  ".join(
            f'<mark class="t0 u0 p{level}">{told}</mark>' for level, told in enumerate(ranges)
        )
