import math

import pytest
import torch
from small_models import CONFIG, LENGTH, a_batch, shaken

from bertmini import BertForPreTraining, BertForSequenceClassification
from bertmini.runs.held_out import Evaluation, count_pieces, predict


def scored_batches() -> list[dict[str, torch.Tensor]]:
    """Two batches, one of 1 and one of 5 rows, that score 1 and 9 pieces."""
    batches = []
    for rows, scored in ((1, 1), (5, 9)):
        batch = a_batch(torch.ones(rows, LENGTH, dtype=torch.long), seed=rows)
        labels = torch.full((rows * LENGTH,), -100)
        labels[:scored] = torch.arange(scored) % 3
        batches.append(batch | {"labels": labels.view(rows, LENGTH), "next_sentence_label": torch.arange(rows) % 2})
    return batches


def test_every_hidden_piece_and_every_pair_counts_once() -> None:
    model = shaken(BertForPreTraining(CONFIG)).eval()
    losses, hits, next_hits = [], [], []
    for batch in scored_batches():
        labels = batch["labels"].flatten()
        with torch.no_grad():
            output = model(batch["input_ids"], batch["token_type_ids"], batch["attention_mask"])
        logs = output.prediction_logits.flatten(0, 1).log_softmax(-1)
        for place in (labels != -100).nonzero().flatten().tolist():
            losses.append(-float(logs[place, labels[place]]))
            hits.append(int(logs[place].argmax()) == int(labels[place]))
        next_hits += (output.seq_relationship_logits.argmax(-1) == batch["next_sentence_label"]).tolist()
    with torch.inference_mode():
        figures = Evaluation(scored_batches(), torch.ones(CONFIG.vocab_size))(model)
    assert len(losses) == 10
    assert figures["held_out_mlm_loss"] == pytest.approx(sum(losses) / 10, rel=1e-5)
    assert figures["masked_accuracy"] == pytest.approx(sum(hits) / 10)
    assert figures["next_sentence_accuracy"] == pytest.approx(sum(next_hits) / 6)


def test_baselines_by_hand() -> None:
    counts = count_pieces([[0, 0, 1], [0]], 4)
    assert counts.tolist() == [3, 1, 0, 0]
    evaluation = Evaluation(scored_batches(), counts)
    # Labels are 0 five times (once alone, then 0, 3, 6 of nine), 1 and 2 three times each; add-one over 8.
    labels = [0] + [i % 3 for i in range(9)]
    shares = [4 / 8, 2 / 8, 1 / 8]
    assert evaluation.baselines.unigram_loss == pytest.approx(-sum(math.log(shares[i]) for i in labels) / 10)
    assert evaluation.baselines.commonest_accuracy == pytest.approx(labels.count(0) / 10)
    assert dict(evaluation.floor) == {}


def test_text_that_scores_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="too short to score a single token"):
        Evaluation([], torch.ones(3))


def test_predictions_stand_beside_their_classes() -> None:
    model = shaken(BertForSequenceClassification(CONFIG)).eval()
    batches = [
        a_batch(torch.ones(rows, LENGTH, dtype=torch.long), seed=rows) | {"labels": torch.arange(rows)}
        for rows in (3, 2)
    ]
    logits, actual = predict(model, batches)
    assert logits.shape == (5, CONFIG.num_labels)
    assert actual.tolist() == [0, 1, 2, 0, 1]
    with torch.no_grad():
        torch.testing.assert_close(logits[3:], model(**batches[1]).logits, rtol=0, atol=1e-6)
