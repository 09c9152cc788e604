"""WordPiece against `transformers.BertTokenizer`, which is given the same vocabulary, and against cases by hand."""

import json
import os
from itertools import pairwise
from pathlib import Path

import pytest
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers.normalizers import BertNormalizer

from bertmini.config import SPECIAL_TOKENS
from bertmini.data.wordpiece import Encoding, WordPieceTokenizer

TEXTS = [
    "The old lamp stood on the table, and the young cat slept under the table.",
    "A lamp is brighter than a candle; candles, however, smell of honey.",
    "Émile naïvely asked: was the café closed? The café was closed.",
    "猫は机の下で寝る。猫 table, lamps and 字字字 candles!",
    "Sleeping cats keep sleeping; the lamplighter lights the lamps at 7:45.",
]
PIECES = [*SPECIAL_TOKENS, "the", "lob", "##ster", "##s", "cat", "##ch", "c", ",", ".", "字", "é", "e", "The"]


def trained(lowercase: bool) -> WordPieceTokenizer:
    return WordPieceTokenizer.train(TEXTS, 150, lowercase=lowercase, strip_accents=lowercase, min_frequency=1)


OURS = {lowercase: trained(lowercase) for lowercase in (True, False)}
THEIRS = {
    lowercase: transformers.BertTokenizer(vocab=dict(ours.vocab), do_lower_case=lowercase)
    for lowercase, ours in OURS.items()
}

ODD = (  # split at spaces; the fuzz puts them together in any order
    "[PAD] [UNK] [CLS] [SEP] [MASK] [mask] [MASK ##s lamp Lamps candles - … “ $ ` ^ 7:45 é e\u0301 İ ß ﬁ Ǆ ς 猫 字 "
    "한글 か\u3099 😀 👩\u200d🔬 \x00 \x07 \ufffd \u200b \u200d \u00ad \ue000 \U0010ffff"
)
SPACES = [" ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u2028", "\x85", "\u3000"]
odd_bits = st.sampled_from([*ODD.split(" "), *SPACES, "x" * 100, "x" * 101, "cat" * 50])
any_text = st.one_of(st.text(max_size=60), st.lists(odd_bits | st.text(max_size=4), max_size=14).map("".join))
fuzz = settings(max_examples=500)


@fuzz
@given(any_text, st.booleans())
def test_ids_of_any_text_equal_those_of_transformers(text: str, lowercase: bool) -> None:
    theirs = THEIRS[lowercase](text, return_offsets_mapping=True)
    ours = OURS[lowercase].encode(text)
    assert ours.ids == theirs["input_ids"]
    assert ours.type_ids == theirs["token_type_ids"]
    assert ours.tokens == theirs.tokens()
    assert ours.word_ids == theirs.word_ids()
    assert ours.offsets == theirs["offset_mapping"]
    assert OURS[lowercase].encode_ids([text]) == [THEIRS[lowercase](text, add_special_tokens=False)["input_ids"]]


@fuzz
@given(any_text, any_text, st.integers(3, 24), st.booleans(), st.booleans())
def test_pairs_and_truncation_equal_those_of_transformers(
    text: str, pair: str, max_length: int, special: bool, lowercase: bool
) -> None:
    options = {"max_length": max_length, "add_special_tokens": special}
    theirs = THEIRS[lowercase]([text], [pair], truncation="longest_first", **options)
    ours = OURS[lowercase].encode(text, pair, max_length=max_length, add_special_tokens=special)
    assert ours.ids == theirs["input_ids"][0]
    assert ours.type_ids == theirs["token_type_ids"][0]
    single = OURS[lowercase].encode(text, max_length=max_length, add_special_tokens=special)
    assert single.ids == THEIRS[lowercase](text, truncation=True, **options)["input_ids"]


@fuzz
@given(st.lists(st.integers(0, 149), max_size=30), st.booleans(), st.booleans())
def test_decode_equals_that_of_transformers(ids: list[int], skip: bool, lowercase: bool) -> None:
    theirs = THEIRS[lowercase].decode(ids, skip_special_tokens=skip)
    assert OURS[lowercase].decode(ids, skip_special_tokens=skip) == theirs


