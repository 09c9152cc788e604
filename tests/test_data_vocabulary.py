"""Learning a vocabulary: counts by hand, a plain oracle of the merges, the same list in every process."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers.normalizers import BertNormalizer

from bertmini.config import SPECIAL_TOKENS
from bertmini.data import vocabulary
from bertmini.data.vocabulary import alphabet, count_words, fold_words, learn_pieces, needs_accents

STORY = ["The rain in the lane ran down the drain.", "A train ran in the rain, and the crane remained."] * 3


def merges_by_frequency(words: Counter[str], pieces: list[str], vocab_size: int, min_frequency: int) -> list[str]:
    """Byte-pair encoding as in Sennrich et al., slow and plain; ties go to the pieces that were numbered first."""
    pieces = list(pieces)
    spelled = {word: [word[0], *(f"##{char}" for char in word[1:])] for word in words}
    while len(pieces) < vocab_size:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, parts in spelled.items():
            for pair in pairwise(parts):
                pairs[pair] += words[word]
        ranked = sorted(pairs, key=lambda pair: (-pairs[pair], pieces.index(pair[0]), pieces.index(pair[1])))
        if not ranked or pairs[ranked[0]] < min_frequency:
            break
        left, right = ranked[0]
        joined = left + right.removeprefix("##")
        if joined not in pieces:
            pieces.append(joined)
        for parts in spelled.values():
            place = 0
            while place < len(parts) - 1:
                if (parts[place], parts[place + 1]) == (left, right):
                    parts[place : place + 2] = [joined]
                place += 1
    return pieces


def test_words_are_counted_after_cleaning() -> None:
    words = count_words(["Émile ran,\tÉmile won.", "字ran" + "x" * 101], BertNormalizer(lowercase=True))
    assert words == {"emile": 2, "ran": 1, ",": 1, "won": 1, ".": 1, "字": 1}
    assert count_words(["y" * 101 + " z"], BertNormalizer()) == {"z": 1}


def test_the_alphabet_by_hand() -> None:
    assert alphabet(Counter({"ab": 2, "ca": 1})) == ["a", "b", "c", "##a", "##b"]


def test_the_rarest_characters_are_left_out_of_much_text() -> None:
    words = Counter({"aa": 10_000, "ab": 3, "éa": 1, "ж": 1})
    assert alphabet(words) == ["a", "b", "##a", "##b"], (
        "20,009 characters: two may be missed, and é and ж are the rarest"
    )
    assert learn_pieces(fold_words(["aa " * 10_000, "ab ab ab éa ж"], lowercase=False)[0], 11)[5:] == [
        "a",
        "b",
        "##a",
        "##b",
        "aa",
        "ab",
    ]
    assert "é" in alphabet(Counter({"aa": 1000, "éa": 1})), "a small text loses nothing"


@pytest.mark.parametrize("min_frequency", [1, 4])
def test_merges_equal_those_of_the_plain_oracle(min_frequency: int) -> None:
    words = count_words(STORY, BertNormalizer())
    start = [*SPECIAL_TOKENS, *alphabet(words)]
    expected = merges_by_frequency(words, start, 60, min_frequency)
    assert learn_pieces(words, len(expected), min_frequency=min_frequency) == expected
    assert expected[5] == ","
    assert expected[len(start)] in {"##an", "##ai", "##in", "th", "##ra", "##he", "ra"}


@settings(max_examples=40)
@given(st.lists(st.text("abcd ", min_size=1, max_size=12), min_size=1, max_size=8), st.integers(0, 12))
def test_merges_of_any_text_equal_the_oracle(texts: list[str], more: int) -> None:
    words = count_words(texts, BertNormalizer())
    if not words:
        return
    start = [*SPECIAL_TOKENS, *alphabet(words)]
    expected = merges_by_frequency(words, start, len(start) + more, 1)
    assert learn_pieces(words, len(expected), min_frequency=1) == expected


def test_the_textbook_score_would_choose_another_first_merge() -> None:
    """Frequency takes the commonest pair; frequency over the parts' frequencies takes a pair of rare parts."""
    texts = ["aba abc aba abc", "xz xz"]
    words = count_words(texts, BertNormalizer())
    start = [*SPECIAL_TOKENS, *alphabet(words)]
    assert learn_pieces(words, len(start) + 1)[-1] == "ab"
    pairs = {("a", "##b"): 4 / (4 * 4), ("x", "##z"): 2 / (2 * 2)}
    assert max(pairs, key=pairs.__getitem__) == ("x", "##z")


