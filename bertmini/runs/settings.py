"""What a run is asked to do: given once, stored beside its results, checked when it is resumed.

Each field is written once, with its default and with what it means: the command line makes its options from the
fields (`bertmini.cli`), and what the fields refuse is refused everywhere. Taught in chapter 07.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from bertmini.config import MOST, PRESETS
from bertmini.data.tagging import LABELLED
from bertmini.files import read_json, write_atomically
from bertmini.model.pretrained import read_config
from bertmini.runs.folders import strangers
from bertmini.runs.options import option, refuse_impossible
from bertmini.training.device import PRECISIONS
from bertmini.training.optim import OPTIMIZERS, SCHEDULES
from bertmini.training.recipe import Recipe

MICROWORLD = "microworld"
SETTINGS_FILE = "run.json"
DEFAULT_VOCAB_SIZE = 8_192  # or as many as a small text gives
LONGEST = 128  # tokens of a text to be classified, unless asked for more
MOST_SEED = 2**63 - 1  # torch takes no more
MOST_THREADS = 512  # thousands end the process without a word
WIDTH_TIMES_RATE = 0.04  # the wider the model, the smaller the steps: 5e-5 for BERT-base, 3e-4 for tiny


@dataclass(frozen=True, kw_only=True)
class PretrainingSettings:
    """All that decides a pretraining's result; where it is written and on which device it runs does not."""

    corpus: str = field(metadata=option("microworld, library-docs, hub:OWNER/NAME, or a file or folder of text"))
    preset: str = field(metadata=option("size of the model", choices=tuple(PRESETS)))
    steps: int = field(metadata=option("updates of the weights", least=1))
    batch_size: int = field(metadata=option("sentence pairs in a batch", least=1))
    learning_rate: float = field(metadata=option("at its peak"))
    max_length: int = field(metadata=option("tokens in a sentence pair"))
    dropout: float = field(metadata=option("rate of dropout"))
    init: str | None = field(
        default=None, metadata=option("a checkpoint whose weights and tokenizer to begin with", none="random weights")
    )
    words_only: bool = field(
        default=False, metadata=option("hidden words in single texts, without next-sentence prediction")
    )
    vocab_size: int | None = field(
        default=None,
        metadata=option(
            "word pieces", none=f"{DEFAULT_VOCAB_SIZE}, or as many as the text gives", least=1, most=MOST["vocab_size"]
        ),
    )
    cased: bool = field(default=False, metadata=option("tell capital letters from small ones"))
    keep_accents: bool = field(
        default=False,
        metadata=option(
            "keep accents and vowel signs; without it they are kept where the text needs them, else stripped"
        ),
    )
    whole_words: bool = field(default=False, metadata=option("mask all pieces of a word together"))
    optimizer: str = field(default=Recipe.optimizer, metadata=option("what updates the weights", choices=OPTIMIZERS))
    warmup: float = field(
        default=Recipe.warmup, metadata=option("share of the steps in which the learning rate rises", most=1)
    )
    schedule: str = field(
        default=Recipe.schedule, metadata=option("how the learning rate falls", choices=tuple(SCHEDULES))
    )
    early_share: float = field(
        default=0.0, metadata=option("share of the steps, the first, in which more words are scored", most=1)
    )
    precision: str = field(
        default="auto", metadata=option("auto takes bf16 where the device is made for it", choices=PRECISIONS)
    )
    threads: int | None = field(
        default=None, metadata=option("of the processor", none="all cores", least=1, most=MOST_THREADS)
    )
    seed: int = field(default=0, metadata=option("of weights, data and masks", least=0, most=MOST_SEED))

    def __post_init__(self) -> None:
        """Refuse what cannot be built, naming the value."""
        refuse_impossible(self)
        if not self.corpus.strip():  # a path that is empty would be the current folder, and all below it
            raise ValueError(f"corpus is {self.corpus!r}; name a text, or . for the current folder")
        longest = PRESETS[self.preset].max_position_embeddings
        if not 5 <= self.max_length <= longest:
            raise ValueError(f"max_length is {self.max_length}; preset {self.preset!r} takes 5 to {longest}")
        if self.words_only and self.corpus == MICROWORLD:
            raise ValueError("the microworld's texts are pairs: leave words_only out, or choose a corpus of text")