@fuzz
@given(any_text)
def test_offsets_point_at_the_text_of_each_token(text: str) -> None:
    encoding = OURS[False].encode(text)
    clean = BertNormalizer(lowercase=False, handle_chinese_chars=False).normalize_str  # control characters out
    for token, (start, end), word in zip(encoding.tokens, encoding.offsets, encoding.word_ids, strict=True):
        assert 0 <= start <= end <= len(text)
        if word is not None and token != "[UNK]":
            assert clean(text[start:end]) == token.removeprefix("##")


def test_a_case_worked_by_hand() -> None:
    tokenizer = WordPieceTokenizer.from_vocab(PIECES)
    assert tokenizer.encode("The lobsters", "catch é 字.") == Encoding(
        ids=[2, 5, 6, 7, 8, 3, 9, 10, 16, 14, 13, 3],
        type_ids=[0] * 6 + [1] * 6,
        tokens=["[CLS]", "the", "lob", "##ster", "##s", "[SEP]", "cat", "##ch", "e", "字", ".", "[SEP]"],
        offsets=[(0, 0), (0, 3), (4, 7), (7, 11), (11, 12), (0, 0), (0, 3), (3, 5), (6, 7), (8, 9), (9, 10), (0, 0)],
        word_ids=[None, 0, 1, 1, 1, None, 0, 0, 1, 2, 3, None],
    )


def test_cased_keeps_case_and_accents() -> None:
    tokenizer = WordPieceTokenizer.from_vocab(PIECES, lowercase=False)
    assert tokenizer.tokenize("The the é") == ["The", "the", "é"]


def test_the_text_of_a_special_token_is_that_token() -> None:
    tokenizer = WordPieceTokenizer.from_vocab(PIECES)
    assert tokenizer.encode_ids(["the[MASK]cat [mask]"])[0][:3] == [5, tokenizer.mask_id, 9]
    assert tokenizer.tokenize("[mask]") == ["[UNK]"] * 3


def test_the_longest_word_that_is_split_has_a_hundred_letters() -> None:
    tokenizer = WordPieceTokenizer.from_vocab([*SPECIAL_TOKENS, "a", "##a"])
    assert tokenizer.tokenize("a" * 100) == ["a"] + ["##a"] * 99
    assert tokenizer.tokenize("a" * 101) == ["[UNK]"]


def test_truncation_takes_from_the_longer_text_first() -> None:
    tokenizer = WordPieceTokenizer.from_vocab(PIECES)
    tokens = tokenizer.encode("the the the the the", "cat , .", max_length=8).tokens
    assert tokens == ["[CLS]", "the", "the", "the", "[SEP]", "cat", ",", "[SEP]"]
    assert tokenizer.encode("the the the").tokens == ["[CLS]", "the", "the", "the", "[SEP]"], "a limit does not stick"


def test_an_empty_text_and_an_empty_pair() -> None:
    tokenizer = WordPieceTokenizer.from_vocab(PIECES)
    assert tokenizer.encode("").tokens == ["[CLS]", "[SEP]"]
    assert tokenizer.encode("", "").type_ids == [0, 0, 1]
    assert tokenizer.encode("", add_special_tokens=False) == Encoding([], [], [], [], [])
    assert tokenizer.encode_batch([]) == []
    assert tokenizer.encode_ids([]) == []


def test_a_batch_is_the_single_encodings() -> None:
    tokenizer = OURS[True]
    assert tokenizer.encode_batch(TEXTS, max_length=9) == [tokenizer.encode(text, max_length=9) for text in TEXTS]
    pairs = list(pairwise(TEXTS))
    assert tokenizer.encode_batch(pairs) == [tokenizer.encode(*pair) for pair in pairs]


