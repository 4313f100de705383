"""Fonts of this machine for what matplotlib's own font cannot write; only PNGs need them.

A browser finds such fonts for the page and the SVGs by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

__all__ = ["OWN", "Choice", "Fonts"]

OWN = "DejaVu Sans"
"""The family of all figures; it comes with matplotlib."""
_BOXES = "Last Resort"  # has a box for every character, with the name of its script


class Choice(NamedTuple):
    """Families that have some characters, in order, and the characters that none has."""

    families: tuple[str, ...]
    missing: frozenset[str]


class Fonts:
    """Chooses families for characters, equal ones for equal characters on one machine."""

    def __init__(self) -> None:
        self._known: dict[frozenset[str], Choice] = {}
        self._searched = False

    def complete(self, drawing: Drawing) -> tuple[str, ...]:
        """Give the names in a drawing what fonts they need; return those that stay incomplete."""
        from matplotlib.text import Text

        texts: list[Any] = drawing.findobj(Text)
        characters = {c for text in texts for c in text.get_text()}
        lacking = frozenset(characters - _drawn_by(OWN, characters))
        if not lacking:
            return ()
        choice = self.choose(lacking)
        for text in texts:
            if not lacking.isdisjoint(text.get_text()):
                text.set_fontfamily([OWN, *choice.families])
        names = (text.get_text() for text in texts)
        return tuple(sorted({name for name in names if not choice.missing.isdisjoint(name)}))

    def choose(self, characters: frozenset[str]) -> Choice:
        """Choose families, those that have the most characters first.

        Among families with equally many, one without serifs is taken, then the first by name.
        """
        if characters not in self._known:
            choice = _cover(characters)
            if choice.missing and not self._searched:
                self._searched = True
                _add_new_fonts()
                choice = _cover(characters)
            self._known[characters] = choice
        return self._known[characters]


def _cover(characters: frozenset[str]) -> Choice:
    found = {family: _drawn_by(family, set(characters)) for family in _families()}
    chosen: list[str] = []
    missing = set(characters)
    while missing:
        family = min(
            found, key=lambda name: (-len(found[name] & missing), "Sans" not in name, name)
        )
        if not found[family] & missing:
            break
        chosen.append(family)
        missing -= found[family]
    return Choice(tuple(chosen), frozenset(missing))


def _families() -> Iterator[str]:
    from matplotlib.font_manager import fontManager

    names = sorted({entry.name for entry in fontManager.ttflist})
    return (name for name in names if not name.startswith(_BOXES))


def _drawn_by(family: str, characters: set[str]) -> set[str]:
    """Which characters the font of a family can draw; none where it cannot be used at all."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    try:
        where = FontProperties(family=[family])
        font = get_font(findfont(where, fallback_to_default=False, rebuild_if_missing=False))
        font.set_size(9, 100)
        has = {c for c in characters if font.get_char_index(ord(c))}
        for character in has:
            font.load_char(ord(character))  # fails for fonts of coloured pictures
    except Exception:  # a damaged font fails in many ways
        return set()
    return has


def _add_new_fonts() -> None:
    """Make fonts known that were installed after matplotlib made its list."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    known = {entry.fname for entry in fontManager.ttflist}
    for path in sorted(set(findSystemFonts()) - known):
        try:
            fontManager.addfont(path)
        except Exception:  # a damaged font fails in many ways
            continue
