import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import BATCH, CONFIG, LENGTH, MASKS, assert_within, shaken
from torch import nn
from torch.testing import assert_close

from bertmini.model.attention import ByteDropout, MultiHeadAttention, Rows, scaled_dot_product_attention
from bertmini.model.packing import visible


def test_by_hand() -> None:
    # Scores 0 and ln 3 after division by sqrt(4): weights 1/4 and 3/4.
    query = torch.tensor([[2.0, 0.0, 0.0, 0.0]])
    key = torch.tensor([[0.0, 9.0, 9.0, 9.0], [math.log(3), 1.0, 2.0, 3.0]])
    value = torch.tensor([[4.0, 0.0, 8.0], [0.0, 4.0, 8.0]])
    output, weights = scaled_dot_product_attention(query, key, value)
    assert weights is not None
    assert_close(weights, torch.tensor([[0.25, 0.75]]))
    assert_close(output, torch.tensor([[1.0, 3.0, 8.0]]))
    hidden, weights = scaled_dot_product_attention(query, key, value, torch.tensor([[True, False]]))
    assert weights is not None
    assert weights.tolist() == [[1.0, 0.0]]
    assert hidden.tolist() == [[4.0, 0.0, 8.0]]


@given(
    seed=st.integers(0, 2**32),
    sizes=st.tuples(*[st.integers(1, 7)] * 5),
    masked=st.booleans(),
    scale=st.sampled_from([0.1, 1.0, 30.0]),
)
@settings(max_examples=60)
def test_equals_pytorchs_kernel(seed: int, sizes: tuple[int, ...], masked: bool, scale: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    batch, heads, queries, keys, size = sizes
    query = scale * torch.randn(batch, heads, queries, size, generator=generator, dtype=torch.float64)
    key, value = (torch.randn(batch, heads, keys, size, generator=generator, dtype=torch.float64) for _ in range(2))
    mask = None
    if masked:
        mask = torch.rand(batch, 1, queries, keys, generator=generator) < 0.5
        mask[..., 0] = True  # a query that may read nothing has no oracle
    output, weights = scaled_dot_product_attention(query, key, value, mask)
    assert_close(output, F.scaled_dot_product_attention(query, key, value, mask), rtol=1e-12, atol=1e-12)
    assert weights is not None
    assert_close(weights.sum(-1), torch.ones(batch, heads, queries, dtype=torch.float64))
    assert bool((weights >= 0).all())
    if mask is not None:
        assert weights.masked_select(~mask).count_nonzero() == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_a_query_that_may_read_nothing_poisons_nobody(dtype: torch.dtype) -> None:
    query = torch.randn(2, 3, 5, dtype=dtype, requires_grad=True)
    mask = torch.tensor([[True, True, True], [False, False, False]])[:, None]
    output, weights = scaled_dot_product_attention(query, query, query, mask)
    assert weights is not None
    assert_close(weights[1], torch.full((3, 3), 1 / 3, dtype=dtype))  # as in Hugging Face's BERT
    torch.autograd.backward(output.sum())
    assert query.grad is not None
    assert query.grad.isfinite().all()


def test_dropout_acts_on_the_weights() -> None:
    query, value = torch.randn(3, 99, 5), torch.eye(101)
    key = torch.randn(3, 101, 5)
    output, weights = scaled_dot_product_attention(query, key, value, dropout=nn.Dropout(0.2))
    whole = scaled_dot_product_attention(query, key, value).weights
    assert weights is not None
    assert whole is not None
    assert_close(output, weights @ value)
    kept = weights != 0
    assert_close(weights[kept], (whole / 0.8)[kept])
    share = 1 - kept.double().mean().item()
    assert share == pytest.approx(0.2, abs=4 * math.sqrt(0.2 * 0.8 / kept.numel()))


def oracle(attention: MultiHeadAttention) -> nn.MultiheadAttention:
    """PyTorch's multi-head attention with the same weights."""
    theirs = nn.MultiheadAttention(CONFIG.hidden_size, CONFIG.num_attention_heads, batch_first=True)
    maps = (attention.query, attention.key, attention.value)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([linear.weight for linear in maps]))
        theirs.in_proj_bias.copy_(torch.cat([linear.bias for linear in maps]))
    theirs.out_proj.load_state_dict(attention.output.state_dict())
    return theirs.eval()


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_equals_pytorchs_multi_head_attention(mask: torch.Tensor) -> None:
    attention = shaken(MultiHeadAttention(CONFIG)).eval()
    hidden = torch.randn(BATCH, LENGTH, CONFIG.hidden_size)
    allowed = visible(mask, mask)
    output, weights = attention(hidden, hidden, Rows(allowed, output_attentions=True))
    expected, theirs = oracle(attention)(hidden, hidden, hidden, key_padding_mask=mask == 0, average_attn_weights=False)
    assert_within(1e-6, output, expected)
    assert_within(1e-6, weights, theirs)
    fused, nothing = attention(hidden, hidden, Rows(allowed))
    assert nothing is None
    assert_within(1e-6, fused, expected)
    assert weights.shape == (BATCH, 4, LENGTH, LENGTH)


def test_packed_sequences_do_not_see_each_other() -> None:
    attention = shaken(MultiHeadAttention(CONFIG)).eval()
    hidden = torch.randn(1, LENGTH, CONFIG.hidden_size)
    mask = torch.tensor([[1, 1, 1, 2, 2, 2, 2]])
    together, _ = attention(hidden, hidden, Rows(visible(mask, mask)))
    assert_within(1e-6, together[:, :3], attention(hidden[:, :3], hidden[:, :3], Rows())[0])
    assert_within(1e-6, together[:, 3:], attention(hidden[:, 3:], hidden[:, 3:], Rows())[0])


