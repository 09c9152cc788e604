import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from small_models import CONFIG, DROPPING, LENGTH, MASKS, a_batch, assert_within, gradients, shaken
from torch import Tensor, nn

from bertmini.config import BertConfig
from bertmini.model.attention import Rows
from bertmini.model.encoder import BertModel
from bertmini.model.fast import Grid, Seated, seat_readers, seat_tokens
from bertmini.model.packing import first_tokens, visible
from bertmini.model.pretraining import BertForMaskedLM, BertForPreTraining
from bertmini.model.tasks import BertForSequenceClassification, BertForTokenClassification

THREE_LAYERS = replace(CONFIG, num_hidden_layers=3)

# ---- batches ----

# A row: the sequence number of each of its tokens. Packed, padded right, padded left, with holes, one token, padding.
packed_rows = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(
    lambda lengths: [number for number, length in enumerate(lengths, start=1) for _ in range(length)][:LENGTH]
)
rows = st.one_of(
    packed_rows,
    packed_rows.map(lambda row: row + [0] * (LENGTH - len(row))),
    st.integers(0, LENGTH).map(lambda padding: [0] * padding + [1] * (LENGTH - padding)),
    st.lists(st.integers(0, 1), min_size=LENGTH, max_size=LENGTH),
    st.just([1] + [0] * (LENGTH - 1)),
    st.just([0] * LENGTH),
).map(lambda row: (row + [0] * LENGTH)[:LENGTH])


@st.composite
def batches(draw: st.DrawFn) -> dict[str, Tensor]:
    """Draw one to four rows of any kind; a share of the tokens, often none, is scored; some pairs have no label."""
    mask = torch.tensor(draw(st.lists(rows, min_size=1, max_size=4)))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    batch = a_batch(mask, generator.initial_seed())
    share = draw(st.sampled_from([0.0, 0.15, 0.5, 1.0]))
    scored = (torch.rand(mask.shape, generator=generator) < share) & (mask > 0)
    scored[draw(st.integers(0, len(mask) - 1))] = False  # at least one row without a scored token
    batch["labels"] = torch.where(scored, torch.randint(99, mask.shape, generator=generator), -100)
    pairs = len(first_tokens(mask))
    batch["next_sentence_label"] = torch.tensor(
        draw(st.lists(st.sampled_from([0, 1, -100]), min_size=pairs, max_size=pairs))
    )
    return batch


def learn(model: nn.Module, batch: dict[str, Tensor], *, loose: bool) -> tuple[Any, dict[str, Tensor]]:
    """Return the output and every gradient."""
    model.bert.loose = loose  # type: ignore[union-attr]
    model.zero_grad()
    output = model(**batch)
    torch.autograd.backward(output.loss)
    return output, gradients(model)


def assert_equal_runs(model: nn.Module, batch: dict[str, Tensor], tolerance: float) -> None:
    """Compare loss, logits and gradients with the plain path's.

    `tolerance` is relative: a loss or logit may differ by that share of 1 or of its own size, an element of a gradient
    by that share of the largest element of all gradients (a tensor's own largest would not do: the gradient of a key's
    bias is zero, and what is computed for it is rounding).
    """
    fast, found = learn(model, batch, loose=True)
    plain, expected = learn(model, batch, loose=False)
    for ours, theirs in zip(fast, plain, strict=True):
        if theirs is not None:
            torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=4 * tolerance)
    largest = max(1.0, *(gradient.abs().max().item() for gradient in expected.values()))  # they may cancel
    assert math.isfinite(largest)
    for name, gradient in expected.items():
        assert (found[name] - gradient).abs().max().item() <= tolerance * largest, name


# ---- the same numbers ----


@given(batch=batches())
@settings(max_examples=100)
def test_loss_and_every_gradient_in_float32(batch: dict[str, Tensor]) -> None:
    assert_equal_runs(shaken(BertForPreTraining(THREE_LAYERS)), batch, 1e-6)


