"""A chapter's slides: what is on them, and that a browser shows them from the disk and asks nobody for anything."""

from pathlib import Path

import nbformat
import pytest
from browsing import visit
from playwright.sync_api import Browser

from tools.notebooks import ROOT, read
from tools.slides import formula, main, page, render, slides_of

CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
MARKDOWN, CODE = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell


def made_up() -> nbformat.NotebookNode:
    printing = CODE("print(3)", outputs=[nbformat.v4.new_output("stream", text="1 < 3\n")])
    picture = CODE(
        "draw()",
        outputs=[
            nbformat.v4.new_output("display_data", {"text/html": '<img src="data:image/png;base64,AA" alt="a line">'})
        ],
    )
    hidden = CODE("def plumbing(): ...", metadata={"jupyter": {"source_hidden": True}})
    return nbformat.v4.new_notebook(
        cells=[
            MARKDOWN("# 99 Odds\n\n**The question: how odd?**"),
            MARKDOWN("## The puzzle\n\nIs $x^2$ odd?\n\n![three dots](../figures/bert.svg)"),
            hidden,
            MARKDOWN("Some prose that is on no slide.\n\n## Counting\n\nCount them.\n\n**Predict first.** How many?"),
            CODE("def count():\n    return 3"),
            printing,
            CODE("print(3)", outputs=printing.outputs),
            picture,
            MARKDOWN("## Check yourself\n\n**1.** One?\n\n<details><summary>a)</summary>No.</details>\n\n**2.** Two?"),
            MARKDOWN("## Summary\n\n- odd\n\n## Sources\n\n- none"),
        ]
    )


def test_what_is_on_them_and_in_which_order() -> None:
    slides = list(slides_of(made_up()))
    beginnings = ["<h1>99 Odds", "<h2>The puzzle", "<h2>The puzzle", "<h2>Counting", "<h2>Counting", "<h2>Counting"]
    beginnings += ["<h2>Counting", "<h2>Check yourself", "<h2>Check yourself", "<h2>Summary"]
    assert [slide[: len(start)] for slide, start in zip(slides, beginnings, strict=True)] == beginnings
    assert "<msup>" in slides[1]
    assert 'src="data:image/svg+xml;base64,' in slides[2]
    assert "Count them." in slides[3]
    assert "def count" in slides[4]
    assert "1 &lt; 3" in slides[5]  # once: the second print answers no question
    assert 'alt="a line"' in slides[6]
    assert "<details>" in slides[7]
    whole = "".join(slides)
    assert "on no slide" not in whole
    assert "plumbing" not in whole
    assert "none" not in whole


def test_formulas_are_mathml() -> None:
    assert formula(r"\frac{a}{b}", {"display_mode": True}).startswith(
        '<math xmlns="http://www.w3.org/1998/Math/MathML"'
    )
    assert 'display="inline"' in render("so $a_1$ is")


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_chapter_has_slides_and_a_browser_shows_them(browser: Browser, tmp_path: Path, path: Path) -> None:
    source = read(path)
    file = tmp_path / "slides.html"
    file.write_text(page(source), encoding="utf-8")
    predictions = sum("**Predict first" in cell.source for cell in source.cells if cell.cell_type == "markdown")
    with visit(browser, file, width=1280, height=720) as seen:
        count = seen.page.locator("section").count()
        assert count > predictions + 5
        assert seen.page.locator("section:visible").count() == 1
        assert seen.page.inner_text("#place") == f"1 of {count}"
        seen.page.keyboard.press("ArrowRight")
        seen.page.wait_for_function(f"document.querySelector('#place').innerText === '2 of {count}'")
        seen.page.keyboard.press("End")
        seen.page.wait_for_function(f"document.querySelector('#place').innerText === '{count} of {count}'")
        assert "Summary" in seen.page.inner_text("section:visible h2")
        assert seen.page.evaluate("[...document.images].every(one => one.complete && one.naturalWidth > 0 && one.alt)")
        assert seen.page.locator("merror").count() == 0
        assert "$" not in seen.page.evaluate(
            "[...document.querySelectorAll('section p')].map(p => p.textContent).join()"
        )
        assert len(seen.page.pdf()) > 20_000
        assert (seen.refused, seen.errors) == ([], [])


def test_the_command_writes_a_page_for_each_chapter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(CHAPTERS[0]), "--out", str(tmp_path)]) == 0
    assert [found.name for found in tmp_path.iterdir()] == [f"{CHAPTERS[0].stem}.html"]
    assert CHAPTERS[0].stem in capsys.readouterr().out
