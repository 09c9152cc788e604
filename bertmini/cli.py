"""The command line: `python -m bertmini COMMAND`. The options; what each command does is in `bertmini.commands`.

A user's mistake ends with exit code 2 and one line that says what to do. Options that are settings are made from the
fields of `bertmini.runs.settings`: names, defaults and help are written there.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, TextIO, get_args

from bertmini.commands import (
    run_answer,
    run_attention,
    run_evaluate,
    run_explain,
    run_fill_mask,
    run_finetune,
    run_info,
    run_pretrain,
    run_search,
    run_tokenize,
)
from bertmini.printing import prepare_streams, say
from bertmini.runs.finetune import TASKS
from bertmini.runs.settings import TEXT_SETTINGS, WORLD_SETTINGS, PretrainingSettings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code: 0, 2 for a mistake, 130 when it was stopped.

    A reader that closes the pipe (`| head`) has had enough, which is no mistake.
    """
    prepare_streams()
    code = 0
    try:
        try:
            code = answer(arguments)
        finally:
            if sys.stdout is not None:  # it was closed
                sys.stdout.flush()
    except OSError as error:
        drop_unwritten(sys.stdout)
        if not isinstance(error, BrokenPipeError):
            say(f"bertmini: the output was not written: {error}", error=True)
            return 2
    finally:
        if sys.stderr is not None:
            try:
                sys.stderr.flush()
            except OSError:  # nobody reads the messages: no mistake either
                drop_unwritten(sys.stderr)
    return code


def drop_unwritten(stream: TextIO) -> None:
    """Send nowhere what a stream still holds, else Python complains when it flushes at exit, from 3.13 on with 120."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def answer(arguments: Sequence[str] | None) -> int:
    """Run one command; tell a mistake in a line."""
    asked = make_parser().parse_args(arguments)
    try:
        asked.run(asked)
    except BrokenPipeError:
        raise
    except (ValueError, OSError, FloatingPointError, MemoryError, RuntimeError) as error:
        told = str(error)
        if isinstance(error, MemoryError | RuntimeError):
            if isinstance(error, RuntimeError) and "memory" not in told:  # torch has no error of its own for it
                raise
            told = f"there is not enough memory: take smaller batches or a smaller model ({told.partition(chr(10))[0]})"
        say(f"bertmini {asked.command}: {'; '.join([told, *getattr(error, '__notes__', [])])}", error=True)
        return 2
    except KeyboardInterrupt as stop:
        say(error=True)
        say(f"bertmini {asked.command}: {str(stop) or 'stopped before it was done'}", error=True)
        return 130
    return 0


# ---- options ----


def make_parser() -> argparse.ArgumentParser:
    """Describe all commands; each leaves the function that answers it in `run`."""
    parser = argparse.ArgumentParser(prog="python -m bertmini", description="Build, train and question a small BERT.")
    commands = parser.add_subparsers(dest="command", required=True)
    add_pretrain(commands)
    add_finetune(commands)
    add_questions(commands)
    return parser


def add_pretrain(commands: Any) -> None:
    """Describe `pretrain`; what is not asked for is decided by the corpus, see `choose_settings`."""
    new = commands.add_parser("pretrain", help="pretrain a BERT from nothing, here and now")
    new.set_defaults(run=run_pretrain)
    new.add_argument(
        "--out", type=named_path, default=Path("runs/first"), help="folder for the result (default %(default)s)"
    )
    new.add_argument("--resume", action="store_true", help="go on with the run in --out, if there is one")
    for field in fields(PretrainingSettings):
        add_setting(new, field, by_corpus_default(field))
    add_device(new)


def add_finetune(commands: Any) -> None:
    """Describe `finetune`, which has a command of its own for each task."""
    tune = commands.add_parser("finetune", help="teach a pretrained BERT a task, from examples in a file")
    tasks = tune.add_subparsers(dest="task", required=True)
    for task in TASKS:
        command = tasks.add_parser(task.name, help=task.help)
        command.set_defaults(run=run_finetune)
        for field in fields(task.settings):
            if field.name == "checkpoint":
                command.add_argument(field.name, type=named_path, help=field.metadata["meaning"])
            else:
                add_setting(command, field, spell_value(field, field.default))
        command.add_argument("--out", type=named_path, required=True, help="folder for the result, new or empty")
        add_device(command)


def add_setting(parser: argparse.ArgumentParser, field: Field[Any], default: str) -> None:
    """Make one option from one field; None means that it was not asked for. No `default` means that it must be."""
    name, meaning = f"--{field.name.replace('_', '-')}", field.metadata["meaning"]
    if field.type is bool:
        parser.add_argument(name, action="store_true", default=None, help=meaning)
        return
    kind: Any = next((kind for kind in get_args(field.type) if kind is not type(None)), field.type)
    kind = named_path if kind is Path else kind
    choices = field.metadata["choices"]
    parser.add_argument(
        name,
        type=kind,
        required=not default,
        metavar=f"{{{','.join(choices)}}}" if choices else None,  # refused by the settings, in a line
        help=f"{meaning} (default {default})" if default else meaning,
    )


def named_path(text: str) -> Path:
    """The path that was named; the empty one, as of a shell's unset variable, would be the current folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError("the path is empty; name a file or folder, or . for the current one")
    return Path(text)


