"""Drawings that are written as SVG without matplotlib: elements, sizes of text, a whole figure.

Text takes the colour of what is around it; colours are those of the pen, which light and dark pages
bear. Whatever text is given is escaped, and shortened where it has to fit.
"""

from __future__ import annotations

import unicodedata
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from ladtl_np.pages.content import Figure, visible

__all__ = ["add", "finished", "fitting", "group", "root", "text_width"]

_SVG = "http://www.w3.org/2000/svg"
_LEAST = 0.85
"""Below this part of its size a drawing scrolls: its text would be too small."""
_NARROW = frozenset("ijlI.,:;'|!()[]{}`- ")
_WIDE = frozenset("mwMW@%…")


def root() -> Element:
    """An empty drawing; coordinates are pixels."""
    return Element("svg", {"xmlns": _SVG})


def add(parent: Element, kind: str, text: str = "", /, **attributes: str | float) -> Element:
    """Put an element into another; ``stroke_width=2`` is the attribute ``stroke-width="2"``."""
    values = {name.rstrip("_").replace("_", "-"): _value(v) for name, v in attributes.items()}
    element = ElementTree.SubElement(parent, kind, values)
    element.text = text or None
    return element


def group(parent: Element, **attributes: str | float) -> Element:
    """A group whose attributes hold for all that is put into it."""
    return add(parent, "g", **attributes)


def _value(value: str | float) -> str:
    return value if isinstance(value, str) else f"{round(value, 2):g}"


def text_width(text: str, size: float) -> float:
    """About how wide a text is, in pixels, in a font without serifs of so many pixels."""
    return size * sum(map(_ems, text))


def _ems(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return 1.05
    if character in _NARROW:
        return 0.38
    if character in _WIDE:
        return 1.0
    return 0.72 if character.isupper() else 0.62


def fitting(text: str, size: float, width: float) -> str:
    """Make a text safe to show, and cut it with an ellipsis where it is wider than so much."""
    plain = visible(text)
    if text_width(plain, size) <= width:
        return plain
    room = width - text_width("…", size)
    kept = []
    for character in plain:
        room -= text_width(character, size)
        if room < 0:
            break
        kept.append(character)
    return "".join(kept) + "…"


def finished(drawing: Element, name: str, caption: str, width: float, height: float) -> Figure:
    """Make a figure of a drawing that is so many pixels large; the caption is its name, too."""
    drawing.set("viewBox", f"0 0 {_value(width)} {_value(height)}")
    drawing.set("role", "img")
    sizes = f"max-width: {_value(width)}px; min-width: {_value(_LEAST * width)}px"
    drawing.set("style", f"font-family: system-ui, sans-serif; {sizes}")
    title = Element("title")
    title.text = visible(caption)
    drawing.insert(0, title)
    return Figure(name, caption, ElementTree.tostring(drawing, encoding="unicode"))
