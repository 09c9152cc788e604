"""A tokenizer's files: vocab.txt, tokenizer.json, tokenizer_config.json and their relatives, whoever wrote them.

Whatever `transformers` acts on is acted on alike or refused by name: text that is split in another way than the model
was trained with costs accuracy, and nothing says so. So a pipeline of one's own, tokens that were added beside the
vocabulary, special tokens of other names, and files that disagree with each other are all refused.

Left out on purpose: added tokens, other pipelines than BERT's. Taught in chapter 02.
"""

from pathlib import Path
from typing import Any, TypeVar, cast

from bertmini.config import CLS, SEP, SPECIAL_TOKENS, UNK
from bertmini.data.vocabulary import MAX_WORD_CHARS
from bertmini.files import is_regular, read_json

NAMED = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), SPECIAL_TOKENS, strict=True))
OPTIONS: dict[str, tuple[str, str, Any]] = {  # ours: tokenizer_config.json's, tokenizer.json's normalizer's, default
    "lowercase": ("do_lower_case", "lowercase", True),
    "strip_accents": ("strip_accents", "strip_accents", None),
    "tokenize_chinese_chars": ("tokenize_chinese_chars", "handle_chinese_chars", True),
}
WHOLE = ("PreTrainedTokenizerFast", "TokenizersBackend")  # take tokenizer.json as it is and look at nothing else
CLASSES = ("BertTokenizer", "BertTokenizerFast", *WHOLE)
LISTS = ("additional_special_tokens", "extra_special_tokens", "added_tokens_decoder")
FIXED = {"clean_text": True, "wordpieces_prefix": "##", "do_basic_tokenize": True}

Kind = TypeVar("Kind")


def entry(values: dict[str, Any], name: str, kind: type[Kind], path: Path) -> Kind | None:
    """The value of `name`, None where there is none. Raises `ValueError` for another type than JSON must have there."""
    value = values.get(name)
    if value is not None and not isinstance(value, kind):
        raise ValueError(f"{path}: {name} is {str(value)[:40]!r}, expected {kind.__name__}; save the tokenizer again")
    return value


def read_pieces(folder: Path) -> list[str]:
    """The pieces in a folder's vocab.txt, tokenizer.json or both, in the order of their ids.

    Raises `ValueError` for what is not BERT's, or is more than a vocabulary: see the module.
    """
    if not folder.is_dir():
        raise ValueError(f"no folder {str(folder)!r}: expected one with a vocab.txt; nothing is downloaded by name")
    listed, whole = _listed_pieces(folder / "vocab.txt"), _whole_pieces(folder / "tokenizer.json")
    if listed is None and whole is None:
        _refuse_other_tokens(folder, {})
        raise ValueError(f"{str(folder)!r} holds neither vocab.txt nor tokenizer.json: expected a saved tokenizer")
    if listed is not None and whole is not None and listed != whole:
        at = next((i for i, (one, other) in enumerate(zip(listed, whole, strict=False)) if one != other), None)
        differ = (
            f"{len(listed)} pieces in vocab.txt, {len(whole)} in tokenizer.json"
            if at is None
            else f"piece {at} is {listed[at]!r} in vocab.txt, {whole[at]!r} in tokenizer.json"
        )
        raise ValueError(f"the vocabularies in {folder} disagree: {differ}; remove the file that is wrong")
    pieces = cast(list[str], whole if listed is None else listed)
    _refuse_other_tokens(folder, {piece: number for number, piece in enumerate(pieces)})
    _refuse_other_pipeline(folder / "tokenizer.json")
    return pieces


def _listed_pieces(path: Path) -> list[str] | None:
    if not is_regular(path):
        return None
    try:
        lines = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 at byte {error.start}: save it as UTF-8") from None
    return [line.removesuffix("\r") for line in lines.removesuffix("\n").split("\n")]


def _read_if_there(path: Path) -> dict[str, Any]:
    return read_json(path) if is_regular(path) else {}


