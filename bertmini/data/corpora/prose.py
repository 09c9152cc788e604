"""Docstrings become prose: markup, code, signatures and tables out, whole sentences in.

Documentation is real English about things that the reader knows, but it is written in reStructuredText and full of
examples. The rules here are strict rather than clever: when in doubt, a paragraph or a sentence is left out.

Left out on purpose: descriptions of single parameters (they are phrases), languages other than English.
Taught in chapter 07.
"""

import ast
import inspect
import re
from collections.abc import Iterator

from bertmini.data.corpora.text_files import Document, split_sentences


def docstrings(source: bytes) -> Iterator[str]:
    """The docstrings of a module, its classes and functions, in the order of the source; nothing is run.

    Raises `SyntaxError` if `source` is not Python of this version.
    """
    todo: list[ast.stmt | ast.Module] = [ast.parse(source)]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node, clean=False)
            if docstring:
                yield inspect.cleandoc(docstring)
            todo += reversed(node.body)
        elif isinstance(node, ast.If | ast.Try):
            todo += reversed(node.body)


_NOT_PROSE = re.compile(r"([-*+•|#:@>=~$%\[({<]|\.\. |\.\.$|\d+[.)]|\(?[a-z]\)|[A-Z]\w*:(\s|$)|\w+\s:|\w+\s\()")
_UNDERLINE = re.compile(r"[-=~^\"'`#*+_:.]{3,}$")


def paragraphs(docstring: str) -> Iterator[str]:
    """The paragraphs of running text: those at the left margin that are no list, field, table, title or example."""
    for block in re.split(r"\n\s*\n", docstring):
        text: list[str] = []
        for line in block.split("\n"):
            if _UNDERLINE.match(line.rstrip()):
                text = []  # what stood over it was a title
            elif line.startswith((" ", "\t")) or _NOT_PROSE.match(line):
                break
            else:
                text.append(line)
        if text:
            yield " ".join(text)


_MARKUP = [  # in this order
    (re.compile(r":[a-z:+]+:`(?:[^`<]*<)?[~!]?(?:[\w.]*\.)?([^`<>]+?)>?`"), r"\1"),  # :class:`~torch.nn.Module`
    (re.compile(r"`([^`<]+?)\s*<[^`>]+>`__?"), r"\1"),  # `text <link>`_
    (re.compile(r"\s?\[[\w, -]+\]_"), ""),  # footnote
    (re.compile(r"`?([^`]+?)`?_?"), r"\1"),  # `code` and `code`
    (re.compile(r"(?<!\w)\*\*?([^*\s][^*]*?)\*\*?(?!\w)"), r"\1"),  # *emphasis*
    (re.compile(r"--+"), "-"),
]
_WORD = re.compile(r"""["'“(]*[A-Za-z]+(?:['’-][A-Za-z]+)*["'”)]*[,;:.!?]?["'”)]*$""")
_FORBIDDEN = re.compile(  # signs of code, of markup that was not understood, of another language
    r"[_=<>{}\[\]\\|@#~^$/*`+&%]|\w\(|\.\.|\w\.\w|(?:^|\s)\.\w|\b(TODO|FIXME|XXX)\b|[^\x00-\x7f“”‘’–—…é]"
)


def is_prose(sentence: str) -> bool:
    """Whether this is a sentence of 5 to 60 words, nearly all of them words of letters."""
    words = sentence.split()
    if not (sentence[0].isupper() and sentence.endswith(".") and 5 <= len(words) <= 60) or _FORBIDDEN.search(sentence):
        return False
    if sentence.count("(") != sentence.count(")") or sentence.count('"') % 2:
        return False
    plain = sum(bool(_WORD.match(word)) for word in words)
    lower = sum(word[0].islower() for word in words)
    is_list = sentence.count(",") > 0.3 * len(words)
    return plain >= 0.9 * len(words) and lower >= 0.5 * len(words) and not is_list


def sentences(docstring: str) -> Document:
    """The sentences of prose in a docstring, in order.

    >>> sentences('''Open the box and look inside.
    ...
    ... :param x: what to do.
    ...
    ... The cat in :class:`~boxes.Box` may be asleep. Call `b.wake()` then.''')
    ['Open the box and look inside.', 'The cat in Box may be asleep.']
    """
    found: Document = []
    for paragraph in paragraphs(docstring):
        text = paragraph
        for pattern, replacement in _MARKUP:
            text = pattern.sub(replacement, text)
        found += [sentence for sentence in split_sentences(text) if is_prose(sentence)]
    return found
