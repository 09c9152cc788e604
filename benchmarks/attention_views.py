"""bertviz as it comes beside ours, on the same attention: bytes, requests, seconds until the last line is drawn.

Each page is opened from the disk in headless Chromium, every request to anybody refused and counted. bertviz's own is
opened once more with its three libraries answered from a folder at once, as if the network took no time, because
without them it draws nothing. To have them:

    npm install --prefix libraries requirejs@2.3.6 d3@5.7.0 jquery@2.1.0
    PYTHONPATH=. python benchmarks/attention_views.py --libraries libraries --write attention_views.md
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import bertviz
import torch
from common import circumstances, publish, table
from playwright.sync_api import Browser, Error, Route

sys.path.insert(0, str(Path(__file__).parent.parent))

from bertmini.viz.interactive.views import head_view, model_view
from tests.browsing import chromium

SHAPES = {"4 x 4 x 32": (4, 4, 32), "12 x 12 x 32": (12, 12, 32), "4 x 4 x 128": (4, 4, 128)}
LIBRARIES = {
    "require.min.js": "requirejs/require.js",
    "d3.min.js": "d3/dist/d3.min.js",
    "jquery.min.js": "jquery/dist/jquery.min.js",
}
REPEATS = 3
HOW = f"seconds from opening the file to the last line, medians of {REPEATS}"
PATIENCE, SHORT = 30_000, 3_000  # milliseconds to wait for lines: where they should come, and where none are expected
VIEWS = {"head": (bertviz.head_view, head_view), "model": (bertviz.model_view, model_view)}


class Drawn(NamedTuple):
    """What opening a page took; no seconds if nothing was drawn."""

    requests: int
    seconds: float | None


def attention(layers: int, heads: int, count: int) -> list[torch.Tensor]:
    """Random attention with a few large weights in each row."""
    generator = torch.Generator().manual_seed(0)
    return [(5 * torch.rand(1, heads, count, count, generator=generator)).softmax(-1) for _ in range(layers)]


def open_page(browser: Browser, page_file: Path, lines: int, libraries: Path | None, patience: int) -> Drawn:
    """Open a page of its own and wait until so many lines are in it."""
    context = browser.new_context(viewport={"width": 1000, "height": 900})
    requests = 0

    def answer(route: Route) -> None:
        nonlocal requests
        if route.request.url.startswith("file:"):
            route.continue_()
            return
        requests += 1
        name = route.request.url.rsplit("/", 1)[1]
        if libraries is None:
            route.abort()
        else:
            route.fulfill(path=libraries / "node_modules" / LIBRARIES[name], content_type="text/javascript")

    context.route("**/*", answer)
    page = context.new_page()
    begin = time.perf_counter()
    page.goto(page_file.as_uri())
    try:
        page.wait_for_function(f"document.querySelectorAll('svg line').length >= {lines}", timeout=patience)
        seconds = time.perf_counter() - begin
    except Error:
        seconds = None
    context.close()
    return Drawn(requests, seconds)


def measure(browser: Browser, page: str, lines: int, libraries: Path | None, *, hopeless: bool = False) -> Drawn:
    """The median of some openings; one is enough, and a short wait, where nothing is expected."""
    repeats, patience = (1, SHORT) if hopeless else (REPEATS, PATIENCE)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.html"
        file.write_text(page, encoding="utf-8")
        drawn = [open_page(browser, file, lines, libraries, patience) for _ in range(repeats)]
    seconds = [one.seconds for one in drawn if one.seconds is not None]
    return Drawn(drawn[0].requests, statistics.median(seconds) if len(seconds) == repeats else None)


def bare_page(draw: Callable[..., object], weights: list[torch.Tensor], tokens: list[str]) -> str:
    """bertviz's HTML, as a page."""
    html = draw(weights, tokens, html_action="return").data  # type: ignore[attr-defined]
    return f'<!doctype html><html><head><meta charset="utf-8"></head><body>{html}</body></html>'


def said(drawn: Drawn) -> str:
    """Seconds, or that there are none."""
    return "draws nothing" if drawn.seconds is None else f"{drawn.seconds:.2f} s"


def main() -> None:
    """Measure and print, and store if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--libraries", type=Path, help="where npm has installed what bertviz fetches")
    parser.add_argument("--write", metavar="NAME", help="store the table under results/")
    arguments = parser.parse_args()
    rows = []
    with chromium() as browser:
        for name, (layers, heads, count) in SHAPES.items():
            weights, tokens = attention(layers, heads, count), [f"token{i}" for i in range(count)]
            for view, (bare, ours) in VIEWS.items():
                lines = (layers if view == "model" else 1) * heads * count**2
                bare_html, our_html = bare_page(bare, weights, tokens), ours(weights, tokens).page()
                offline = measure(browser, bare_html, lines, None, hopeless=True)
                online = measure(browser, bare_html, lines, arguments.libraries) if arguments.libraries else None
                own = measure(browser, our_html, lines, None)
                rows.append(
                    [
                        f"{view} view, {name}",
                        f"{len(bare_html.encode()) / 1e3:,.0f} kB",
                        f"{len(our_html.encode()) / 1e3:,.0f} kB",
                        f"{(online or offline).requests}",
                        f"{own.requests}",
                        said(offline),
                        "not measured" if online is None else said(online),
                        said(own),
                    ]
                )
                print("; ".join(rows[-1]), flush=True)
    heading = [
        "layers x heads x tokens",
        "bertviz's page",
        "our page",
        "its requests",
        "our requests",
        "it draws offline",
        "with its libraries at hand",
        "ours draws, offline",
    ]
    text = f"# bertviz as it comes, and ours\n\n{circumstances(torch.device('cpu'))}; {HOW}\n\n{table(heading, rows)}"
    publish(text, arguments.write)


if __name__ == "__main__":
    main()
