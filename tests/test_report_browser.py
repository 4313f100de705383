"""The report's page in a real browser: it asks nothing of anybody, and can be read by everybody."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("selenium", reason="selenium is not installed")

from browser import Browser, missing_programs, open_browser
from page_scripts import (
    CONTRAST,
    HIDDEN,
    INJECT,
    LETTERS,
    LINES,
    OPEN_ALL,
    OUTLINE,
    OVERFLOW,
)
from page_server import noting_server
from report_pages import LONG, full_report
from selenium.webdriver import ActionChains, Keys

_MISSING = missing_programs()
pytestmark = pytest.mark.skipif(
    bool(_MISSING), reason=f"{' and '.join(_MISSING)} not found on this machine"
)
NARROW, PAPER, WIDE = 400, 718, 1280


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with every section, none left out."""
    folder = tmp_path_factory.mktemp("browser")
    report = full_report(folder)
    assert [section.missing for section in report.sections if section.missing] == []
    path = folder / "report.html"
    path.write_text(report.html(), "utf-8")
    return path


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """A server on this machine: its address, and what it was asked for."""
    with noting_server() as server:
        yield server


def injected(browser: Browser, address: str) -> bool:
    """Whether a script of the page ran after everything of `INJECT` was put into it."""
    browser.driver.set_script_timeout(10)
    return bool(browser.driver.execute_async_script(INJECT, address))


# --- nothing leaves


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_the_only_request_and_the_console_stays_empty(
    browser: Browser, page: Path, scheme: Any
) -> None:
    browser.show(page, scheme=scheme)
    browser.run(OPEN_ALL)
    assert browser.messages() == []
    assert [u for u in browser.requests() if not u.startswith("data:")] == [page.as_uri()]


def test_whatever_gets_into_the_page_neither_runs_nor_calls_anybody(
    browser: Browser, page: Path, server: tuple[str, list[str]]
) -> None:
    address, asked = server
    browser.show(page)
    assert injected(browser, address) is False
    assert asked == []
    refused = "\n".join(browser.messages())
    for directive in ("script-src", "img-src", "frame-src", "style-src", "form-action"):
        assert directive in refused
    assert browser.driver.current_url == page.as_uri()


def test_without_the_policy_it_would(
    browser: Browser, page: Path, server: tuple[str, list[str]], tmp_path: Path
) -> None:
    address, asked = server
    open_page = tmp_path / "open.html"
    text, count = re.subn('<meta http-equiv="Content-Security-Policy".*?>', "", page.read_text())
    assert count == 1
    open_page.write_text(text, "utf-8")
    browser.show(open_page)
    injected(browser, address)
    wanted = {"/image", "/script", "/style", "/background"}
    latest = time.monotonic() + 10
    while not wanted <= set(asked) and time.monotonic() < latest:
        time.sleep(0.05)  # a background is asked for when it is painted
    assert wanted <= set(asked)


# --- it can be read


def test_light_and_dark_differ_and_text_has_contrast_in_both(browser: Browser, page: Path) -> None:
    colours = {}
    for scheme in ("light", "dark"):
        browser.show(page, scheme=scheme)
        browser.run(OPEN_ALL)
        texts, bad = browser.run(CONTRAST)
        assert texts > 500
        assert bad == [], scheme
        colours[scheme] = body_colours(browser)
    (paper, ink), (dark_paper, dark_ink) = colours["light"], colours["dark"]
    assert (paper > ink, dark_paper > dark_ink) == (True, False)


def body_colours(browser: Browser) -> tuple[int, int]:
    """How light the background and the text of the page are."""
    script = "const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]"
    paper, ink = (sum(map(int, re.findall(r"\d+", c)[:3])) for c in browser.run(script))
    return paper, ink


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_wide_things_scroll_in_their_own_place_and_everything_has_a_size(
    browser: Browser, page: Path, width: int
) -> None:
    browser.show(page, width=width)
    browser.run(OPEN_ALL)
    assert browser.run(OVERFLOW) == [0, []]
    assert browser.run(HIDDEN) == []


def test_words_of_a_table_are_whole(browser: Browser, page: Path) -> None:
    browser.show(page, width=NARROW)
    browser.run(OPEN_ALL)
    for word in ("target", "NonphysiologicalStructure"):
        assert set(browser.run(LINES, word)) == {1}, word


def test_text_of_figures_is_large_enough_on_a_telephone(browser: Browser, page: Path) -> None:
    browser.show(page, width=NARROW)
    assert browser.run(LETTERS, "#learning") > 9
    assert browser.run(LETTERS, "#confusion") > 6


def test_it_prints_in_black_on_white_whatever_the_screen_shows(
    browser: Browser, page: Path
) -> None:
    browser.show(page, scheme="dark", media="print", width=PAPER)
    assert body_colours(browser) == (3 * 255, 0)
    assert browser.run(CONTRAST)[1] == []
    assert browser.run(OVERFLOW) == [0, []]
    pages = re.findall(rb"/Type\s*/Page\b", browser.printed())
    assert 3 <= len(pages) <= 40


# --- by keyboard, and for screen readers


def press(browser: Browser, key: str) -> None:
    """Press a key where the focus is."""
    ActionChains(browser.driver).send_keys(key).perform()


def test_the_outline_holds(browser: Browser, page: Path) -> None:
    browser.show(page)
    outline = browser.run(OUTLINE)
    levels = outline["levels"]
    assert outline["language"] == "en"
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert min(outline[name] for name in ("figures", "tables", "details")) >= 5
    assert [outline[name] for name in ("unnamed", "bare", "unscoped")] == [0, 0, 0]
    assert LONG in browser.driver.title


def test_contents_lead_to_sections(browser: Browser, page: Path) -> None:
    browser.show(page)
    outline = browser.run(OUTLINE)
    assert len(outline["anchors"]) == 13
    assert {anchor.removeprefix("#") for anchor in outline["anchors"]} <= set(outline["ids"])
    assert len(set(outline["ids"])) == len(outline["ids"])
    browser.run("document.querySelector('nav a:last-of-type').focus()")
    press(browser, Keys.ENTER)
    assert browser.run("return location.hash") == outline["anchors"][0]


def test_folded_tables_open_by_keyboard(browser: Browser, page: Path) -> None:
    browser.show(page)
    for key in (Keys.ENTER, Keys.SPACE):
        browser.run(
            "document.querySelectorAll('details').forEach(e => e.open = false);"
            "document.querySelector('#results summary').focus()"
        )
        press(browser, key)
        assert browser.run("return document.querySelector('#results details').open")
    table = "return document.querySelector('#results details table').getClientRects()[0].height"
    assert browser.run(table) > 20
