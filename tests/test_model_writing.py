"""A causal BERT and an encoder-decoder: who may read whom, and a loss worked out plainly."""

import pytest
import torch
import torch.nn.functional as F
from small_models import CONFIG, shaken
from torch import Tensor, nn

from bertmini.model.attention import Rows
from bertmini.model.writing import BertForCausalLM, DecoderLayer, EncoderDecoder, looking_back

IDS = torch.randint(5, CONFIG.vocab_size, (3, 7), generator=torch.Generator().manual_seed(0))
MASK = torch.ones_like(IDS)
MASK[1, 4:] = 0
TARGET = torch.randint(5, 43, (3, 6), generator=torch.Generator().manual_seed(1))
THERE = torch.ones_like(TARGET)
THERE[2, 3:] = 0


@pytest.fixture
def causal() -> BertForCausalLM:
    return shaken(BertForCausalLM(CONFIG)).eval()


@pytest.fixture
def both() -> EncoderDecoder:
    return shaken(EncoderDecoder(CONFIG, 43)).eval()


def changes(before: Tensor, after: Tensor) -> list[bool]:
    """At which places of the first row the logits changed."""
    return [not torch.equal(one, other) for one, other in zip(before[0], after[0], strict=True)]


def test_causal_model_reads_to_the_left_only(causal: BertForCausalLM) -> None:
    other = IDS.clone()
    other[0, 4] = 7 if int(IDS[0, 4]) != 7 else 8
    assert changes(causal(IDS).logits, causal(other).logits) == [False] * 4 + [True] * 3


def test_causal_loss_is_that_of_the_next_piece_and_padding_costs_nothing(causal: BertForCausalLM) -> None:
    output = causal(IDS, MASK)
    costs = [
        -output.logits[row, place].log_softmax(-1)[IDS[row, place + 1]]
        for row in range(3)
        for place in range(6)
        if MASK[row, place + 1]
    ]
    torch.testing.assert_close(output.loss, torch.stack(costs).mean())
    torch.testing.assert_close(causal(IDS[1:2, :4]).logits, output.logits[1:2, :4], atol=1e-5, rtol=0)


def test_decoder_reads_all_of_the_source_and_the_left_of_the_target(both: EncoderDecoder) -> None:
    before = both(IDS, TARGET, MASK, THERE).logits
    assert before.shape == (3, 6, 43)
    later = TARGET.clone()
    later[0, 3] = 7 if int(TARGET[0, 3]) != 7 else 8
    assert changes(before, both(IDS, later, MASK, THERE).logits) == [False] * 3 + [True] * 3
    source = IDS.clone()
    source[0, 6] = 7 if int(IDS[0, 6]) != 7 else 8
    assert changes(before, both(source, TARGET, MASK, THERE).logits) == [True] * 6


def test_padding_of_the_source_is_not_read(both: EncoderDecoder) -> None:
    padded = IDS.clone()
    padded[1, 4:] = 9
    one, other = (both(ids, TARGET, MASK, THERE).logits for ids in (IDS, padded))
    torch.testing.assert_close(one, other, atol=1e-6, rtol=0)


def test_decoder_layer_is_that_of_pytorch() -> None:
    ours = shaken(DecoderLayer(CONFIG)).eval()
    theirs = nn.TransformerDecoderLayer(
        20, 4, 37, dropout=0, activation=F.gelu, layer_norm_eps=CONFIG.layer_norm_eps, batch_first=True
    ).eval()
    parts = {"self_attn": ours.own, "multihead_attn": ours.source.attention}
    with torch.no_grad():
        for name, mine in parts.items():
            attention = getattr(theirs, name)
            maps = (mine.query, mine.key, mine.value)
            attention.in_proj_weight.copy_(torch.cat([m.weight for m in maps]))
            attention.in_proj_bias.copy_(torch.cat([m.bias for m in maps]))
            attention.out_proj.load_state_dict(mine.output.state_dict())
    theirs.linear1.load_state_dict(ours.source.intermediate.state_dict())
    theirs.linear2.load_state_dict(ours.source.output.state_dict())
    theirs.norm1.load_state_dict(ours.own_norm.state_dict())
    theirs.norm2.load_state_dict(ours.source.attention_norm.state_dict())
    theirs.norm3.load_state_dict(ours.source.output_norm.state_dict())
    hidden, source = torch.randn(3, 5, 20), torch.randn(3, 7, 20)
    there = torch.ones(3, 5, dtype=torch.long)
    expected = theirs(hidden, source, tgt_mask=~torch.ones(5, 5, dtype=torch.bool).tril())
    torch.testing.assert_close(ours(hidden, looking_back(there), source, Rows()), expected, atol=1e-5, rtol=1e-5)


def test_it_learns_one_pair_by_heart() -> None:
    torch.manual_seed(0)
    model = EncoderDecoder(CONFIG, 43)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(80):
        optimizer.zero_grad()
        loss = model(IDS, TARGET, MASK, THERE).loss
        assert loss is not None
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.3
