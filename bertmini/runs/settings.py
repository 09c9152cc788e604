"""What a pretraining run was asked to do: given once, stored beside its results, checked when it is resumed."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bertmini.config import PRESETS
from bertmini.files import write_atomically

MICROWORLD = "microworld"
SETTINGS_FILE = "run.json"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that decides a run's result; where it is written and on which device it runs does not.

    During the first `early_share` of the steps more words are scored, see `materials.make_stream`.
    """

    corpus: str
    preset: str
    steps: int
    batch_size: int
    learning_rate: float
    max_length: int
    dropout: float
    vocab_size: int | None = None
    whole_words: bool = False
    optimizer: str = "adamw"
    warmup: float = 0.1
    schedule: str = "linear"
    early_share: float = 0.0
    precision: str = "auto"
    threads: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be built, naming the value."""
        if self.preset not in PRESETS:
            raise ValueError(f"unknown preset {self.preset!r}; choose one of {', '.join(PRESETS)}")
        for name in ("steps", "batch_size", "vocab_size", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} is {value}; it must be at least 1")
        longest = PRESETS[self.preset].max_position_embeddings
        if not 5 <= self.max_length <= longest:
            raise ValueError(f"max_length is {self.max_length}; preset {self.preset!r} takes 5 to {longest}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is {self.dropout}; a rate lies in [0, 1)")
        if not 0 <= self.early_share <= 1:
            raise ValueError(f"early_share is {self.early_share}; a share of the steps lies in [0, 1]")


WORLD_SETTINGS = Settings(
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
TEXT_SETTINGS = Settings(
    corpus="library-docs", preset="tiny", steps=2_000, batch_size=128, learning_rate=2e-3, max_length=32, dropout=0.0
)


def choose_settings(asked: dict[str, Any]) -> Settings:
    """Fill what was not asked for (None) with what suits the corpus, the microworld or text."""
    default = WORLD_SETTINGS if asked.get("corpus") in (None, MICROWORLD) else TEXT_SETTINGS
    return replace(default, **{name: value for name, value in asked.items() if value is not None})


def read_settings(folder: Path) -> Settings | None:
    """Read the settings that `folder` was begun with; None if no run has begun there."""
    path = folder / SETTINGS_FILE
    if not path.is_file():
        return None
    try:
        return Settings(**json.loads(path.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error}); begin the run anew in another folder") from error


def settle(folder: Path, asked: dict[str, Any], *, resume: bool) -> Settings:
    """Decide on a run's settings and store them in its folder.

    A resumed run goes on as it was begun. Raises `ValueError` if something else is asked of it now, or if a run that
    was not to be resumed stands in the folder.
    """
    before = read_settings(folder)
    if before is None:
        settings = choose_settings(asked)
    elif resume:
        settings = before
        for name, value in asked.items():
            if value is not None and value != getattr(before, name):
                raise ValueError(
                    f"{folder} was begun with {name} {getattr(before, name)!r}, now it is to be {value!r}; "
                    "resume without it, or begin a new run in another folder"
                )
    else:
        raise ValueError(f"{folder} already holds a run; go on with it by --resume, or choose another --out")
    return settings


def store_settings(folder: Path, settings: Settings) -> None:
    """Write the settings down: from now on the folder holds a run."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / SETTINGS_FILE, json.dumps(asdict(settings), indent=2) + "\n")
