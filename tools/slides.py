"""Slides for a class, from the stored chapters: one page of HTML each, with nothing outside it.

    python -m tools.slides                                   # all chapters, into slides/
    python -m tools.slides chapters/05_masking.ipynb

A chapter's slides are its title, puzzle and drawings, the first thing that is built, every "Predict first" with what
came out, every figure, the questions of "Check yourself" (answers folded) and the summary. Nothing is run. Arrow keys
turn pages, printing gives a page for each slide; formulas are MathML, which browsers draw themselves.
"""

import argparse
import base64
import html
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbformat import NotebookNode

from tools.notebooks import ROOT, read

PREDICT = "**Predict first"
DRAWING = re.compile(r"^!\[.*\]\(.*\)$", re.MULTILINE)
LONGEST_OUTPUT, LONGEST_LEAD = 16, 90  # lines, words: more cannot be read from the last row
IMAGE = re.compile(r'<img[^>]*src="(data:image/[^"]+)"[^>]*>')
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>
:root {{ color-scheme: light dark; --paper: #fff; --ink: #1a1a1a; --soft: #f1f1ee; --line: #767676; }}
@media (prefers-color-scheme: dark) {{ :root {{ --paper: #16181c; --ink: #eee; --soft: #24272d; }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: var(--paper); color: var(--ink); font: 150%/1.4 system-ui, sans-serif; }}
section {{ display: none; min-height: 100vh; padding: 4vh 7vw 9vh; flex-direction: column; justify-content: center; }}
section:target {{ display: flex; }}
h1 {{ font-size: 2em; margin: 0 0 0.4em; }} h2 {{ font-size: 1.3em; margin: 0 0 0.6em; }}
p, ul, ol, pre, blockquote, table, details {{ margin: 0 0 0.7em; max-width: 52em; }}
pre {{ background: var(--soft); padding: 0.7em 1em; max-width: none; line-height: 1.35; }}
pre {{ overflow-wrap: anywhere; white-space: pre-wrap; }} pre.code {{ font-size: 0.75em; }}
blockquote {{ border-left: 4px solid var(--line); padding-left: 1em; margin-left: 0; }}
img {{ display: block; max-width: 100%; min-width: 65%; max-height: 72vh; object-fit: contain; background: #fff; }}
td, th {{ padding: 0.1em 0.8em 0.1em 0; text-align: left; }}
footer {{ position: fixed; right: 1.5em; bottom: 0.8em; font-size: 0.55em; color: var(--line); }}
a {{ color: inherit; }}
@media print {{
  @page {{ size: A4 landscape; margin: 12mm; }}
  body {{ font-size: 15pt; }} footer {{ display: none; }}
  section {{ display: block; min-height: 0; padding: 0; break-after: page; }} img {{ max-height: 150mm; }}
}}
</style>
<main>{slides}</main>
<footer><span id="place"></span></footer>
<script>
const slides = [...document.querySelectorAll('section')];
const at = () => Math.max(0, slides.findIndex(one => '#' + one.id === location.hash));
const go = to => location.replace('#' + slides[Math.min(slides.length - 1, Math.max(0, to))].id);
const show = () => {{ document.getElementById('place').textContent = (at() + 1) + ' of ' + slides.length; }};
const keys = {{ArrowRight: 1, PageDown: 1, ' ': 1, ArrowLeft: -1, PageUp: -1, Home: -1e9, End: 1e9}};
addEventListener('keydown', event => {{
  if (event.key in keys && !event.target.closest('summary')) {{ event.preventDefault(); go(at() + keys[event.key]); }}
}});
addEventListener('hashchange', show);
if (!location.hash) go(0);
show();
</script>
</html>
"""


def formula(text: str, options: dict[str, bool]) -> str:
    """A formula as MathML, for markdown-it."""
    made: str = convert(text, display="block" if options["display_mode"] else "inline")
    return made


def render(markdown: str) -> str:
    """HTML from a chapter's Markdown, its drawings put inside."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    parser.use(dollarmath_plugin, renderer=formula, double_inline=True)
    made: str = parser.render(markdown)
    return re.sub(r'src="\.\./(figures/[^"]+)"', lambda found: f'src="{embedded(ROOT / found[1])}"', made)


def embedded(path: Path) -> str:
    """A picture's file as a data address."""
    kind = {".svg": "svg+xml", ".png": "png"}[path.suffix]
    return f"data:image/{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def figures(cell: NotebookNode) -> Iterator[str]:
    """The pictures among a cell's outputs, with their words; of an interactive view its still picture."""
    for output in cell.get("outputs", []):
        seen: dict[str, str] = {}  # a view holds its still twice, for the screen and for paper
        for found in IMAGE.finditer("".join(output.get("data", {}).get("text/html", ""))):
            seen.setdefault(found[1], found[0])
        yield from seen.values()


def printed(cell: NotebookNode) -> str:
    """What a cell prints, if it fits on a slide."""
    text = "".join(output.text for output in cell.get("outputs", []) if output.output_type == "stream")
    return f"<pre>{html.escape(text)}</pre>" if 0 < len(text.splitlines()) <= LONGEST_OUTPUT else ""


def is_hidden(cell: NotebookNode) -> bool:
    """Whether a reader has to unfold the cell."""
    return bool(cell.metadata.get("jupyter", {}).get("source_hidden"))


def slides_of(notebook: NotebookNode) -> Iterator[str]:
    """The chapter's slides, one piece of HTML each."""
    heading, asked, built = "", False, False
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for section in re.split(r"^(?=## )", cell.source, flags=re.MULTILINE):
                title = re.match(r"## (.+)", section)
                heading = f"<h2>{render(title[1])[3:-5]}</h2>" if title else heading
                asked = asked or PREDICT in section
                yield from of_section(section, title[1] if title else "", heading)
            continue
        if not built and not is_hidden(cell) and re.search(r"^(def|class) ", cell.source, re.M):
            built = True
            yield f'{heading}<pre class="code">{html.escape(cell.source)}</pre>'
        if asked and (text := printed(cell)):
            yield heading + text
            asked = False
        for picture in figures(cell):
            yield heading + picture
            asked = False


def of_section(section: str, title: str, heading: str) -> Iterator[str]:
    """The slides of a piece of Markdown that may begin with a title; `heading` stands on those that have none."""
    text, drawings = DRAWING.sub("", section), DRAWING.findall(section)
    if title in {"The puzzle", "Summary"} or text.startswith("# "):
        yield render(text)
    elif title == "Check yourself":
        for question in re.split(r"\n(?=\*\*\d+\.)", text)[1:]:
            yield heading + render(question)
    elif PREDICT in text:
        lead = text.removeprefix(f"## {title}")
        short = len(lead.split()) <= LONGEST_LEAD
        yield heading + render(lead if short else lead[lead.index(PREDICT) :])
    yield from (heading + render(drawing) for drawing in drawings)


def page(notebook: NotebookNode) -> str:
    """The whole page of a chapter's slides."""
    slides = [f'<section id="s{n}">\n{slide}\n</section>' for n, slide in enumerate(slides_of(notebook), start=1)]
    title = notebook.cells[0].source.splitlines()[0].lstrip("# ")
    return PAGE.format(title=html.escape(title), slides="\n".join(slides))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.slides", description="Make slides from stored chapters.")
    parser.add_argument("paths", nargs="*", type=Path, help="notebooks (all of chapters/ if none)")
    parser.add_argument("--out", type=Path, default=ROOT / "slides", help="folder for the pages (default slides/)")
    asked = parser.parse_args(arguments)
    asked.out.mkdir(parents=True, exist_ok=True)
    for path in asked.paths or sorted((ROOT / "chapters").glob("*.ipynb")):
        made = asked.out / f"{path.stem}.html"
        made.write_text(page(read(path)), encoding="utf-8", newline="\n")
        print(f"{made}: {made.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
