"""A run killed with SIGKILL at any moment and resumed ends with the same bytes as one that was never interrupted."""

import json
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from training_toys import toy_run

from bertmini.training.checkpoint import checkpoint_folders, read_checkpoint

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")

KILLS = 12
STEPS = 40
SIZE = 5_000  # 60,000 weights, so that most of the time goes into writing checkpoints


def dying_run(folder: Path, fatal_call: int) -> None:
    """A run that kills itself just before the nth call that reaches the disk."""
    calls = 0

    def deadly(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == fatal_call:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **named)

        return call

    for name in ("mkdir", "fsync", "replace", "unlink", "rmdir"):
        setattr(os, name, deadly(getattr(os, name)))
    toy_run(folder)


def start(target: Callable[..., Any], *arguments: Any, **named: Any) -> multiprocessing.process.BaseProcess:
    """A process of its own, forked from a server that has imported torch once for all of them."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "bertmini.training.loop", "torch._dynamo"])
    process = context.Process(target=target, args=arguments, kwargs=named)
    process.start()
    return process


def outcome(folder: Path) -> dict[str, Any]:
    """All that must come out the same: weights, moments, random states, place in the data, and the logged losses."""
    newest = checkpoint_folders(folder / "checkpoints")[-1]
    state = json.loads((newest / "state.json").read_text())
    log = (folder / "log" / "log.csv").read_text().splitlines()
    return {
        "files": {path.name: path.read_bytes() for path in newest.glob("*.safetensors")},
        "stream": state["stream"],
        "losses": [(row["step"], row["loss"]) for row in state["history"]],
        "logged": [line.split(",")[:2] for line in log],
    }


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("checkpoints/*"))


def test_killed_at_random_moments(tmp_path: Path) -> None:
    toy_run(tmp_path / "whole", steps=STEPS, size=SIZE)
    expected = outcome(tmp_path / "whole")
    moments = random.Random(7)
    kills, run = 0, 0
    while kills < KILLS:
        folder = tmp_path / f"run{run}"
        before = names(folder)
        process = start(toy_run, folder, steps=STEPS, size=SIZE)
        while process.is_alive() and names(folder) == before:  # until it writes
            time.sleep(0.001)
        process.join(moments.uniform(0, 0.1))
        process.kill()
        process.join()
        if process.exitcode == -signal.SIGKILL:
            kills += 1
        else:  # it was faster, and ended: compare, and kill another one
            assert process.exitcode == 0
            assert outcome(folder) == expected
            run += 1
    toy_run(folder, steps=STEPS, size=SIZE)
    assert outcome(folder) == expected
    assert [int(step) for step, _ in expected["logged"][1:]] == list(range(1, STEPS + 1))


def test_killed_before_each_call_that_reaches_the_disk(tmp_path: Path) -> None:
    toy_run(tmp_path / "whole")
    expected = outcome(tmp_path / "whole")
    fatal_call, exitcode = 0, -signal.SIGKILL
    while exitcode == -signal.SIGKILL:
        fatal_call += 1 if fatal_call < 35 else 11  # every call of the first three saves, then here and there
        folder = tmp_path / f"killed{fatal_call}"
        process = start(dying_run, folder, fatal_call)
        process.join()
        assert process.exitcode is not None
        exitcode = process.exitcode
        for checkpoint in checkpoint_folders(folder / "checkpoints"):
            assert read_checkpoint(checkpoint).state["history"][-1]["step"] == int(checkpoint.name[-6:])
        toy_run(folder)
        assert outcome(folder) == expected
    assert exitcode == 0
    assert fatal_call > 35
