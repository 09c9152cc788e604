"""Hugging Face data sets: the mirror first, the network never in a test, and quick, clear errors without either."""

import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bertmini.data.corpora import datasets
from bertmini.data.corpora.datasets import mirrored_files
from bertmini.data.corpora.sources import RowsCorpus, TextCorpus, from_hub, open_corpus


class Table:
    """As much of `datasets.Dataset` as we use."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        self.column_names = list(rows[0])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.rows[index]


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BERTMINI_DATA", str(tmp_path))
    folder = tmp_path / "ann" / "letters"
    folder.mkdir(parents=True)
    return folder


def write_jsonl(path: Path, *texts: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))


def test_the_mirror_is_used_first(mirror: Path) -> None:
    write_jsonl(mirror / "data" / "train-00001-of-00002.jsonl", "Dear Bo. I am well.")
    write_jsonl(mirror / "data" / "train-00000-of-00002.jsonl", "Dear Ann. Are you well?")
    write_jsonl(mirror / "data" / "test.jsonl", "Not this.")
    corpus = from_hub("ann/letters")
    assert isinstance(corpus, TextCorpus)
    assert corpus.name == "ann/letters"
    assert corpus.read(None, 1000) == ([["Dear Ann.", "Are you well?"], ["Dear Bo.", "I am well."]], None)
    assert from_hub("ann/letters", split="test").read(None, 1000)[0] == [["Not this."]]
    assert open_corpus("hub:ann/letters").read(None, 1000)[0] == corpus.read(None, 1000)[0]


def test_a_split_may_name_a_folder_and_a_config_is_one(mirror: Path) -> None:
    write_jsonl(mirror / "short" / "train" / "part.jsonl", "Short one. Two.")
    write_jsonl(mirror / "long" / "train" / "part.jsonl", "Long one. Two.")
    assert from_hub("ann/letters:short").read(None, 1000)[0] == [["Short one.", "Two."]]
    assert [path.parts[-3] for path in mirrored_files("ann/letters", "train")] == ["long", "short"]


def test_a_split_that_the_mirror_lacks(mirror: Path) -> None:
    write_jsonl(mirror / "training.jsonl", "No split of this name.")
    with pytest.raises(
        ValueError, match=r"no split 'train' in .*letters': it has training.jsonl; expected the split's"
    ):
        from_hub("ann/letters")


def test_parquet_from_the_mirror(mirror: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    table = datasets.Dataset.from_dict({"note": ["One. Two.", "Three. Four."], "id": [1, 2]})
    table.to_parquet(mirror / "train.parquet")
    corpus = from_hub("ann/letters", column="note")
    assert corpus.read(None, 5) == ([["One.", "Two."]], (1,))
    assert corpus.read((1,), 5) == ([["Three.", "Four."]], None)
    with pytest.raises(ValueError, match=r"'ann/letters' has no column 'text': choose one of \['note', 'id'\]"):
        from_hub("ann/letters")


def test_rows_are_documents() -> None:
    rows = RowsCorpus(Table([{"text": "One. Two."}, {"text": ""}, {"text": "Three."}]), "notes")
    assert rows.read(None, 1) == ([["One.", "Two."]], (1,))
    assert rows.read((1,), 1) == ([["Three."]], None)
    assert RowsCorpus(Table([{"text": "x", "sentences": ["a", "b"]}]), "notes").read(None, 9) == ([["a", "b"]], None)
    with pytest.raises(ValueError, match="position 9 is not in 'notes', which has 3 rows"):
        rows.read((9,), 1)
    with pytest.raises(ValueError, match="notes, row 1: expected a text or a list of sentences in 'text'"):
        RowsCorpus(Table([{"text": "a"}, {"text": 7}]), "notes").read(None, 100)
    with pytest.raises(ValueError, match="the corpus 'notes' is empty"):
        RowsCorpus(Table([{"text": " "}]), "notes").read(None, 100)


# ---- the network ----


@pytest.fixture
def no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BERTMINI_DATA", "HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)


def fake_datasets(monkeypatch: pytest.MonkeyPatch, result: Table | Exception) -> list[tuple[Any, ...]]:
    calls: list[tuple[Any, ...]] = []

    def load_dataset(name: str, config: str | None, *, split: str) -> Table:
        calls.append((name, config, split))
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load_dataset))
    return calls


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A place that accepts connections and never answers, in the hub's stead."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{listening.getsockname()[1]}")
        yield listening


@pytest.mark.usefixtures("no_mirror")
def test_a_network_that_is_not_there_is_told_at_once(monkeypatch: pytest.MonkeyPatch, server: socket.socket) -> None:
    calls = fake_datasets(monkeypatch, Table([{"text": "a"}]))
    monkeypatch.setattr(datasets, "SECONDS_TO_ANSWER", 0.2)
    begin = time.monotonic()
    with pytest.raises(
        ValueError, match=r"'ann/letters' cannot be loaded: http://127.0.0.1:\d+ does not answer; .*BERTM"
    ):
        from_hub("ann/letters")
    server.close()
    with pytest.raises(ValueError, match=r"does not answer; check the spelling; .* HF_HUB_OFFLINE=1 .* library-docs"):
        from_hub("ann/letters")
    assert time.monotonic() - begin < 5
    assert calls == []


@pytest.mark.usefixtures("no_mirror")
@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized"])
def test_a_hub_that_answers_is_used(monkeypatch: pytest.MonkeyPatch, server: socket.socket, status: str) -> None:
    def answer() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

    thread = threading.Thread(target=answer)
    thread.start()
    calls = fake_datasets(monkeypatch, Table([{"text": "Dear Bo. I am well."}]))
    assert from_hub("ann/letters:short", split="test").read(None, 99)[0] == [["Dear Bo.", "I am well."]]
    thread.join()
    assert calls == [("ann/letters", "short", "test")]


@pytest.mark.usefixtures("no_mirror")
@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"])
def test_told_to_stay_offline_the_cache_of_datasets_is_asked(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    monkeypatch.setattr(datasets, "_hub_answers", lambda: pytest.fail("it must not knock"))
    fake_datasets(monkeypatch, Table([{"text": "Dear Bo."}]))
    assert from_hub("ann/letters").read(None, 99)[0] == [["Dear Bo."]]
    for error in (ConnectionError("Couldn't reach it"), FileNotFoundError("no such set"), ValueError("Unknown split")):
        fake_datasets(monkeypatch, error)
        with pytest.raises(
            ValueError, match=rf"'ann/letters' \(config None, split 'train'\): {error}; check the spell"
        ):
            from_hub("ann/letters")


@pytest.mark.usefixtures("no_mirror")
def test_without_the_package_datasets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ValueError, match=r'need the package "datasets": pip install "bertmini\[online\]"'):
        from_hub("ann/letters")


def test_the_real_package_fails_at_once_when_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("datasets")
    monkeypatch.delenv("BERTMINI_DATA", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    begin = time.monotonic()
    with pytest.raises(ValueError, match=r"'nobody/nothing' .*: Couldn't reach 'nobody/nothing' on the Hub"):
        from_hub("nobody/nothing")
    assert time.monotonic() - begin < 5
