import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import BATCH, CONFIG, DROPPING, LENGTH, MASKS, a_batch, assert_within, gradients, shaken
from torch import Tensor
from torch.testing import assert_close

from bertmini.model.losses import mean_cross_entropy
from bertmini.model.pretrained import Pretrained
from bertmini.model.pretraining import BertForMaskedLM, BertForPreTraining
from bertmini.model.tasks import BertForQuestionAnswering, BertForSequenceClassification, BertForTokenClassification

HEADS = [
    BertForPreTraining,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertForQuestionAnswering,
]
WORD_LABELS = torch.full((BATCH, LENGTH), -100).index_put(
    (torch.tensor([0, 0, 1]), torch.tensor([2, 5, 3])), torch.tensor(7)
)
TOKEN_LABELS = torch.tensor([[0, 5, -100, 3, 1, 1, 2], [4, 4, -100, -100, -100, -100, -100], [-100] * 7])
LABELS: dict[type[Pretrained], dict[str, Tensor]] = {
    BertForPreTraining: {"labels": WORD_LABELS, "next_sentence_label": torch.tensor([0, 1, 1])},
    BertForMaskedLM: {"labels": WORD_LABELS},
    BertForSequenceClassification: {"labels": torch.tensor([5, 0, 3])},
    BertForTokenClassification: {"labels": TOKEN_LABELS},
    BertForQuestionAnswering: {"start_positions": torch.tensor([2, 0, 0]), "end_positions": torch.tensor([6, 3, 0])},
}


def predictions(output: Any) -> dict[str, Tensor]:
    """Whatever an output, ours or theirs, holds under a name that ends in logits."""
    names = ("logits", "prediction_logits", "seq_relationship_logits", "start_logits", "end_logits")
    return {name: getattr(output, name) for name in names if hasattr(output, name)}


@pytest.fixture(scope="module", params=HEADS, ids=lambda head: head.__name__)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Pretrained, Any]:
    """One of our models and theirs of the same name, with the same weights."""
    folder: Path = tmp_path_factory.mktemp("model")
    ours = shaken(request.param(CONFIG)).eval()
    ours.save_pretrained(folder)
    theirs = getattr(transformers, request.param.__name__)
    return ours, theirs.from_pretrained(folder, attn_implementation="eager")


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_predictions_states_and_weights_are_hugging_faces(pair: tuple[Pretrained, Any], mask: Tensor) -> None:
    ours, theirs = pair
    batch = a_batch(mask)
    expected = theirs(**batch, output_attentions=True, output_hidden_states=True)
    explicit = ours(**batch, output_attentions=True, output_hidden_states=True)
    assert_within(1e-5, explicit.hidden_states, expected.hidden_states)
    assert_within(1e-5, explicit.attentions, expected.attentions)
    for output in (explicit, ours(**batch)):
        assert predictions(output).keys() == predictions(expected).keys()
        for name, logits in predictions(expected).items():
            assert_within(1e-5, predictions(output)[name], logits)
    assert explicit.loss is None
    assert ours(**batch).attentions is None
    assert ours(**batch).hidden_states is None


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("asked", [{}, {"output_attentions": True, "output_hidden_states": True}], ids=["fast", "all"])
def test_losses_are_hugging_faces(pair: tuple[Pretrained, Any], mask: Tensor, asked: dict[str, bool]) -> None:
    ours, theirs = pair
    batch = a_batch(mask) | LABELS[type(ours)]
    expected = theirs(**batch, output_hidden_states=True)
    output = ours(**batch, **asked)
    assert_within(1e-5, output.loss, expected.loss)
    if asked:
        assert_within(1e-5, output.hidden_states, expected.hidden_states)
        assert len(output.attentions) == CONFIG.num_hidden_layers
    scored = isinstance(ours, BertForMaskedLM | BertForPreTraining)
    for name, logits in predictions(expected).items():
        found = predictions(output)[name]
        at = logits.flatten(0, 1)[output.places] if scored and logits.dim() == 3 else logits
        assert_within(1e-5, found, at)
    if scored:
        assert output.places.tolist() == (batch["labels"].flatten() != -100).nonzero().flatten().tolist()


