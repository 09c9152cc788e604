"""The chapters, the package and the outline never drift apart; made-up chapters show that the checks would see it."""

from pathlib import Path

import pytest
from nbformat import NotebookNode

from figures.outline import CHAPTERS
from tests.chapter_checks import (
    chapters_of_modules,
    links_lead_somewhere,
    markdown,
    numbers_are_run,
    package_is_not_shadowed,
    public_names,
    repeats_are_exact,
    sections_are_there,
)
from tests.made_up import code, made_up_notebook, text
from tools.notebooks import ROOT, read

PATHS = sorted(ROOT.glob("chapters/*.ipynb"))
PUBLIC_NAMES = public_names()
every_chapter = pytest.mark.parametrize("path", PATHS, ids=[path.stem for path in PATHS])


@every_chapter
def test_chapter_is_in_the_outline(path: Path) -> None:
    assert path.stem in {chapter.name for chapter in CHAPTERS}


@every_chapter
def test_repeats_are_exact(path: Path) -> None:
    assert list(repeats_are_exact(read(path))) == []


@every_chapter
def test_package_is_not_shadowed(path: Path) -> None:
    assert list(package_is_not_shadowed(read(path), PUBLIC_NAMES)) == []


@every_chapter
def test_sections_are_there(path: Path) -> None:
    assert list(sections_are_there(read(path))) == []


@every_chapter
def test_links_lead_somewhere(path: Path) -> None:
    assert list(links_lead_somewhere(read(path), path.parent)) == []


@every_chapter
def test_numbers_are_run(path: Path) -> None:
    assert list(numbers_are_run(read(path))) == []


@pytest.mark.parametrize(("module", "numbers"), chapters_of_modules().items())
def test_module_is_taught_where_it_says(module: str, numbers: list[str]) -> None:
    by_number = {chapter.number: ROOT / "chapters" / f"{chapter.name}.ipynb" for chapter in CHAPTERS}
    assert set(numbers) <= set(by_number)
    for path in (by_number[number] for number in numbers if by_number[number].exists()):
        chapter = read(path)
        words = markdown(chapter) + "".join(cell.source for cell in chapter.cells)
        assert module in words, f"{path.stem} teaches {module} and never names it"


def test_outline_is_numbered_in_order() -> None:
    assert [chapter.number for chapter in CHAPTERS] == [f"{number:02}" for number in range(23)]


def test_public_names_hold_the_heart_of_the_package() -> None:
    assert PUBLIC_NAMES["BertConfig"] == "bertmini.config.BertConfig"
    assert PUBLIC_NAMES["show_source"] == "bertmini.viz.source.show_source"
    assert "_spans" not in PUBLIC_NAMES
    assert "dataclass" not in PUBLIC_NAMES


# ----------------------------------------------------------------------------------------------- made-up chapters

REPEAT = '''# same as bertmini.viz.source.show_source
{decorator}def show_source(obj: ModuleType | type | FunctionType) -> SourceView:
    """Another docstring."""
    try:
        source = inspect.getsource(obj)  # a comment
    except (TypeError, OSError) as error:
        raise ValueError(
            f"{{obj!r}} has no Python source; pass a module, a class or a function, such as type(obj) for an instance"
        ) from error
    if isinstance(obj, ModuleType):
        return SourceView(obj.__name__, source.rstrip())
    return SourceView(f"{{obj.__module__}}.{{obj.__qualname__}}", inspect.cleandoc({blank} + source))
'''


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (REPEAT.format(decorator="", blank=r'"\n"'), []),
        (
            REPEAT.format(decorator="", blank='""'),
            ["cell 1 says it is the same as bertmini.viz.source.show_source and differs from it"],
        ),
        (
            REPEAT.format(decorator="@cache\n", blank=r'"\n"'),
            ["cell 1 says it is the same as bertmini.viz.source.show_source and differs from it"],
        ),
        (
            "# same as bertmini.viz.source.highlight\nx = 1",
            ["cell 1 says it is the same as bertmini.viz.source.highlight and does not define highlight"],
        ),
        (
            "# same as bertmini.viz.source.nowhere\ndef nowhere(): ...",
            ["cell 1 says it is the same as bertmini.viz.source.nowhere, which does not exist"],
        ),
    ],
)
def test_drift_is_seen(source: str, expected: list[str]) -> None:
    assert list(repeats_are_exact(made_up_notebook(code(source)))) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def simple_attention(q, k, v): ...", []),
        ("highlight = 3", []),
        ("# same as bertmini.viz.source.highlight\ndef highlight(source): ...", []),
        (
            "class BertConfig: ...",
            ["cell 1 redefines bertmini.config.BertConfig: give it a name of its own, or mark it as the same"],
        ),
        ("def broken(:", []),
    ],
)
def test_shadowing_is_seen(source: str, expected: list[str]) -> None:
    assert list(package_is_not_shadowed(made_up_notebook(code(source)), PUBLIC_NAMES)) == expected


def test_missing_sections_are_seen() -> None:
    closing = text("## Check yourself\n\n## Summary\n\n## Sources\n\n## Next")
    assert list(sections_are_there(made_up_notebook(text("# Title"), closing))) == []
    assert list(sections_are_there(made_up_notebook(code("1"), text("## Summary")))) == [
        "the first cell is not the title",
        "the closing sections are ['Summary'], expected ['Check yourself', 'Summary', 'Sources', 'Next']",
    ]


def test_dead_links_are_seen(tmp_path: Path) -> None:
    (tmp_path / "here.svg").write_text("<svg/>")
    notebook = made_up_notebook(
        text("![A picture](here.svg) and ![another](gone.svg), [a chapter](gone.ipynb#part), [a page](https://x.org)"),
        text("![A picture](https://x.org/a.png), [below](#part)"),
    )
    assert list(links_lead_somewhere(notebook, tmp_path)) == [
        "gone.svg does not exist",
        "the picture https://x.org/a.png comes from the network",
        "gone.ipynb does not exist",
    ]


def chapter_that_prints(output: str, prose: str) -> NotebookNode:
    notebook = made_up_notebook(code("print(...)"), text(prose))
    notebook.cells[0].outputs = [{"output_type": "stream", "name": "stdout", "text": output}]
    return notebook


@pytest.mark.parametrize(
    ("prose", "unsupported"),
    [
        ("The loss is about 0.7 nats.", []),
        ("The loss is about 0.69 nats.", []),
        ("The loss is about 0.8 nats.", ["0.8"]),
        ("It finds 38 of 40.", []),
        ("It finds 39 of 40.", ["39 of 40"]),
        ("It finds 95 %, or 95.0 %.", []),
        ("It finds 97% of them.", ["97"]),
        ("BERT-base reaches 84.6 (Devlin et al., Table 1).", []),
        ("## Check yourself\n\n- It is 0.8.", []),
        ("Write `x = 0.5` and $p = 0.15$.", []),
        ("Chapter 3 has 12 tokens in version 2.13.0.", []),
    ],
)
def test_unsupported_numbers_are_seen(prose: str, unsupported: list[str]) -> None:
    notebook = chapter_that_prints("loss 0.693, 38 of 40, share 0.950", prose)
    assert list(numbers_are_run(notebook)) == [
        f"cell 2 says {number!r}, which the chapter neither prints, asserts nor cites" for number in unsupported
    ]