def test_the_same_text_gives_the_same_vocabulary_in_every_process() -> None:
    program = (
        "from bertmini.data.vocabulary import fold_words, learn_pieces\n"
        f"words, _ = fold_words({STORY!r} + ['quick brown foxes jump over lazy dogs'])\n"
        "print(learn_pieces(words, 70, min_frequency=1))"
    )
    printed = {
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        for _ in range(3)
    }
    assert len(printed) == 1
    assert eval(printed.pop())[:5] == list(SPECIAL_TOKENS)


def test_texts_are_read_once_and_not_held() -> None:
    alive = 0
    most = 0

    class Text(str):
        def __init__(self, _: str) -> None:
            nonlocal alive, most
            alive += 1
            most = max(most, alive)

        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def texts() -> Iterator[str]:
        for number in range(500):
            yield Text(f"line {number % 7} of the text")

    assert "line" in learn_pieces(fold_words(texts())[0], 37)
    assert most <= 3


def test_a_word_counted_more_often_than_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    words = Counter({"ab": 25, "b": 10, "ж": 3})
    monkeypatch.setattr(vocabulary, "WORDS_AT_ONCE", 10)
    said = list(vocabulary._spelled_out(words, {"a", "b", "##b"}))
    assert Counter(" ".join(said).split()) == {"ab": 25, "b": 10}
    assert max(len(text.split()) for text in said) == 10


@pytest.mark.parametrize("texts", [[], [""], [" \n", "\x00"]])
def test_a_text_without_a_word(texts: list[str]) -> None:
    with pytest.raises(ValueError, match="this text holds no word: check the path"):
        learn_pieces(fold_words(texts)[0], 100)


def test_a_vocabulary_larger_than_the_text_can_give() -> None:
    with pytest.raises(ValueError, match=r"vocab_size=3000 .* it gives 12 pieces with min_frequency=2; .*=12 or less"):
        learn_pieces(Counter({"ab": 2, "cd": 1}), 3000)
    assert learn_pieces(Counter({"ab": 2, "cd": 1}), 12)[-1] == "ab"


def test_a_vocabulary_smaller_than_the_alphabet() -> None:
    with pytest.raises(ValueError, match=r"vocab_size=9 is too small: .* need 11 pieces; ask for vocab_size=11"):
        learn_pieces(Counter({"ab": 2, "cd": 1}), 9)


def test_half_a_character() -> None:
    with pytest.raises(ValueError, match="not Unicode text: half a surrogate pair at character 1"):
        fold_words(["a\ud800"])


# ---- accents ----


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        ("कुल कल", True),  # Hindi: total, yesterday
        ("バス ハス", True),  # Japanese: bus, lotus
        ("май маи", True),
        ("ما مَا", True),
        ("ไม่ ไม", True),
        ("한국 말", True),  # stripping would leave Hangul in parts
        ("schon schön", True),
        ("ma má mà", True),  # Vietnamese
        ("cafe" + " the" * 1000, False),
        ("café" + " the" * 1000, False),
        ("ο λόγος" + " the" * 100, True),
        ("x ≠ y, ❤\ufe0f ½" + " the" * 10, False),  # no letters
    ],
)
def test_accents_are_kept_where_the_text_needs_them(words: str, needed: bool) -> None:
    assert needs_accents(Counter(words.split())) is needed
    counted, stripped = fold_words([words])
    assert stripped is not needed
    if needed:
        assert len(counted) == len(set(words.split()))


def test_stripping_after_counting_equals_stripping_before() -> None:
    texts = ["Émile's café; naïve a≠b İ", "cafe Ǆ ς " + "xé" * 51, *STORY]
    before = count_words(texts, BertNormalizer(lowercase=True, strip_accents=True))
    assert fold_words(texts, strip_accents=True) == (before, True)
    assert before["cafe"] == 2
    assert fold_words(texts, lowercase=False)[0]["Émile"] == 1
    assert fold_words(texts, strip_accents=False)[0]["café"] == 1


# ---- sizes that nobody can mean ----


def test_a_huge_vocabulary_is_refused_before_memory_is_taken_for_it() -> None:
    with pytest.raises(ValueError, match=r"vocab_size=1000000000 .* it gives 12 pieces"):
        learn_pieces(Counter({"ab": 2, "cd": 1}), 1_000_000_000)
    assert len(learn_pieces(Counter({"ab": 2, "cd": 1}), 10**12, exact=False)) == 12


def test_no_more_than_so_many_different_words_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "MOST_WORDS", 10)

    def texts() -> Iterator[str]:
        for number in range(200):
            yield f"often w{number}"

    words = count_words(texts(), BertNormalizer())
    assert len(words) <= 10
    assert words["often"] == 200, "what is common is never forgotten"