def _whole_pieces(path: Path) -> list[str] | None:
    """The pieces in tokenizer.json; None if it is not there, or names none."""
    saved = _read_if_there(path)
    model = entry(saved, "model", dict, path) or {}
    if (kind := model.get("type", "WordPiece")) != "WordPiece":
        raise ValueError(f"{path} holds a {kind} model: expected a plain BERT WordPiece vocabulary")
    vocab = entry(model, "vocab", dict, path)
    if not vocab:
        return None
    if odd := [piece for piece, number in vocab.items() if type(number) is not int]:
        raise ValueError(f"{path}: the id of {odd[0]!r} is {vocab[odd[0]]!r}, expected a whole number")
    if sorted(vocab.values()) != list(range(len(vocab))):
        raise ValueError(f"the ids in {path} have holes: expected 0 to {len(vocab) - 1}, each once")
    return sorted(vocab, key=vocab.__getitem__)


def _refuse_other_pipeline(path: Path) -> None:
    """Refuse a tokenizer.json that splits text in another way than BERT does, naming the part."""
    saved = _read_if_there(path)
    model = entry(saved, "model", dict, path) or {}
    limits = {"unk_token": UNK, "continuing_subword_prefix": "##"}
    for name, expected in (limits | {"max_input_chars_per_word": MAX_WORD_CHARS}).items():
        if model.get(name, expected) != expected:
            raise ValueError(f"{path}: the model's {name} is {model[name]!r}: expected BERT's, {expected!r}")
    if not saved:
        return
    splitter = entry(saved, "pre_tokenizer", dict, path) or {}
    if splitter.get("type") != "BertPreTokenizer":
        raise ValueError(f"{path}: the pre_tokenizer is {splitter.get('type')}: expected BertPreTokenizer, as BERT has")
    _normalizer(saved, path)
    _refuse_other_frame(entry(saved, "post_processor", dict, path), path)


def _normalizer(saved: dict[str, Any], path: Path) -> dict[str, Any]:
    """tokenizer.json's BertNormalizer, which may be alone in a Sequence."""
    found = entry(saved, "normalizer", dict, path) or {}
    if found.get("type") == "Sequence":
        parts = entry(found, "normalizers", list, path) or []
        found = parts[0] if len(parts) == 1 and isinstance(parts[0], dict) else found
    if found.get("type") != "BertNormalizer" or found.get("clean_text", True) is not True:
        how = "one that does not clean the text" if found.get("type") == "BertNormalizer" else found.get("type")
        raise ValueError(f"{path}: the normalizer is {how}: expected BertNormalizer, as BERT has")
    return found


def _refuse_other_frame(found: dict[str, Any] | None, path: Path) -> None:
    """Refuse a post-processor that puts anything but [CLS] text [SEP] pair [SEP] around the pieces."""
    if found is None:
        raise ValueError(f"{path} has no post_processor: expected one that adds {CLS} and {SEP}, as BERT has")
    if found.get("type") == "BertProcessing":
        ends = [found.get("cls"), found.get("sep")]
        right = [end[0] if isinstance(end, list) and end else None for end in ends] == [CLS, SEP]
    else:
        right = found.get("type") == "TemplateProcessing" and (
            _spelled(found.get("single")) == [(CLS, 0), ("A", 0), (SEP, 0)]
            # a saved template without a pair of its own puts pairs together without type 1: never BERT's
            and _spelled(found.get("pair"))
            in ([(CLS, 0), ("A", 0), (SEP, 0), ("B", 1), (SEP, 1)], [("A", 0), ("B", 1)])
        )
    if not right:
        raise ValueError(f"{path}: the post_processor is not BERT's: expected {CLS} A {SEP}, and {CLS} A {SEP} B {SEP}")


def _spelled(template: Any) -> list[tuple[str, int]] | None:
    try:
        return [(part["id"], part["type_id"]) for whole in template for part in whole.values()]
    except (AttributeError, KeyError, TypeError):
        return None


