"""The package of an executable textbook on BERT: build it, train it, look inside it, measure it.

The rooms are laid out the way the data runs: `data` and `microworld` make batches, `model` makes predictions,
`training` lowers losses, `inside` looks into a model, `viz` makes pictures, `runs` wires them together, and `cli` is
the command line.
"""

import sys

try:
    from bertmini.config import PRESETS, BertConfig
    from bertmini.data.batches import ExampleStream, batches_in_order
    from bertmini.data.classification import classification_rows
    from bertmini.data.conll import read_conll
    from bertmini.data.corpora.sources import Corpus, ListCorpus, TextCorpus, library_docs, open_corpus
    from bertmini.data.masking import Masking
    from bertmini.data.matching import read_matches
    from bertmini.data.pretraining import PretrainingStream, TextPairs
    from bertmini.data.squad import Question, read_squad
    from bertmini.data.tables import LabelledText, label_names, read_labelled
    from bertmini.data.tagging import TaggedWords, tagging_rows
    from bertmini.data.wordpiece import Encoding, WordPieceTokenizer
    from bertmini.microworld import Floor, World
    from bertmini.model.attention import MultiHeadAttention, Rows, scaled_dot_product_attention
    from bertmini.model.encoder import BertModel
    from bertmini.model.pretraining import BertForMaskedLM, BertForPreTraining
    from bertmini.model.sentences import BertForSentences
    from bertmini.model.tasks import BertForQuestionAnswering, BertForSequenceClassification, BertForTokenClassification
    from bertmini.runs.answer import read_answers
    from bertmini.runs.fill_mask import fill_mask
    from bertmini.runs.finetune import finetune
    from bertmini.runs.match import embed
    from bertmini.runs.pretrain import pretrain
    from bertmini.runs.settings import (
        AnsweringSettings,
        FinetuningSettings,
        MatchingSettings,
        PretrainingSettings,
        TaggingSettings,
    )
    from bertmini.runs.tag import find_entities, predict_tags
    from bertmini.training.log import History
    from bertmini.training.loop import train
    from bertmini.training.recipe import Recipe
except KeyboardInterrupt:
    if sys.argv[:1] != ["-m"]:  # which stands there while `python -m bertmini` loads, some seconds long
        raise
    print("\nbertmini: stopped before it was done", file=sys.stderr)  # noqa: T201
    raise SystemExit(130) from None

__version__ = "0.1.0"

__all__ = [
    "PRESETS",
    "AnsweringSettings",
    "BertConfig",
    "BertForMaskedLM",
    "BertForPreTraining",
    "BertForQuestionAnswering",
    "BertForSentences",
    "BertForSequenceClassification",
    "BertForTokenClassification",
    "BertModel",
    "Corpus",
    "Encoding",
    "ExampleStream",
    "FinetuningSettings",
    "Floor",
    "History",
    "LabelledText",
    "ListCorpus",
    "Masking",
    "MatchingSettings",
    "MultiHeadAttention",
    "PretrainingSettings",
    "PretrainingStream",
    "Question",
    "Recipe",
    "Rows",
    "TaggedWords",
    "TaggingSettings",
    "TextCorpus",
    "TextPairs",
    "WordPieceTokenizer",
    "World",
    "batches_in_order",
    "classification_rows",
    "embed",
    "fill_mask",
    "find_entities",
    "finetune",
    "label_names",
    "library_docs",
    "open_corpus",
    "predict_tags",
    "pretrain",
    "read_answers",
    "read_conll",
    "read_labelled",
    "read_matches",
    "read_squad",
    "scaled_dot_product_attention",
    "tagging_rows",
    "train",
]
