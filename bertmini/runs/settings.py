"""What a run is asked to do: given once, stored beside its results, checked when it is resumed.

Each field is written once, with its default and with what it means: the command line makes its options from the
fields (`bertmini.cli`), and what the fields refuse is refused everywhere. Taught in chapter 07.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from bertmini.config import PRESETS
from bertmini.files import read_json, write_atomically
from bertmini.model.pretrained import read_config
from bertmini.training import SCHEDULES, Recipe
from bertmini.training.device import PRECISIONS
from bertmini.training.optim import OPTIMIZERS

MICROWORLD = "microworld"
SETTINGS_FILE = "run.json"
DEFAULT_VOCAB_SIZE = 8_192  # or as many as a small text gives
LONGEST = 128  # tokens of a text to be classified, unless asked for more
WIDTH_TIMES_RATE = 0.04  # the wider the model, the smaller the steps: 5e-5 for BERT-base, 3e-4 for tiny


def option(
    meaning: str, *, none: str = "", choices: Sequence[str] = (), least: int | None = None, most: int | None = None
) -> dict[str, Any]:
    """Describe a field: what it means, what None means, and which values it takes.

    `least` is for whole numbers; `most` for shares, which begin at 0.
    """
    return {"meaning": meaning, "none": none, "choices": tuple(choices), "least": least, "most": most}


def refuse_impossible(settings: "PretrainingSettings | FinetuningSettings") -> None:
    """Compare every field with its description. Raises `ValueError` naming the field and its value."""
    for one in fields(settings):
        name, value = one.name, getattr(settings, one.name)
        choices, least, most = (one.metadata[key] for key in ("choices", "least", "most"))
        if value is None:
            continue
        if choices and value not in choices:
            raise ValueError(f"{name} is {value!r}; choose one of {', '.join(choices)}")
        if least is not None and value < least:
            raise ValueError(f"{name} is {value}; it must be at least {least}")
        if most is not None and not 0 <= value <= most:
            raise ValueError(f"{name} is {value}; a share lies between 0 and {most}")
    if not 0 <= settings.dropout < 1:
        raise ValueError(f"dropout is {settings.dropout}; a rate lies in [0, 1)")


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
    vocab_size: int | None = field(
        default=None,
        metadata=option("word pieces", none=f"{DEFAULT_VOCAB_SIZE}, or as many as the text gives", least=1),
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
    threads: int | None = field(default=None, metadata=option("of the processor", none="all cores", least=1))
    seed: int = field(default=0, metadata=option("of weights, data and masks"))

    def __post_init__(self) -> None:
        """Refuse what cannot be built, naming the value."""
        refuse_impossible(self)
        longest = PRESETS[self.preset].max_position_embeddings
        if not 5 <= self.max_length <= longest:
            raise ValueError(f"max_length is {self.max_length}; preset {self.preset!r} takes 5 to {longest}")


@dataclass(frozen=True, kw_only=True)
class FinetuningSettings:
    """All that decides a fine-tuning's result; None is decided by the checkpoint, see `settle`."""

    checkpoint: Path = field(metadata=option("a folder that pretrain wrote, or any BERT in safetensors"))
    train: Path = field(metadata=option("examples to train on: .tsv or .jsonl"))
    eval: Path = field(metadata=option("others, to choose the best epoch by"))
    text_column: str = field(default="text", metadata=option("its name, or in a .tsv without heading its number"))
    pair_column: str | None = field(default=None, metadata=option("the second text's", none="none"))
    label_column: str = field(default="label", metadata=option("the class's"))
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
    threads: int | None = field(default=None, metadata=option("of the processor", none="all cores", least=1))
    seed: int = field(default=0, metadata=option("of new weights and the order of examples"))

    def __post_init__(self) -> None:
        """Refuse what cannot be meant, naming the value."""
        refuse_impossible(self)


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

    >>> choose_settings({"steps": 7, "preset": None}).preset
    'nano'
    """
    default = WORLD_SETTINGS if asked.get("corpus") in (None, MICROWORLD) else TEXT_SETTINGS
    return replace(begun or default, **{name: value for name, value in asked.items() if value is not None})


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

    Raises `ValueError` naming the first setting that differs.
    """
    begun = read_settings(folder)
    if begun is None:
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


def settle(settings: FinetuningSettings) -> FinetuningSettings:
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
