"""Sphinx's settings for the website and the book; `tools/website.py` puts the pages together and starts it.

Nothing here names a chapter. Pages are dark or light as the reader's system is, until the reader chooses.
"""

import pickle
import re
from collections.abc import Callable
from html import escape
from pathlib import Path
from urllib.parse import quote

from docutils import nodes
from sphinx import addnodes
from sphinx.application import ENV_PICKLE_FILENAME, Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.writers.html5 import HTML5Translator

from tools import website

# What it is

project = "BERT, built in front of you"
author = "The authors of bertmini"
copyright = f"{author}; MIT licence"  # noqa: A001  (Sphinx's name for it)
version = release = website.version()
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.mathjax"]
root_doc = "index"
suppress_warnings = ["epub.unknown_project_files", "epub.duplicated_toc_entry"]

# Notebooks: shown as they are stored

nb_execution_mode = "off"
nb_merge_streams = True
nb_render_markdown_format = "myst"  # its default, CommonMark, has no tables
myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath", "fieldlist"]
myst_heading_anchors = 3
html_math_renderer = "mathjax"
mathjax_path = "tex-svg.js"
mathjax3_config = {"options": {"enableMenu": False}}  # its menu would ask a CDN for the parts that it offers

# The package's pages, from its docstrings

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
default_role = "code"  # docstrings write `x` as Markdown does
add_module_names = False
toc_object_entries = False

# The website's pages

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["site.css", str(website.BUILD / "vendored" / website.MATHJAX)]
html_css_files = ["site.css"]
html_search_scorer = str(website.SITE / "scorer.js")
html_copy_source = True
html_show_sourcelink = False
html_show_sphinx = False
html_domain_indices = False
html_last_updated_fmt = ""
html_sidebars = {"**": ["search-button-field.html", "sbt-sidebar-nav.html"]}  # the title is the contents' first line
html_context = {"default_mode": "auto"}
html_theme_options = {
    "repository_url": website.repository(),
    "repository_branch": website.BRANCH,
    "launch_buttons": {
        "colab_url": "https://colab.research.google.com",
        "binderhub_url": "https://mybinder.org",
        "notebook_interface": "jupyterlab",
    }
    if website.repository()
    else {},
    "home_page_in_toc": True,
    "show_navbar_depth": 1,
    "max_navbar_depth": 1,  # deeper ones open by buttons without a name, which a screen reader cannot read out
    "show_toc_level": 2,
    "use_download_button": True,
    "use_fullscreen_button": False,
    "navbar_persistent": [],  # the bar at the side has a search already
    "extra_footer": "",
}

# The book: tools/book.py sets this tag

if tags.has("book"):  # noqa: F821  (Sphinx puts it there)
    html_theme = "basic"
    html_theme_options = {"nosidebar": True}
    html_static_path, html_css_files = ["book.css"], ["book.css"]
    html_math_renderer = "mathml"
    smartquotes = False
epub_theme = "epub"
epub_basename = "bertmini"
epub_title = project
epub_author = epub_publisher = author
epub_copyright = copyright
epub_identifier = "bertmini"
epub_scheme = "bertmini"
epub_uid = "bertmini"
epub_show_urls = "no"
epub_tocdepth = 3
epub_css_files = ["book.css"]
epub_use_index = False

# Excerpts in search results are fetched from the pages, which a browser refuses to a page from the disk. And a formula
# that is wider than a telephone is scrolled by the keyboard, too.
SCRIPT = """
if (location.protocol === 'file:') DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
addEventListener('load', () => window.MathJax?.startup?.promise?.then(() => {
  for (const formula of document.querySelectorAll('mjx-container[display=true]')) formula.tabIndex = 0;
}));
"""

# The file that an edit of a page belongs to, where it is not the page's own source.
MADE_FROM = {"index": "site/index.md", "site/bibliography": "site/references.bib"}


