import pytest
import torch
from small_models import CONFIG, shaken

from bertmini import BertForMaskedLM, BertForPreTraining, WordPieceTokenizer, fill_mask
from bertmini.runs.fill_mask import blank_out

WORDS = ["the", "otter", "heron", "sleeps", "near", "river", "."]
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *[f"w{i}" for i in range(CONFIG.vocab_size - 12)]]
TOKENIZER = WordPieceTokenizer.from_vocab(PIECES)


@pytest.mark.parametrize("kind", [BertForPreTraining, BertForMaskedLM])
def test_it_equals_the_full_softmax(kind: type[BertForPreTraining]) -> None:
    model = shaken(kind(CONFIG)).eval()
    texts = ("the [MASK] sleeps near the [MASK]", "the otter.")
    filled = fill_mask(model, TOKENIZER, *texts, best=3)
    encoding = TOKENIZER.encode(*texts)
    with torch.no_grad():
        output = model(torch.tensor([encoding.ids]), torch.tensor([encoding.type_ids]))
    logits = output.prediction_logits if kind is BertForPreTraining else output.logits
    places = [place for place, piece in enumerate(encoding.ids) if piece == TOKENIZER.mask_id]
    assert len(filled) == len(places) == 2
    for guesses, place in zip(filled, places, strict=True):
        expected = logits[0, place].softmax(-1)
        assert [guess.piece for guess in guesses] == [PIECES[i] for i in expected.topk(3).indices.tolist()]
        assert [guess.probability for guess in guesses] == pytest.approx(expected.topk(3).values.tolist(), abs=1e-6)


def test_it_says_what_is_wrong_with_a_text() -> None:
    model = BertForMaskedLM(CONFIG)
    with pytest.raises(ValueError, match=r"'the otter' has no \[MASK\]"):
        fill_mask(model, TOKENIZER, "the otter")
    with pytest.raises(ValueError, match="the text has 22 tokens, the model 17 positions; shorten it"):
        fill_mask(model, TOKENIZER, "[MASK] " * 20)


def test_blank_out_hides_a_word_that_is_one_piece() -> None:
    tokenizer = WordPieceTokenizer.from_vocab(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "otter", "lob", "##ster", "."]
    )
    assert blank_out("The lobster, the otter.", tokenizer) == ("The lobster, the [MASK].", "otter")
    assert blank_out("Lobster.", tokenizer) is None
