from dataclasses import asdict, fields, replace
from pathlib import Path

import pytest

from bertmini import FinetuningSettings, PretrainingSettings, Recipe
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
    described = [field for kind in (PretrainingSettings, FinetuningSettings) for field in fields(kind)]
    assert len(described) == 18 + 15
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


def test_damaged_settings_are_named(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"steps": 3', encoding="utf-8")
    with pytest.raises(ValueError, match=r"run\.json is damaged"):
        read_settings(tmp_path)
