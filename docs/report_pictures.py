"""Draw docs/images/report-*.png: parts of report pages as a browser shows them.

``python docs/report_pictures.py CURVES GRID``, with the pages of the experiments
``docs/images/report-curves.toml`` and ``report-grid.toml``::

    for part in curves grid; do
        ladtl experiment docs/images/report-$part.toml --out $part
        ladtl report $part --out $part.html --title "Synthetic demo corpus"
    done
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Literal, NamedTuple

from PIL import Image

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from browser import Browser, open_browser

WIDTH = 1200
COLOURS = 96  # of the palette, which makes the files a third of their size
MARGIN = 24


class Picture(NamedTuple):
    """A part of a page: from the top of the first element to the end of the last one."""

    name: str
    page: int
    scheme: Literal["light", "dark"]
    first: str
    last: str


PICTURES = (
    Picture("report-light", 0, "light", "header", "#results .wide"),
    Picture("report-dark", 0, "dark", "#learning h2", "#learning figure"),
    Picture("report-grid", 1, "light", "#grid h2", "#grid figure"),
)


def draw(browser: Browser, page: Path, picture: Picture) -> bytes:
    """The picture as a small PNG."""
    browser.show(page, width=WIDTH, scheme=picture.scheme)
    script = "return arguments[0].map(e => document.querySelector(e).getBoundingClientRect())"
    first, last = browser.run(script, [picture.first, picture.last])
    top = max(0, first["top"] - MARGIN)
    raw = browser.picture(x=0, y=top, width=WIDTH, height=last["bottom"] + MARGIN / 2 - top)
    image = Image.open(io.BytesIO(raw)).convert("RGB")
    small = io.BytesIO()
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


if __name__ == "__main__":
    pages = [Path(name).resolve() for name in sys.argv[1:]]
    with open_browser() as browser:
        for picture in PICTURES:
            path = Path(__file__).with_name("images") / f"{picture.name}.png"
            path.write_bytes(draw(browser, pages[picture.page], picture))
