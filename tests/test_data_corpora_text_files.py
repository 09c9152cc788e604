"""Lines and sentences: cases by hand, and the same text whatever the length of the pieces."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertmini.data.corpora import text_files
from bertmini.data.corpora.text_files import STOPS, read_lines, split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", []),
        (" \n\t ", []),
        ("No end", ["No end"]),
        ("One. Two! Three? Four… Five", ["One.", "Two!", "Three?", "Four…", "Five"]),
        ("He said “Stop.” She did.", ["He said “Stop.”", "She did."]),
        ("Really?! Yes... No.", ["Really?!", "Yes...", "No."]),
        ("Dr. Vane met Mrs. Orr at St. Ives on Jan. 7. They talked.", None),
        ("See fig. 3 and cf. Lee et al. 2019. It helps.", None),
        (
            "J. R. Moss wrote it. I did not, nor did I. He did.",
            ["J. R. Moss wrote it.", "I did not, nor did I.", "He did."],
        ),
        ("It weighs 3.5 kg. v1.2 is out. 7 came.", ["It weighs 3.5 kg. v1.2 is out.", "7 came."]),
        ("Plants, e.g. Ferns, grow. Fine.", ["Plants, e.g. Ferns, grow.", "Fine."]),
        ("the plot . the end . The rest .", ["the plot . the end .", "The rest ."]),
        ("猫が寝る。犬は走る！「本当？」はい", ["猫が寝る。", "犬は走る！", "「本当？」", "はい"]),
        ("राम घर गया।सीता आई॥ कब? अब", ["राम घर गया।", "सीता आई॥", "कब?", "अब"]),
        ("पहला पद। दूसरा ॥ १ ॥ तीसरा", ["पहला पद।", "दूसरा ॥ १ ॥", "तीसरा"]),
        ("وہ آیا۔ کیا وہ گیا؟ ہاں", ["وہ آیا۔", "کیا وہ گیا؟", "ہاں"]),
        ("ቤቱ ትልቅ ነው። አዲስ ነው፧ አዎ", ["ቤቱ ትልቅ ነው።", "አዲስ ነው፧", "አዎ"]),
        ("Նա եկավ։ Նա գնաց։", ["Նա եկավ։", "Նա գնաց։"]),
        ("ខ្ញុំទៅ។ គាត់មក។", ["ខ្ញុំទៅ។", "គាត់មក។"]),
        ("သူလာသည်။ငါသွားသည်။", ["သူလာသည်။", "ငါသွားသည်။"]),
        ("ฉันไปตลาด เธออยู่บ้าน", ["ฉันไปตลาด", "เธออยู่บ้าน"]),
        ("เด็ก ๆ เล่น 3 คน", ["เด็ก ๆ เล่น 3 คน"]),
        ("円周率は３．１４です．次です．", ["円周率は３．１４です．", "次です．"]),
        ("What‽ Yes⁈ No.", ["What‽", "Yes⁈", "No."]),
        ("One.\n  Two\n three.", ["One.", "Two three."]),
        (
            "Über allem. Ähnlich. (In brackets.) 'Quoted.' End.",
            ["Über allem.", "Ähnlich.", "(In brackets.)", "'Quoted.'", "End."],
        ),
    ],
)
def test_sentences_by_hand(text: str, sentences: list[str] | None) -> None:
    expected = [text.rpartition(". ")[0] + ".", text.rpartition(". ")[2]] if sentences is None else sentences
    assert split_sentences(text) == expected


@settings(max_examples=300)
@given(st.text(st.sampled_from("aB .!?。।॥१กข؟\n\"')(é"), max_size=60))
def test_splitting_loses_nothing_but_space(text: str) -> None:
    sentences = split_sentences(text)
    assert "".join(sentences).replace(" ", "") == "".join(text.split())
    assert all(sentence and sentence == " ".join(sentence.split()) for sentence in sentences)


def test_splitting_takes_time_in_proportion_to_the_text() -> None:
    """Patterns that backtrack would need hours for these."""
    for text in (
        "." * 200_000,
        "。" * 200_000,
        "a.)" * 70_000,
        '."' * 100_000,
        "A. " * 70_000,
        " " * 200_000,
        "।" * 200_000,
        "१॥ " * 70_000,
        "ก " * 100_000,
        "।?" * 70_000,
    ):
        assert sum(map(len, split_sentences(text))) <= len(text)


def test_lines_and_offsets_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffOne é\r\n\ntwo\u2028three\n字".encode())
    assert list(read_lines(path, 0)) == [("One é", 11), ("", 12), ("two\u2028three", 24), ("字", 27)]
    assert list(read_lines(path, 12)) == [("two\u2028three", 24), ("字", 27)]
    assert list(read_lines(path, 27)) == []


@settings(max_examples=200)
@given(st.text(st.sampled_from("ab .。\né字😀"), max_size=200), st.integers(8, 40))
def test_a_long_line_comes_in_pieces_and_whole(tmp_path_factory: pytest.TempPathFactory, text: str, limit: int) -> None:
    path = tmp_path_factory.mktemp("lines") / "a.txt"
    path.write_bytes(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_files, "LINE_BYTES", limit)
        pieces = list(read_lines(path, 0))
        for number, (_, end) in enumerate(pieces):
            assert list(read_lines(path, end)) == pieces[number + 1 :], "an offset is all that it takes to go on"
    assert "".join(piece for piece, _ in pieces) == text.replace("\n", "")
    assert all(len(piece.encode()) <= limit for piece, _ in pieces)
    ends = [0, *(end for _, end in pieces)]
    assert ends == sorted(set(ends))
    assert ends[-1] == len(text.encode())


def test_a_long_line_is_cut_after_a_sentence_else_at_a_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    monkeypatch.setattr(text_files, "LINE_BYTES", 20)
    path.write_text("One two. Three four five six seven.")
    assert [line for line, _ in read_lines(path, 0)] == ["One two. ", "Three four five six ", "seven."]
    path.write_text("0123456789012345678901234")
    assert [line for line, _ in read_lines(path, 0)] == ["01234567890123456789", "01234"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"fine\nbad \xff byte\n", r"a.txt is not UTF-8 text: invalid byte 0xff at byte 9; convert it"),
        (b"fine\ncut \xe5\xad", r"a.txt is not UTF-8 text: invalid byte 0xe5 at byte 9"),
        (b"fine\n\x7fELF\x00\x01", r"a.txt is not a text file: byte 9 is NUL; take it out"),
        ("hi".encode("utf-16"), r"a.txt is not a text file: byte 3 is NUL; .* UTF-16"),
    ],
)
def test_damaged_text_is_named_with_its_byte(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        list(read_lines(tmp_path / "a.txt", 0))


def test_a_character_on_the_edge_of_a_piece_is_not_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_files, "LINE_BYTES", 8)
    (tmp_path / "a.txt").write_bytes("字字字字字".encode())
    assert "".join(line for line, _ in read_lines(tmp_path / "a.txt", 0)) == "字字字字字"
    (tmp_path / "a.txt").write_bytes(b"1234567\xe5\xadx and more")
    with pytest.raises(ValueError, match="invalid byte 0xe5 at byte 7"):
        list(read_lines(tmp_path / "a.txt", 0))


def test_every_stop_is_one_of_unicodes() -> None:
    """The property itself comes from another library, which brings Unicode's tables."""
    regex = pytest.importorskip("regex")
    stops = [chr(code) for code in range(0x10000) if re.fullmatch(f"[{STOPS}‼‽⁇⁈⁉.!?]", chr(code))]
    assert [stop for stop in stops if not regex.fullmatch(r"\p{Sentence_Terminal}", stop)] == []
    scripts = {
        "Arabic",
        "Armenian",
        "Devanagari",
        "Ethiopic",
        "Khmer",
        "Mongolian",
        "Syriac",
        "Lisu",
        "Vai",
        "Javanese",
    }
    missed = [
        chr(code)
        for code in range(0x80, 0x10000)
        if regex.fullmatch(r"\p{Sentence_Terminal}", chr(code)) and chr(code) not in stops
    ]
    assert not [stop for stop in missed if any(regex.fullmatch(rf"\p{{Script={script}}}", stop) for script in scripts)]


@pytest.mark.parametrize("length", [4, 7, 64, 1 << 16])
def test_carriage_returns_end_lines_whatever_the_length_of_the_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"ab\rcd\r\ref\r\ngh\n\nij\r")
    monkeypatch.setattr(text_files, "LINE_BYTES", length)
    lines = list(read_lines(path, 0))
    assert [line for line, _ in lines if line] == ["ab", "cd", "ef", "gh", "ij"]
    assert [end for line, end in lines if line] == [3, 6, 11, 14, 18]
    if length > 4:
        assert [line for line, _ in lines] == ["ab", "cd", "", "ef", "gh", "", "ij"]
    for number, (_, end) in enumerate(lines):
        assert list(read_lines(path, end)) == lines[number + 1 :]
