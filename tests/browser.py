"""A headless Chromium that is on this machine, for pages that have to hold in a real browser."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

__all__ = ["Browser", "missing_programs", "open_browser"]

_PROGRAMS = (("chromium", "chromium-browser", "google-chrome"), ("chromedriver",))
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--hide-scrollbars"),
)
_START = "about:blank"


def _found() -> list[str | None]:
    return [next(filter(None, map(shutil.which, names)), None) for names in _PROGRAMS]


def missing_programs() -> list[str]:
    """Programs that a browser needs and this machine lacks."""
    return [names[0] for names, path in zip(_PROGRAMS, _found(), strict=True) if path is None]


@dataclass(frozen=True, slots=True)
class Browser:
    """A page in a browser, and what the browser has logged about it."""

    driver: Chrome

    def show(
        self,
        page: Path,
        *,
        width: int = 1280,
        scheme: Literal["light", "dark"] = "light",
        media: Literal["", "print"] = "",
    ) -> None:
        """Open a file as from a folder, on the screen or as if printed; forgets older logs."""
        assert page.is_file(), f"there is no page {page}"  # a browser shows an error's page
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.command("Emulation.setEmulatedMedia", media=media, features=features)
        sizes = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.command("Emulation.setDeviceMetricsOverride", **sizes)
        self.driver.get(_START)
        self.requests()
        self.messages()
        self.driver.get(page.as_uri())

    def command(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Give a command of Chrome's DevTools protocol."""
        answer: dict[str, Any] = self.driver.execute_cdp_cmd(name, arguments)
        return answer

    def run(self, script: str, *arguments: Any) -> Any:
        """Run a script from outside the page, whose own policy does not hold for it."""
        return self.driver.execute_script(script, *arguments)

    def requests(self) -> list[str]:
        """Addresses that were asked for since the last call."""
        entries = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        asked = [e["params"] for e in entries if e["method"] == "Network.requestWillBeSent"]
        return [params["request"]["url"] for params in asked]

    def messages(self) -> list[str]:
        """Warnings and errors that the console shows since the last call."""
        log = self.driver.get_log("browser")
        return [entry["message"] for entry in log if entry["level"] in ("WARNING", "SEVERE")]

    def picture(self, *, x: float, y: float, width: float, height: float) -> bytes:
        """Draw a rectangle of the page as PNG."""
        clip = {"x": x, "y": y, "width": width, "height": height, "scale": 1}
        answer = self.command("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(answer["data"])

    def screen(self) -> bytes:
        """Draw what is on the screen as PNG."""
        return base64.b64decode(self.command("Page.captureScreenshot")["data"])

    def heard(self) -> list[tuple[str, str]]:
        """Role and name of everything that a screen reader is told of the page."""
        nodes = self.command("Accessibility.getFullAXTree")["nodes"]
        return [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in nodes
            if not node["ignored"]
        ]

    def printed(self) -> bytes:
        """Print the page as PDF."""
        return base64.b64decode(self.command("Page.printToPDF", printBackground=True)["data"])


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start the machine's Chromium with a profile of its own, and end it afterwards."""
    chromium, chromedriver = _found()
    options = Options()
    options.binary_location = chromium or ""
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with TemporaryDirectory(prefix="ladtl-browser-", ignore_cleanup_errors=True) as profile:
        for flag in (*_FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        # with the path given, Selenium looks for no driver, and downloads none
        driver = Chrome(options=options, service=Service(chromedriver))
        try:
            yield Browser(driver)
        finally:
            driver.quit()