class DefinedTerms(SphinxTransform):
    """Where a chapter puts a term of the glossary in bold for the first time, the index and the glossary lead."""

    default_priority = 400

    def apply(self) -> None:
        """Give the bold words a name, and tell the index."""
        number = re.match(r"chapters/(\d\d)_", self.env.docname)
        if not number:
            return
        wanted = {term.term.lower(): term for term in website.terms() if number[1] in term.chapters}
        for bold in [*self.document.findall(nodes.strong)]:
            term = wanted.pop(" ".join(bold.astext().split()).lower(), None)
            if term is None:
                continue
            label = f"term-{number[1]}-{term.anchor}"
            bold["ids"].append(label)
            self.env.domains.standard_domain.anonlabels[label] = (self.env.docname, label)
            self.env.domains.standard_domain.labels[label] = (self.env.docname, label, term.term)
            entry = addnodes.index(entries=[("single", term.term, label, "", None)], inline=True)
            bold.parent.insert(bold.parent.index(bold), entry)


class Citations(SphinxTransform):
    """Where a chapter cites an entry of the bibliography first, the bibliography leads back."""

    default_priority = 400

    def apply(self) -> None:
        """Name the first paragraph that cites an entry: by authors and year, by its title or by its address."""
        number = re.match(r"chapters/(\d\d)_", self.env.docname)
        if not number:
            return
        paragraphs = [(one, " ".join(one.astext().split())) for one in self.document.findall(nodes.paragraph)]
        for entry in website.references():
            if not entry.is_cited_in(self.text()):
                continue
            authors, _, year = entry.label.rpartition(" ")
            named = re.compile(rf"{re.escape(authors)}\W+{year}|{re.escape(entry.title)}", re.IGNORECASE)
            leads = [one for one, text in paragraphs if named.search(text) or self.links(one, entry.url)]
            place = leads[0] if leads else next(self.document.findall(nodes.section))
            label = f"{entry.anchor}-{number[1]}"
            place["ids"].append(label)
            self.env.domains.standard_domain.anonlabels[label] = (self.env.docname, label)
            self.env.domains.standard_domain.labels[label] = (self.env.docname, label, entry.label)

    def text(self) -> str:
        """The chapter as it is written."""
        return next(website.chapter_text(c) for c in website.written() if self.env.docname == f"chapters/{c.name}")

    @staticmethod
    def links(paragraph: nodes.paragraph, url: str) -> bool:
        """Whether a paragraph has a link to an address."""
        return bool(url) and any(link.get("refuri") == url for link in paragraph.findall(nodes.reference))


LETTERS = re.compile(r"(?<!\w)(\*[A-Za-z][^*]*[A-Za-z]\*)(?!\w)|[*|_]")
"""Emphasis, which stays; or a mark that means something in reStructuredText and nothing in our docstrings."""


def as_rst(_app: object, _what: str, _name: str, _obj: object, _options: object, lines: list[str]) -> None:
    """Docstrings in the house's dialect: stars and bars are letters, and a chapter's number leads to the chapter."""
    chapters = {chapter.number: website.front(chapter).removesuffix(".ipynb") for chapter in website.written()}

    def linked(found: re.Match[str]) -> str:
        numbers = re.sub(
            r"\d\d", lambda n: f":doc:`{n[0]} </{chapters[n[0]]}>`" if n[0] in chapters else n[0], found[2]
        )
        return found[1] + numbers

    if lines and lines[0].startswith("Alias for field number"):  # what Python says of a named tuple's field
        lines.clear()
    for at, line in enumerate(lines):
        if line.lstrip().startswith((">>>", "...")):
            continue
        pieces = re.split(r"(``?[^`]+``?)", line)
        pieces[::2] = [LETTERS.sub(lambda found: found[1] or f"\\{found[0]}", piece) for piece in pieces[::2]]
        lines[at] = re.sub(r"\b([Cc]hapters? )(\d\d(?:(?:, | and )\d\d)*)", linked, "".join(pieces))


