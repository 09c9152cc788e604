"""The website, from the stored notebooks: nothing is run, and the pages ask nobody for anything.

    python -m tools.website            # into site/_build/html; opens from the disk

Sphinx reads one folder, and a book lies in several. So the pages' sources are put together in `site/_build/source`
first, at the same paths as in the repository, so that links between them hold: chapters and students' copies with tags
by which myst-nb folds what JupyterLab folds, and pages made from what stands elsewhere already (the glossary, the
outline, `references.bib`, the package's modules). Nothing is written into the repository's own folders.

MathJax is the one thing that is fetched, at build, by npm; its checksum is fixed below.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

from figures.outline import CHAPTERS, OUTLINE, Chapter, written
from tools.notebooks import ROOT, read

SITE = ROOT / "site"
BUILD = SITE / "_build"
MATHJAX = "mathjax-3.2.2"  # the last of version 3: one script that draws formulas as SVG, with no fonts to load
MATHJAX_SHA256 = "d4295dc33744836935c1399feece5159577b34c5c8ffb9f1c6324cd82e03a882"
ROOMS = ("microworld", "data", "model", "training", "inside", "viz", "runs")
BRANCH = "main"


# What the repository knows


def repository() -> str:
    """The project's address at GitHub, without a slash at the end; empty where nobody has said.

    GitHub's own runners say it in the environment, pyproject.toml says it for good.
    """
    if owner_and_name := os.environ.get("GITHUB_REPOSITORY"):
        return f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{owner_and_name}"
    return written_address()


def written_address() -> str:
    """`Repository` in `[project.urls]` of pyproject.toml; empty where it is not written."""
    return str(project().get("urls", {}).get("Repository", "")).rstrip("/")


def version() -> str:
    """The version of package and book."""
    text = (ROOT / "bertmini" / "__init__.py").read_text(encoding="utf-8")
    return re.search(r'^__version__ = "(.+)"', text, re.MULTILINE)[1]  # type: ignore[index]


def project() -> dict[str, object]:
    """The project's table in pyproject.toml."""
    table: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


def exercises() -> list[Chapter]:
    """The chapters that have exercises."""
    return [chapter for chapter in CHAPTERS if (ROOT / "exercises" / chapter.name / f"{chapter.name}.ipynb").is_file()]


@cache
def chapter_text(chapter: Chapter) -> str:
    """All Markdown of a chapter."""
    cells = read(ROOT / "chapters" / f"{chapter.name}.ipynb").cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


class Term(NamedTuple):
    """A row of GLOSSARY.md."""

    term: str
    meaning: str
    chapters: tuple[str, ...]
    chinese: str

    @property
    def anchor(self) -> str:
        """The name of the place where a chapter defines it, after the chapter's number."""
        return re.sub(r"[^a-z0-9]+", "-", self.term.lower()).strip("-")


def terms() -> list[Term]:
    """The glossary's rows."""
    lines = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")][2:]
    return [Term(term, meaning, tuple(chapters.split(", ")), chinese) for term, meaning, chapters, chinese in rows]


class Reference(NamedTuple):
    """An entry of references.bib."""

    key: str
    authors: str
    title: str
    year: str
    place: str
    url: str

    @property
    def label(self) -> str:
        """How prose names it: Devlin et al. 2019."""
        names = [name.split(", ")[0] for name in self.authors.split(" and ")]
        if len(names) > 2 or names[-1] == "others":
            return f"{names[0]} et al. {self.year}"
        return f"{' and '.join(names)} {self.year}"

    @property
    def anchor(self) -> str:
        """The name of the place where a chapter cites it first, before the chapter's number."""
        return f"cited-{self.key}"

    def is_cited_in(self, text: str) -> bool:
        """Whether a text names it, by its address or its title."""
        flat = " ".join(text.split()).lower()
        return self.title.lower() in flat or bool(self.url and f"({self.url})" in flat)


