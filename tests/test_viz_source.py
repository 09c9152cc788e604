import html
import re
from collections.abc import Callable

import pytest

from bertmini import config
from bertmini.viz import source
from bertmini.viz.source import INK, PAPER, STYLES, SourceView, highlight, show_source

SAMPLE = '''def greet(name: str) -> str:
    """Say "hello" & nothing <more>."""
    return f"hello {name!r}" if name else "nobody"  # 1 < 2
'''


def text_of(markup: str) -> str:
    """What is left of HTML without its tags."""
    return html.unescape(re.sub("<[^>]+>", "", markup))


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, as WCAG defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    "text", [SAMPLE, "", "x = 'a' * 3", "if True:\n    pass\n", "# π ≈ 3.14\n", 's = """a\nb"""\n']
)
def test_highlighting_changes_no_letter(text: str) -> None:
    assert text_of(highlight(text)) == text


def test_pieces_are_styled_by_kind() -> None:
    markup = highlight(SAMPLE)
    for kind, piece in [("keyword", "def"), ("name", "greet"), ("keyword", "return"), ("comment", "# 1 &lt; 2")]:
        assert f'<span style="{STYLES[kind]}">{piece}</span>' in markup


def test_real_source_is_shown_with_its_name() -> None:
    view = show_source(highlight)
    assert view.name == "bertmini.viz.source.highlight"
    assert view.source.startswith('def highlight(source: str) -> str:\n    """Python source as HTML')
    assert view.source.endswith("quote=False)")


def test_methods_lose_their_indentation() -> None:
    view = show_source(SourceView._repr_mimebundle_)
    assert view.name == "bertmini.viz.source.SourceView._repr_mimebundle_"
    assert view.source.splitlines()[0].startswith("def _repr_mimebundle_(self")
    assert view.source.splitlines()[1].startswith("    title = ")


def test_modules_are_shown_whole() -> None:
    view = show_source(config)
    assert view.name == "bertmini.config"
    assert view.source.startswith('"""')


def test_bundle_is_the_same_each_time_in_text_and_html() -> None:
    first, second = (show_source(source.show_source)._repr_mimebundle_() for _ in range(2))
    assert first == second
    assert list(first) == ["text/plain", "text/html"]
    assert (
        text_of(first["text/html"]).replace("bertmini.viz.source.show_source", "", 1) == show_source(show_source).source
    )
    assert first["text/plain"].startswith("# bertmini.viz.source.show_source\ndef show_source(")
    assert "class=" not in first["text/html"]
    assert "<style" not in first["text/html"]


@pytest.mark.parametrize("colour", [INK, *(re.findall("#[0-9a-f]{6}", style)[0] for style in STYLES.values())])
def test_colours_have_contrast(colour: str) -> None:
    assert (luminance(PAPER) + 0.05) / (luminance(colour) + 0.05) >= 4.5


@pytest.mark.parametrize("obj", [len, 3, "text", SourceView("a", "b")])
def test_objects_without_source_are_refused(obj: Callable[..., object]) -> None:
    with pytest.raises(ValueError, match="has no Python source; pass a module, a class or a function"):
        show_source(obj)
