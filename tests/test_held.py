"""What held when it was tried, and must go on holding: full disks, torn reads, foreign code, hostile tokens."""

import errno
import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_texts import SMALL, make_corpus

from bertmini import BertConfig, BertForMaskedLM, BertForPreTraining, pretrain
from bertmini.inside.reading import Reading
from bertmini.model import pretrained
from bertmini.model.pretrained import read_tensors
from bertmini.runs.settings import TEXT_SETTINGS
from bertmini.viz.interactive.explorer import explore
from bertmini.viz.interactive.frame import Frame
from bertmini.viz.interactive.views import head_view, model_view, neuron_view

CONFIG = BertConfig(
    vocab_size=99,
    hidden_size=20,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=37,
    max_position_embeddings=17,
)


def test_ten_full_disks_and_the_run_goes_on_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = make_corpus(tmp_path / "animals.txt", documents=12)
    small = {"preset": "nano", "max_length": 32, "batch_size": 8, "steps": 3, "threads": 1}
    settings = replace(TEXT_SETTINGS, corpus=str(corpus), **small)
    really, calls = os.fsync, [0]

    def count(descriptor: int, fatal: int = 0) -> None:
        calls[0] += 1
        if calls[0] == fatal:
            raise OSError(errno.ENOSPC, "No space left on device")
        really(descriptor)

    monkeypatch.setattr(os, "fsync", count)
    pretrain(settings, tmp_path / "whole", device="cpu", progress=False)
    expected, last = (tmp_path / "whole" / "model.safetensors").read_bytes(), calls[0]
    for fatal in np.linspace(1, last, 10).astype(int).tolist():
        out, calls[0] = tmp_path / f"full{fatal}", 0
        monkeypatch.setattr(os, "fsync", lambda descriptor, fatal=fatal: count(descriptor, fatal))
        with pytest.raises(OSError, match=r"was not written|disk is full"):
            pretrain(settings, out, device="cpu", progress=False)
        pretrain(settings, out, device="cpu", progress=False, resume=True)
        assert (out / "model.safetensors").read_bytes() == expected
        assert not [path for path in out.rglob("*") if path.name.endswith(".unfinished")]


def test_no_read_is_torn_while_weights_are_written(tmp_path: Path) -> None:
    models = [BertForPreTraining(CONFIG) for _ in range(2)]
    for number, model in enumerate(models):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.fill_(float(number))
    models[0].save_pretrained(tmp_path)
    done = threading.Event()

    def write() -> None:
        for turn in range(60):
            models[turn % 2].save_pretrained(tmp_path)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    reads = 0
    while not done.is_set() or reads == 0:
        values = {float(tensor.flatten()[0]) for tensor in read_tensors(tmp_path).values()}
        assert values in ({0.0}, {1.0})
        reads += 1
    writer.join()
    assert reads > 10


def test_a_file_that_is_replaced_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = BertForPreTraining(CONFIG), BertForPreTraining(CONFIG)
    first.save_pretrained(tmp_path)
    reads = []

    def replaced_at_first(path: Path) -> dict[str, torch.Tensor]:
        found = checked(path)
        reads.append(path)
        if len(reads) == 1:
            second.save_pretrained(tmp_path)
            raise ValueError("the header of one file and the numbers of another")
        return found

    checked = pretrained._checked_tensors
    monkeypatch.setattr(pretrained, "_checked_tensors", replaced_at_first)
    loaded = BertForPreTraining.from_pretrained(tmp_path)
    assert len(reads) == 2
    assert all(map(torch.equal, loaded.parameters(), second.parameters()))


@pytest.mark.parametrize("how", ["cut", "flipped"])
def test_forty_five_cut_or_flipped_weights_are_refused(how: str, tmp_path: Path) -> None:
    BertForMaskedLM(CONFIG).save_pretrained(tmp_path)
    path = tmp_path / "model.safetensors"
    data = path.read_bytes()
    body = 8 + int.from_bytes(data[:8], "little")  # where the weights begin: the header is another test's
    for place in np.linspace(body, len(data) - 1, 45).astype(int).tolist():
        path.write_bytes(data[:place] if how == "cut" else data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])
        with pytest.raises(ValueError, match=r"model\.safetensors is damaged"):
            BertForMaskedLM.from_pretrained(tmp_path)


