"""The library documentation: cleaning by hand, on modules of our own, and once on this machine's own files."""

import itertools
import sys
import warnings
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from bertmini.data.corpora import docstrings as library
from bertmini.data.corpora import prose
from bertmini.data.corpora.docstrings import library_documents, read_documents, source_files
from bertmini.data.corpora.prose import docstrings, is_prose, sentences

MODULE = '''
"""The kettle module boils water for tea. It is small."""
import no_such_package
raise SystemExit("nothing here is ever run")

try:
    class Kettle:
        r"""A kettle holds water until it is hot.

        Fill it with :meth:`~tea.Kettle.fill` before you heat it. See ``man tea``, or `the *manual* <https://tea.example>`_.
        The lid must be closed [1]_ while the water boils.

        Usage
        -----
        This sentence stands under a title and stays.

        >>> Kettle().boil()
        The output of an example is never prose.

        Parameters
        ----------
        litres : float
            How much water the kettle can hold.

        :param litres: This field is left out of the text.

        Returns: This is a labelled line and it goes.

        Args:
            litres: These words are indented.

        .. note:: This directive goes with its text.

        * A list item is not running text.

        | a | table | row | of | words |
        """
        if True:
            async def boil(self):
                "Boil the water in the kettle. Then wait for 5 minutes or so before you pour."
except ImportError:
    pass

def fill(litres):
    """fill(litres) -> None"""
'''


def test_docstrings_come_in_the_order_of_the_source_and_nothing_is_run() -> None:
    found = list(docstrings(MODULE.encode()))
    assert [text.split()[0] for text in found] == ["The", "A", "Boil", "fill(litres)"]


def test_only_prose_is_kept() -> None:
    assert [sentences(text) for text in docstrings(MODULE.encode())] == [
        ["The kettle module boils water for tea."],
        [
            "A kettle holds water until it is hot.",
            "Fill it with fill before you heat it.",
            "See man tea, or the manual.",
            "The lid must be closed while the water boils.",
            "This sentence stands under a title and stays.",
        ],
        ["Boil the water in the kettle.", "Then wait for 5 minutes or so before you pour."],
        [],
    ]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("The lamp is on the table.", True),
        ('She calls it a "lamp" (an old word).', True),
        ("Too few words.", False),
        ("the lamp is on the table.", False),
        ("The lamp is on the table", False),
        ("Is the lamp on the table?", False),
        ("The lamp is in lamps.py on the shelf.", False),
        ("The lamp_name is on the table here.", False),
        ("Call lamp() to light the big room.", False),
        ("Call lamp(on) to light the big room.", False),
        ("Return the .shape of this old lamp.", False),
        ("The lamp is (on the table.", False),
        ("The result is x = 5 here.", False),
        ("Colors: red, green, blue, black, white, pink.", False),
        ("SET LAMP ON TABLE IN ROOM.", False),
        ("Take 4 5 6 7 8 9 lamps.", False),
        ("Die Lampe für den Tisch hier.", False),
        ("A " + "very " * 60 + "long one.", False),
    ],
)
def test_what_counts_as_prose(sentence: str, expected: bool) -> None:
    assert is_prose(sentence) is expected


def test_documents_of_modules(tmp_path: Path) -> None:
    def about(what: str, count: int) -> str:
        return " ".join(f"This is the {word} sentence about {what}." for word in ORDER[:count])

    (tmp_path / "a.py").write_text(f'"""{about("a", 5)}"""\ndef f():\n    """{about("f", 2)}"""\n')
    (tmp_path / "b.py").write_text(f'"""{about("b", 3)}"""\ndef f():\n    """{about("f", 2)}"""\n')
    (tmp_path / "c.py").write_text('"""Not Python at all: this is some text."""\n???')
    (tmp_path / "d.py").write_text('"""No prose."""')
    (tmp_path / "e.py").write_text(f'"""{about("e", 1)}"""')
    (tmp_path / "t.py").write_text(f'"""{about("t", 5)}"""\nTABLE = {list(range(5000))}\n')
    paths = [tmp_path / f"{name}.py" for name in "abcdet"] + [tmp_path / "missing.py"]
    counted = [[sentence.split()[-1] for sentence in document] for document in read_documents(paths)]
    assert counted == [["a."] * 5, ["f."] * 2 + ["b."] * 3, ["e."]], (
        "repeated, damaged and hardly documented ones are dropped"
    )


ORDER = ["first", "second", "third", "fourth", "fifth"]


@pytest.fixture
def few_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "tea.py"
    path.write_text(MODULE)
    monkeypatch.setattr(library, "source_files", lambda: iter([path]))
    return path


def test_the_cache_is_used_and_made_anew_when_damaged(tmp_path: Path, few_files: Path) -> None:
    first = library_documents(tmp_path / "cache")
    assert len(first) == 2
    (cached,) = (tmp_path / "cache").iterdir()
    few_files.write_text("")
    assert library_documents(tmp_path / "cache") == first, "read from the cache"
    few_files.write_text(MODULE)
    whole = cached.read_bytes()
    cut = whole[: whole.rindex(b"\n", 0, -1) + 1]  # a document less
    for damage in (b"", b"\n", cut, b'{"sentences": ["a"', b"[]\n", b"\xff", b'{"a": 1}\n'):
        cached.write_bytes(damage)
        assert library_documents(tmp_path / "cache") == first
        assert cached.read_bytes() == whole


def test_another_version_makes_another_cache(tmp_path: Path, few_files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library_documents(tmp_path / "cache")
    monkeypatch.setattr("importlib.metadata.version", lambda name: "99")
    library_documents(tmp_path / "cache")
    monkeypatch.setattr(sys, "version", "99")
    library_documents(tmp_path / "cache")
    monkeypatch.undo()
    monkeypatch.setattr(library, "source_files", lambda: iter([few_files]))
    monkeypatch.setattr(library, "PACKAGES", "torch not-an-installed-package")
    library_documents(tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 4


def test_without_a_place_for_the_cache_it_still_works(tmp_path: Path, few_files: Path) -> None:
    with pytest.warns(UserWarning, match="was not cached, the next start will be slow"):
        assert len(library_documents(few_files)) == 2
    assert few_files.read_text() == MODULE


def test_the_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("BERTMINI_CACHE", raising=False)
    assert library.cache_folder() == user_cache_path("bertmini", appauthor=False)
    if sys.platform == "linux":
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
        assert library.cache_folder() == tmp_path / "xdg" / "bertmini"
    monkeypatch.setenv("BERTMINI_CACHE", str(tmp_path))
    assert library.cache_folder() == tmp_path


def test_this_machines_documentation_is_prose(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample of the real files: all of them take too long for a test."""
    monkeypatch.setattr(library, "PACKAGES", "tokenizers not-an-installed-package torch")
    files = list(source_files())
    names = {path.name for path in files}
    assert {"argparse.py", "functional.py"} <= names
    assert not [path for path in files if "tests" in path.parts or "_inductor" in path.parts]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = list(itertools.islice(read_documents(path for path in files if path.name in SAMPLE), 400))
    every = [sentence for document in found for sentence in document]
    assert len(every) > 300
    assert len(every) == len(set(every))
    assert all(prose.is_prose(sentence) for sentence in every)


SAMPLE = frozenset(
    {"argparse.py", "configparser.py", "threading.py", "typing.py", "module.py", "functional.py", "data.py"}
)