def by_corpus_default(field: Field[Any]) -> str:
    """Spell a pretraining setting's default, or both, where the microworld has another than text."""
    world, text = (spell_value(field, getattr(these, field.name)) for these in (WORLD_SETTINGS, TEXT_SETTINGS))
    if field.name == "corpus" or world == text:
        return world
    return f"{world} in the microworld, else {text}"


def spell_value(field: Field[Any], value: Any) -> str:
    """Spell a value as a reader of the help would; nothing for a field that has no default."""
    if isinstance(value, str | int | float):
        return str(value)
    return str(field.metadata["none"]) if value is None else ""


def add_device(parser: argparse.ArgumentParser) -> None:
    """Describe where to compute."""
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps or auto (default)")


def add_questions(commands: Any) -> None:
    """Describe the commands that put a question to a checkpoint."""

    def add(name: str, run: Any, help: str) -> argparse.ArgumentParser:  # noqa: A002 (argparse's name for it)
        parser: argparse.ArgumentParser = commands.add_parser(name, help=help)
        parser.set_defaults(run=run)
        parser.add_argument("checkpoint", type=named_path)
        return parser

    fill = add("fill-mask", run_fill_mask, "guess what stands at each [MASK] of a text")
    fill.add_argument("text", help='such as "the [MASK] of the city"')
    find = add("answer", run_answer, "find passages that may answer a question, and read them")
    find.add_argument("path", help="a text file, or a folder of them")
    find.add_argument("--question", required=True, help='such as "Where does the seal live?"')
    seek = add("search", run_search, "find the texts that are nearest to a query, by their vectors")
    seek.add_argument("path", help="a text file, or a folder of them")
    seek.add_argument("query")
    look = add("attention", run_attention, "write a page that shows what every head does with a sentence")
    look.add_argument("text", help="a sentence; with a [MASK], the page also shows the guess without each head")
    look.add_argument("pair", nargs="?", help="a second sentence, read together with the first")
    look.add_argument("--beside", help="another text, shown beside the first")
    look.add_argument("--also", action="append", default=[], help="another text to choose in the page; may be repeated")
    look.add_argument("--out", type=named_path, default=Path("attention.html"), help="the page (default %(default)s)")
    why = add("explain", run_explain, "write a page that takes one guess apart by four methods")
    why.add_argument("text", help='with one [MASK], such as "the [MASK] of the city"')
    why.add_argument("--out", type=named_path, default=Path("explain.html"), help="the page (default %(default)s)")
    judge = add("evaluate", run_evaluate, "measure a checkpoint on a corpus's held-out documents")
    judge.add_argument("--corpus", required=True, help="as for pretrain")
    add("info", run_info, "show a checkpoint's sizes and where its parameters are")
    add("tokenize", run_tokenize, "show the word pieces of a text and their ids").add_argument("text")
