"""Headless Chromium for the tests of what a reader sees: every request is written down, and refused unless allowed."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Frame, Page, Route, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 60_000  # milliseconds: for machines that are busy with other things; nothing waits so long when all is well


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser of this machine, or a skipped test that says what is missing."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *as_root])
        yield browser
        browser.close()


@dataclass
class Visit:
    """An open page, and what happened on it."""

    page: Page
    refused: list[str] = field(default_factory=list)
    """Requests to anybody but the page's own server or folder: none of them was answered."""
    errors: list[str] = field(default_factory=list)

    def views(self) -> list[Frame]:
        """The frames of views on the page, from top to bottom."""
        frames = [element.content_frame() for element in self.page.query_selector_all("iframe")]
        return [frame for frame in frames if frame is not None]


@contextmanager
def visit(
    browser: Browser, address: str | Path, *, dark: bool = False, width: int = 1000, height: int = 900
) -> Iterator[Visit]:
    """Open a file or an address of a server of ours, as a reader with an empty cache would."""
    url = address.as_uri() if isinstance(address, Path) else address
    own = "file://" if isinstance(address, Path) else "/".join(url.split("/")[:3])
    context = browser.new_context(color_scheme="dark" if dark else "light", viewport={"width": width, "height": height})
    context.set_default_timeout(PATIENCE)
    visited = Visit(context.new_page())

    def decide(route: Route) -> None:
        if route.request.url.startswith(own):
            route.continue_()
        else:
            visited.refused.append(route.request.url)
            route.abort()

    context.route("**/*", decide)
    visited.page.on("pageerror", lambda error: visited.errors.append(str(error)))
    visited.page.goto(url)
    yield visited
    context.close()


def wait_until(place: Page | Frame, expression: str) -> None:
    """Ask until it is true. (`wait_for_function` asks by `eval`, which the views' security policy forbids.)"""
    page = place.page if isinstance(place, Frame) else place
    for _ in range(PATIENCE // 50):
        try:
            if place.evaluate(expression):
                return
        except Error as error:  # a view draws itself anew when the theme changes
            if "context was destroyed" not in str(error):
                raise
        page.wait_for_timeout(50)
    pytest.fail(f"never true: {expression}")