def references() -> list[Reference]:
    """The entries of references.bib, by label. One field a line, in braces: no more of BibTeX is needed here."""
    text = (SITE / "references.bib").read_text(encoding="utf-8")
    found = []
    for key, body in re.findall(r"^@\w+\{(\w+),\n(.*?)^\}", text, flags=re.MULTILINE | re.DOTALL):
        field = dict(re.findall(r"^  (\w+) = \{(.*)\},$", body, flags=re.MULTILINE))
        place = (
            field.get("booktitle") or field.get("journal") or field.get("howpublished") or field.get("publisher", "")
        )
        found.append(Reference(key, field["author"], field["title"], field["year"], place, field.get("url", "")))
    return sorted(found, key=lambda one: one.label.lower())


# Pages


def front(chapter: Chapter) -> str:
    """Where a chapter's page lies, seen from the top."""
    return f"chapters/{chapter.name}.ipynb"


def contents() -> str:
    """The parts with their chapters, for the front page and the bar at the side; unwritten ones are only named."""
    there, pages = written(), []
    for part, chapters in OUTLINE.items():
        rows = [f"| [{c.number} {c.title}]({front(c)}) | {c.question} |" for c in chapters if c in there]
        rows += [f"| {c.number} {c.title} *(being written)* | {c.question} |" for c in chapters if c not in there]
        pages.append("\n".join([f"## {part}", "", "| chapter | the question that it answers |", "|---|---|", *rows]))
        pages.append(toctree(part, [front(c) for c in chapters if c in there]))
    return "\n\n".join(page for page in pages if page)


def toctree(caption: str, pages: Sequence[str]) -> str:
    """Pages that belong together in the bar at the side."""
    listed = "\n".join(re.sub(r"\.(ipynb|md|rst)$", "", page) for page in pages)
    return f"```{{toctree}}\n:hidden:\n:caption: {caption}\n:maxdepth: 1\n\n{listed}\n```" if pages else ""


def front_page() -> str:
    """The front page: site/index.md with the contents in it."""
    text = (SITE / "index.md").read_text(encoding="utf-8")
    practice = ["exercises/index", "slides", "capstone/README", "site/own_data"]
    reference = [
        "GLOSSARY",
        "site/bibliography",
        "api/index",
        "bertmini/checkpoints/english/README",
        "site/errata",
        "CHANGELOG",
        "genindex",
    ]
    begin = toctree("Begin", ["site/run"])
    return text.replace("<!-- contents -->", f"{begin}\n\n{contents()}") + "\n\n".join(
        [
            "",
            toctree("Practice", practice),
            toctree("Reference", reference),
            toctree("For teachers", ["TEACHING"]),
            "",
        ]
    )


def glossary() -> str:
    """The glossary, each term with the place that defines it; Sphinx puts both languages into its index."""
    lines = [
        "# Glossary",
        "",
        "Every term that a chapter puts in bold, in English and Chinese, with the chapters that define it.",
        "",
        "````{glossary}",
    ]
    for term in terms():
        places = ", ".join(f"{{ref}}`{number} <term-{number}-{term.anchor}>`" for number in term.chapters)
        lines += [term.term, f"{term.chinese} : 中文", f"  {term.meaning} (chapter {places})", ""]
    return "\n".join([*lines, "````", ""])


def bibliography() -> str:
    """What the chapters cite, and which of them do."""
    lines = ["# Bibliography", "", "What the chapters cite, made from `site/references.bib`. A chapter's own list of"]
    lines += ["sources says which section or equation it means.", ""]
    for one in references():
        citing = [
            f"{{ref}}`{c.number} <{one.anchor}-{c.number}>`" for c in written() if one.is_cited_in(chapter_text(c))
        ]
        title = f"[{one.title}]({one.url})" if one.url else f"*{one.title}*"
        authors = [" ".join(reversed(name.split(", "))) for name in one.authors.split(" and ")]
        names = ", ".join(authors).replace(", others", " and others")
        place = f" {one.place}." if one.place else ""
        lines += [
            f"({one.key})=",
            f"**{one.label}.** {names}: {title}.{place} Cited in chapter {', '.join(citing)}.",
            "",
        ]
    return "\n".join(lines)


