"""Review pages for the tests, and what a reader does on one: real keys, clicks and files."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from browser import Browser
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.actions.action_builder import ActionBuilder

from ladtl_np.pages.review import ReviewSentence, build_page

__all__ = ["Reader", "sentence", "write_page"]


def sentence(
    text: str, *entities: tuple[str, str, float], number: int = 1, document: str = "a.txt"
) -> ReviewSentence:
    """A sentence of words parted by single spaces; entities by their words, type, probability."""
    tokens, at = [], 0
    for word in text.split(" "):
        tokens.append((at, at + len(word)))
        at += len(word) + 1
    spans = []
    for words, kind, probability in entities:
        start = text.index(words)
        first = next(n for n, (begin, _) in enumerate(tokens) if begin == start)
        spans.append((first, first + len(words.split(" ")), kind, probability))
    spans.sort()
    return ReviewSentence(
        document,
        number,
        text,
        tuple(tokens),
        tuple((first, last, kind) for first, last, kind, _ in spans),
        tuple(p for *_, p in spans),
        min((p for *_, p in spans), default=None),
    )


def write_page(path: Path, sentences: Sequence[ReviewSentence], **options: Any) -> Path:
    """Write a page; certainties are known unless it is said otherwise."""
    page = build_page(
        sentences, **{"title": "Notes", "measure": "least", "file": "out.jsonl"} | options
    )
    path.write_text(page, "utf-8")
    return path


class Reader:
    """Somebody in front of a page.

    Parameters
    ----------
    browser
        Shows the page.
    folder
        Where exports go; empty.
    """

    def __init__(self, browser: Browser, folder: Path) -> None:
        self.browser, self.folder = browser, folder
        folder.mkdir(exist_ok=True)
        browser.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))

    def open(self, page: Path, *, fresh: bool = True, **how: Any) -> None:
        """Open a page, by default as if for the first time, with the focus on a sentence."""
        if fresh:
            self.browser.command(
                "Storage.clearDataForOrigin", origin="file://", storageTypes="local_storage"
            )
        self.browser.show(page, **how)
        self.browser.run("document.querySelector('article.active').focus()")

    def keys(self, *keys: str) -> None:
        """Press keys one after the other."""
        actions = ActionChains(self.browser.driver, duration=0)
        for key in keys:
            actions.send_keys(key)
        actions.perform()

    def shifted(self, *keys: str) -> None:
        """Press keys while Shift is down."""
        actions = ActionChains(self.browser.driver, duration=0).key_down(Keys.SHIFT)
        for key in keys:
            actions.send_keys(key)
        actions.key_up(Keys.SHIFT).perform()

    def click(self, selector: str) -> None:
        self.browser.driver.find_element("css selector", selector).click()

    def draw(self, selector: str, first: int, last: int) -> None:
        """Draw the mouse from one element to another, also where they are drawn anew meanwhile."""
        script = """
        return [...document.querySelectorAll(arguments[0])].map((e) => e.getClientRects()[0])
          .map((box) => [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)]);
        """
        places = self.browser.run(script, selector)
        mouse = ActionBuilder(self.browser.driver, duration=0)
        mouse.pointer_action.move_to_location(*places[first]).pointer_down()
        for place in places[first + 1 : last + 1]:
            mouse.pointer_action.move_to_location(*place)
        mouse.pointer_action.pointer_up()
        mouse.perform()

    def told(self) -> str:
        """What who listens heard last."""
        return self.text("#heard")

    def hears(self, wanted: str) -> None:
        """Wait until the page says something; files are read when the browser likes."""
        latest = time.monotonic() + 10
        while self.told() != wanted and time.monotonic() < latest:
            time.sleep(0.02)
        assert self.told() == wanted

    def text(self, selector: str) -> str:
        return str(
            self.browser.run("return document.querySelector(arguments[0]).textContent", selector)
        )

    def active(self) -> str:
        """The sentence that is worked on, with its marks in brackets."""
        return self.marked("article.active")

    def marked(self, card: str) -> str:
        script = """
        const inside = (node) => [...node.childNodes].map((one) =>
          one.nodeType === 3 ? one.data : one.tagName === 'SMALL' ? `|${one.textContent.trim()}`
            : one.tagName === 'MARK' ? `[${inside(one)}]` : inside(one)).join('');
        return inside(document.querySelector(arguments[0] + ' .text'));
        """
        return str(self.browser.run(script, card))

    def under(self) -> str:
        """Text of the token under the cursor."""
        return self.text("article.active .token.at")

    def shown(self) -> list[str]:
        """Numbers of the cards, in their order."""
        script = "return [...document.querySelectorAll('article')].map(e => e.dataset.number)"
        return list(self.browser.run(script))

    def export(self, *, everything: bool = False) -> list[dict[str, Any]]:
        """Export by keyboard, and read the file."""
        self.keys("x")
        if everything:
            self.keys(Keys.ARROW_DOWN)
        self.keys(Keys.ENTER)
        path = self.folder / "out.jsonl"
        latest = time.monotonic() + 10
        while not path.is_file() and time.monotonic() < latest:
            time.sleep(0.02)
        time.sleep(0.05)
        lines = path.read_text("utf-8").splitlines()
        path.rename(self.folder / "last.jsonl")
        return [json.loads(line) for line in lines]