def test_special_ids_and_hugging_face_names() -> None:
    tokenizer = WordPieceTokenizer.from_vocab(["the", *reversed(SPECIAL_TOKENS), "cat"])
    ids = [tokenizer.mask_id, tokenizer.sep_id, tokenizer.cls_id, tokenizer.unk_id, tokenizer.pad_id]
    assert ids == [1, 2, 3, 4, 5]
    assert tokenizer.special_ids == {1, 2, 3, 4, 5}
    assert len(tokenizer) == 7
    assert tokenizer.vocab["cat"] == 6
    assert tokenizer.pieces[6] == "cat"
    assert tokenizer.convert_tokens_to_ids("cat") == 6
    assert tokenizer.convert_tokens_to_ids(["the", "dog"]) == [0, 4]
    assert tokenizer.convert_ids_to_tokens(6) == "cat"
    assert tokenizer.convert_ids_to_tokens([0, 1]) == ["the", "[MASK]"]
    assert (tokenizer.cls_token, tokenizer.sep_token, tokenizer.mask_token) == ("[CLS]", "[SEP]", "[MASK]")
    assert (tokenizer.pad_token, tokenizer.unk_token) == ("[PAD]", "[UNK]")
    assert repr(tokenizer) == "WordPieceTokenizer(7 pieces, lowercase=True)"
    assert tokenizer.encode("the cat").ids == [3, 0, 6, 2]


def test_decode_joins_pieces() -> None:
    tokenizer = WordPieceTokenizer.from_vocab(PIECES)
    ids = tokenizer.encode("The lobsters, the cat.").ids
    assert tokenizer.decode(ids) == "the lobsters, the cat."
    assert tokenizer.decode(ids, skip_special_tokens=False) == "[CLS] the lobsters, the cat. [SEP]"


# ---- folders ----


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("loader", [transformers.AutoTokenizer, transformers.BertTokenizer, WordPieceTokenizer])
def test_what_we_save_everybody_loads(tmp_path: Path, lowercase: bool, loader: type) -> None:
    OURS[lowercase].encode(TEXTS[0], max_length=5)  # a limit must not be saved
    OURS[lowercase].save_pretrained(tmp_path / "new" / "folder")
    loaded = loader.from_pretrained(tmp_path / "new" / "folder")
    for text in [*TEXTS, "[MASK] Émile 字\x00"]:
        ids = loaded.encode(text)
        assert (ids.ids if isinstance(ids, Encoding) else ids) == OURS[lowercase].encode(text).ids
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == [
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
    ]


@pytest.mark.parametrize(
    "options", [{}, {"do_lower_case": False}, {"strip_accents": False}, {"tokenize_chinese_chars": False}]
)
def test_what_transformers_saves_we_load(tmp_path: Path, options: dict[str, bool]) -> None:
    theirs = transformers.BertTokenizer(vocab=dict(OURS[False].vocab), **options)
    theirs.save_pretrained(tmp_path)
    ours = WordPieceTokenizer.from_pretrained(tmp_path)
    for text in [*TEXTS, "Café 字字", "CAFÉ"]:
        assert ours.encode(text).ids == theirs(text)["input_ids"]
    ours.save_pretrained(tmp_path / "again")
    assert WordPieceTokenizer.from_pretrained(tmp_path / "again").options == ours.options


