"""Fine-tuning a matcher, and searching with one: texts that belong together get vectors in one direction.

Without scores a matcher is judged by how often a text's partner is the nearest of all held-out partners, with scores by
Spearman's rank correlation of cosines and scores. Beside it stands what counting common words reaches.
Taught in chapter 11.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bertmini.data.batches import batches_in_order
from bertmini.data.matching import Match, MatchStream, match_batch, match_rows, read_matches
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.files import find_checkpoint, read_json
from bertmini.metrics import spearman
from bertmini.model.sentences import BertForSentences
from bertmini.runs.opened import open_tokenizer
from bertmini.runs.settings import LONGEST, MatchingSettings
from bertmini.runs.tasks import Task, TaskData, note_leaks
from bertmini.search import BM25, nearest, words_of
from bertmini.viz.plots import loss_curve
from bertmini.viz.style import Picture

JUDGED_AT_ONCE = 64


class MatcherEpoch(NamedTuple):
    """Held-out figures after an epoch: mean loss of a batch of 64, and the score that the matcher is judged by."""

    number: int
    loss: float
    score: float


class FinetunedMatcher(NamedTuple):
    """A finished fine-tuning: the model of the best epoch, how it got there, and what common words alone would give."""

    model: BertForSentences
    settings: MatchingSettings
    epochs: list[MatcherEpoch]
    best: MatcherEpoch
    judged_by: str
    common_words: float
    notes: list[str]

    def record(self) -> dict[str, Any]:
        """What finetune.json says beside the epochs."""
        return {"judged_by": self.judged_by, "common_words": self.common_words}

    def picture(self) -> Picture:
        """The score after each epoch."""
        curve = [epoch.number for epoch in self.epochs], [epoch.score for epoch in self.epochs]
        return loss_curve(
            {"held out": curve},
            baselines={"common words": self.common_words},
            title=f"Epoch {self.best.number}: {self.judged_by} {self.best.score:.2f}",
            x_label="epoch",
            y_label=self.judged_by,
        )


class Hit(NamedTuple):
    """A text that was found: which, and the cosine of its vector and the query's."""

    text: int
    cosine: float


# ---- using a matcher ----


@torch.inference_mode()
def embed(
    model: BertForSentences, tokenizer: WordPieceTokenizer, texts: Sequence[str], *, max_length: int = LONGEST
) -> Tensor:
    """Read texts, each alone, at most `max_length` tokens: their vectors (N, E), float32, on the CPU."""
    device = next(model.parameters()).device
    limit = min(max_length, model.config.max_position_embeddings)
    rows = [{"input_ids": encoding.ids} for encoding in tokenizer.encode_batch(texts, max_length=limit)]
    model.eval()
    vectors = [
        model(**{name: tensor.to(device) for name, tensor in batch.items()}).vectors.float().cpu()
        for batch in batches_in_order(rows, pad_id=tokenizer.pad_id)
    ]
    return torch.cat(vectors)


def search_texts(checkpoint: str | Path, texts: Sequence[str], query: str, *, k: int = 5) -> tuple[list[Hit], bool]:
    """Find the `k` texts whose vectors are nearest to the query's; and say whether the checkpoint was taught to match.

    The vectors of one that was not all lie in one direction, which says nothing: their mean is taken off first.
    """
    model = BertForSentences.from_pretrained(checkpoint)
    tokenizer = open_tokenizer(checkpoint, model.config)
    config = read_json(find_checkpoint(Path(checkpoint)) / "config.json")
    taught = BertForSentences.__name__ in (config.get("architectures") or ())
    vectors, asked = embed(model, tokenizer, texts), embed(model, tokenizer, [query])
    mean = torch.zeros(1, vectors.shape[1]) if taught or len(texts) == 1 else vectors.mean(0, keepdim=True)
    cosines, places = nearest(asked - mean, vectors - mean, k=min(k, len(texts)))
    return [Hit(*pair) for pair in zip(places[0].tolist(), cosines[0].tolist(), strict=True)], taught


# ---- teaching one ----