def test_both_losses_and_their_sum() -> None:
    model = shaken(BertForPreTraining(CONFIG)).eval()
    batch, labels = a_batch(MASKS["right"]), LABELS[BertForPreTraining]
    plain = model(**batch)
    word = F.cross_entropy(plain.prediction_logits[WORD_LABELS != -100], WORD_LABELS[WORD_LABELS != -100])
    following = F.cross_entropy(plain.seq_relationship_logits, labels["next_sentence_label"])
    both = model(**batch, **labels)
    assert_within(1e-5, (both.masked_lm_loss, both.next_sentence_loss, both.loss), (word, following, word + following))
    only_words = model(**batch, labels=WORD_LABELS)
    assert_within(1e-5, only_words.loss, word)
    assert only_words.next_sentence_loss is None
    only_next = model(**batch, next_sentence_label=labels["next_sentence_label"])
    assert_within(1e-5, only_next.loss, following)
    assert only_next.masked_lm_loss is None
    assert only_next.prediction_logits.shape == (BATCH, LENGTH, 99)
    nothing = model(**batch)
    assert nothing.loss is nothing.masked_lm_loss is nothing.next_sentence_loss is None


def test_an_answer_needs_both_its_ends() -> None:
    model = BertForQuestionAnswering(CONFIG).eval()
    batch = a_batch(MASKS["right"])
    assert model(**batch, start_positions=torch.tensor([1, 2, 0])).loss is None
    assert model(**batch, end_positions=torch.tensor([1, 2, 0])).loss is None
    assert model.config.labels == ("start", "end")


@pytest.mark.parametrize("head", HEADS)
def test_before_training_every_class_is_as_likely_as_another(head: Callable[..., Pretrained]) -> None:
    # Weights near 0: the loss is ln of the number of classes, for both tasks together ln 99 + ln 2.
    expected = {
        BertForPreTraining: math.log(99) + math.log(2),
        BertForMaskedLM: math.log(99),
        BertForSequenceClassification: math.log(6),
        BertForTokenClassification: math.log(6),
        BertForQuestionAnswering: math.log(7),
    }
    model = head(CONFIG)
    assert model(**a_batch(MASKS["no padding"]), **LABELS[type(model)]).loss.item() == pytest.approx(
        expected[type(model)], abs=0.1
    )


def test_mean_cross_entropy_by_hand() -> None:
    logits = torch.tensor([[math.log(3), 0.0], [0.0, math.log(7)], [5.0, 5.0]], requires_grad=True)
    # Probabilities of the targets: 3/4 and 7/8; the third is not scored.
    loss = mean_cross_entropy(logits, torch.tensor([0, 1, -100]))
    assert_close(loss, torch.tensor(-(math.log(3 / 4) + math.log(7 / 8)) / 2))
    assert_close(mean_cross_entropy(logits, torch.tensor([0, -100, -100])), torch.tensor(-math.log(3 / 4)))
    assert mean_cross_entropy(logits, torch.tensor([-100, -100, -100])).item() == 0
    torch.autograd.backward(mean_cross_entropy(logits, torch.full((3,), -100)))
    assert logits.grad is not None
    assert logits.grad.count_nonzero() == 0
    half = mean_cross_entropy(logits.detach().bfloat16(), torch.tensor([0, 1, 1]))
    assert half.dtype == torch.float32


@pytest.mark.parametrize("head", HEADS)
def test_nothing_scored_costs_nothing(head: Callable[..., Pretrained]) -> None:
    model = head(CONFIG)
    labels = {name: torch.full_like(label, -100) for name, label in LABELS[type(model)].items()}
    loss = model(**a_batch(MASKS["right"]), **labels).loss
    assert loss.item() == 0
    torch.autograd.backward(loss)
    assert all(gradient.count_nonzero() == 0 for gradient in gradients(model).values())


