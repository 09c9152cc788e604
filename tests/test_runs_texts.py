"""A run goes on with the texts and the vocabulary that it was begun with, or says what has changed."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from small_texts import make_corpus

from bertmini import ListCorpus, PretrainingSettings, TextCorpus, pretrain
from bertmini.data.corpora.sources import RowsCorpus
from bertmini.runs.settings import TEXT_SETTINGS, WORLD_SETTINGS
from bertmini.runs.texts import BLOCK, BLOCKS, look_at, refuse_other_texts, store_texts


class Rows:
    column_names = ["text"]  # noqa: RUF012 (a table of one test)

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, row: int) -> dict[str, str]:
        return {"text": self.texts[row]}


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> tuple[PretrainingSettings, Path]:
    """A run on two files, stopped after the first checkpoint."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "texts").mkdir()
    for name in ("a.txt", "b.txt"):
        make_corpus(folder / "texts" / name, documents=30)
    small = {"preset": "nano", "max_length": 32, "vocab_size": 120, "batch_size": 16, "steps": 20, "threads": 1}
    settings = replace(TEXT_SETTINGS, corpus=str(folder / "texts"), **small)
    pretrain(settings, folder / "run", device="cpu", progress=False)
    shutil.rmtree(sorted((folder / "run" / "checkpoints").iterdir())[-1])
    return settings, folder


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "edited, of the same size": (
        lambda at: (at / "texts/a.txt").write_text((at / "texts/a.txt").read_text().replace("otter", "stoat")),
        "a.txt has changed since the run was begun",
    ),
    "cut": (lambda at: (at / "texts/a.txt").write_text((at / "texts/a.txt").read_text()[:3000]), "a.txt has changed"),
    "removed": (lambda at: (at / "texts/b.txt").unlink(), "b.txt is gone since the run was begun"),
    "added": (lambda at: make_corpus(at / "texts/c.txt"), "c.txt was not there when the run was begun"),
    "other pieces": (
        lambda at: (at / "run/vocab.txt").write_text((at / "run/vocab.txt").read_text().replace("##a\n", "##ä\n")),
        r"vocab\.txt|vocabulary has changed",
    ),
    "other options": (
        lambda at: (at / "run/tokenizer_config.json").write_text(
            (at / "run/tokenizer_config.json").read_text().replace('"do_lower_case": true', '"do_lower_case": false')
        ),
        "vocabulary has changed since the run was begun",
    ),
    "damaged": (lambda at: (at / "run/corpus.json").write_text("[1"), r"corpus\.json .*begin the run anew"),
    "of another type": (lambda at: (at / "run/corpus.json").write_text("[1, 2]"), r"corpus\.json .*begin the run anew"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_has_changed_is_named_and_the_run_left_alone(
    change: str, begun: tuple[PretrainingSettings, Path], tmp_path: Path
) -> None:
    settings, folder = begun
    shutil.copytree(folder, tmp_path / "at")
    at = tmp_path / "at"
    corpus = json.loads((at / "run/corpus.json").read_text())
    moved = {name.replace(str(folder), str(at)): value for name, value in corpus.items()}
    (at / "run/corpus.json").write_text(json.dumps(moved))
    (at / "run/run.json").write_text((at / "run/run.json").read_text().replace(str(folder), str(at)))
    checkpoints = {path: path.read_bytes() for path in (at / "run/checkpoints").rglob("*") if path.is_file()}
    CHANGES[change][0](at)
    with pytest.raises(ValueError, match=CHANGES[change][1]):
        pretrain(replace(settings, corpus=str(at / "texts")), at / "run", device="cpu", progress=False, resume=True)
    assert {path: path.read_bytes() for path in checkpoints} == checkpoints


def test_the_same_texts_go_on(begun: tuple[PretrainingSettings, Path], tmp_path: Path) -> None:
    settings, folder = begun
    shutil.copytree(folder / "run", tmp_path / "run")
    run = pretrain(settings, tmp_path / "run", device="cpu", progress=False, resume=True)
    assert run.history.rows[-1]["step"] == 20


def test_the_microworlds_vocabulary_is_noted(tmp_path: Path) -> None:
    small = replace(WORLD_SETTINGS, steps=1, batch_size=8)
    pretrain(small, tmp_path, device="cpu", progress=False)
    texts = json.loads((tmp_path / "corpus.json").read_text())
    assert list(texts) == ["vocabulary"]
    texts["vocabulary"][0] -= 1
    (tmp_path / "corpus.json").write_text(json.dumps(texts))
    with pytest.raises(ValueError, match="vocabulary has changed"):
        pretrain(small, tmp_path, device="cpu", progress=False, resume=True)


def test_a_long_file_is_looked_at_in_blocks_from_end_to_end(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    size = 2 * BLOCKS * BLOCK
    with path.open("wb") as file:
        file.write(b"Some text. And more.\n\n")
        file.truncate(size)  # the rest is a hole, which costs no room
    corpus = TextCorpus(path)
    before = look_at(corpus)
    for place in (1, size // BLOCK * BLOCK - 1):
        with path.open("r+b") as file:
            file.seek(place)
            file.write(b"x")
        after = look_at(corpus)
        assert after != before
        before = after
    with path.open("ab") as file:
        file.write(b"x")
    assert look_at(corpus)[str(path)][0] == size + 1


def test_corpora_without_files_are_looked_at_too(tmp_path: Path) -> None:
    one, other = ListCorpus([["One.", "Two."]]), ListCorpus([["One.", "Too."]])
    assert look_at(one) != look_at(other)
    assert look_at(ListCorpus([["One."], ["Two."]])) != look_at(ListCorpus([["One.", "Two."]]))
    texts = ["One. Two."] * 3000
    rows = RowsCorpus(Rows(texts), "ann/letters")
    store_texts(tmp_path, look_at(rows))
    refuse_other_texts(tmp_path, look_at(rows))
    with pytest.raises(ValueError, match=r"ann/letters has changed since the run was begun: bring back"):
        refuse_other_texts(tmp_path, look_at(RowsCorpus(Rows([*texts[:-1], "Other."]), "ann/letters")))