def test_vocab_txt_alone_is_enough(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_bytes("\r\n".join([*PIECES, "a\u2028b"]).encode())
    tokenizer = WordPieceTokenizer.from_pretrained(str(tmp_path))
    assert tokenizer.pieces == [*PIECES, "a\u2028b"], "only line feeds end a piece"
    assert tokenizer.tokenize("THE") == ["the"]
    theirs = transformers.BertTokenizer.from_pretrained(tmp_path)
    assert theirs("The lobsters")["input_ids"] == tokenizer.encode("The lobsters").ids


def test_the_config_decides_about_case_and_must_not_be_silent_where_tokenizer_json_says_otherwise(
    tmp_path: Path,
) -> None:
    WordPieceTokenizer.from_vocab(PIECES, lowercase=False).save_pretrained(tmp_path)
    (tmp_path / "tokenizer_config.json").unlink()
    with pytest.raises(ValueError, match=r"lowercase False, and tokenizer_config.json says nothing, which means True"):
        WordPieceTokenizer.from_pretrained(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    assert WordPieceTokenizer.from_pretrained(tmp_path).tokenize("The") == ["The"]
    (tmp_path / "tokenizer_config.json").write_text('{"do_lower_case": true}')
    assert WordPieceTokenizer.from_pretrained(tmp_path).tokenize("The") == ["the"]


def test_a_failed_save_leaves_the_old_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    OURS[True].save_pretrained(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        OURS[False].save_pretrained(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


# ---- mistakes ----


@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        (["[PAD]", "[UNK]", "[CLS]", "a"], r"no \[SEP\], \[MASK\]: BERT needs each of"),
        ([*SPECIAL_TOKENS, "a", "b", "a"], "'a' stands twice in the vocabulary, as id 5 and as id 7"),
        ([*SPECIAL_TOKENS, "a\nb"], r"'a\\nb' holds a line break"),
    ],
)
def test_a_vocabulary_that_bert_cannot_use(pieces: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WordPieceTokenizer.from_vocab(pieces)


def test_words_that_are_no_texts() -> None:
    tokenizer = OURS[True]
    with pytest.raises(ValueError, match="item 1 is not Unicode text: half a surrogate pair at character 1"):
        tokenizer.encode_words([["a"], ["b", "x\ud800"]])
    with pytest.raises(ValueError, match=r"item 0 is \('a', 3\)"):
        tokenizer.encode_words([["a", 3]])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="'a b' is one text: expected sentences as lists of their words"):
        tokenizer.encode_words([["a"], "a b"])


def test_texts_that_are_no_texts() -> None:
    tokenizer = OURS[True]
    with pytest.raises(ValueError, match=r"item 0 is not Unicode text: half a surrogate pair at character 2"):
        tokenizer.encode("ab\ud800")
    with pytest.raises(ValueError, match="item 1 is not Unicode text"):
        tokenizer.encode_batch([("a", "b"), ("a", "\udfff")])
    with pytest.raises(ValueError, match="item 1 is None: expected a text"):
        tokenizer.encode_ids(["a", None])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="expected a list of texts, got one text, 'abc'"):
        tokenizer.encode_batch("abc")


@pytest.mark.parametrize(("pair", "special", "least"), [(None, True, 2), ("b", True, 3), (None, False, 1)])
def test_a_max_length_without_room(pair: str | None, special: bool, least: int) -> None:
    with pytest.raises(ValueError, match=f"max_length={least - 1} is too small: expected {least} or more"):
        OURS[True].encode("a", pair, max_length=least - 1, add_special_tokens=special)
    assert len(OURS[True].encode("a", pair, max_length=least, add_special_tokens=special).ids) == least


def test_ids_that_are_no_tokens() -> None:
    with pytest.raises(ValueError, match=r"id 150 is not in this vocabulary: expected 0 to 149$"):
        OURS[True].decode([5, 150])
    with pytest.raises(ValueError, match=r"id -100 is not .* a position without a label"):
        OURS[True].convert_ids_to_tokens([-100])


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds neither vocab.txt nor tokenizer.json"),
        ({"vocab.txt": b"[PAD]\n[UNK]\n"}, r"no \[CLS\], \[SEP\], \[MASK\]"),
        ({"vocab.txt": b"[PAD]\n\xff\n"}, "vocab.txt is not UTF-8 at byte 6"),
        ({"tokenizer.json": b'{"model": '}, "tokenizer.json is not JSON .* take another copy"),
        ({"tokenizer.json": b"[]"}, "holds a list: expected a JSON object"),
        ({"tokenizer.json": b'{"model": {"type": "BPE", "vocab": {}}}'}, "holds a BPE model: expected a plain BERT"),
        ({"tokenizer.json": b'{"added_tokens": [{"content": "[E1]"}]}'}, r"has the added token '\[E1\]'"),
        ({"tokenizer.json": b'{"model": {"type": "WordPiece", "vocab": {"a": 3}}}'}, "have holes: expected 0 to 0"),
    ],
)
def test_folders_without_a_bert_tokenizer(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        WordPieceTokenizer.from_pretrained(tmp_path)


def saved(folder: Path, **changes: dict[str, object]) -> Path:
    """A folder that we wrote, with entries of its JSON files changed, or a file added (`added_tokens`)."""
    WordPieceTokenizer.from_vocab(PIECES).save_pretrained(folder)
    for name, change in changes.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps((json.loads(path.read_text()) if path.exists() else {}) | change))
    return folder


