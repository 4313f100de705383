"""The built documentation in a real browser: its formulas are drawn without asking anybody."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("selenium", reason="selenium is not installed")
pytest.importorskip("sphinx", reason="sphinx is not installed")

from browser import Browser, missing_programs, open_browser

_MISSING = missing_programs()
pytestmark = pytest.mark.skipif(
    bool(_MISSING), reason=f"{' and '.join(_MISSING)} not found on this machine"
)
DOCS = Path(__file__).parents[1] / "docs"
OTHERS = [
    path.relative_to(DOCS).with_suffix(".html").as_posix()
    for path in sorted(DOCS.rglob("*.md"))
    if path.parent.name != "math" and "_build" not in path.parts
]
READY = "const done = arguments[0]; MathJax.startup.promise.then(() => done())"
DRAWN = "return document.querySelectorAll('mjx-container mjx-math').length"
FORMULAS = "return document.querySelectorAll('.math').length"
# what MathJax shows in the place of a formula that it cannot read, such as a number in a split one
WRONG = "return [...document.querySelectorAll('mjx-merror')].map(e => e.title || e.textContent)"
TOO_WIDE = """
const right = element => element.getBoundingClientRect().right;
return [...document.querySelectorAll('div.math')]
    .filter(one => right(one.querySelector('mjx-math')) > right(one.parentElement) + 1)
    .map(one => one.textContent);
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation, as `make docs` builds it, or where it has just built it."""
    if ready := os.environ.get("LADTL_BUILT_DOCS"):
        return Path(ready).resolve()
    folder = tmp_path_factory.mktemp("docs")
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html"]
    done = subprocess.run(
        [*command, str(DOCS), str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("page", sorted(path.stem for path in (DOCS / "math").glob("*.md")))
def test_formulas_are_drawn_and_nothing_is_asked_of_a_server(
    page: str, built: Path, browser: Browser
) -> None:
    browser.show(built / "math" / f"{page}.html", width=1400)
    browser.driver.execute_async_script(READY)
    assert asked_of_servers(browser) == []
    assert browser.run(FORMULAS) > 0
    assert browser.run(DRAWN) >= browser.run(FORMULAS)
    assert browser.run(WRONG) == []
    assert browser.run(TOO_WIDE) == []
    assert browser.messages() == []


@pytest.mark.parametrize("page", OTHERS)
def test_no_other_page_asks_a_server(page: str, built: Path, browser: Browser) -> None:
    browser.show(built / page)
    assert asked_of_servers(browser) == []
    assert browser.messages() == []


def asked_of_servers(browser: Browser) -> list[str]:
    """Addresses beyond the page's own files that were asked for."""
    return [told for told in browser.requests() if not told.startswith(("file:", "data:"))]
