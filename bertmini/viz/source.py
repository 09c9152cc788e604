"""The package's own source, shown in a notebook: the code that the reader reads is the code that runs.

`show_source(obj)` ends a section in which a chapter built a simplified version: here is the real one. The HTML carries
its own colours, text and background both, so it is readable in light and dark themes and needs no style sheet. The
same source gives the same bytes. Colours come from the tokenizer that Python ships, so nothing more is installed.

Left out on purpose: line numbers and file paths, which change without the source changing.

Taught in chapter 00.
"""

import html
import inspect
import io
import keyword
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

INK, PAPER, EDGE = "#24292f", "#f6f8fa", "#d0d7de"
# Each at least 4.5 : 1 on the paper; the weight and the slant tell the kinds apart without colour.
STYLES = {
    "keyword": "color:#0550ae;font-weight:bold",
    "name": "color:#6639ba;font-weight:bold",
    "string": "color:#0a5c36",
    "comment": "color:#57606a;font-style:italic",
    "number": "color:#953800",
}
_BOX = f"color:{INK};background:{PAPER};border:1px solid {EDGE};border-radius:4px;margin:4px 0"
_PRE = f"color:{INK};background:{PAPER};margin:0;padding:8px 12px;overflow-x:auto;line-height:1.35;font-size:13px"
_TITLE = f"color:{INK};padding:6px 12px;border-bottom:1px solid {EDGE};font-family:monospace;font-weight:bold"


@dataclass(frozen=True)
class SourceView:
    """A piece of source with its dotted name; a notebook shows it highlighted, everything else as text."""

    name: str
    source: str

    def __repr__(self) -> str:
        """The name as a comment, then the source."""
        return f"# {self.name}\n{self.source}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002
        title = f'<div style="{_TITLE}">{html.escape(self.name)}</div>'
        code = f'<pre style="{_PRE}">{highlight(self.source)}</pre>'
        return {"text/plain": repr(self), "text/html": f'<div style="{_BOX}">{title}{code}</div>'}


def show_source(obj: ModuleType | type | FunctionType) -> SourceView:
    """The source of a module, class or function, to be shown as a cell's last expression.

    Raises `ValueError` if `obj` has no Python source, for example because it is an instance or is written in C.

    >>> show_source(show_source).source.splitlines()[0]
    'def show_source(obj: ModuleType | type | FunctionType) -> SourceView:'
    """
    try:
        source = inspect.getsource(obj)
    except (TypeError, OSError) as error:
        raise ValueError(
            f"{obj!r} has no Python source; pass a module, a class or a function, such as type(obj) for an instance"
        ) from error
    if isinstance(obj, ModuleType):
        return SourceView(obj.__name__, source.rstrip())
    return SourceView(f"{obj.__module__}.{obj.__qualname__}", inspect.cleandoc("\n" + source))


def highlight(source: str) -> str:
    """Python source as HTML: the same text, with keywords, defined names, strings, comments and numbers styled.

    >>> highlight("x = 1  # one")
    'x = <span style="color:#953800">1</span>  <span style="color:#57606a;font-style:italic"># one</span>'
    """
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    parts, done = [], 0
    for kind, begin, end in _spans(source):
        first, last = starts[begin[0] - 1] + begin[1], starts[end[0] - 1] + end[1]
        parts += [html.escape(source[done:first], quote=False)]
        parts += [f'<span style="{STYLES[kind]}">{html.escape(source[first:last], quote=False)}</span>']
        done = last
    return "".join(parts) + html.escape(source[done:], quote=False)


def _spans(source: str) -> Iterator[tuple[str, tuple[int, int], tuple[int, int]]]:
    """The pieces to style: their kind, where they begin and where they end, as (line from 1, column)."""
    plain = {tokenize.STRING: "string", tokenize.COMMENT: "comment", tokenize.NUMBER: "number"}
    fstring = {getattr(tokenize, name, None) for name in ("FSTRING_START", "FSTRING_MIDDLE", "FSTRING_END")}
    previous = ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME and previous in {"def", "class"}:
            yield "name", token.start, token.end
        elif token.type == tokenize.NAME and keyword.iskeyword(token.string):
            yield "keyword", token.start, token.end
        elif token.type in plain:
            yield plain[token.type], token.start, token.end
        elif token.type in fstring:  # from Python 3.12 on, an f-string comes in pieces
            yield "string", token.start, token.end
        previous = token.string