WHO = {"content": "[WHO]", "lstrip": False, "rstrip": False, "normalized": False, "single_word": False, "special": True}
BERT = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "lowercase": True}
CLS_A_SEP = [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"added_tokens": {"[WHO]": 19}}, r"added_tokens.json has the added token '\[WHO\]'"),
        (
            {"tokenizer_config": {"added_tokens_decoder": {"19": WHO}}},
            r"has the added token '\[WHO\]' \(added_tokens_dec",
        ),
        (
            {"tokenizer_config": {"additional_special_tokens": ["the"]}},
            r"has the added token 'the' \(additional_special",
        ),
        ({"tokenizer_config": {"extra_special_tokens": {"who": "[WHO]"}}}, r"has the added token '\[WHO\]'"),
        ({"special_tokens_map": {"additional_special_tokens": [WHO]}}, r"special_tokens_map.json has the added token"),
        ({"tokenizer_config": {"mask_token": "<mask>"}}, "has the added token '<mask>'"),
        ({"tokenizer_config": {"mask_token": "[SEP]"}}, r"mask_token is '\[SEP\]': expected '\[MASK\]'"),
        ({"tokenizer_config": {"eos_token": "[EOS]"}}, r"has the added token '\[EOS\]' \(eos_token\)"),
        ({"added_tokens": {"[MASK]": 7}}, r"gives \[MASK\] the id 7, the vocabulary 4"),
        ({"tokenizer_config": {"tokenizer_class": "BertJapaneseTokenizer"}}, "tokenizer_class is 'BertJapanese"),
        ({"tokenizer_config": {"clean_text": False}}, "clean_text is False; this tokenizer only knows True"),
        ({"tokenizer_config": {"do_lower_case": "false"}}, "do_lower_case is 'false', expected bool"),
        ({"tokenizer_config": {"strip_accents": 1}}, "strip_accents is '1', expected bool"),
        ({"tokenizer_config": {"added_tokens_decoder": [WHO]}}, "added_tokens_decoder is .*, expected dict"),
        ({"tokenizer_config": {"additional_special_tokens": 3}}, "additional_special_tokens is '3', expected a list"),
        ({"tokenizer_config": {"additional_special_tokens": [3]}}, "has '3' where a token should be"),
        ({"tokenizer": {"model": []}}, r"model is '\[\]', expected dict"),
        ({"tokenizer": {"model": {"vocab": ["[PAD]"]}}}, "vocab is .*, expected dict"),
        ({"tokenizer": {"model": {"vocab": {"[PAD]": "0"}}}}, r"the id of '\[PAD\]' is '0', expected a whole number"),
        (
            {"tokenizer": {"model": {"max_input_chars_per_word": 9}}},
            "max_input_chars_per_word is 9: expected BERT's, 100",
        ),
        ({"tokenizer": {"model": {"unk_token": "[PAD]"}}}, r"unk_token is '\[PAD\]': expected BERT's, '\[UNK\]'"),
        ({"tokenizer": {"model": {"continuing_subword_prefix": "@@"}}}, "continuing_subword_prefix is '@@'"),
        ({"tokenizer": {"normalizer": {"type": "NFC"}}}, "the normalizer is NFC: expected BertNormalizer"),
        ({"tokenizer": {"normalizer": BERT | {"clean_text": False}}}, "the normalizer is one that does not clean"),
        ({"tokenizer": {"pre_tokenizer": {"type": "Whitespace"}}}, "the pre_tokenizer is Whitespace: expected Bert"),
        ({"tokenizer": {"post_processor": None}}, r"no post_processor: expected one that adds \[CLS\] and \[SEP\]"),
        (
            {"tokenizer": {"post_processor": {"type": "TemplateProcessing", "single": CLS_A_SEP, "pair": []}}},
            "the post_processor is not BERT's",
        ),
        ({"tokenizer": {"added_tokens": [WHO | {"content": "[MASK]", "normalized": True}]}}, "is normalized, which"),
        ({"tokenizer": {"added_tokens": ["[MASK]"]}}, r"added_tokens has .*, expected objects"),
    ],
)
def test_what_transformers_would_act_on_is_refused_by_name(
    tmp_path: Path, changes: dict[str, dict[str, object]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        WordPieceTokenizer.from_pretrained(saved(tmp_path, **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"added_tokens": {"[MASK]": 4}},
        {
            "tokenizer_config": {
                "added_tokens_decoder": {"4": WHO | {"content": "[MASK]"}},
                "cls_token": {"__type": "AddedToken", "content": "[CLS]"},
            }
        },
        {"tokenizer_config": {"additional_special_tokens": [], "extra_special_tokens": None, "model_max_length": 512}},
        {"special_tokens_map": {"mask_token": "[MASK]"}},
        {"tokenizer": {"normalizer": {"type": "Sequence", "normalizers": [BERT]}}},
        {"tokenizer": {"post_processor": {"type": "BertProcessing", "cls": ["[CLS]", 2], "sep": ["[SEP]", 3]}}},
        {"tokenizer": {"truncation": {"max_length": 2, "strategy": "LongestFirst", "stride": 0, "direction": "Right"}}},
    ],
)
def test_what_changes_nothing_is_read(tmp_path: Path, changes: dict[str, dict[str, object]]) -> None:
    folder = saved(tmp_path, **changes)
    (folder / "config.json").write_text('{"model_type": "bert"}')
    text = "The cat, a lobster[MASK] 字!"
    theirs = transformers.AutoTokenizer.from_pretrained(folder)(text)["input_ids"]
    assert WordPieceTokenizer.from_pretrained(folder).encode(text).ids == theirs


def test_vocabularies_that_disagree(tmp_path: Path) -> None:
    saved(tmp_path)
    path = tmp_path / "vocab.txt"
    path.write_text(path.read_text(encoding="utf-8").replace("lob\n", "rob\n"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"disagree: piece 6 is 'rob' in vocab.txt, 'lob' in tokenizer.json"):
        WordPieceTokenizer.from_pretrained(tmp_path)
    path.write_text("".join(f"{piece}\n" for piece in PIECES[:-1]), encoding="utf-8")
    with pytest.raises(ValueError, match=f"{len(PIECES) - 1} pieces in vocab.txt, {len(PIECES)} in tokenizer.json"):
        WordPieceTokenizer.from_pretrained(tmp_path)


@pytest.mark.parametrize("name", ["vocab.txt", "tokenizer.json", "tokenizer_config.json", "added_tokens.json"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, name: str) -> None:
    saved(tmp_path)
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)
    with pytest.raises(ValueError, match=f"{name} is a pipe or a device: expected a file"):
        WordPieceTokenizer.from_pretrained(tmp_path)


def test_a_folder_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match=r"no folder 'bert-base-uncased': expected one with a vocab.txt"):
        WordPieceTokenizer.from_pretrained("bert-base-uncased")


def test_the_saved_config_is_hugging_faces(tmp_path: Path) -> None:
    OURS[False].save_pretrained(tmp_path)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert config["tokenizer_class"] == "BertTokenizer"
    assert config["do_lower_case"] is False
    assert config["mask_token"] == "[MASK]"