def exercise_list() -> str:
    """The page from which the students' copies are reached."""
    lines = [
        "# Exercises",
        "",
        "The students' copies, as a class gets them: questions, gaps and visible tests. The model",
    ]
    lines += ["answers and the hidden tests are in the repository's `solutions/`.", ""]
    lines += [
        "To work on them, `make lab` opens JupyterLab in the folder `chapters`; the folder `exercises` lies beside it.",
        "",
    ]
    lines += ["| chapter | minutes, points |", "|---|---|"]
    for chapter in exercises():
        path = f"{chapter.name}/{chapter.name}.ipynb"
        _, _, sizes = read(ROOT / "exercises" / path).cells[0].source.partition("\n")[0].partition(" · ")
        lines.append(f"| [{chapter.number} {chapter.title}]({path}) | {sizes} |")
    return "\n".join([*lines, "", toctree("", [f"{c.name}/{c.name}" for c in exercises()]).replace(":caption: \n", "")])


def slide_list() -> str:
    """The page from which the slides are reached."""
    lines = ["# Slides", "", "One page for each chapter, made from its text and figures: arrow keys turn the pages,"]
    lines += ["printing gives one sheet for each.", ""]
    return "\n".join([*lines, *(f'- <a href="slides/{c.name}.html">{c.number} {c.title}</a>' for c in written()), ""])