@dataclass(frozen=True, kw_only=True)
class TuningSettings:
    """What decides the result of any fine-tuning; None is decided by the checkpoint, see `settle`."""

    checkpoint: Path = field(metadata=option("a folder that pretrain wrote, or any BERT in safetensors"))
    train: Path = field(metadata=option("examples to train on: .tsv or .jsonl"))
    eval: Path = field(metadata=option("others, to choose the best epoch by"))
    epochs: int = field(default=5, metadata=option("passes over the examples, at most", least=1))
    patience: int = field(default=2, metadata=option("stop after so many epochs without a better one", least=1))
    batch_size: int = field(default=32, metadata=option("examples in a batch", least=1))
    learning_rate: float | None = field(
        default=None, metadata=option("at its peak", none=f"{WIDTH_TIMES_RATE} / width of the model")
    )
    max_length: int | None = field(
        default=None, metadata=option("tokens of a text", none=f"{LONGEST}, or what the model takes")
    )
    dropout: float = field(default=0.1, metadata=option("rate of dropout"))
    from_scratch: bool = field(default=False, metadata=option("random weights, to see what pretraining is worth"))
    threads: int | None = field(
        default=None, metadata=option("of the processor", none="all cores", least=1, most=MOST_THREADS)
    )
    seed: int = field(default=0, metadata=option("of new weights and the order of examples", least=0, most=MOST_SEED))

    def __post_init__(self) -> None:
        """Refuse what cannot be meant, naming the value."""
        refuse_impossible(self)


@dataclass(frozen=True, kw_only=True)
class FinetuningSettings(TuningSettings):
    """All that decides a classifier: what any fine-tuning is asked, and the columns of its tables."""

    text_column: str = field(default="text", metadata=option("its name, or in a .tsv without heading its number"))
    pair_column: str | None = field(default=None, metadata=option("the second text's", none="none"))
    label_column: str = field(default="label", metadata=option("the class's"))


@dataclass(frozen=True, kw_only=True)
class TaggingSettings(TuningSettings):
    """All that decides a tagger."""

    train: Path = field(metadata=option("sentences to train on, in CoNLL's columns: a word and its tag on a line"))
    labelled: str = field(default="first", metadata=option("which of a word's pieces has its tag", choices=LABELLED))


@dataclass(frozen=True, kw_only=True)
class AnsweringSettings(TuningSettings):
    """All that decides a reader, which finds answers in passages."""

    train: Path = field(metadata=option("questions to train on: .json in SQuAD's format, version 1.1 or 2.0"))
    stride: int | None = field(
        default=None,
        metadata=option("pieces from a long passage's window to the next", none="a quarter of the tokens", least=1),
    )


@dataclass(frozen=True, kw_only=True)
class MatchingSettings(TuningSettings):
    """All that decides a matcher, which gives texts that belong together vectors in one direction."""

    text_column: str = field(default="text", metadata=option("its name, or in a .tsv without heading its number"))
    pair_column: str = field(default="pair", metadata=option("that of the text that belongs to it"))
    negative_column: str | None = field(default=None, metadata=option("that of a text that does not", none="none"))
    score_column: str | None = field(
        default=None, metadata=option("that of how much the two belong together", none="none: fully")
    )


Tuning = TypeVar("Tuning", bound=TuningSettings)

