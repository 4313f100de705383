"""Draw docs/images/explain-lattice.png: the lattice of a page of ``ladtl audit explain``.

``python docs/explain_picture.py PAGE``, with a page of the model and the corpus of ``make demo``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from report_pictures import Picture, draw, open_browser

LATTICE = Picture("explain-lattice", 0, "light", "#explain h2", "#explain figure")

if __name__ == "__main__":
    with open_browser() as browser:
        drawn = draw(browser, Path(sys.argv[1]).resolve(), LATTICE)
    Path(__file__).with_name("images").joinpath(f"{LATTICE.name}.png").write_bytes(drawn)
