"""One look for the whole book: a colour means one thing, and a picture never travels without its words.

Blue and black are Okabe and Ito's ("Color universal design", 2008); the others were searched for, near their hues. Each
has a contrast of 4.5 : 1 or more on white (WCAG 2.1, 1.4.3), so that it may colour text too, and any two stay apart for
readers who lack one kind of cone (as simulated by Machado, Oliveira and Fernandes, 2009). Line styles and labels say it
again: nothing is told by colour alone.

Taught in chapter 00.
"""

import base64
import html
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.figure import Figure
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bertmini.files import write_atomically

INK, PAPER, GRID = "#1f2933", "#ffffff", "#d9dee3"
DPI, SHOWN_DPI = 144, 110  # pixels of a figure's inch, in the file and on the page

# What it is: its colour and its line.
MEANINGS = {
    "model": ("#0072b2", "solid"),  # what is trained here,
    "training": ("#0072b2", "solid"),  # on the text that it trains on ...
    "held out": ("#a86511", "solid"),  # ... and on text that it never sees
    "floor": ("#000000", "dashed"),  # the best that anyone can do
    "ceiling": ("#000000", "dashed"),
    "baseline": ("#75146d", "dashdot"),  # a simple method, to be beaten
    "chance": ("#72767e", "dotted"),
    "untrained": ("#72767e", "solid"),
    "from scratch": ("#72767e", "solid"),  # trained, from random weights
    "frozen": ("#4404c0", "solid"),  # pretrained and left as it is; the first of the spare looks, which it takes
    "peer": ("#024530", "solid"),  # somebody else's code
}
SPARE = (("#4404c0", "solid"), ("#464209", "solid"), ("#4404c0", "dashed"), ("#464209", "dashed"))  # for other names
# White to blue, nothing to all, in steps of 0.05, which survive the reduction to 64 colours and can be counted.
HEAT = matplotlib.colormaps["Blues"].resampled(20)

# matplotlib types each key of rcParams; a plain dict of ours is easier to read.
STYLE: Any = {
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "figure.figsize": (6.4, 3.4),
    "figure.facecolor": PAPER,
    "figure.constrained_layout.use": True,
    "savefig.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "font.family": ["DejaVu Sans"],  # it comes with matplotlib: the same letters everywhere
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 9.5,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "axes.prop_cycle": cycler(color=[MEANINGS["model"][0], SPARE[0][0], SPARE[1][0]]),
    "lines.linewidth": 1.8,
    "lines.markersize": 4,
}


def plain(text: str) -> str:
    r"""Somebody's words as a picture shows them, letter by letter; all that this room did not write goes through here.

    matplotlib reads what stands between two dollar signs as a formula, and gives up on half a surrogate pair.

    >>> plain("$50_$100")
    '\\$50_\\$100'
    """
    return whole_characters(text).replace("$", r"\$")


def whole_characters(text: str) -> str:
    """The text with `?` for half a surrogate pair, which no file and no font can hold."""
    return text.encode("utf-8", "replace").decode()


def use_style() -> None:
    """Give every figure drawn from here on the book's look; the book's own plots have it anyway."""
    matplotlib.rcParams.update(STYLE)


@dataclass(frozen=True)
class Picture:
    """A figure and what it shows, in words: a notebook shows the one and gives the other to readers who cannot see.

    A chapter's own drawing becomes one by `Picture(figure, "what it shows")` as the last expression of a cell.
    """

    figure: Figure
    alt: str

    def __post_init__(self) -> None:
        """No picture without words."""
        if not self.alt.strip():
            raise ValueError("the alt text is empty: say in a sentence or two what the figure shows")

    def __repr__(self) -> str:
        """The words."""
        return f"[Picture: {self.alt}]"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002
        """`Image(alt=...)` is ignored by JupyterLab and by most exporters; an `img` tag is understood by all."""
        content = png(self)
        data = base64.b64encode(content).decode()
        alt = html.escape(" ".join(self.alt.split()))
        # Sharp on paper and on fine screens, and no larger on the page for it.
        width = round(Image.open(io.BytesIO(content)).width * SHOWN_DPI / DPI)
        style = f"max-width:100%;background:{PAPER}"
        tag = f'<img alt="{alt}" src="data:image/png;base64,{data}" width="{width}" style="{style}">'
        return {"text/html": tag, "text/plain": repr(self)}


def png(picture: Picture) -> bytes:
    """The picture as PNG of 64 colours (a third of the size, no visible loss), its words inside as the description.

    The same figure gives the same bytes.
    """
    raw = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        picture.figure.savefig(raw, format="png", bbox_inches="tight", pad_inches=0.08)
    words = PngInfo()
    words.add_itxt("Description", whole_characters(picture.alt))
    words.add_text("Software", f"Matplotlib {matplotlib.__version__}")  # another version draws other pixels
    small = io.BytesIO()
    image = Image.open(raw).convert("RGB").quantize(64, dither=Image.Dither.NONE)
    image.save(small, "PNG", optimize=True, pnginfo=words, dpi=(STYLE["savefig.dpi"],) * 2)
    return small.getvalue()


def save(picture: Picture, path: str | Path) -> None:
    """Write the picture as a PNG file with its words in it.

    Raises `ValueError` for a name that does not end in `.png`.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ValueError(
            f"pictures are written as PNG, not {path.suffix or 'without an ending'}: name it {path.stem}.png"
        )
    write_atomically(path, png(picture))