def test_each_head_reads_the_whole_hidden_vector() -> None:
    # Not a slice of it: a change in the last number changes the weights of the first head.
    attention = shaken(MultiHeadAttention(CONFIG)).eval()
    hidden = torch.randn(1, LENGTH, CONFIG.hidden_size)
    changed = hidden.clone()
    changed[..., -1] += torch.arange(LENGTH)
    before = attention(hidden, hidden, Rows(output_attentions=True)).weights
    after = attention(changed, changed, Rows(output_attentions=True)).weights
    assert bool(((before - after).abs().amax(dim=(0, 2, 3)) > 1e-3).all())


@pytest.mark.parametrize("explicit", [True, False])
def test_dropout_only_in_training(explicit: bool) -> None:
    attention = shaken(MultiHeadAttention(replace(CONFIG, attention_probs_dropout_prob=0.5)))
    hidden, meet = torch.randn(BATCH, LENGTH, CONFIG.hidden_size), Rows(output_attentions=explicit)
    expected = attention.eval()(hidden, hidden, meet).output
    assert_close(attention(hidden, hidden, meet).output, expected)
    attention.train()
    torch.manual_seed(3)
    first = attention(hidden, hidden, meet).output
    second = attention(hidden, hidden, meet).output
    torch.manual_seed(3)
    again = attention(hidden, hidden, meet).output
    assert first.equal(again)
    assert not first.equal(second)
    assert not first.equal(expected)


def test_gradients_are_right() -> None:
    query, key, value = (torch.randn(2, 3, 2, dtype=torch.float64, requires_grad=True) for _ in range(3))
    mask = torch.tensor([[1, 0, 1], [1, 1, 0], [0, 0, 1]], dtype=torch.bool)
    assert torch.autograd.gradcheck(
        lambda q, k, v: tuple(t for t in scaled_dot_product_attention(q, k, v, mask) if t is not None),
        (query, key, value),
    )


def test_few_may_ask_and_others_answer() -> None:
    # Cross-attention: two that ask, seven that answer; PyTorch's own is the oracle.
    attention = shaken(MultiHeadAttention(CONFIG)).eval()
    asking, answering = torch.randn(BATCH, 2, CONFIG.hidden_size), torch.randn(BATCH, LENGTH, CONFIG.hidden_size)
    output, weights = attention(asking, answering, Rows(output_attentions=True))
    expected, theirs = oracle(attention)(asking, answering, answering, average_attn_weights=False)
    assert_within(1e-6, (output, weights), (expected, theirs))


# ---- dropout ----


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9, 0.02])
def test_dropouts_rate_and_expectation(rate: float) -> None:
    factors = ByteDropout(rate)(torch.ones(501, 401))
    kept = (factors > 0).double()
    exact = round(256 * rate) / 256
    assert abs(exact - rate) <= 1 / 512
    error = math.sqrt(exact * (1 - exact) / kept.numel())
    assert 1 - kept.mean().item() == pytest.approx(exact, abs=4 * error)
    assert sorted(set(factors.flatten().tolist())) == pytest.approx([0.0, 1 / (1 - exact)])
    assert factors.double().mean().item() == pytest.approx(1.0, abs=4 * error / (1 - exact))
    # Neighbours know nothing of each other, at any distance within a random number's eight bytes and beyond.
    centred = (kept - (1 - exact)).flatten() / math.sqrt(exact * (1 - exact))
    for distance in (1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 64, 401):
        correlation = (centred[distance:] * centred[:-distance]).mean().item()
        assert abs(correlation) < 4.5 / math.sqrt(kept.numel()), distance
    # Each of the eight bytes is as good as the others.
    whole = kept.flatten()[: kept.numel() // 8 * 8].view(-1, 8).mean(dim=0)
    assert (whole - (1 - exact)).abs().max().item() < 4.5 * error * math.sqrt(8)


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 15, 16, 17])
def test_dropout_of_any_size(size: int) -> None:
    factors = ByteDropout(0.5)(torch.ones(size))
    assert factors.shape == (size,)
    assert set(factors.tolist()) <= {0.0, 2.0}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_dropout_keeps_the_type(dtype: torch.dtype) -> None:
    dropped = ByteDropout(0.25)(torch.ones(3, 7, dtype=dtype))
    assert dropped.dtype == dtype
    assert set(dropped.flatten().tolist()) <= {0.0, torch.tensor(4 / 3, dtype=dtype).item()}
    assert dropped.count_nonzero() > 0


@pytest.mark.parametrize("rate", [0.998, 0.9999])
def test_the_highest_rates_leave_something(rate: float) -> None:
    dropped = ByteDropout(rate)(torch.ones(100_000))
    assert dropped.isfinite().all()
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.3)


def test_no_dropout_is_the_identity() -> None:
    hidden = torch.randn(3, 7, 20)
    assert ByteDropout(0.25).eval()(hidden).equal(hidden)
    assert ByteDropout(0.0)(hidden).equal(hidden)
    assert not ByteDropout(0.25)(hidden).equal(hidden)


def test_dropouts_gradient_is_its_factor() -> None:
    hidden = torch.randn(3, 7, 20, requires_grad=True)
    torch.manual_seed(3)
    dropped = ByteDropout(0.25)(hidden)
    torch.autograd.backward(dropped.sum())
    assert hidden.grad is not None
    assert_close(hidden.grad, dropped.detach() / hidden.detach())