def modules(room: str) -> Iterator[str]:
    """The names of a room's modules."""
    for path in sorted((ROOT / "bertmini" / room).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if not name.endswith(("__init__", "__main__")):
            yield name


def api_page(title: str, first: str, names: Sequence[str]) -> str:
    """A page of the package's modules, from their docstrings."""
    parts = [title, "=" * len(title), "", f".. automodule:: {first}" if first else "", ""]
    for name in names:
        parts += [name, "-" * len(name), "", f".. automodule:: {name}", "   :members:", ""]
    return "\n".join(parts)


def api() -> dict[str, str]:
    """The pages of the package: one for each room, one for the modules on the top floor."""
    top = [f"bertmini.{path.stem}" for path in sorted((ROOT / "bertmini").glob("[a-z]*.py"))]
    pages = {f"api/{room}.rst": api_page(f"bertmini.{room}", f"bertmini.{room}", [*modules(room)]) for room in ROOMS}
    pages["api/top.rst"] = api_page("bertmini: the top floor", "", top)
    listed = "\n".join(f"   {room}" for room in ("top", *ROOMS))
    title = "The package bertmini\n===================="
    pages["api/index.rst"] = f"{title}\n\n.. automodule:: bertmini\n\n.. toctree::\n   :maxdepth: 1\n\n{listed}\n"
    return pages


def versions() -> str:
    """What this site was built with, beside what the package allows."""
    wanted = [str(one) for one in [*project()["dependencies"], *project()["optional-dependencies"]["dev"]]]  # type: ignore[index, misc]
    rows = [f"| Python | {project()['requires-python']} | {sys.version.split()[0]} |"]
    for requirement in dict.fromkeys(wanted):
        name, allowed = re.match(r"([A-Za-z0-9-]+)(.*)", requirement).groups()  # type: ignore[union-attr]
        try:
            rows.append(f"| {name} | {allowed} | {metadata.version(name)} |")
        except metadata.PackageNotFoundError:
            rows.append(f"| {name} | {allowed} | not installed |")
    return "\n".join(["| | allowed | where this was built |", "|---|---|---|", *rows])


NO_TRACKER = """These pages have no public tracker yet, and no address to write to. Tell the person who gave you
the book: your teacher, or the one who sent you the folder."""
NO_ADDRESS = """The book is a folder, and these pages came with it, or with the archive that holds it. It has no public
address yet: if you have the pages alone, ask your teacher, or the person who gave them to you, for the folder."""

NO_CLOUD = """Not yet: both open what lies at a public address. With your own copy at one, on GitHub, a notebook opened
in Colab asks for that address in its first cell, and Binder finds what it needs in the folder `binder`."""


def errata() -> str:
    """site/errata.md with the table of versions in it, and to whom an error is reported."""
    text = (SITE / "errata.md").read_text(encoding="utf-8").replace("<!-- versions -->", versions())
    tracker = f"Open an issue at [the project's tracker]({repository()}/issues)." if repository() else NO_TRACKER
    return text.replace("<!-- tracker -->", tracker)


def how_to_run() -> str:
    """site/run.md with the place where the book is."""
    where = f"The book is a folder: [get it here]({repository()})." if repository() else NO_ADDRESS
    text = (SITE / "run.md").read_text(encoding="utf-8")
    return text.replace("<!-- where -->", where).replace("<!-- cloud -->", in_the_cloud())


def in_the_cloud() -> str:
    """What a reader can run without installing anything."""
    if not repository():
        return NO_CLOUD
    return """The rocket at the top of each chapter and of each set of exercises opens it on Google Colab, whose first
cell then fetches the book, or on Binder, which sets up all of it and takes some minutes."""


def capstone() -> str:
    """The project's page; the tables of results that it names are in the repository."""
    text = (ROOT / "capstone" / "README.md").read_text(encoding="utf-8")
    return re.sub(r"\[([^\]]+)\]\(\.\./benchmarks[^)]*\)", r"`\1`", text)


def with_ends(notebook: NotebookNode, chapter: Chapter) -> NotebookNode:
    """A chapter with what belongs to it elsewhere: how to run it under its title, the rest under its last line."""
    links = [f'<a href="../slides/{chapter.name}.html">slides</a>']
    if chapter in exercises():
        links.insert(0, f"[exercises](../exercises/{chapter.name}/{chapter.name}.ipynb)")
    cited = [one for one in references() if one.is_cited_in(chapter_text(chapter))]
    text = f"**With this chapter:** {', '.join(links)}."
    if cited:
        text += " **In the bibliography:** " + ", ".join(f"{{ref}}`{one.label} <{one.key}>`" for one in cited) + "."
    notebook = under_title(notebook, f"[Run this chapter](../site/run.md) · {' · '.join(links)}")
    cell = nbformat.v4.new_markdown_cell(f":::{{container}} with-this-chapter\n{text}\n:::")
    return NotebookNode(notebook | {"cells": [*notebook.cells, cell]})


def with_way(notebook: NotebookNode, chapter: Chapter) -> NotebookNode:
    """A set of exercises with the way to run it under its title."""
    folder = f"`exercises/{chapter.name}`, beside the folder `chapters`"
    return under_title(notebook, f"To run this set: `make lab` ([how](../../site/run.md)), then open it in {folder}.")


def under_title(notebook: NotebookNode, text: str) -> NotebookNode:
    """A notebook with a line under its title that only the website has."""
    title, _, rest = notebook.cells[0].source.partition("\n")
    notebook.cells[0].source = f"{title}\n\n:::{{container}} run-this-chapter\n{text}\n:::\n{rest}"
    return notebook


def with_modules(notebook: NotebookNode) -> NotebookNode:
    """A notebook whose text leads to the pages of the package where it names a module."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"(?<!`)`(bertmini(?:\.\w+)+)`(?!`)", r"{py:obj}`\1`", cell.source)
    return notebook


def folded(notebook: NotebookNode) -> NotebookNode:
    """A notebook whose folded cells are tagged as myst-nb wants it."""
    for cell in notebook.cells:
        if cell.metadata.get("jupyter", {}).get("source_hidden"):
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-input"]
    return notebook


# The folder that Sphinx reads


def sources() -> Iterator[tuple[str, str | bytes]]:
    """Every file's path and content."""
    yield "index.md", front_page()
    for chapter in written():
        yield front(chapter), nbformat.writes(with_ends(with_modules(folded(read(ROOT / front(chapter)))), chapter))
    for chapter in exercises():
        path = f"exercises/{chapter.name}/{chapter.name}.ipynb"
        yield path, nbformat.writes(with_way(folded(read(ROOT / path)), chapter))
    yield "exercises/index.md", exercise_list()
    yield "slides.md", slide_list()
    yield "GLOSSARY.md", glossary()
    yield "site/bibliography.md", bibliography()
    yield "site/errata.md", errata()
    yield "site/run.md", how_to_run()
    yield "site/own_data.md", (SITE / "own_data.md").read_text(encoding="utf-8")
    yield "capstone/README.md", capstone()
    yield from api().items()
    for path in ("TEACHING.md", "CHANGELOG.md", "bertmini/checkpoints/english/README.md"):
        yield path, (ROOT / path).read_text(encoding="utf-8")
    for picture in [*ROOT.glob("figures/*.[sp][vn]g"), *ROOT.glob("bertmini/checkpoints/*/*.png")]:
        yield str(picture.relative_to(ROOT)), picture.read_bytes()


def stage(folder: Path, pages: Mapping[str, str | bytes]) -> None:
    """Put files into a folder; those that have not changed stay, so that Sphinx reads only what is new."""
    wanted = {folder / path: text.encode() if isinstance(text, str) else text for path, text in pages.items()}
    for path in folder.rglob("*") if folder.exists() else ():
        if path.is_file() and path not in wanted:
            path.unlink()
    for path, data in wanted.items():
        if not path.exists() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def mathjax() -> Path:
    """The folder with MathJax's one script, fetched by npm if it is not there yet.

    Raises `ValueError` if it is not the file that this book was tested with.
    """
    folder = BUILD / "vendored" / MATHJAX
    script = folder / "tex-svg.js"
    if not script.exists():
        folder.mkdir(parents=True, exist_ok=True)
        npm = shutil.which("npm")
        if npm is None:
            raise ValueError(
                f"npm fetches {MATHJAX}, and is not here: install Node.js, or put tex-svg.js into {folder}"
            )
        subprocess.run(
            [npm, "pack", "--silent", MATHJAX.replace("-", "@")], cwd=folder, check=True, stdout=subprocess.DEVNULL
        )
        with tarfile.open(folder / f"{MATHJAX}.tgz") as archive:
            for name in ("package/LICENSE", "package/es5/tex-svg.js"):
                (folder / Path(name).name).write_bytes(archive.extractfile(name).read())  # type: ignore[union-attr]
        (folder / f"{MATHJAX}.tgz").unlink()
    if hashlib.sha256(script.read_bytes()).hexdigest() != MATHJAX_SHA256:
        raise ValueError(f"{script} is not {MATHJAX} as it was published: delete it and build again")
    return folder


def sphinx(builder: str, source: Path, *, tags: Sequence[str] = ()) -> Path:
    """Build with one of Sphinx's builders; a warning is an error. Returns the folder of the result."""
    from sphinx.cmd.build import main as run

    out = BUILD / builder
    arguments = ["-q", "-W", "--keep-going", "-b", builder, "-c", str(SITE), "-d", str(BUILD / "doctrees" / builder)]
    arguments += [word for tag in tags for word in ("-t", tag)]
    if run([*arguments, str(source), str(out)]) != 0:
        raise SystemExit(f"{builder} was not built: Sphinx's warnings above say why")
    return out


def website() -> Path:
    """Build the website with its slides; returns its folder."""
    from tools import slides

    stage(BUILD / "source", dict(sources()))
    mathjax()
    out = sphinx("html", BUILD / "source")
    slides.main(["--out", str(out / "slides")])
    for page in (out / "slides").glob("*.html"):  # they link to notebooks, which here are pages
        text = re.sub(r'href="(\w+)\.ipynb"', r'href="../chapters/\1.html"', page.read_text(encoding="utf-8"))
        page.write_text(text, encoding="utf-8", newline="\n")
    return out


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.website", description="Build the website.")
    parser.parse_args(arguments)
    print(f"open {website() / 'index.html'}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
