"""Cutting a head is what a hook would do that silences it on its way out."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from small_models import CONFIG, shaken
from torch import Tensor, nn

from bertmini import BertForMaskedLM, BertForPreTraining, BertModel, WordPieceTokenizer
from bertmini.inside.ablation import ablate_heads

WORDS = [f"w{i}" for i in range(CONFIG.vocab_size - 5)]
TOKENIZER = WordPieceTokenizer.from_vocab(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])
TOKENS = ["[CLS]", "w3", "[MASK]", "w5", "[SEP]", "w8", "[MASK]", "[SEP]"]
SECOND = 5


@contextmanager
def silent(module: nn.Module, head: int) -> Iterator[None]:
    """The oracle: what the head mixed never reaches the projection."""
    size = CONFIG.hidden_size // CONFIG.num_attention_heads

    def hush(_: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
        joined = inputs[0].clone()
        joined[..., head * size : (head + 1) * size] = 0
        return (joined,)

    handle = module.register_forward_pre_hook(hush)
    yield
    handle.remove()


@pytest.mark.parametrize("kind", [BertForPreTraining, BertForMaskedLM])
def test_each_head_is_cut_as_the_oracle_cuts_it(kind: type[BertForPreTraining | BertForMaskedLM]) -> None:
    model = shaken(kind(CONFIG)).eval()
    ids = torch.tensor([[TOKENIZER.vocab[token] for token in TOKENS]])
    types = torch.tensor([[0, 0, 0, 0, 0, 1, 1, 1]])

    def logits() -> Tensor:
        with torch.no_grad():
            output = model(ids, types)
        return getattr(output, "prediction_logits", None) if kind is BertForPreTraining else output.logits  # type: ignore[union-attr, return-value]

    ablations = ablate_heads(model, TOKENIZER, TOKENS, SECOND, best=3)
    assert [one.place for one in ablations] == [2, 6]
    for one in ablations:
        whole = logits()[0, one.place].softmax(-1)
        first = int(whole.argmax())
        assert one.whole.pieces[0] == TOKENIZER.pieces[first]
        assert one.whole.first == pytest.approx(float(whole[first]), abs=1e-6)
        assert [len(layer) for layer in one.without] == [CONFIG.num_attention_heads] * CONFIG.num_hidden_layers
        for layer, guesses in enumerate(one.without):
            for head, cut in enumerate(guesses):
                with silent(model.bert.layers[layer].attention.output, head):
                    expected = logits()[0, one.place].softmax(-1)
                best = expected.topk(3)
                assert cut.pieces == [TOKENIZER.pieces[i] for i in best.indices.tolist()]
                assert cut.probabilities == pytest.approx(best.values.tolist(), abs=1e-6)
                assert cut.first == pytest.approx(float(expected[first]), abs=1e-6)


def test_the_model_is_left_as_it_is() -> None:
    model = shaken(BertForMaskedLM(CONFIG)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    ablate_heads(model, TOKENIZER, TOKENS)
    assert model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_chosen_places() -> None:
    model = shaken(BertForMaskedLM(CONFIG))
    assert [one.place for one in ablate_heads(model, TOKENIZER, TOKENS, places=[5])] == [5]


def test_mistakes_are_named() -> None:
    model = BertForMaskedLM(CONFIG)
    with pytest.raises(ValueError, match=r"places are \[\]: expected some of the tokens 0 to 1, or a \[MASK\]"):
        ablate_heads(model, TOKENIZER, ["[CLS]", "[SEP]"])
    with pytest.raises(ValueError, match=r"places are \[8\]: expected some of the tokens 0 to 7"):
        ablate_heads(model, TOKENIZER, TOKENS, places=[8])
    with pytest.raises(ValueError, match="BertModel predicts no pieces: expected BertForMaskedLM"):
        ablate_heads(BertModel(CONFIG), TOKENIZER, TOKENS)
