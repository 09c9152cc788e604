"""Accumulated gradients are those of the one big batch, however unequally its parts are scored."""

import pytest
import torch
from small_models import BATCH, CONFIG, LENGTH, MASKS, a_batch, gradients, shaken
from torch import Tensor, nn
from torch.testing import assert_close
from training_toys import Fixed, Output, Toy, ToyStream

from bertmini import (
    BertForMaskedLM,
    BertForPreTraining,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
)
from bertmini.model.pretraining import PreTrainingOutput
from bertmini.training.accumulation import accumulate_gradients

CPU = torch.device("cpu")
ROWS = (1, 5, 2)  # of the parts
SCORED = (1, 27, 4)  # tokens in each of them


def parts_of(kind: type[nn.Module], rows: tuple[int, ...], scored: tuple[int, ...]) -> list[dict[str, Tensor]]:
    """Batches of unequal sizes with the labels that this kind of model takes, of which unequally many are scored."""
    draw = torch.Generator().manual_seed(7)
    parts = []
    for number, (height, count) in enumerate(zip(rows, scored, strict=True)):
        part = a_batch(torch.ones(height, LENGTH, dtype=torch.long), seed=number)
        high = CONFIG.vocab_size if kind in (BertForPreTraining, BertForMaskedLM) else CONFIG.num_labels
        labels = torch.full((height * LENGTH,), -100)
        places = torch.randperm(height * LENGTH, generator=draw)[:count]
        labels[places] = torch.randint(high, (len(places),), generator=draw)
        if kind is BertForSequenceClassification:
            part["labels"] = torch.randint(high, (height,), generator=draw)
        elif kind is BertForQuestionAnswering:
            for name in ("start_positions", "end_positions"):
                part[name] = torch.randint(LENGTH, (height,), generator=draw)
        else:
            part["labels"] = labels.view(height, LENGTH)
        if kind is BertForPreTraining:
            part["next_sentence_label"] = torch.randint(2, (height,), generator=draw)
        parts.append(part)
    return parts


def assert_equal_to_the_large_batch(model: nn.Module, parts: list[dict[str, Tensor]]) -> None:
    large = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    model.zero_grad()
    loss, tokens = accumulate_gradients(model, Fixed(*parts), len(parts), device=CPU)
    ours = gradients(model)
    model.zero_grad()
    whole = model(**large).loss
    whole.backward()
    assert_close(loss, whole.detach(), rtol=1e-6, atol=1e-6)
    largest = max(float(gradient.abs().max()) for gradient in ours.values())
    assert largest > 1e-2
    for name, gradient in gradients(model).items():
        assert_close(ours[name], gradient, rtol=0, atol=1e-6 * max(1.0, largest), msg=name)
    assert tokens.item() == (large["attention_mask"] > 0).sum().item()


KINDS = [
    BertForPreTraining,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertForQuestionAnswering,
]


@pytest.mark.parametrize("kind", KINDS)
def test_unequal_batches_add_up_to_the_large_one(kind: type[nn.Module]) -> None:
    model = shaken(kind(CONFIG))  # type: ignore[call-arg]
    assert_equal_to_the_large_batch(model, parts_of(kind, ROWS, SCORED))


@pytest.mark.parametrize("kind", [BertForPreTraining, BertForMaskedLM, BertForTokenClassification])
def test_a_batch_that_scores_nothing_has_no_share(kind: type[nn.Module]) -> None:
    model = shaken(kind(CONFIG))  # type: ignore[call-arg]
    assert_equal_to_the_large_batch(model, parts_of(kind, ROWS, (0, 27, 4)))


def test_pairs_that_no_batch_scores_words_in_still_teach_the_next_sentence() -> None:
    model = shaken(BertForPreTraining(CONFIG))
    parts = parts_of(BertForPreTraining, ROWS, (0, 0, 0))
    assert_equal_to_the_large_batch(model, parts)
    loss, _ = accumulate_gradients(model, Fixed(*parts), 3, device=CPU)
    assert loss > 0.1


