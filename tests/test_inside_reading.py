import numpy as np
from small_models import CONFIG, shaken

from bertmini import BertForMaskedLM, WordPieceTokenizer
from bertmini.inside.ablation import ablate_heads
from bertmini.inside.attend import attend
from bertmini.inside.reading import read_text
from bertmini.inside.search import search_heads

WORDS = [f"w{i}" for i in range(CONFIG.vocab_size - 5)]
TOKENIZER = WordPieceTokenizer.from_vocab(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])


def test_a_reading_is_what_its_parts_are() -> None:
    model = shaken(BertForMaskedLM(CONFIG))
    found = search_heads(model, TOKENIZER, ["w1 w2"])
    reading = read_text(model, TOKENIZER, "w1 [MASK]", "w2 [MASK] w3", found=found)
    seen = attend(model, TOKENIZER, "w1 [MASK]", "w2 [MASK] w3")
    assert np.array_equal(reading.attentions, seen.attentions)
    assert (reading.tokens, reading.second) == (seen.tokens, 4)
    assert reading.ablation == ablate_heads(model, TOKENIZER, seen.tokens, seen.second)
    assert [one.place for one in reading.ablation] == [2, 5]
    assert reading.found is found


def test_without_a_mask_nothing_is_guessed() -> None:
    reading = read_text(shaken(BertForMaskedLM(CONFIG)), TOKENIZER, "w1 w2")
    assert (reading.ablation, reading.found, reading.second) == ((), None, None)
