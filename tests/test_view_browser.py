"""Pages with marked texts in a real browser: what is shown, and that it can be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("selenium", reason="selenium is not installed")

from browser import Browser, missing_programs, open_browser
from page_scripts import CONTRAST, OVERFLOW
from selenium.webdriver import ActionChains, Keys

from ladtl_np.corpus.document import Document
from ladtl_np.corpus.formats import html
from ladtl_np.pages.compared import write_compared

_MISSING = missing_programs()
pytestmark = pytest.mark.skipif(
    bool(_MISSING), reason=f"{' and '.join(_MISSING)} not found on this machine"
)
WORDS = [f"word{n:02}" for n in range(40)]
TEXT = " ".join(WORDS)
SPANS = tuple((7 * n, 7 * n + 6, f"Kind{n:02}") for n in range(0, 40, 2))
GOLD = Document(TEXT, SPANS, probabilities=tuple(n / 20 for n in range(20)))
PREDICTED = Document(
    TEXT,
    (
        SPANS[0],
        *((start, end, "Other") for start, end, _ in SPANS[1:5]),
        *((start, end + 3, kind) for start, end, kind in SPANS[5:9]),
        (SPANS[9][0], SPANS[9][1] + 1, "Other"),
        *((end + 2, end + 5, kind) for _, end, kind in SPANS[12:16]),
    ),
)
SHOWN = "return [...document.querySelectorAll('article')].map(e => e.checkVisibility())"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A page of texts with probabilities, and one of differences."""
    folder = tmp_path_factory.mktemp("pages")
    rtl = Document("כאב ראש", ((0, 3, "Sign"),), probabilities=(0.3,))
    (folder / "texts.html").write_text("".join(html.write([GOLD, rtl])), "utf-8")
    missed = replace(rtl, entities=(), probabilities=None)
    pairs = [(GOLD, PREDICTED), (rtl, rtl), (rtl, missed)]
    (folder / "differences.html").write_text("".join(write_compared(pairs, "a against b")), "utf-8")
    return sorted(folder.iterdir())


def test_marks_have_contrast_in_light_and_dark_on_narrow_pages_too(
    browser: Browser, pages: list[Path]
) -> None:
    for page in pages:
        for scheme in ("light", "dark"):
            browser.show(page, scheme=scheme, width=400)  # type: ignore[arg-type]
            texts, bad = browser.run(CONTRAST)
            assert (texts > 40, bad) == (True, []), (page, scheme)
            assert browser.run(OVERFLOW) == [0, []], page
            assert browser.messages() == []
            assert browser.requests() == [page.as_uri()]


def test_marks_keep_their_text_and_names_in_forced_colours(
    browser: Browser, pages: list[Path]
) -> None:
    browser.show(pages[1])
    forced = [{"name": "forced-colors", "value": "active"}]
    browser.command("Emulation.setEmulatedMedia", media="", features=forced)
    colours = """
    const style = getComputedStyle(document.querySelector(arguments[0]));
    return [style.color, style.backgroundColor];
    """
    ink, paper = browser.run(colours, "body")
    for mark in ("article mark.p0", "article mark.p3"):
        assert browser.run(colours, mark) == [ink, paper]
        assert browser.run(colours, f"{mark} small")[0] == ink


def test_differences_are_chosen_by_keyboard_without_a_script(
    browser: Browser, pages: list[Path]
) -> None:
    browser.show(pages[0])
    assert browser.run(SHOWN) == [True, False, True]
    browser.run("document.querySelector(':checked').focus()")
    for key, wanted in (
        (Keys.ARROW_UP, [True, True, True]),
        (Keys.ARROW_DOWN, [True, False, True]),
        (Keys.ARROW_DOWN, [True, True, False]),  # right
        (Keys.ARROW_DOWN, [True, False, True]),  # missed
        (Keys.ARROW_DOWN, [True, False, False]),  # spurious
    ):
        ActionChains(browser.driver).send_keys(key).perform()
        assert browser.run(SHOWN) == wanted


def test_a_number_is_shown_where_it_is_not_sure_and_there_for_all_who_listen(
    browser: Browser, pages: list[Path]
) -> None:
    browser.show(pages[1])
    script = """
    return [...document.querySelectorAll('article mark small span')].map(
      e => [e.textContent.trim(), e.getBoundingClientRect().width > 2]);
    """
    seen = browser.run(script)
    assert seen[:3] == [["0 %", True], ["5 %", True], ["10 %", True]]
    assert ["85 %", True] in seen
    assert ["95 %", False] in seen
    assert len(seen) == 21
    heard = [name.strip() for role, name in browser.heard() if role == "StaticText"]
    assert {"Kind00", "0 %", "95 %"} <= {*heard}