WORLD_SETTINGS = PretrainingSettings(
    corpus=MICROWORLD,
    preset="nano",
    steps=2_000,
    batch_size=128,
    learning_rate=8e-3,
    max_length=64,
    dropout=0.0,
    optimizer="muon",
    warmup=0.02,
    schedule="cosine",
    early_share=0.9,
    precision="float32",  # matrices this small do not gain from bf16,
    threads=1,  # and where a neighbour is busy, two threads wait for each other
)
# From pairs of 32 tokens attention learns to use neighbours within some 400 steps; from 128 not within 3,000.
TEXT_SETTINGS = PretrainingSettings(
    corpus="library-docs", preset="tiny", steps=2_000, batch_size=128, learning_rate=2e-3, max_length=32, dropout=0.0
)


def choose_settings(asked: dict[str, Any], begun: PretrainingSettings | None = None) -> PretrainingSettings:
    """Fill what was not asked for (None): as the run was `begun`, or else with what suits the corpus.

    A checkpoint to begin with brings its size: the preset is the one of that size.

    >>> choose_settings({"steps": 7, "preset": None}).preset
    'nano'
    """
    default = WORLD_SETTINGS if asked.get("corpus") in (None, MICROWORLD) else TEXT_SETTINGS
    wanted = {name: value for name, value in asked.items() if value is not None}
    if "init" in wanted:
        wanted["preset"] = preset_of(wanted["init"], wanted.get("preset"))
    return replace(begun or default, **wanted)


def preset_of(checkpoint: str, asked: str | None) -> str:
    """Name the preset with a checkpoint's layers and width. Raises `ValueError` if none has, or another is asked."""
    config = read_config(Path(checkpoint))
    size = (config.num_hidden_layers, config.hidden_size)
    named = {(one.num_hidden_layers, one.hidden_size): name for name, one in PRESETS.items()}.get(size)
    if named is None or asked not in (None, named):
        raise ValueError(
            f"{checkpoint} has {size[0]} layers, {size[1]} wide, which is preset {named}; "
            "leave the preset out: the checkpoint brings its size"
        )
    return named


def read_settings(folder: Path) -> PretrainingSettings | None:
    """Read the settings that `folder` was begun with; None if no run has begun there."""
    path = folder / SETTINGS_FILE
    if not path.is_file():
        return None
    try:
        return PretrainingSettings(**read_json(path))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error}); begin the run anew in another folder") from error


def refuse_another_run(folder: Path, settings: PretrainingSettings, *, resume: bool) -> None:
    """See that `folder` is free, or, to `resume`, that its run was begun with these settings.

    Raises `ValueError` naming the first setting that differs, or what else is there.
    """
    begun = read_settings(folder)
    if begun is None:
        if found := strangers(folder):
            raise ValueError(f"{folder} already holds something, but no run ({found[0]}); choose another --out")
        return
    if not resume:
        raise ValueError(f"{folder} already holds a run: resume it (--resume), or choose another folder (--out)")
    now = asdict(settings)
    for name, before in asdict(begun).items():
        if before != now[name]:
            raise ValueError(
                f"{folder} was begun with {name} {before!r}, now it is to be {now[name]!r}; "
                "resume without it, or begin a new run in another folder"
            )


def store_settings(folder: Path, settings: PretrainingSettings) -> None:
    """Write the settings down: from now on the folder holds a run."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / SETTINGS_FILE, json.dumps(asdict(settings), indent=2) + "\n")


def settle(settings: Tuning) -> Tuning:
    """Decide what was left open, by the checkpoint's sizes. Raises `ValueError` for texts too long for it."""
    config = read_config(settings.checkpoint)
    limit = config.max_position_embeddings
    length = min(LONGEST, limit) if settings.max_length is None else settings.max_length
    if not 4 <= length <= limit:
        raise ValueError(f"max_length is {length}; this checkpoint takes 4 to {limit}")
    rate = settings.learning_rate
    if rate is None:
        rate = float(f"{WIDTH_TIMES_RATE / config.hidden_size:.1e}")
    return replace(settings, max_length=length, learning_rate=rate)
