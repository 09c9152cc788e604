"""The capstone's commands run as its brief prints them, on sentences of our own, and its judge counts rightly."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bertmini import TaggedWords
from capstone.score import errors, scores
from tools.notebooks import ROOT

BRIEF = (ROOT / "capstone" / "README.md").read_text(encoding="utf-8")
GOLD = [
    TaggedWords(("Ada", "left", "New", "York"), ("B-person", "O", "B-location", "I-location")),
    TaggedWords(("It", "rained"), ("O", "O")),
]
RIGHT = [sentence.tags for sentence in GOLD]
HALF = [("B-person", "O", "B-location", "O"), ("O", "O")]


def test_scores_of_one_run() -> None:
    everything, location, person = scores([HALF], GOLD)
    assert everything == "all            F1 0.500   precision 0.500   recall 0.500   2 entities"
    assert location.startswith("location       F1 0.000")
    assert person.startswith("person         F1 1.000")


def test_scores_of_two_runs_have_a_spread() -> None:
    everything, *_ = scores([HALF, RIGHT], GOLD)
    assert everything.startswith("all            F1 0.750 ± 0.354 over 2 runs")


def test_errors_name_both_sides() -> None:
    assert errors(RIGHT, GOLD) == []
    assert errors(HALF, GOLD) == [
        "said   location: New   |   Ada left New York",
        "missed location: New York   |   Ada left New York",
    ]


def test_rubric_adds_up() -> None:
    points = re.findall(r"^\| [A-Z][^|]+\| (\d+) \|", BRIEF, re.MULTILINE)
    assert sum(map(int, points)) == 100


def test_reference_is_what_was_measured() -> None:
    """The brief's table stands in the benchmark's report, word for word."""
    (table,) = re.findall(r"^\| tagger \|.*?(?=\n\n)", BRIEF, re.MULTILINE | re.DOTALL)
    assert table in (ROOT / "benchmarks" / "results" / "real_files.md").read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="the brief's commands are a shell's")
def test_commands_run(tmp_path: Path) -> None:
    """Both commands of the brief, one after the other; one epoch instead of three, on six sentences."""
    sentences = "Ada B-person\nleft O\nYork B-location\n. O\n\nIt O\nrained O\n. O\n\n" * 3
    for name in ("train", "dev"):
        (tmp_path / f"{name}.conll").write_text(sentences, encoding="utf-8")
    shutil.copytree(ROOT / "capstone", tmp_path / "capstone")
    (block,) = re.findall(r"```bash\n(.*?)```", BRIEF, re.DOTALL)
    for line in block.strip().splitlines():
        command = [sys.executable, *shlex.split(line.replace("--epochs 3", "--epochs 1"))[1:]]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert re.match(r"all +F1 \d\.\d{3} ", done.stdout)
    assert "6 entities" in done.stdout