@pytest.mark.parametrize("loose", [True, False])
def test_one_batch_can_be_learnt_by_heart(loose: bool) -> None:
    torch.manual_seed(1)
    model = BertForPreTraining(replace(CONFIG, num_hidden_layers=2))
    model.bert.loose = loose
    batch = a_batch(MASKS["right"]) | LABELS[BertForPreTraining]
    batch["labels"] = torch.where(torch.arange(LENGTH) % 3 == 1, batch["input_ids"], -100)
    batch["input_ids"] = batch["input_ids"].masked_fill(batch["labels"] != -100, 4)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
    for _ in range(60):
        loss = model(**batch).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    output = model.eval()(**batch)
    assert output.loss.item() < 0.02
    assert output.prediction_logits.argmax(-1).equal(batch["labels"][batch["labels"] != -100])
    assert output.seq_relationship_logits.argmax(-1).equal(batch["next_sentence_label"])


def test_training_goes_as_hugging_faces_does(tmp_path: Path) -> None:
    # Nothing is read at padding, whose embedding would learn here and stays as it is in theirs.
    masks = [MASKS["no padding"], MASKS["right"]]
    ours = BertForPreTraining(CONFIG)
    ours.save_pretrained(tmp_path)
    theirs = transformers.BertForPreTraining.from_pretrained(tmp_path, attn_implementation="eager").train()
    losses: dict[str, list[float]] = {"ours": [], "theirs": []}
    for name, model in (("ours", ours), ("theirs", theirs)):
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.003)
        for step in range(20):
            batch = a_batch(masks[step % 2], seed=step) | LABELS[BertForPreTraining]
            loss = model(**batch).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses[name].append(loss.item())
    assert losses["ours"] == pytest.approx(losses["theirs"], abs=1e-4)
    assert losses["ours"][-1] < losses["ours"][0] - 1


@st.composite
def sequences(draw: st.DrawFn) -> list[list[int]]:
    """Two to five sequences of one to six ids."""
    return draw(st.lists(st.lists(st.integers(5, 98), min_size=1, max_size=6), min_size=2, max_size=5))


def rows_of(groups: list[list[list[int]]]) -> dict[str, Tensor]:
    """Lay groups of sequences out in rows, one row per group; every other token is scored, segments alternate."""
    columns = max(sum(map(len, group)) for group in groups)
    names = ("input_ids", "token_type_ids", "attention_mask", "labels")
    batch = {name: torch.zeros(len(groups), columns, dtype=torch.long) for name in names}
    batch["labels"] -= 100
    for r, group in enumerate(groups):
        c = 0
        for number, ids in enumerate(group, start=1):
            for i, token in enumerate(ids):
                values = (token, i % 2, number, token if (i + len(ids)) % 2 else -100)
                for name, value in zip(names, values, strict=True):
                    batch[name][r, c] = value
                c += 1
    return batch


@pytest.mark.parametrize("loose", [True, False])
@given(found=sequences(), cut=st.integers(0, 4))
@settings(max_examples=25)
def test_packed_rows_give_the_same_numbers(loose: bool, found: list[list[int]], cut: int) -> None:
    model = shaken(BertForPreTraining(CONFIG))
    model.bert.loose = loose
    single = rows_of([[ids] for ids in found])
    packed = rows_of([group[:5] for group in (found[:cut], found[cut:]) if group])
    relation = {"next_sentence_label": torch.arange(len(found)) % 2}
    apart, together = model(**single, **relation), None
    if packed["input_ids"].shape[1] <= 17:
        together = model(**packed, **relation)
        assert_within(3e-6, together.seq_relationship_logits, apart.seq_relationship_logits)
        assert_within(5e-6, together.prediction_logits, apart.prediction_logits)
        assert_within(3e-6, together[3:5], apart[3:5])
        assert_within(3e-6, together.loss, apart.loss)


def test_a_packed_row_is_pooled_once_for_each_sequence() -> None:
    model = shaken(BertForSequenceClassification(CONFIG)).eval()
    found = [[7, 8, 9], [10, 11], [12, 13, 14, 15]]
    apart = rows_of([[ids] for ids in found])
    together = rows_of([found[:2], found[2:]])
    for batch in (apart, together):
        del batch["labels"]
    assert model(**together).logits.shape == (3, 6)
    assert_within(2e-6, model(**together).logits, model(**apart).logits)