def prepare(settings: MatchingSettings, tokenizer: WordPieceTokenizer) -> TaskData:
    """Read and encode both tables. Raises `ValueError` naming file and line."""
    columns = {
        "text": settings.text_column,
        "pair": settings.pair_column,
        "negative": settings.negative_column,
        "score": settings.score_column,
    }
    known, new = (read_matches(path, **columns) for path in (settings.train, settings.eval))  # type: ignore[arg-type]
    length = settings.max_length or LONGEST
    shown, asked = (match_rows(part, tokenizer, max_length=length) for part in (known, new))
    notes = note_leaks("matches", *([match[:2] for match in part] for part in (known, new)))
    if settings.score_column is None and (again := len(known) - len({match.partner for match in known})):
        notes.append(f"{again} training texts share a partner with another: in one batch it counts as a wrong answer")
    stream = MatchStream(shown, pad_id=tokenizer.pad_id, batch_size=settings.batch_size, seed=settings.seed)
    portions = [asked[i : i + JUDGED_AT_ONCE] for i in range(0, len(asked), JUDGED_AT_ONCE)]
    return TaskData(("LABEL_0",), stream, [match_batch(portion, tokenizer.pad_id) for portion in portions], notes, new)


@torch.inference_mode()
def measure(model: nn.Module, data: TaskData) -> dict[str, float]:
    """Judge a matcher on the held-out matches."""
    device = next(model.parameters()).device
    losses, texts, partners = [], [], []
    for batch in data.batches:
        output = model(**{name: tensor.to(device) for name, tensor in batch.items()})
        count = len(batch["partners"])
        losses.append(float(output.loss) * count)
        vectors = F.normalize(output.vectors.float().cpu(), dim=1)
        texts.append(vectors[:count])
        partners.append(vectors[count : 2 * count])
    one, other = torch.cat(texts), torch.cat(partners)
    return {"held_out_loss": sum(losses) / len(one), "held_out_score": held_out_score(one @ other.T, data.truth)}


def held_out_score(likeness: Tensor, matches: Sequence[Match]) -> float:
    """Judge the likeness (N, N) of each text and each partner, as matches with or without scores are judged."""
    if matches[0].score is not None:
        return spearman(likeness.diagonal(), torch.tensor([match.score for match in matches]))
    best = likeness.amax(1)
    ties = (likeness == best[:, None]).sum(1)  # of several nearest ones a coin decides
    return float(((likeness.diagonal() == best) / ties).mean())


def likeness_of_words(matches: Sequence[Match]) -> Tensor:
    """How alike each text and each partner are by their words: BM25 (N, N), or for scores the share of common words."""
    if matches[0].score is None:
        index = BM25([match.partner for match in matches])
        return torch.tensor([index.scores(match.text) for match in matches])
    pairs = [(set(words_of(match.text)), set(words_of(match.partner))) for match in matches]
    return torch.tensor([len(one & other) / max(len(one | other), 1) for one, other in pairs]).diag()


def report(
    model: BertForSentences,
    figures: Sequence[Mapping[str, float]],
    best: int,
    settings: MatchingSettings,
    data: TaskData,
) -> FinetunedMatcher:
    """Put the best epoch beside what counting common words reaches."""
    epochs = [
        MatcherEpoch(number, each["held_out_loss"], each["held_out_score"]) for number, each in enumerate(figures)
    ]
    graded = settings.score_column is not None
    name = "Spearman's correlation" if graded else f"partner nearest of {len(data.truth):,}"
    common = held_out_score(likeness_of_words(data.truth), data.truth)
    return FinetunedMatcher(model, settings, epochs, epochs[best], name, common, data.notes)


MATCHING = Task(
    name="matching",
    help="vectors of texts, alike for those that belong together",
    noun="matcher",
    settings=MatchingSettings,
    model=BertForSentences,
    prepare=prepare,
    measure=measure,
    ranked_by={"held_out_score": "highest", "held_out_loss": "lowest"},
    report=report,
    shown="Scores by epoch",
)