@given(batch=batches())
@settings(max_examples=50)
def test_loss_and_every_gradient_in_float64(batch: dict[str, Tensor]) -> None:
    # Twice the digits leave nothing that rounding could explain.
    assert_equal_runs(shaken(BertForPreTraining(THREE_LAYERS)).double(), batch, 1e-14)


@pytest.mark.parametrize("layers", [1, 2])
@given(batch=batches())
@settings(max_examples=10)
def test_few_layers(layers: int, batch: dict[str, Tensor]) -> None:
    model = shaken(BertForPreTraining(replace(CONFIG, num_hidden_layers=layers)))
    assert_equal_runs(model.double(), batch, 1e-14)


@pytest.mark.parametrize("head", [BertForMaskedLM, BertForTokenClassification, BertForSequenceClassification])
@given(batch=batches())
@settings(max_examples=50)
def test_every_head_that_reads_places(head: Callable[[BertConfig], nn.Module], batch: dict[str, Tensor]) -> None:
    relation = batch.pop("next_sentence_label")
    batch["labels"] = relation if head is BertForSequenceClassification else batch["labels"].clamp(max=5)
    assert_equal_runs(shaken(head(THREE_LAYERS)).double(), batch, 1e-14)


@pytest.mark.parametrize("loose", [True, False])
def test_a_batch_without_one_scored_token_costs_nothing(loose: bool) -> None:
    batch = a_batch(MASKS["right"])
    batch |= {"labels": torch.full((3, 7), -100), "next_sentence_label": torch.full((3,), -100)}
    output, found = learn(shaken(BertForPreTraining(DROPPING)), batch, loose=loose)
    assert output.loss.item() == 0
    assert all(gradient.count_nonzero() == 0 for gradient in found.values())


@pytest.mark.parametrize("loose", [True, False])
@pytest.mark.parametrize("config", [THREE_LAYERS, replace(DROPPING, num_hidden_layers=3)], ids=["still", "dropping"])
def test_a_row_of_padding_alone_poisons_nobody(loose: bool, config: BertConfig) -> None:
    batch = a_batch(torch.tensor([[0] * 7, [1] * 7, [0] * 7]))
    labels = torch.where(batch["attention_mask"] > 0, batch["input_ids"], -100)
    batch |= {"labels": labels, "next_sentence_label": torch.tensor([1, 0, -100])}
    for dtype in (torch.float32, torch.bfloat16):
        model = shaken(BertForPreTraining(config)).to(dtype)
        output, found = learn(model, batch, loose=loose)
        assert output.loss.isfinite()
        assert output.seq_relationship_logits.isfinite().all()
        assert all(gradient.isfinite().all() for gradient in found.values())


# ---- attention ----


def meet(inputs: tuple[Tensor, Tensor, Tensor], mask: Tensor, rate: float) -> Tensor:
    """Let the tokens of a batch meet, all of them seated in order."""
    query, key, value = (tensor.flatten(0, 1) for tensor in inputs)
    grid = Grid(mask, None)
    return Seated(grid, grid)(query, key, value, heads=4, dropout=nn.Dropout(rate)).output.view(*mask.shape, 20)


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_spelled_out_attention_is_the_kernels(mask: Tensor) -> None:
    inputs = tuple(torch.randn(3, *mask.shape, 20).to(torch.bfloat16))
    query, key, value = (tensor.double() for tensor in inputs)
    exact = Rows(visible(mask, mask))(query, key, value, heads=4, dropout=nn.Dropout(0.0)).output
    spelled_out = meet(inputs, mask, 0.0)
    assert spelled_out.dtype == torch.bfloat16
    assert_within(0.03, spelled_out.double(), exact)  # a few units in the last of bfloat16's 8 bits, of values up to 3
    # In training, with no chance to drop, the formula runs in float32 too, and there it is exact.
    assert_within(2e-6, meet(tuple(tensor.float() for tensor in inputs), mask, 1e-9).double(), exact)


# ---- bfloat16 ----