def test_packed_rows_share_by_their_pairs() -> None:
    model = shaken(BertForPreTraining(CONFIG))
    parts = parts_of(BertForPreTraining, ROWS, SCORED)
    for part, owners in zip(parts, ([1, 1, 1, 2, 2, 3, 3], [1, 1, 1, 1, 1, 1, 0], [1, 1, 2, 2, 2, 0, 0]), strict=True):
        rows = len(part["input_ids"])
        part["attention_mask"] = torch.tensor([owners] * rows)
        part["input_ids"] = part["input_ids"] * (part["attention_mask"] > 0)
        part["labels"] = part["labels"].where(part["attention_mask"] > 0, -100)
        part["next_sentence_label"] = torch.arange(rows * max(owners)) % 2  # 3, 5 and 4 pairs
    assert_equal_to_the_large_batch(model, parts)


def test_equal_weights_would_be_far_off() -> None:
    model = shaken(BertForMaskedLM(CONFIG))
    parts = parts_of(BertForMaskedLM, ROWS, SCORED)
    means = [model(**part).loss.item() for part in parts]
    loss, _ = accumulate_gradients(model, Fixed(*parts), 3, device=CPU)
    assert loss.item() == pytest.approx(sum(n * mean for n, mean in zip(SCORED, means, strict=True)) / 32, rel=1e-5)
    assert abs(loss.item() - sum(means) / 3) > 0.1


def test_one_batch_is_itself_to_the_bit() -> None:
    model = shaken(BertForPreTraining(CONFIG))
    (part,) = parts_of(BertForPreTraining, (BATCH,), (9,))
    part |= {"attention_mask": MASKS["right"]}
    loss, _ = accumulate_gradients(model, Fixed(part), 1, device=CPU)
    ours = gradients(model)
    model.zero_grad()
    output = model(**part)
    output.loss.backward()
    assert torch.equal(loss, output.loss)
    assert all(torch.equal(ours[name], gradient) for name, gradient in gradients(model).items())


def test_a_foreign_model_whose_mean_of_nothing_is_no_number_is_not_asked_about_nothing() -> None:
    stream, model = ToyStream(), Toy(dropout=0.0)
    parts = [next(stream) for _ in range(3)]
    parts[1]["labels"] = torch.full_like(parts[1]["labels"], -100)
    assert model(**parts[1]).loss.isnan()
    assert_equal_to_the_large_batch(model, parts)
    alone, _ = accumulate_gradients(model, Fixed(parts[1]), 1, device=CPU)
    assert alone.isnan()  # its own word: `train` stops there and says why


def test_without_labels_the_rows_count() -> None:
    class Mean(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(()))

        def forward(self, factor: Tensor) -> Output:
            return Output((self.weight * factor).mean())

    model = Mean()
    parts = [{"factor": torch.tensor([3.0])}, {"factor": torch.tensor([1.0, 2.0, 6.0, 8.0])}]
    loss, tokens = accumulate_gradients(model, Fixed(*parts), 2, device=CPU)
    assert loss.item() == pytest.approx(4.0)
    assert model.weight.grad is not None
    assert model.weight.grad.item() == pytest.approx(4.0)
    assert tokens.item() == 5


def test_a_batch_without_labels_is_refused_where_the_model_needs_them() -> None:
    batch = a_batch(MASKS["no padding"])
    with pytest.raises(ValueError, match="gave no loss for a batch of input_ids, token_type_ids, attention_mask"):
        accumulate_gradients(BertForPreTraining(CONFIG), Fixed(batch), 1, device=CPU)


class OwnLoss(BertForPreTraining):
    """A model whose loss is not the sum of its tasks' losses."""

    def forward(self, *args: Tensor, **batch: Tensor) -> PreTrainingOutput:  # type: ignore[override]
        output = super().forward(*args, **batch)
        return output._replace(loss=output.seq_relationship_logits.square().mean())


def test_what_is_trained_is_the_loss() -> None:
    model, (first, *others) = shaken(OwnLoss(CONFIG)), parts_of(BertForPreTraining, ROWS, SCORED)
    loss, _ = accumulate_gradients(model, Fixed(first), 1, device=CPU)
    found = gradients(model)
    model.zero_grad()
    expected = model(**first).loss
    torch.autograd.backward(expected)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    assert_close(found, gradients(model))
    assert found["nsp.weight"].abs().max() > 0
    assert found["mlm.bias"].count_nonzero() == 0
    with pytest.raises(ValueError, match=r"the output's loss is .*, but its parts labels, next_sentence_label sum to"):
        accumulate_gradients(model, Fixed(first, *others), 3, device=CPU)
