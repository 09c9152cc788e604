"""Markdown against what a reader of the page would see: each rule of CommonMark by an example of our own."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from bertmini.data.corpora import markdown
from bertmini.data.corpora.markdown import markdown_blocks, markdown_documents

END = "\n\nThe cat sat here. It was warm.\n"
AFTER = ["The cat sat here.", "It was warm."]


def sentences(folder: Path, text: str, offset: int = 0) -> list[str]:
    path = folder / "a.md"
    path.write_bytes(text.encode())
    return [sentence for document, _ in markdown_documents(path, offset) for sentence in document]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # fences
        ("```make run```", []),
        ("Call ```make run``` now.", ["Call make run now."]),
        ("```\n```python\nx = 1\n```", []),
        ("````\n```\nx = 1\n````", []),
        ("~~~ `a`\nx = 1\n~~~", []),
        ("```\nx = 1\n~~~\ny = 2\n```", []),
        ("   ```\n   x = 1\n   ```", []),
        ("> ```\n> x = 1\n\nNo longer.", ["No longer."]),  # the end of a quotation ends its fence
        ("- ```\n  x = 1\n  ```\n- An item.", ["An item."]),
        # other code
        ("Words.\n\n    x = 1\n\n\ty = 2", ["Words."]),
        ("Words\n    that go on.", ["Words that go on."]),
        # emphasis is taken off where it is one, and only there
        ("2*3 is six, 4 * 5 is twenty.", ["2*3 is six, 4 * 5 is twenty."]),
        ("A *b* and **c** and ***d*** e.", ["A b and c and d e."]),
        ("snake_case_name stays, _this_ goes.", ["snake_case_name stays, this goes."]),
        ("\\*not\\* so.", ["*not* so."]),
        ("`` a`b `` is code.", ["a`b is code."]),
        ("An open ` stays.", ["An open ` stays."]),
        ("Salt &amp; pepper &copy; us.", ["Salt & pepper © us."]),
        # links and pictures
        ('See [the *mill*](a.md "t") there.', ["See the mill there."]),
        ("See [mill] and [that][mill] and [other].\n\n[mill]: a.md", ["See mill and that and [other]."]),
        ("See [a (b)](<a b.md>) now.", ["See a (b) now."]),
        ("[x](a(b)c) was here.", ["x was here."]),
        ("Look: ![a [b] c](p.png) there.", ["Look: there."]),
        ("![only](p.png)", []),
        ("<https://example.org/a> is it.", ["https://example.org/a is it."]),
        # HTML
        ("<style>\np { color: red }\n\nq { }\n</style>", []),
        ("<script>let a = 1;\n\nlet b;</script>", []),
        ("<pre>\nx\n\ny\n</pre>", []),
        ("<!-- one\n\ntwo -->", []),
        ("<div>\nInside.\n</div>", []),
        ("<div>\n\nInside *it*.\n\n</div>", ["Inside it."]),
        ("A <b>bold</b> <!-- x --> word.", ["A bold word."]),
        ("It is <style>p { }</style> red.", ["It is red."]),
        ("If a < b and c > d.", ["If a < b and c > d."]),
        # blocks
        ("Head\n====", []),
        ("Head\n----", []),
        ("####### Seven is text.", ["####### Seven is text."]),
        ("#hash is text.", ["#hash is text."]),
        ("> One\ntwo.", ["One two."]),
        ("1. One.\n2. Two.\n   More.\n\n   Third.", ["One.", "Two.", "More.", "Third."]),
        ("The number of\n14. is text.", ["The number of 14. is text."]),
        ("- a\n  - b\n    - c", ["a", "b", "c"]),
        ("* * *\n___\n- - -", []),
        ("| a | b |\n|---|---|\n| c | d |", []),
        ("A line\\\nbroken.", ["A line broken."]),
        # front matter
        ("---\ntitle: Blue\ndraft: false\n---", []),
        ("---\n# a comment\ntitle: Blue\n...", []),
        ('+++\ntitle = "Blue"\n\n[a]\nb = 1\n+++', []),
        ("---\n---", []),
        ("\ufeff---\ntitle: Blue\n---", []),
        ("---\n\nNo matter.\n\n---", ["No matter."]),
        ("Text.\n\n---\ntitle: Blue\n---", ["Text."]),  # in the middle it is a heading with two underlines
        # line ends
        ("One\r\ntwo.\r\n\r\nThree.", ["One two.", "Three."]),
        ("One\rtwo.\r\rThree.", ["One two.", "Three."]),
    ],
)
def test_only_prose_is_kept(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert sentences(tmp_path, text + END) == [*expected, *AFTER]


@pytest.mark.parametrize("text", ["```\nx = 1", "<!-- x", "<script>\nx", "~~~~\nx\n~~~"])
def test_what_is_never_closed_goes_on_to_the_end(tmp_path: Path, text: str) -> None:
    assert sentences(tmp_path, f"Before.\n\n{text}{END}") == ["Before."]


def test_a_heading_inside_a_quotation_ends_no_document(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("> # In\n>\n> One. Two.\n\nThree.\n\n# Out\n\nFour. Five.\n")
    assert [document for document, _ in markdown_documents(path, 0)] == [["One.", "Two.", "Three."], ["Four.", "Five."]]


LONG = "".join(
    f"# Head {n}\n\nSentence {n} is [here][x{n % 7}]. Ça va, {n}?\n\n- One {n}.\n  Two.\n\n"
    f"```\ncode {n}\n\n# no\n```\n\n"
    for n in range(60)
) + "".join(f"[x{n}]: a\n" for n in range(7))


@pytest.mark.parametrize("window", [64, 100, 333, 1 << 18])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_windows_and_offsets_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, window: int, line_end: str
) -> None:
    path = tmp_path / "a.md"
    path.write_bytes(LONG.replace("\n", line_end).encode())
    expected = [[f"Sentence {n} is here.", f"Ça va, {n}?", f"One {n}.", "Two."] for n in range(60)]
    monkeypatch.setattr(markdown, "WINDOW_BYTES", window)
    whole = list(markdown_documents(path, 0))
    assert [document for document, _ in whole] == expected
    for number in (0, 17, 58):
        assert list(markdown_documents(path, whole[number][1])) == whole[number + 1 :]


def test_a_block_larger_than_the_largest_window_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markdown, "WINDOW_BYTES", 64)
    monkeypatch.setattr(markdown, "RECORD_BYTES", 1_000)
    path = tmp_path / "a.md"
    path.write_text("One.\n\n```\n" + "x = 1\n" * 1_000)
    with pytest.raises(ValueError, match=r"a\.md: the block at byte 6 has more than 500 bytes"):
        list(markdown_blocks(path, 0))


PATTERNS = [
    "[",
    "![",
    "<a ",
    "[](",
    "`a``b",
    "*a_ ",
    "**a ",
    "]( ",
    "&",
    "\\[",
    "[a](<b",
    "<!--",
    "> ",
    "- ",
    "|a",
    "<?",
]


def steps(path: Path) -> int:
    """How many calls Python makes, of its own functions and built in, while a file is read."""
    counted: Counter[str] = Counter()
    sys.setprofile(lambda _frame, event, _argument: counted.update([event]))
    try:
        list(markdown_documents(path, 0))
    finally:
        sys.setprofile(None)
    return counted["call"] + counted["c_call"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_work_grows_with_the_text_and_not_with_its_square(tmp_path: Path, pattern: str) -> None:
    work = []
    for size in (1_000, 4_000):
        path = tmp_path / f"{size}.md"
        path.write_text((pattern * size)[:size] + "\n")
        work.append(steps(path))
    assert work[1] < 8 * work[0] + 5_000, "four times the text, four times the work; sixteen would be the square"


def test_a_hostile_line_of_64_kilobytes_ends(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("[" * (1 << 16) + END)
    program = "import sys; from bertmini import TextCorpus; print(TextCorpus(sys.argv[1]).read(None, 10)[0][-1][-1])"
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "a.md"], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout == "It was warm.\n"
