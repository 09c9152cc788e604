import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertmini.printing import prepare_streams, say, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("one\rtwo\nthree\t", r"one\rtwo\nthree\t"),
        ("a\u2028b\u202ec\u2066d", r"a\u2028b\u202ec\u2066d"),
        ("half \ud83e", r"half \ud83e"),
        ("naïve 字 🦦 می\u200cروم 👩\u200d🔬", "naïve 字 🦦 می\u200cروم 👩\u200d🔬"),
        (r"a\x1b", r"a\x1b"),
    ],
)
def test_what_a_terminal_would_obey_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(st.characters()))
def test_a_line_stays_a_line_without_escapes(text: str) -> None:
    shown = visible(text)
    assert len(shown.splitlines()) <= 1
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in shown)


def test_letters_that_the_output_lacks_are_spelled_out(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="cp1252"))
    prepare_streams()
    say("café 日")
    sys.stdout.flush()
    assert raw.getvalue().decode("cp1252") == "café \\u65e5\n"


def test_an_error_that_nobody_reads_is_no_other_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Broken())
    say("it went wrong", error=True)
    monkeypatch.setattr(sys, "stdout", Broken())
    with pytest.raises(BrokenPipeError):
        say("a result")
