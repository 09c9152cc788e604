"""The book on paper: one PDF, and an EPUB, from the stored notebooks; nothing is run.

    python -m tools.book              # into site/_build/book

Both are made by Sphinx from the same sources as the website, with what paper asks for: parts are documents of their own
and so number the chapters in the outline; the code of folded cells (plots, plumbing) is left out, their outputs stay;
pictures are files with their words; of an interactive view its still picture stands, which every chapter prints first.
Formulas are MathML, which readers of EPUB and browsers draw, search and read aloud.

The PDF is Chromium's print of all chapters as one page. It was chosen over LaTeX because it needs no TeX (some
gigabytes), shows the same code and figures as the website, and comes out tagged: headings, tables and alt text are in
the file for screen readers, and the outline is made from the headings.
"""

import argparse
import base64
import re
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from figures.outline import OUTLINE
from tools import website
from tools.notebooks import ROOT, read

OUT = website.BUILD / "book"
IMAGE = re.compile(r'<img alt="([^"]*)" src="data:image/png;base64,([^"]+)" width="?(\d+)')
FOOTER = '<div style="width:100%;font:8px sans-serif;text-align:center"><span class="pageNumber"></span></div>'


def for_paper(notebook: NotebookNode, name: str) -> tuple[NotebookNode, dict[str, bytes]]:
    """A chapter as it is printed, and its pictures by the paths of their files."""
    pictures: dict[str, bytes] = {}
    for cell in notebook.cells:
        if cell.metadata.get("jupyter", {}).get("source_hidden"):
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "remove-input"]
        kept = []
        for output in cell.get("outputs", []):
            text = output.get("data", {}).get("text/html", "")
            if "<iframe" in text:
                continue
            if found := IMAGE.match(text):
                path = f"figures/{name}_{len(pictures)}.png"
                pictures[path] = base64.b64decode(found[2])
                words = re.sub(r"([\\\[\]])", r"\\\1", found[1])
                output = nbformat.v4.new_output("display_data", {"text/markdown": f"![{words}](../{path})"})
            kept.append(output)
        if "outputs" in cell:
            cell.outputs = kept
    return notebook, pictures


def sources() -> Iterator[tuple[str, str | bytes]]:
    """Every file's path and content."""
    there, parts, contents = website.written(), [], []
    for n, (part, chapters) in enumerate(OUTLINE.items(), start=1):
        listed = [c for c in chapters if c in there]
        if not listed:
            continue
        parts.append(f"parts/{n}")
        contents.append(f"- [Part {part}](parts/{n}.md)")
        contents += [f"  - [{c.number} {c.title}]({website.front(c)})" for c in listed]
        questions = "\n".join(f"- [{c.number} {c.title}](../{website.front(c)}): {c.question}" for c in listed)
        tree = "\n".join(f"../chapters/{c.name}" for c in listed)
        yield f"parts/{n}.md", f"# Part {part}\n\n{questions}\n\n```{{toctree}}\n:hidden:\n\n{tree}\n```\n"
    card = "bertmini/checkpoints/english/README.md"  # of the model that chapters load
    listed = "\n".join([*parts, card.removesuffix(".md"), "GLOSSARY", "site/bibliography"])
    front = (website.SITE / "index.md").read_text(encoding="utf-8").split("These pages show")[0]
    front = re.sub(r"(?m)^\*\*\[Get the book.*\n\n", "", front)  # README says it to those who have the folder
    edition = f"Version {website.version()}. The code of folded cells (plots and plumbing) is in the notebooks."
    contents += [
        f"- [The model english]({card})",
        "- [Glossary](GLOSSARY.md)",
        "- [Bibliography](site/bibliography.md)",
    ]
    map_ = "![Map of the book: six parts, twenty-three chapters](figures/book_map.svg)"
    tree = f"```{{toctree}}\n:hidden:\n\n{listed}\n```"
    yield "index.md", "\n\n".join([front + edition, "**Contents**", "\n".join(contents), map_, tree, ""])
    for chapter in there:
        notebook, pictures = for_paper(read(ROOT / website.front(chapter)), chapter.name)
        yield website.front(chapter), nbformat.writes(notebook)
        yield from pictures.items()
    yield "GLOSSARY.md", website.glossary()
    yield "site/bibliography.md", website.bibliography()
    yield card, (ROOT / card).read_text(encoding="utf-8")
    for picture in [*ROOT.glob("figures/*.[sp][vn]g"), *ROOT.glob("bertmini/checkpoints/*/*.png")]:
        yield str(picture.relative_to(ROOT)), picture.read_bytes()


def declare_formulas(epub: Path, made: Path) -> None:
    """Write the EPUB again with the pages that hold MathML declared, as the standard asks and Sphinx does not."""
    with zipfile.ZipFile(epub) as old, zipfile.ZipFile(made, "w") as new:
        for entry in old.infolist():  # the first must stay the first, and uncompressed
            data = old.read(entry)
            if entry.filename == "content.opf":
                holding = [name for name in old.namelist() if name.endswith(".xhtml") and b"<math" in old.read(name)]
                for name in holding:
                    data = data.replace(f'href="{name}"'.encode(), f'href="{name}" properties="mathml"'.encode(), 1)
            new.writestr(entry, data)


def print_pdf(page: Path, pdf: Path) -> None:
    """Print a page with Chromium: tagged, with an outline, folded answers unfolded."""
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    browser_path = next((found for name in names if (found := shutil.which(name))), None)
    if browser_path is None:
        raise SystemExit("no Chromium here to print the PDF: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"])
        opened = browser.new_page()
        opened.goto(page.as_uri())
        opened.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        opened.pdf(
            path=pdf,
            format="A4",
            tagged=True,
            outline=True,
            print_background=True,
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=FOOTER,
            margin={"top": "18mm", "bottom": "20mm", "left": "20mm", "right": "20mm"},
        )
        browser.close()


def epub() -> Path:
    """The book as an EPUB; returns its file."""
    website.stage(website.BUILD / "source-book", dict(sources()))
    OUT.mkdir(parents=True, exist_ok=True)
    made = website.sphinx("epub", website.BUILD / "source-book", tags=["book"]) / "bertmini.epub"
    declare_formulas(made, OUT / made.name)
    return OUT / made.name


def pdf() -> Path:
    """The book as a PDF; returns its file."""
    website.stage(website.BUILD / "source-book", dict(sources()))
    OUT.mkdir(parents=True, exist_ok=True)
    page = website.sphinx("singlehtml", website.BUILD / "source-book", tags=["book"]) / "index.html"
    print_pdf(page, OUT / "bertmini.pdf")
    return OUT / "bertmini.pdf"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    argparse.ArgumentParser(prog="python -m tools.book", description="Print the book.").parse_args(arguments)
    for made in (epub(), pdf()):
        print(f"{made}: {made.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
