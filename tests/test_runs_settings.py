import json
from dataclasses import asdict, fields, replace
from pathlib import Path

import pytest

from bertmini import FinetuningSettings, PretrainingSettings, Recipe, TaggingSettings
from bertmini.runs.settings import (
    TEXT_SETTINGS,
    WORLD_SETTINGS,
    choose_settings,
    read_settings,
    refuse_another_run,
    store_settings,
)

FINETUNING = FinetuningSettings(checkpoint=Path("a"), train=Path("b"), eval=Path("c"))


def test_every_setting_says_what_it_means() -> None:
    described = [field for kind in (PretrainingSettings, FinetuningSettings, TaggingSettings) for field in fields(kind)]
    assert len(described) == 20 + 15 + 13
    assert all(field.metadata["meaning"] for field in described)
    assert all(field.metadata["none"] for field in described if field.default is None)


def test_what_the_recipe_has_too_has_the_same_default() -> None:
    for name in ("optimizer", "warmup", "schedule"):
        assert getattr(TEXT_SETTINGS, name) == getattr(Recipe(steps=1, learning_rate=1.0), name)


@pytest.mark.parametrize(
    ("settings", "change", "message"),
    [
        (WORLD_SETTINGS, {"steps": 0}, "steps is 0; it must be at least 1"),
        (WORLD_SETTINGS, {"early_share": -0.1}, "early_share is -0.1; a share lies between 0 and 1"),
        (WORLD_SETTINGS, {"optimizer": "sgd"}, "optimizer is 'sgd'; choose one of adamw, muon"),
        (WORLD_SETTINGS, {"dropout": 1.0}, r"dropout is 1.0; a rate lies in \[0, 1\)"),
        (WORLD_SETTINGS, {"max_length": 65}, "max_length is 65; preset 'nano' takes 5 to 64"),
        (WORLD_SETTINGS, {"vocab_size": 10**9}, "vocab_size is 1000000000; it must be at most 16777216"),
        (WORLD_SETTINGS, {"threads": 10_000}, "threads is 10000; it must be at most 512"),
        (WORLD_SETTINGS, {"steps": 10**30}, "steps is 1000000000000000000000000000000; it must be at most 1000000000"),
        (WORLD_SETTINGS, {"batch_size": 10**12}, "batch_size is 1000000000000; it must be at most 1000000000"),
        (WORLD_SETTINGS, {"seed": -1}, "seed is -1; it must be at least 0"),
        (WORLD_SETTINGS, {"seed": 2**63}, "seed is 9223372036854775808; it must be at most 9223372036854775807"),
        (WORLD_SETTINGS, {"max_length": 10**12}, "max_length is 1000000000000; preset 'nano' takes 5 to 64"),
        (WORLD_SETTINGS, {"learning_rate": float("inf")}, "learning_rate is inf; it must be a number that is finite"),
        (WORLD_SETTINGS, {"warmup": float("nan")}, "warmup is nan; it must be a number that is finite"),
        (WORLD_SETTINGS, {"corpus": ""}, "corpus is ''; name a text, or . for the current folder"),
        (WORLD_SETTINGS, {"corpus": "  "}, "corpus is '  '; name a text"),
        (WORLD_SETTINGS, {"steps": "40"}, "steps is '40'; it must be a whole number"),
        (WORLD_SETTINGS, {"steps": 40.5}, "steps is 40.5; it must be a whole number"),
        (WORLD_SETTINGS, {"steps": None}, "steps is None; it must be a whole number"),
        (WORLD_SETTINGS, {"steps": True}, "steps is True; it must be a whole number"),
        (WORLD_SETTINGS, {"dropout": []}, r"dropout is \[\]; it must be a number"),
        (WORLD_SETTINGS, {"corpus": 5}, "corpus is 5; it must be text"),
        (WORLD_SETTINGS, {"whole_words": "no"}, "whole_words is 'no'; it must be true or false"),
        (WORLD_SETTINGS, {"whole_words": 1}, "whole_words is 1; it must be true or false"),
        (FINETUNING, {"train": None}, "train is None; it must be a path"),
        (FINETUNING, {"patience": 0}, "patience is 0; it must be at least 1"),
        (FINETUNING, {"threads": 0}, "threads is 0; it must be at least 1"),
        (FINETUNING, {"dropout": -0.5}, r"dropout is -0.5; a rate lies in \[0, 1\)"),
    ],
)
def test_the_impossible_is_refused_by_name(
    settings: PretrainingSettings | FinetuningSettings, change: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        replace(settings, **change)


def test_the_corpus_decides_what_was_not_asked_for() -> None:
    assert choose_settings({}) == WORLD_SETTINGS
    assert choose_settings({"corpus": "texts/", "steps": None}) == replace(TEXT_SETTINGS, corpus="texts/")
    assert choose_settings({"steps": 7}, begun=TEXT_SETTINGS) == replace(TEXT_SETTINGS, steps=7)


def test_a_run_goes_on_only_as_it_was_begun(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    refuse_another_run(folder, WORLD_SETTINGS, resume=False)
    assert read_settings(folder) is None
    store_settings(folder, WORLD_SETTINGS)
    assert read_settings(folder) == WORLD_SETTINGS
    refuse_another_run(folder, WORLD_SETTINGS, resume=True)
    with pytest.raises(ValueError, match="already holds a run: resume it"):
        refuse_another_run(folder, WORLD_SETTINGS, resume=False)
    for name, value in {"threads": None, "seed": 5}.items():  # None is another value, not one that was left open
        with pytest.raises(ValueError, match=f"begun with {name} {asdict(WORLD_SETTINGS)[name]}, now it is to be"):
            refuse_another_run(folder, replace(WORLD_SETTINGS, **{name: value}), resume=True)


@pytest.mark.parametrize(
    "content",
    [
        b'{"steps": 3',
        b"[]",
        b"null",
        b"7",
        b"{}",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"steps": ' + b"9" * 5_000 + b"}",
        json.dumps({**asdict(WORLD_SETTINGS), "steps": "2000"}).encode(),
        json.dumps({**asdict(WORLD_SETTINGS), "preset": ["nano"]}).encode(),
        json.dumps({**asdict(WORLD_SETTINGS), "learning_rate": None}).encode(),
        json.dumps({**asdict(WORLD_SETTINGS), "colour": "red"}).encode(),
    ],
    ids=lambda content: content[:40].decode("latin-1"),
)
def test_damaged_settings_are_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"run\.json is damaged"):
        read_settings(tmp_path)


def test_what_is_no_run_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    for resume in (False, True):
        with pytest.raises(
            ValueError, match=r"already holds something, but no run \(config\.json\); choose another --out"
        ):
            refuse_another_run(tmp_path, WORLD_SETTINGS, resume=resume)
