"""One self-contained frame per interactive view: it draws offline, in a stored notebook, and beside other views.

The page of a view stands inside an `<iframe srcdoc sandbox>`: it needs no server, no extension and no re-run, nothing
in it reaches the notebook around it, and its own content security policy forbids every request. It follows the system's
colour scheme with a foreground *and* a background of its own. Where scripts or frames are not shown (an untrusted
notebook, a mail, paper) a still picture and its words take over: they are an output of their own before the frame, and
stand folded up under it.

Left out on purpose: frames that grow with their content, which would need a script in the notebook's page.
Taught in chapter 13.
"""

import html as html_text
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertmini.files import write_atomically
from bertmini.viz.style import GRID, INK, PAPER, Picture

# No request of any kind, no form to send, no other base; scripts and styles from within, pictures from memory.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "form-action 'none'; base-uri 'none'"
)
STYLE = f"""
:root {{ color-scheme: light dark; --ink: {INK}; --paper: {PAPER}; --line: {GRID}; --soft: #eef1f4; --accent: #0072b2 }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #e6e9ec; --paper: #111417; --line: #3c444c; --soft: #232a31; --accent: #6db8ea }}
}}
html {{ background: var(--paper); color: var(--ink) }}
body {{ margin: 0; padding: 8px; font: 15px/1.4 'Helvetica Neue', Helvetica, Arial, sans-serif }}
h1 {{ font-size: 1.2em; margin: 0 0 .5em }}
img {{ max-width: 100%; background: {PAPER} }}
"""
FOLDED = "The same as a still picture"


@dataclass(frozen=True)
class Frame:
    """An interactive view, and the picture and words that stand for it where it cannot run."""

    html: str
    """What stands in the view's `<main>`: elements, styles, scripts. It may use the colours `--ink`, `--paper`,
    `--line`, `--soft` and `--accent`, which follow the colour scheme."""
    picture: Picture | None
    alt: str
    """What the view shows, in words: all that a plain-text reader gets."""
    height: int
    """In CSS pixels; what is higher scrolls inside the frame."""
    title: str = ""
    """A short name, read out when a reader enters the frame; the words' first sentence if there is none."""
    downloads: bool = False
    """Whether the view may offer files to save."""

    def __post_init__(self) -> None:
        """No view without words."""
        if not self.alt.strip():
            raise ValueError("the alt text is empty: say in a sentence or two what the view shows")

    def __repr__(self) -> str:
        """The words."""
        return f"[View: {self.alt}]"

    @property
    def name(self) -> str:
        """The title, or the first sentence of the words."""
        return self.title or self.alt.split(". ")[0].rstrip(".")

    def page(self, *, heading: bool = False, after: str = "") -> str:
        """The whole HTML page of the view, with its title as a heading if it is to stand alone."""
        title = html_text.escape(self.name)
        return (
            f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{title}</title>"
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
            f"<meta name=viewport content='width=device-width'><style>{tight(STYLE)}</style></head><body>"
            f"<main>{f'<h1>{title}</h1>' if heading else ''}{self.html}{after}</main></body></html>"
        )

    def save(self, path: str | Path) -> None:
        """Write a page that any browser opens from the disk, without a network.

        Raises `ValueError` for a name that does not end in `.html`.
        """
        path = Path(path)
        if path.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"a view is saved as a page, not as {path.name!r}: name it {path.stem}.html")
        write_atomically(path, self.page(heading=True, after=_folded(self._image())))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002
        """The frame and the folded picture for a notebook, the picture for paper, the words for a terminal."""
        return self._bundle(self._image())

    def _ipython_display_(self) -> None:
        """Show the picture as an output of its own, then the view: GitHub runs no script and shows no frame."""
        from IPython.display import display

        image = self._image()
        if self.picture is not None:
            display({"text/html": image, "text/plain": repr(self.picture)}, raw=True)  # type: ignore[no-untyped-call]
        display(self._bundle(image), raw=True)  # type: ignore[no-untyped-call]

    def _image(self) -> str:
        """The picture as an element, drawn once per use: a figure drawn again may differ by a pixel."""
        return "" if self.picture is None else self.picture._repr_mimebundle_()["text/html"]

    def _bundle(self, image: str) -> dict[str, str]:
        source, title = _attribute(self.page()), _attribute(self.name)
        sandbox = "allow-scripts allow-downloads" if self.downloads else "allow-scripts"
        style = f"display:block;width:100%;height:{self.height}px;border:1px solid #8a939c;box-sizing:border-box"
        frame = f'<iframe title="{title}" sandbox="{sandbox}" srcdoc="{source}" style="{style}"></iframe>'
        bundle = {"text/html": frame + _folded(image), "text/plain": self.alt}
        if found := re.search('data:image/png;base64,([^"]*)', image):
            bundle["image/png"] = found[1]
        return bundle


def _folded(image: str) -> str:
    """The picture as it stands under the view."""
    return image and f"<details><summary>{FOLDED}</summary>{image}</details>"


def tight(css: str) -> str:
    """Styles without the blanks that only people need; none of ours has a blank before a colon that means something.

    >>> tight("p { margin: 0 4px; color: red }")
    'p{margin:0 4px;color:red}'
    """
    return re.sub(r"\s*([{}:;,])\s*", r"\1", css)


def _attribute(text: str) -> str:
    """Text as the value of an attribute in double quotes."""
    return text.replace("&", "&amp;").replace('"', "&quot;")
