"""A real headless Chromium, driven by the W3C WebDriver protocol, which is JSON over HTTP."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.waiting import PATIENCE, wait_until

SWITCHES = (
    "--headless=new",
    "--no-sandbox",  # Tests may run as root, whom Chromium's sandbox does not take.
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--ignore-certificate-errors",
)

STARTED = re.compile(r"started successfully on port (\d+)")
"""What chromedriver says once it listens."""

TEXT = "const it = document.querySelector(arguments[0]); return it?.checkVisibility() ? it.innerText : ''"

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key under which the protocol sends an element."""


class Browser:
    """One session of a browser.

    Args:
        driver: URL of a running chromedriver.
        profile: a directory for its profile.
    """

    def __init__(self, driver: str, profile: Path) -> None:
        self._driver = driver
        options = {"binary": _program("chromium"), "args": [*SWITCHES, f"--user-data-dir={profile}"]}
        wanted = {"alwaysMatch": {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}
        self._path = ""
        self._path = f"/session/{self._send('POST', '/session', capabilities=wanted)['sessionId']}"

    def close(self) -> None:
        """End the browser."""
        self._send("DELETE", "")

    def open(self, url: str) -> None:
        """Load a page."""
        self._send("POST", "/url", url=url)

    def resize(self, width: int, height: int) -> None:
        """Set the page's size in pixels; it may be smaller than a window can be."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._devtools("Emulation.setDeviceMetricsOverride", **size)

    def prefer(self, scheme: str) -> None:
        """Set the preferred colour scheme, light or dark."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._devtools("Emulation.setEmulatedMedia", features=features)

    def run(self, script: str, *arguments: object) -> Any:
        """The value that a script returns."""
        return self._send("POST", "/execute/sync", script=script, args=list(arguments))

    def text(self, selector: str) -> str:
        """The visible text of an element; empty if it is missing or hidden."""
        return str(self.run(TEXT, selector))

    def wait_text(self, selector: str, text: str) -> None:
        """Wait until an element shows a text."""
        try:
            wait_until(lambda: text in self.text(selector), f"{selector} shows {text!r}", 2 * PATIENCE)
        except AssertionError as error:
            page = self.run("return document.body.innerText")
            raise AssertionError(f"{error}; it is {self.text(selector)!r}, the page:\n{page}") from error

    def click(self, selector: str) -> None:
        """Click an element as a person does: it must be visible and not covered."""
        self._send("POST", f"/element/{self._find(selector)}/click")

    def type(self, selector: str, text: str) -> None:
        """Replace a field's text by typing."""
        element = self._find(selector)
        self._send("POST", f"/element/{element}/clear")
        self._send("POST", f"/element/{element}/value", text=text)

    def shot(self, path: Path) -> None:
        """Save a screenshot."""
        path.write_bytes(base64.b64decode(self._send("GET", "/screenshot")))

    def complaints(self) -> list[str]:
        """The browser's console messages since the last call."""
        return [entry["message"] for entry in self._send("POST", "/se/log", type="browser")]

    def _find(self, selector: str) -> str:
        found: str = self._send("POST", "/element", using="css selector", value=selector)[ELEMENT]
        return found

    def _devtools(self, command: str, **parameters: object) -> None:
        self._send("POST", "/goog/cdp/execute", cmd=command, params=parameters)

    def _send(self, method: str, path: str, **content: object) -> Any:
        body = json.dumps(content).encode() if method == "POST" else None
        url = self._driver + self._path + path
        request = urllib.request.Request(url, body, method=method)  # noqa: S310 (our own driver)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 (as above)
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(json.load(error)["value"]["message"]) from error


def _program(name: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} is missing; script/test installs it"
    return found


@contextlib.contextmanager
def browser(directory: Path) -> Iterator[Browser]:
    """A browser that leaves nothing behind.

    Args:
        directory: for its profile and its driver's log.
    """
    log = directory / "chromedriver.log"
    with log.open("wb") as file:
        driver = subprocess.Popen([_program("chromedriver"), "--port=0"], stdout=file, stderr=file)
    try:
        (port,) = wait_until(
            lambda: STARTED.findall(log.read_text(encoding="utf-8")), "chromedriver has a port"
        )
        made = Browser(f"http://127.0.0.1:{port}", directory / "profile")
        try:
            yield made
        finally:
            made.close()
    finally:
        driver.terminate()
        driver.wait(PATIENCE)