@pytest.mark.parametrize("config", [THREE_LAYERS, replace(DROPPING, num_hidden_layers=3)], ids=["still", "dropping"])
def test_autocast_in_bfloat16_is_near(config: BertConfig) -> None:
    model = shaken(BertForPreTraining(config))
    batch = a_batch(MASKS["right"])
    batch["labels"] = torch.where(batch["attention_mask"] > 0, batch["input_ids"], -100)
    exact, expected = learn(model.eval(), batch, loose=False)
    with torch.autocast("cpu", torch.bfloat16):
        near, found = learn(model, batch, loose=True)
    assert near.loss.item() == pytest.approx(exact.loss.item(), rel=0.01)
    largest = max(gradient.abs().max().item() for gradient in expected.values())
    for name, gradient in expected.items():
        assert (found[name] - gradient).abs().max().item() <= 0.05 * largest, name
    model.train()
    with torch.autocast("cpu", torch.bfloat16):
        assert learn(model, batch, loose=True)[0].loss.item() == pytest.approx(exact.loss.item(), rel=0.3)


# ---- dropout ----


def test_attention_drops_weights_in_training_only() -> None:
    mask = MASKS["right"]
    inputs = tuple(torch.randn(3, *mask.shape, 20))
    still = meet(inputs, mask, 0.0)
    draws = [meet(inputs, mask, 0.2) for _ in range(400)]
    assert not draws[0].equal(draws[1])
    stack = torch.stack(draws)
    # The mean over many draws is the value without dropout: the weights are scaled up by as much as are dropped.
    error = stack.std(dim=0) / math.sqrt(len(draws)) + 1e-3
    assert ((stack.mean(dim=0) - still).abs() / error).max().item() < 5


@pytest.mark.parametrize("loose", [True, False])
def test_training_repeats_from_its_seed(loose: bool) -> None:
    model = shaken(BertForPreTraining(DROPPING))
    batch = a_batch(MASKS["right"])
    batch["labels"] = torch.where(batch["attention_mask"] > 0, batch["input_ids"], -100)
    torch.manual_seed(11)
    first, expected = learn(model, batch, loose=loose)
    other, _ = learn(model, batch, loose=loose)
    torch.manual_seed(11)
    again, found = learn(model, batch, loose=loose)
    assert again.loss.equal(first.loss)
    assert not other.loss.equal(first.loss)
    assert all(found[name].equal(gradient) for name, gradient in expected.items())


def test_dropout_has_the_same_expectation_on_both_paths() -> None:
    model = shaken(BertForPreTraining(replace(DROPPING, num_hidden_layers=2)))
    batch = a_batch(MASKS["right"])
    batch["labels"] = torch.where(batch["attention_mask"] > 0, batch["input_ids"], -100)
    losses = {}
    for loose in (True, False):
        model.bert.loose = loose
        with torch.no_grad():
            losses[loose] = torch.stack([model(**batch).loss for _ in range(200)])
    fast, plain = losses.values()
    error = math.sqrt((fast.var().item() + plain.var().item()) / 200)
    assert abs(fast.mean().item() - plain.mean().item()) < 4 * error
    assert fast.std().item() == pytest.approx(plain.std().item(), rel=0.25)


# ---- seats ----


