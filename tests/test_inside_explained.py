"""One guess by four methods: each row is what the method alone says."""

import numpy as np
import pytest
import torch
from small_models import CONFIG, shaken

from bertmini import BertForMaskedLM, WordPieceTokenizer
from bertmini.inside import attend, integrated_gradients, log_probability, resample_tokens, rollout
from bertmini.inside.explained import explain_guess

WORDS = [f"w{i}" for i in range(CONFIG.vocab_size - 5)]
TOKENIZER = WordPieceTokenizer.from_vocab(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])


def test_each_row() -> None:
    model = shaken(BertForMaskedLM(CONFIG)).eval()
    found = explain_guess(model, TOKENIZER, "w3 w9 [MASK] w7", steps=16)
    assert found.tokens == ["[CLS]", "w3", "w9", "[MASK]", "w7", "[SEP]"]
    ids = torch.tensor([TOKENIZER.convert_tokens_to_ids(found.tokens)])
    chances = model(ids).logits.detach()[0, 3].softmax(-1)
    best = int(chances.argmax())
    assert (found.place, found.guess) == (3, TOKENIZER.pieces[best])
    assert found.probability == pytest.approx(float(chances[best]), abs=1e-6)
    blank, score = torch.tensor([[2, 4, 4, 4, 4, 3]]), log_probability(3, best)
    seen = attend(model, TOKENIZER, "w3 w9 [MASK] w7")
    expected = {
        "attention, last layer": seen.attentions[-1, :, 3].mean(0),
        "rollout": rollout(seen.attentions, seen.tokens)[-1, 3],
        "integrated gradients": integrated_gradients(model, {"input_ids": ids}, score, blank, steps=16).parts,
        "one word masked": resample_tokens(model, {"input_ids": ids}, score, blank),
    }
    assert list(found.scores) == list(expected)
    for name, row in expected.items():
        assert np.allclose(found.scores[name], row, atol=1e-5)
    assert found.scores["one word masked"][0] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("text", "count"), [("w3 w9", 0), ("w3 [MASK] [MASK]", 2)])
def test_one_blank_is_asked_for(text: str, count: int) -> None:
    with pytest.raises(ValueError, match=rf"the text has {count} \[MASK\]"):
        explain_guess(shaken(BertForMaskedLM(CONFIG)), TOKENIZER, text)
