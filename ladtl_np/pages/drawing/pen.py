"""Drawings by matplotlib that are the same every time and fit light and dark pages."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from ladtl_np.errors import UsageError
from ladtl_np.pages.content import Figure
from ladtl_np.pages.drawing.fonts import OWN, Fonts

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

__all__ = ["INK", "Pen", "require_libraries"]

INK = "#26292e"
"""Colour of text and axes; in SVG it becomes the colour of the text around the figure."""
_COLOURS = (
    *("#3f87c9", "#d06a28", "#37965a", "#8a6fd1", "#cf4a4a"),
    *("#a8861a", "#1f9595", "#cc6a9f", "#7f8c8d", "#a0673c"),
)
"""Each has a contrast of 3 or more with the light and the dark page."""
_LEAST = 0.8
"""Below this part of its size a figure scrolls rather than shrinks: its text would be too small."""
_LINES = ("-", "--", ":", "-.")
_SVG = "http://www.w3.org/2000/svg"
_LINK = "http://www.w3.org/1999/xlink"
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_SETTINGS: dict[str, Any] = {
    **{"svg.hashsalt": "ladtl_np", "svg.fonttype": "none", "text.parse_math": False},
    **{"text.usetex": False, "font.family": ["sans-serif"], "font.size": 9.0},
    **{"font.sans-serif": [OWN], "axes.formatter.use_mathtext": False},
    **{"text.color": INK, "axes.edgecolor": INK, "axes.labelcolor": INK},
    **{"axes.titlecolor": INK, "xtick.color": INK, "ytick.color": INK},
    **{"grid.color": INK, "grid.alpha": 0.15, "axes.titlesize": 10.0},
    **{"axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False},
    **{"figure.constrained_layout.use": True},
}


def require_libraries() -> None:
    """Raise `UsageError` where matplotlib or Jinja is missing, which every page needs."""
    try:
        import jinja2  # noqa: F401
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise UsageError(
            f"a page needs matplotlib and jinja2 ({error}): pip install 'ladtl-np[report]'"
        ) from None


class Pen:
    """Turns drawings into figures, and gives each method the same look in all of them.

    Parameters
    ----------
    methods
        Every method that may be drawn, in order.
    png
        Whether figures are wanted as PNG as well.
    """

    def __init__(self, methods: Sequence[str], *, png: bool = False) -> None:
        self._order = [*reversed(methods)]  # la-dtl is the last one, and always looks the same
        self._png = png
        self._fonts = Fonts()
        self._ending = ""

    def style(self, name: str) -> dict[str, Any]:
        """Colour and line of a method, or of a row that is named after it."""
        if name not in self._order:
            self._order.append(name)
        number = self._order.index(name)
        turn, place = divmod(number, len(_COLOURS))
        return {"color": _COLOURS[place], "linestyle": _LINES[(number + turn) % len(_LINES)]}

    @staticmethod
    def colour(number: int) -> str:
        """Colour of the n-th thing that is no method."""
        return _COLOURS[number % len(_COLOURS)]

    @contextmanager
    def page(self, width: float, height: float) -> Iterator[Drawing]:
        """Open a drawing under our settings, whatever those of the user are."""
        import matplotlib as mpl
        from matplotlib.figure import Figure as Drawing

        with mpl.rc_context(), warnings.catch_warnings():
            # names of other scripts: a browser has fonts for them, and `finish` looks for some
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
            settings: Any = mpl.rcParams
            settings.update(mpl.rcParamsDefault)
            settings.update(_SETTINGS)
            yield Drawing(figsize=(width, height))

    @contextmanager
    def ending(self, ending: str) -> Iterator[None]:
        """End the names of figures so, where a page has the same ones several times."""
        before, self._ending = self._ending, ending
        try:
            yield
        finally:
            self._ending = before

    def finish(self, drawing: Drawing, name: str, caption: str) -> Figure:
        """Write a drawing as SVG, and as PNG where it is wanted; call it within `page`."""
        text = io.StringIO()
        drawing.savefig(text, format="svg", transparent=True, metadata={"Date": None})
        image = io.BytesIO()
        boxes: tuple[str, ...] = ()
        if self._png:
            boxes = self._fonts.complete(drawing)  # after the SVG, which no font here may change
            none = {"Software": None}
            drawing.savefig(image, format="png", dpi=130, facecolor="white", metadata=none)
        name += self._ending
        svg = tidy_svg(text.getvalue(), name, caption)
        return Figure(name, caption, svg, image.getvalue(), boxes)


def tidy_svg(text: str, name: str, caption: str) -> str:
    """Make matplotlib's SVG fit for standing inside a page among others.

    Ids start with the figure's name, ink takes the colour of the text around it, and metadata, with
    its addresses, and the style sheet, which would hold for the whole page, go.
    """
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _LINK)
    root = ElementTree.fromstring(text)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
                parent.remove(child)
    ids: set[str] = set()
    for element in root.iter():
        for key, value in element.attrib.items():
            if key == "id":
                value = f"{name}-{value}"
                while value in ids:  # two equal images
                    value += "-again"
                ids.add(value)
            elif key.endswith("href") and value.startswith("#"):
                value = f"#{name}-{value[1:]}"
            else:
                value = _REFERENCE.sub(rf"url(#{name}-\1)", value).replace(INK, "currentColor")
            element.set(key, value)
    width = root.attrib.pop("width")
    del root.attrib["height"]
    least = f"{_LEAST * float(width.removesuffix('pt')):g}pt"
    sizes = f"max-width: {width}; min-width: {least}"
    root.set("style", f"stroke-linejoin: round; stroke-linecap: butt; {sizes}")
    root.set("role", "img")
    title = ElementTree.Element(f"{{{_SVG}}}title")
    title.text = caption
    root.insert(0, title)
    return ElementTree.tostring(root, encoding="unicode")
