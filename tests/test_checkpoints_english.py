"""The model that ships with the package: it is there by its name, knows easy words, and transformers reads it alike."""

import re
from pathlib import Path

import pytest
import torch
import transformers
from safetensors import safe_open

from bertmini import BertForMaskedLM, BertModel, WordPieceTokenizer
from bertmini.files import SHIPPED
from bertmini.runs.fill_mask import fill_mask
from tools.notebooks import ROOT

FOLDER = SHIPPED / "english"
# What it is known to get right: these show that the file is whole, not how good the model is (that is benchmarks/).
EASY = [
    ("He looked at [MASK] watch and ran to the station.", "his"),
    ("He shook his [MASK] and said nothing.", "head"),
    ("One of the men [MASK] standing at the door.", "was"),
    ("They went [MASK] the room.", "into"),
    ("I do not know [MASK] to say.", "what"),
    ("I don't [MASK] what you mean.", "know"),
    ("It was the first [MASK] that he had seen her.", "time"),
    ("She opened the [MASK] and went out.", "door"),
    ("She has [MASK] been there before.", "never"),
    ("The president of the United [MASK] spoke to the people.", "states"),
]


@pytest.fixture(scope="module")
def model() -> BertForMaskedLM:
    return BertForMaskedLM.from_pretrained("english")


@pytest.fixture(scope="module")
def tokenizer() -> WordPieceTokenizer:
    return WordPieceTokenizer.from_pretrained("english")


@pytest.mark.parametrize(("text", "word"), EASY, ids=[word for _, word in EASY])
def test_easy_blanks(model: BertForMaskedLM, tokenizer: WordPieceTokenizer, text: str, word: str) -> None:
    (guesses,) = fill_mask(model, tokenizer, text)
    assert word in [guess.piece for guess in guesses]


def test_it_is_small_and_half_as_long_in_the_file_as_in_memory(model: BertForMaskedLM) -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 20_000_000
    with safe_open(FOLDER / "model.safetensors", "pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118 (it is no dict)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_transformers_reads_it_without_a_word_and_computes_the_same(
    model: BertForMaskedLM, tokenizer: WordPieceTokenizer
) -> None:
    theirs, told = transformers.BertForMaskedLM.from_pretrained(
        FOLDER, output_loading_info=True, attn_implementation="eager"
    )
    assert not any(told[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert theirs.dtype == torch.float32
    their_tokenizer = transformers.AutoTokenizer.from_pretrained(FOLDER)
    texts = ["The old house stood near the river.", "Isn't it [MASK]?", "Überall 3.14 [MASK] naïve words"]
    for text in texts:
        ids = tokenizer.encode(text).ids
        assert their_tokenizer(text)["input_ids"] == ids
        with torch.no_grad():
            ours = model(torch.tensor([ids])).logits
            torch.testing.assert_close(ours, theirs(torch.tensor([ids])).logits, atol=1e-4, rtol=1e-4)


def test_the_pipeline_of_transformers_fills_the_same_blank(
    model: BertForMaskedLM, tokenizer: WordPieceTokenizer
) -> None:
    text = EASY[0][0]
    pipeline = transformers.pipeline("fill-mask", model=str(FOLDER), device="cpu")
    (ours,) = fill_mask(model, tokenizer, text)
    theirs = pipeline(text)
    assert [answer["token_str"] for answer in theirs] == [guess.piece for guess in ours]
    assert [answer["score"] for answer in theirs] == pytest.approx([guess.probability for guess in ours], abs=1e-4)


def test_positions_end_where_training_did(model: BertForMaskedLM, tokenizer: WordPieceTokenizer) -> None:
    limit = model.config.max_position_embeddings
    assert limit < 512
    with pytest.raises(ValueError, match="shorten it"):
        fill_mask(model, tokenizer, "word " * limit + "[MASK]")


def test_a_new_task_can_begin_with_it() -> None:
    encoder = BertModel.from_pretrained("english", new_head=True)
    assert encoder.new_weights == ("pooler.dense.weight", "pooler.dense.bias")


def test_the_card_and_the_curve_lie_beside_it() -> None:
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    for heading in (
        "What it was trained on",
        "What it can do",
        "What it cannot do",
        "Prejudice",
        "How to make it again",
    ):
        assert f"## {heading}\n" in card
    assert card.count("| public domain") > 150  # a line for every book
    assert {"curve.csv", "curve.png", "vocab.txt", "tokenizer.json"} <= {path.name for path in Path(FOLDER).iterdir()}


def test_the_card_says_of_fine_tuning_what_was_measured() -> None:
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    measured = (ROOT / "benchmarks" / "results" / "real_files.md").read_text(encoding="utf-8").replace(" ", "")
    (rows,) = re.findall(r"\| task \|.*?\n((?:\|.*\n)+)", card)
    figures = [figure for row in rows.splitlines()[1:] for figure in re.findall(r"\d+\.\d+%?(?: ± \d+\.\d+)?", row)]
    assert len(figures) == 9
    assert [figure for figure in figures if figure.replace("%", "").replace(" ", "") not in measured] == []


def test_the_card_says_of_its_knowledge_what_was_measured() -> None:
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    measured = (ROOT / "benchmarks" / "results" / "english.md").read_text(encoding="utf-8")
    (knowledge,) = re.findall(r"^## What it can do\n(.*?)^Fine-tuned on real files", card, re.MULTILINE | re.DOTALL)
    cells = [cell.strip() for row in knowledge.splitlines() if row.startswith("| ") for cell in row.split("|")[2:-1]]
    figures = [cell for cell in cells if re.match(r"\d", cell)]
    assert len(figures) > 40
    assert [figure for figure in figures if figure not in measured] == []
