"""The texts in which a head gives most, against a search by brute force."""

import numpy as np
import pytest
from small_models import CONFIG, shaken

from bertmini import BertModel, WordPieceTokenizer
from bertmini.inside.attend import attend
from bertmini.inside.patterns import mean_patterns
from bertmini.inside.search import search_heads

WORDS = [f"w{i}" for i in range(CONFIG.vocab_size - 5)]
TOKENIZER = WordPieceTokenizer.from_vocab(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])
CORPUS = ["w1 w2 w3", ("w4 w5", "w6"), "w7 w8 w9 w10 w11", "w3 w2 w1", ("w12", "w13 w14")]


def test_each_head_gets_its_strongest_texts() -> None:
    model = shaken(BertModel(CONFIG))
    found = search_heads(model, TOKENIZER, CORPUS, best=3)
    seen = [attend(model, TOKENIZER, *([text] if isinstance(text, str) else text)) for text in CORPUS]
    assert found.texts == [reading.tokens for reading in seen]
    assert found.patterns == mean_patterns(seen)
    for layer in range(5):
        for head in range(4):
            best = []
            for number, (weights, tokens, _) in enumerate(seen):
                words = [place for place, token in enumerate(tokens) if token not in ("[CLS]", "[SEP]")]
                cells = [(float(weights[layer, head, i, j]), number, i, j) for i in words for j in words]
                best.append(max(cells, key=lambda cell: cell[0]))
            firings = found.firings[layer][head]
            assert [(one.weight, one.text, one.asks, one.asked) for one in firings] == sorted(best, reverse=True)[:3]
            for one in firings:
                assert np.array_equal(one.row, seen[one.text].attentions[layer, head, one.asks])


def test_mistakes_are_named() -> None:
    model = BertModel(CONFIG)
    with pytest.raises(ValueError, match="there is no text"):
        search_heads(model, TOKENIZER, [])
    with pytest.raises(ValueError, match="text 1 has no word"):
        search_heads(model, TOKENIZER, ["w1", "[CLS]"])