NINE_COMMANDS = """
import json, sys
from bertmini.cli import main
def refuse(event, arguments):
    if event in ("pickle.find_class", "os.system", "subprocess.Popen") or event.startswith("socket."):
        if event != "socket.gethostname":
            raise SystemExit(f"{event} {arguments}"[:400])
codes = []
sys.addaudithook(refuse)
for command in json.loads(sys.argv[1]):
    codes.append(main(command))
print(codes)
"""


def test_nine_commands_unpickle_nothing_start_nothing_and_ask_nobody(tmp_path: Path) -> None:
    corpus = str(make_corpus(tmp_path / "animals.txt", documents=30))
    (tmp_path / "t.tsv").write_text("text\tlabel\nthe otter\tx\nthe sea\ty\n")
    given = ["pretrain", "--corpus", corpus, "--out", "run", "--steps", "2", *SMALL]
    tune = ["finetune", "classification", "run", "--train", "t.tsv", "--eval", "t.tsv", "--epochs", "1"]
    commands = [
        given,
        [*given, "--resume"],
        ["pretrain", "--out", "world", "--steps", "1", "--batch-size", "8", "--device", "cpu"],
        [*tune, "--device", "cpu", "--out", "tuned"],
        ["evaluate", "run", "--corpus", corpus],
        ["fill-mask", "run", "the [MASK]"],
        ["attention", "run", "the [MASK]"],
        ["info", "run"],
        ["tokenize", "run", "the otter"],
    ]
    (tmp_path / "run.py").write_text(NINE_COMMANDS)
    root = str(Path(__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "run.py", json.dumps(commands)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, [str([0] * 9)]), done.stderr


# ---- tokens that would rather be code ----

STEMS = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!--",
    "-->",
    "<script>",
    "]]>",
    "&lt;b&gt;",
    '"onmouseover="alert(1)',
    "'><b>",
    "javascript:alert(1)",
    "</title>",
    "</style>",
    "</iframe>",
    "</main>",
    "<svg onload=1>",
    "{{constructor}}",
    "${alert(1)}",
    "`",
    "\\u003cscript\\u003e",
    "\u2028",
]
HOSTILE = [*STEMS, *(stem.upper() for stem in STEMS)]


class Structure(HTMLParser):
    """The elements of a page and the names of their attributes; where its scripts are, how many lines they have."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))


def view(kind: str, tokens: list[str], title: str) -> Frame:
    count = len(tokens)
    even = np.full((1, 1, count, count), 1 / count)
    vectors = np.ones((1, 1, count, 2))
    make: dict[str, Any] = {
        "head view": lambda: head_view(even, tokens, title=title),
        "pair": lambda: head_view(even, tokens, 2, title=title),
        "model view": lambda: model_view(even, tokens, title=title),
        "neuron view": lambda: neuron_view(even, tokens, None, vectors, vectors, title=title),
        "explorer": lambda: explore(Reading(even, tokens), title=title),
        "two texts": lambda: explore(
            Reading(even, tokens), title=title, beside=Reading(even, tokens), names=(title, tokens[0])
        ),
    }
    return make[kind]()  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", ["head view", "pair", "model view", "neuron view", "explorer", "two texts"])
@pytest.mark.parametrize("part", range(4))
def test_hostile_tokens_change_nothing_in_the_structure_of_a_page(kind: str, part: int) -> None:
    hostile = HOSTILE[10 * part : 10 * part + 10]
    plain = [f"t{number}" for number in range(len(hostile))]
    attacked, calm = view(kind, hostile, hostile[0]), view(kind, plain, "t")
    for heading in (False, True):
        assert Structure(attacked.page(heading=heading)).found == Structure(calm.page(heading=heading)).found
    stored = [Structure(one._bundle("")["text/html"]).found for one in (attacked, calm)]
    assert stored[0] == stored[1]
    assert [name for name, _ in stored[0]] == ["div", "iframe"]  # the frame alone, and what holds it
