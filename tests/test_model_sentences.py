"""Vectors of texts and their losses, beside plain loops and `transformers`."""

import math
from pathlib import Path

import pytest
import torch
import transformers
from torch.nn import functional as F

from bertmini import BertConfig
from bertmini.model.sentences import BertForSentences, contrastive_loss, mean_of_tokens

CONFIG = BertConfig(
    vocab_size=99,
    hidden_size=20,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=37,
    max_position_embeddings=16,
)
IDS = torch.randint(5, 99, (6, 7), generator=torch.Generator().manual_seed(0))
MASK = torch.ones_like(IDS)
MASK[1, 4:] = 0
MASK[4, 2:] = 0


@pytest.fixture
def model() -> BertForSentences:
    return BertForSentences(CONFIG).eval()


def test_padding_is_no_part_of_the_mean(model: BertForSentences) -> None:
    together = model(IDS, attention_mask=MASK).vectors
    for row, mask in enumerate(MASK):
        alone = model(IDS[row : row + 1, : int(mask.sum())]).vectors
        torch.testing.assert_close(together[row : row + 1], alone, atol=1e-6, rtol=0)


def test_mean_is_taken_text_by_text_and_a_nan_in_the_padding_does_not_reach_it() -> None:
    states = torch.randn(3, 7, 20)
    mask = torch.tensor([[1] * 7, [1] * 3 + [0] * 4, [1] + [0] * 6])
    states[1, 5] = float("nan")
    means = mean_of_tokens(states, mask)
    for row, length in enumerate([7, 3, 1]):
        torch.testing.assert_close(means[row], sum(states[row, place] for place in range(length)) / length)


def test_contrastive_loss_is_the_plain_loop_s() -> None:
    texts, candidates, partners = torch.randn(3, 20), torch.randn(7, 20), torch.tensor([0, 1, 2])
    expected = 0.0
    for text, partner in zip(texts, partners, strict=True):
        cosines = [float(text @ other / (text.norm() * other.norm())) / 0.05 for other in candidates]
        expected += math.log(sum(math.exp(cosine) for cosine in cosines)) - cosines[partner]
    assert float(contrastive_loss(texts, candidates, partners)) == pytest.approx(expected / 3, rel=1e-5)
    half = contrastive_loss(texts * 3, candidates * 0.1, partners, temperature=0.1)
    assert float(half) == pytest.approx(float(contrastive_loss(texts, candidates, partners, temperature=0.1)), rel=1e-5)


def test_losses_of_the_model_are_those_of_its_vectors(model: BertForSentences) -> None:
    partners = torch.tensor([2, 3])  # rows 4 and 5 are wrong ones
    output = model(IDS, attention_mask=MASK, partners=partners)
    torch.testing.assert_close(
        output.loss, contrastive_loss(output.vectors[:2], output.vectors[2:], torch.tensor([0, 1]))
    )
    scores = torch.tensor([0.25, 1.0])
    graded = model(IDS[:4], attention_mask=MASK[:4], partners=partners, scores=scores)
    cosines = F.cosine_similarity(graded.vectors[:2], graded.vectors[2:])
    torch.testing.assert_close(graded.loss, ((cosines - scores) ** 2).mean())
    output.loss.backward()
    assert all(weight.grad is not None for name, weight in model.named_parameters() if "layers" in name)


def test_hugging_face_s_encoder_gives_the_same_vectors(model: BertForSentences, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path)
    theirs = transformers.AutoModel.from_pretrained(tmp_path, add_pooling_layer=False).eval()
    states = theirs(input_ids=IDS, attention_mask=MASK).last_hidden_state
    torch.testing.assert_close(model(IDS, attention_mask=MASK).vectors, mean_of_tokens(states, MASK), atol=1e-5, rtol=0)


def test_without_partners_there_is_no_loss(model: BertForSentences) -> None:
    assert model(IDS).loss is None