def _refuse_other_tokens(folder: Path, vocab: dict[str, int]) -> None:
    """Refuse tokens beside the vocabulary, in whichever file, and special ones under other names or ids."""

    def check(token: str, number: object, path: Path, where: str) -> None:
        if token not in SPECIAL_TOKENS:
            raise ValueError(f"{path} has the added token {token!r} ({where}): expected a plain BERT vocabulary")
        if number is not None and (isinstance(number, bool) or str(number) != str(vocab.get(token))):
            raise ValueError(f"{path}: {where} gives {token} the id {number!r}, the vocabulary {vocab.get(token)}")

    path = folder / "tokenizer.json"
    for added in entry(_read_if_there(path), "added_tokens", list, path) or []:
        if not isinstance(added, dict):
            raise ValueError(
                f"{path}: added_tokens has {str(added)[:40]!r}, expected objects; save the tokenizer again"
            )
        check(_content(added, path), added.get("id"), path, "added_tokens")
        if odd := [name for name in ("normalized", "single_word") if added.get(name)]:
            raise ValueError(f"{path}: {added['content']} is {odd[0]}, which BERT's special tokens are not")
    path = folder / "added_tokens.json"
    for token, number in _read_if_there(path).items():
        check(token, number, path, "added_tokens.json")
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        path = folder / name
        values = _read_if_there(path)
        for key in LISTS:
            extra = entry(values, key, dict if key == "added_tokens_decoder" else object, path) or []
            if not isinstance(extra, list | dict):
                raise ValueError(f"{path}: {key} is {str(extra)[:40]!r}, expected a list; save the tokenizer again")
            for number, added in extra.items() if isinstance(extra, dict) else ((None, token) for token in extra):
                check(_content(added, path), number if key == "added_tokens_decoder" else None, path, key)
        for key, value in values.items():
            if key.endswith("_token") and isinstance(value, str | dict):
                check(_content(value, path), None, path, key)
                if _content(value, path) != NAMED.get(key, _content(value, path)):
                    raise ValueError(
                        f"{path}: {key} is {_content(value, path)!r}: expected {NAMED[key]!r}, as BERT has"
                    )


def _content(token: Any, path: Path) -> str:
    """A token's text: it stands there alone, or in an object with flags."""
    text = token.get("content") if isinstance(token, dict) else token
    if not isinstance(text, str):
        raise ValueError(f"{path} has {str(token)[:40]!r} where a token should be; save the tokenizer again")
    return text


def read_options(folder: Path) -> dict[str, Any]:
    """How text is cleaned before it is split: as tokenizer_config.json says, else as uncased BERTs do.

    The keys are the keyword arguments of `WordPieceTokenizer.from_vocab`. The classes in `WHOLE` take tokenizer.json's
    word instead. Raises `ValueError` for a tokenizer of another class, for values of another type, and where
    tokenizer.json says otherwise than the default and tokenizer_config.json nothing.
    """
    path, config = folder / "tokenizer_config.json", _read_if_there(folder / "tokenizer_config.json")
    kind = entry(config, "tokenizer_class", str, path)
    if kind is not None and kind not in CLASSES:
        raise ValueError(f"{path}: tokenizer_class is {kind!r}: expected one of {', '.join(CLASSES)}")
    for name, expected in FIXED.items():
        if config.get(name, expected) != expected:
            raise ValueError(f"{path}: {name} is {config[name]!r}; this tokenizer only knows {expected!r}")
    saved = _read_if_there(folder / "tokenizer.json")
    normalizer = _normalizer(saved, folder / "tokenizer.json") if saved else {}
    options = {}
    for ours, (theirs, inner, default) in OPTIONS.items():
        said = entry(config, theirs, bool, path)
        whole = entry(normalizer, inner, bool, folder / "tokenizer.json")
        if saved and kind in WHOLE:
            options[ours] = whole
        else:
            options[ours] = default if said is None else said
            if saved and said is None and whole != default and (ours, whole) != ("strip_accents", options["lowercase"]):
                raise ValueError(
                    f"{folder / 'tokenizer.json'} has {inner} {whole}, and tokenizer_config.json says nothing, which "
                    f"means {default}: write {theirs!r} into tokenizer_config.json"
                )
    return options