@given(mask=st.lists(rows, min_size=1, max_size=4).map(torch.tensor), data=st.data())
@example(mask=torch.tensor([[1, 1, 0, 0, 0, 0, 0]]), data=None)
def test_seated_and_unseated_tokens_are_the_same(mask: Tensor, data: st.DataObject | None) -> None:
    size = mask.numel()
    places = torch.tensor(data.draw(st.lists(st.integers(0, size - 1), min_size=1, unique=True)) if data else [6, 0, 3])
    everything = torch.arange(size)[:, None].float() + 1
    # All tokens: what exists or is read, in order.
    grid = seat_tokens(mask, places)
    expected = sorted({*(mask.flatten() > 0).nonzero().flatten().tolist(), *places.tolist()})
    assert grid.unseat(everything.view(*mask.shape, 1))[:, 0].tolist() == [place + 1 for place in expected]
    seated = grid.seat(everything[expected])
    assert seated.shape == (*mask.shape, 1)
    assert seated.flatten().nonzero().flatten().tolist() == expected
    assert (grid.seats is None) == (len(expected) == size)
    # The readers: each in its own row, with its sequence's number, side by side.
    readers = seat_readers(mask, places)
    count = (places // LENGTH).bincount(minlength=len(mask))
    assert readers.numbers.shape == (len(mask), int(count.max()))
    rows_of_places = readers.seat((places // LENGTH + 1)[:, None])[..., 0]
    for row in range(len(mask)):
        assert rows_of_places[row].tolist() == [row + 1] * int(count[row]) + [0] * int(count.max() - count[row])
    assert readers.unseat(readers.numbers).tolist() == mask.flatten()[places].tolist()
    assert readers.unseat(readers.seat(everything[places])).equal(everything[places])


# ---- which path ----


def read_states(model: Any, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count, from now on, the states that are read from loose tokens."""
    taken: list[int] = []
    read = BertModel.read
    monkeypatch.setattr(BertModel, "read", lambda *args: taken.append(len(args[-1])) or read(*args))
    return taken


def test_tokens_are_loose_when_they_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    model = BertForPreTraining(CONFIG)
    taken = read_states(model, monkeypatch)
    batch = a_batch(MASKS["right"])
    labels = torch.where(torch.arange(7) == 2, batch["input_ids"], -100)
    model(**batch, labels=labels)
    assert taken == [3 + 3]  # three [CLS] and three scored tokens
    model(**batch)
    model(**batch, labels=labels, output_attentions=True)
    model(**batch, labels=labels, output_hidden_states=True)
    model.bert.loose = False
    model(**batch, labels=labels)
    assert taken == [6]
    BertForSequenceClassification(CONFIG)(**batch)
    BertForMaskedLM(CONFIG)(**batch, labels=labels)
    assert taken == [6, 3, 3]  # the three [CLS] alone, without labels too; the three scored tokens alone


def test_in_bf16_numbers_of_tokens_are_rounded_up() -> None:
    seen: list[int] = []
    model = shaken(BertForPreTraining(replace(CONFIG, num_hidden_layers=2)))
    for layer in model.bert.layers:
        layer.intermediate.register_forward_hook(lambda _, x, __: seen.append(len(x[0])))
    batch = {name: tensor.repeat(9, 1) for name, tensor in a_batch(MASKS["right"]).items()}  # 27 rows, 108 tokens
    batch["labels"] = torch.where(torch.arange(7) == 0, batch["input_ids"], -100)  # 27 [CLS], read twice
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = model(**batch)
    exact = model(**batch)
    assert seen == [128, 64, 108, 54]
    assert rounded.prediction_logits.shape[0] == 27
    torch.testing.assert_close(rounded.prediction_logits.float(), exact.prediction_logits, atol=0.1, rtol=0)
    torch.testing.assert_close(rounded.loss, exact.loss, atol=0.02, rtol=0)


def test_the_last_layer_only_computes_what_is_read() -> None:
    seen: list[tuple[str, int]] = []
    model = shaken(BertForPreTraining(replace(CONFIG, num_hidden_layers=2)))
    for number, layer in enumerate(model.bert.layers):
        for name in ("intermediate", "attention.output", "attention.query", "attention.key"):
            module = layer.get_submodule(name)
            module.register_forward_hook(lambda _, x, __, tag=f"{number} {name}": seen.append((tag, len(x[0]))))
    batch = a_batch(MASKS["right"])  # 12 tokens
    batch["labels"] = torch.where(torch.arange(7) == 0, batch["input_ids"], -100)
    batch["labels"][0, 5] = 9
    model(**batch)
    first = {"0 attention.query": 12, "0 attention.key": 12, "0 attention.output": 12, "0 intermediate": 12}
    last = {"1 attention.query": 7, "1 attention.key": 12, "1 attention.output": 7, "1 intermediate": 7}
    assert dict(seen) == first | last
