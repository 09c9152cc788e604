"""How a text is cleaned is decided by the text, said, and stored so that transformers does the same."""

from dataclasses import replace
from pathlib import Path

import pytest
import transformers
from small_texts import make_corpus

from bertmini.runs.materials import text_materials
from bertmini.runs.settings import TEXT_SETTINGS, PretrainingSettings

HINDI, JAPANESE = ("कुल", "कल"), ("バス", "ハス")
KEPT = "accents and vowel signs are kept, since this text has words that differ in nothing else"


def asked(corpus: Path, **changes: bool) -> PretrainingSettings:
    return replace(TEXT_SETTINGS, corpus=str(corpus), batch_size=4, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(("one", "other"), [HINDI, JAPANESE, ("май", "маи"), ("schon", "schön"), ("ma", "má")])
def test_words_that_differ_in_a_mark_get_pieces_of_their_own(tmp_path: Path, one: str, other: str) -> None:
    corpus = tmp_path / "a.txt"
    corpus.write_text(f"{one} {other} {one}. {other} {one}.\n\n" * 40, encoding="utf-8")
    materials = text_materials(asked(corpus))
    materials.tokenizer.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    ids = [materials.tokenizer.encode(word).ids for word in (one, other)]
    assert ids[0] != ids[1]
    assert materials.tokenizer.unk_id not in ids[0] + ids[1]
    assert ids == [theirs(word)["input_ids"] for word in (one, other)]
    assert materials.tokenizer.options["strip_accents"] is False
    assert KEPT in materials.note


def test_english_loses_its_few_accents_unless_they_are_to_be_kept(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path / "a.txt")
    with corpus.open("a", encoding="utf-8") as file:
        file.write("\nThe café is near. The otter sees the café.\n")
    materials = text_materials(asked(corpus))
    assert materials.tokenizer.options == {
        "do_lower_case": True,
        "strip_accents": None,
        "tokenize_chinese_chars": True,
    }
    assert "accents" not in materials.note
    assert "é" not in "".join(materials.tokenizer.pieces)
    kept = text_materials(asked(corpus, keep_accents=True))
    assert kept.tokenizer.options["strip_accents"] is False
    assert "é" in "".join(kept.tokenizer.pieces)
    assert "accents" not in kept.note, "nobody is told what was asked for"


def test_cased_keeps_capitals_and_accents(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path / "a.txt")
    tokenizer = text_materials(asked(corpus, cased=True)).tokenizer
    assert tokenizer.options["do_lower_case"] is False
    assert tokenizer.encode("The").ids != tokenizer.encode("the").ids
    assert tokenizer.decode(tokenizer.encode("The heron").ids) == "The heron"