def below(_app: Sphinx, page: str, _template: str, context: dict[str, object], doctree: object) -> None:
    """Under every page: where to change it, and where to say that something is wrong."""
    if tags.has("book"):  # noqa: F821
        context["css_files"] = [file for file in context["css_files"] if "mystnb" not in str(file)]  # not in the EPUB
    if doctree is None or tags.has("book"):  # noqa: F821
        return
    if page == "site/errata" and not website.repository():
        return
    where, path = website.repository(), MADE_FROM.get(page, f"{page}{context.get('page_source_suffix', '')}")
    what = "chapter" if page.startswith("chapters/") else "page"
    if where:
        title = quote(f"{context['title'] if what == 'page' else page.removeprefix('chapters/')}: ")
        links = [(f"{where}/issues/new?title={title}", f"Report an error in this {what}")]
        if not page.startswith("api/"):
            links.append((f"{where}/edit/{website.BRANCH}/{path}", f"Edit this {what}"))
    else:
        links = [(context["pathto"]("site/errata").rstrip("#") + "#report-an-error", f"Report an error in this {what}")]  # type: ignore[operator]
    listed = " · ".join(f'<a href="{escape(address)}">{text}</a>' for address, text in links)
    context["body"] = f"{context['body']}\n<p class='below'>{listed}</p>"


def terms_only(_app: Sphinx, env: BuildEnvironment) -> None:
    """The index is one of terms: names of the package have pages of their own, and the search."""
    for page in env.domains.index_domain.entries:
        if page.startswith("api/"):
            env.domains.index_domain.entries[page] = []


def mathml(display: str) -> Callable[[HTML5Translator, nodes.math], None]:
    """A visitor that writes a formula as MathML, which needs no script and which can be read aloud."""

    def write(translator: HTML5Translator, node: nodes.math) -> None:
        from tools.slides import formula

        made = formula(node.astext(), {"display_mode": display == "block"})
        translator.body.append(f"<div class='math'>{made}</div>" if display == "block" else made)
        raise nodes.SkipNode

    return write


def hide_values(_app: Sphinx, document: nodes.document) -> None:
    """Constants of modules without their values: some are long patterns, one is a folder of the machine that builds."""
    for constant in document.findall(addnodes.desc):
        if constant["objtype"] == "data":
            for value in [*constant.findall(addnodes.desc_annotation)]:
                if value.astext().strip().startswith("="):
                    value.parent.remove(value)


def name_corners(_app: Sphinx, document: nodes.document, _page: str) -> None:
    """A table's empty corner is a heading cell like any other; a screen reader needs something to say there."""
    if tags.has("book"):  # noqa: F821
        return
    for head in document.findall(nodes.thead):
        for corner in head.findall(nodes.entry):
            if not corner.astext().strip():
                corner += nodes.raw("", '<span class="visually-hidden">row</span>', format="html")


def keep_search(app: Sphinx, failed: Exception | None) -> None:
    """What the search knows is learned as pages are written, after Sphinx has stored what it knows: store it again.

    Otherwise a second build, which writes only what is new, leaves the other pages' terms out of the search.
    """
    if failed is None:
        (Path(app.doctreedir) / ENV_PICKLE_FILENAME).write_bytes(pickle.dumps(app.env, pickle.HIGHEST_PROTOCOL))


def setup(app: Sphinx) -> None:
    """Tell Sphinx what to call."""
    app.add_transform(DefinedTerms)
    app.add_transform(Citations)
    app.add_html_math_renderer("mathml", (mathml("inline"), None), (mathml("block"), None))
    app.add_js_file(None, body=SCRIPT, priority=900)
    app.connect("autodoc-process-docstring", as_rst)
    app.connect("doctree-read", hide_values)
    app.connect("doctree-resolved", name_corners)
    app.connect("env-updated", terms_only)
    app.connect("build-finished", keep_search)
    app.connect("html-page-context", below, priority=900)
