r"""Draw docs/images/review-*.png and differences.png: pages as a browser shows them.

``python docs/review_pictures.py REVIEW DIFFERENCES``, on a machine with a font that has Chinese,
with pages of the model and the corpus of ``make demo``::

    cd demo-run
    ladtl tag --model la-dtl/best.safetensors --from conll corpus/gastroenterology/test.txt \
        -o predicted.txt
    ladtl review la-dtl corpus/gastroenterology/dev.txt --format conll \
        --title "Notes of gastroenterology" --out review.html
    ladtl score corpus/gastroenterology/test.txt predicted.txt --html differences.html
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Literal, NamedTuple

from PIL import Image
from selenium.webdriver import ActionChains, Keys

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from browser import Browser, open_browser

COLOURS = 256  # of the palette, which makes the files half of their size
FOCUS = "document.querySelector('article.active')?.focus()"


class Picture(NamedTuple):
    """A page as a screen shows it after some keys."""

    name: str
    page: int
    scheme: Literal["light", "dark"]
    width: int
    height: int
    keys: tuple[str, ...] = ()


WORK = ("a", Keys.ENTER, "a", Keys.ENTER, "8")
PICTURES = (
    Picture("review-light", 0, "light", 1200, 860, WORK),
    Picture("review-dark", 0, "dark", 1200, 860, WORK),
    Picture("review-narrow", 0, "light", 400, 860, WORK),
    Picture("differences", 1, "light", 1000, 720),
)


def draw(browser: Browser, page: Path, picture: Picture) -> bytes:
    """The picture as a small PNG."""
    browser.show(page, width=picture.width, scheme=picture.scheme)
    sizes = {"width": picture.width, "height": picture.height, "deviceScaleFactor": 1}
    browser.command("Emulation.setDeviceMetricsOverride", **sizes, mobile=False)
    browser.run("localStorage.clear()")
    browser.driver.refresh()
    browser.run(FOCUS)
    for key in picture.keys:
        ActionChains(browser.driver).send_keys(key).perform()
    # the second frame has what the first one laid out
    browser.driver.execute_async_script(
        "requestAnimationFrame(() => requestAnimationFrame(() => arguments[0]()))"
    )
    image = Image.open(io.BytesIO(browser.screen())).convert("RGB")
    small = io.BytesIO()
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


if __name__ == "__main__":
    pages = [Path(name).resolve() for name in sys.argv[1:]]
    with open_browser() as browser:
        for picture in PICTURES:
            path = Path(__file__).with_name("images") / f"{picture.name}.png"
            path.write_bytes(draw(browser, pages[picture.page], picture))