def test_the_decoder_is_the_embedding_table() -> None:
    model = shaken(BertForMaskedLM(CONFIG)).eval()
    batch = a_batch(MASKS["right"])
    states = model.bert(**batch).last_hidden_state
    transformed = model.mlm.layer_norm(F.gelu(model.mlm.transform(states)))
    expected = transformed @ model.bert.embeddings.word.weight.T + model.mlm.bias
    assert_within(1e-5, model(**batch).logits, expected)
    assert not any("decoder" in name for name in model.state_dict())


@pytest.mark.parametrize("head", [BertForSequenceClassification, BertForTokenClassification])
def test_a_fine_tuned_head_drops_out(head: Callable[..., Any]) -> None:
    model = shaken(head(CONFIG)).train()
    model.dropout.p = 0.5
    batch = a_batch(MASKS["right"])
    assert not model(**batch).logits.equal(model(**batch).logits)
    assert head(DROPPING).dropout.p == 0.1
    assert model.eval()(**batch).logits.equal(model(**batch).logits)


@pytest.mark.parametrize("head", HEADS)
def test_a_row_of_padding_alone_poisons_nobody(head: Callable[..., Pretrained]) -> None:
    model = shaken(head(CONFIG))
    mask = MASKS["right"].clone()
    mask[2] = 0
    batch, labels = a_batch(mask), dict(LABELS[type(model)])
    for name, label in labels.items():
        labels[name] = label.clone()
        labels[name][2] = -100
    others = {name: tensor[:2] for name, tensor in (batch | labels).items()}
    for asked in ({}, {"output_attentions": True}):
        model.zero_grad()
        output = model(**batch, **labels, **asked)
        torch.autograd.backward(output.loss)
        found = gradients(model)
        model.zero_grad()
        expected = model(**others)
        torch.autograd.backward(expected.loss)
        assert_within(1e-5, output.loss, expected.loss)
        for name, gradient in gradients(model).items():
            assert_within(1e-5, found[name], gradient)


@pytest.mark.parametrize(
    ("head", "labels", "message"),
    [
        (BertForMaskedLM, {"labels": torch.full((3, 7), 99)}, "labels run from 99 to 99, but there are 99 classes"),
        (BertForTokenClassification, {"labels": torch.full((3, 7), 6)}, "from 6 to 6, but there are 6 classes"),
        (BertForSequenceClassification, {"labels": torch.tensor([0, -1, 2])}, "from -1 to 2, but there are 6 classes"),
        (BertForMaskedLM, {"labels": torch.full((3, 6), 5)}, r"labels has shape \(3, 6\), input_ids \(3, 7\)"),
        (BertForPreTraining, {"labels": torch.full((7,), 5)}, r"labels has shape \(7,\), input_ids \(3, 7\)"),
        (BertForTokenClassification, {"labels": torch.zeros(3, dtype=torch.long)}, r"labels has shape \(3,\)"),
        (BertForPreTraining, {"next_sentence_label": torch.tensor([0, 1])}, r"batch_size \(3\).*batch_size \(2\)"),
        (
            BertForQuestionAnswering,
            {"start_positions": torch.tensor([0, 1, 7]), "end_positions": torch.tensor([0, 1, 7])},
            "labels run from 0 to 7, but there are 7 classes",
        ),
    ],
)
def test_wrong_labels_are_named(head: Callable[..., Pretrained], labels: dict[str, Tensor], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        head(CONFIG)(**a_batch(MASKS["right"]), **labels)


@pytest.mark.parametrize("head", [BertForMaskedLM, BertForPreTraining])
def test_places_are_for_those_who_have_no_labels(head: Callable[..., Any]) -> None:
    model, batch, places = shaken(head(CONFIG)).eval(), a_batch(MASKS["right"]), torch.tensor([8, 2])
    name = "logits" if head is BertForMaskedLM else "prediction_logits"
    everywhere, asked = model(**batch), model(**batch, places=places)
    assert everywhere.places is None
    assert asked.places is places
    assert_within(1e-5, getattr(asked, name), getattr(everywhere, name).flatten(0, 1)[places])
    with pytest.raises(ValueError, match="places beside labels"):
        model(**batch, labels=WORD_LABELS, places=places)
