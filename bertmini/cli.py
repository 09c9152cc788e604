"""What can be asked on the command line: the commands, their options and what each option is for.

Nothing runs here: `python -m bertmini` reads the answer and calls what was asked for.
"""

import argparse
from pathlib import Path
from typing import Any

from bertmini.config import PRESETS
from bertmini.training.optim import OPTIMIZERS, SCHEDULES

SETTING_NAMES = (
    "corpus", "preset", "steps", "batch_size", "learning_rate", "optimizer", "warmup", "schedule", "early_share",
    "max_length", "vocab_size", "dropout", "whole_words", "precision", "threads", "seed",
)  # fmt: skip
WISH_NAMES = (
    "checkpoint", "train", "eval", "text_column", "pair_column", "label_column", "epochs", "batch_size",
    "learning_rate", "max_length", "dropout", "patience", "seed", "from_scratch",
)  # fmt: skip


def make_parser() -> argparse.ArgumentParser:
    """Describe the commands; what an option leaves open is decided by the corpus, see `choose_settings`."""
    parser = argparse.ArgumentParser(prog="python -m bertmini", description="Build, train and question a small BERT.")
    commands = parser.add_subparsers(dest="command", required=True)

    add_pretrain(commands)
    add_finetune(commands)
    add_questions(commands)
    return parser


def add_pretrain(commands: Any) -> None:
    """Describe `pretrain`."""
    new = commands.add_parser("pretrain", help="pretrain a BERT from nothing, here and now")
    new.add_argument("--corpus", help="microworld (default), library-docs, hub:OWNER/NAME, or a file or folder of text")
    new.add_argument("--out", type=Path, default=Path("runs/first"), help="folder for the result (default %(default)s)")
    new.add_argument("--resume", action="store_true", help="go on with the run in --out, if there is one")
    new.add_argument("--preset", help=f"size of the model: {', '.join(PRESETS)} (default nano or tiny)")
    new.add_argument("--steps", type=int, help="updates of the weights (default a minute's or a few minutes' worth)")
    new.add_argument("--batch-size", type=int, help="sentence pairs in a batch")
    new.add_argument("--learning-rate", type=float, help="at its peak")
    new.add_argument("--optimizer", choices=OPTIMIZERS, help="(default muon in the microworld, else adamw)")
    new.add_argument("--warmup", type=float, help="share of the steps in which the learning rate rises")
    new.add_argument("--schedule", choices=SCHEDULES, help="(default cosine in the microworld, else linear)")
    new.add_argument("--early-share", type=float, help="share of the steps, the first, in which more words are scored")
    new.add_argument("--max-length", type=int, help="tokens in a sentence pair")
    new.add_argument("--vocab-size", type=int, help="word pieces (default 8192, or as many as the text gives)")
    new.add_argument("--dropout", type=float, help="rate of dropout")
    new.add_argument("--whole-words", action="store_true", default=None, help="mask all pieces of a word together")
    new.add_argument(
        "--precision", choices=("auto", "float32", "bf16"), help="auto takes bf16 where the device is made for it"
    )
    new.add_argument("--threads", type=int, help="of the processor (default 1 in the microworld, else all cores)")
    new.add_argument("--seed", type=int, help="of weights, data and masks (default 0)")
    new.add_argument("--device", default="auto", help="cpu, cuda, mps or auto (default)")


def add_finetune(commands: Any) -> None:
    """Describe `finetune`, which has a command of its own for each task."""
    tune = commands.add_parser("finetune", help="teach a pretrained BERT a task, from examples in a file")
    tasks = tune.add_subparsers(dest="task", required=True)
    task = tasks.add_parser("classification", help="one class for each text, or pair of texts")
    task.add_argument("checkpoint", type=Path, help="a folder that pretrain wrote, or any BERT in safetensors")
    task.add_argument("--train", type=Path, required=True, help="examples to train on: .tsv or .jsonl")
    task.add_argument("--eval", type=Path, required=True, help="others, to choose the best epoch by")
    task.add_argument("--out", type=Path, required=True, help="folder for the result, new or empty")
    task.add_argument("--text-column", default="text", help="its name, or in a .tsv without heading its number")
    task.add_argument("--pair-column", help="the second text's, if there are two")
    task.add_argument("--label-column", default="label", help="the class's (default %(default)s)")
    task.add_argument("--epochs", type=int, default=5, help="passes over the examples, at most (default %(default)s)")
    task.add_argument("--patience", type=int, default=2, help="stop after so many no better (default %(default)s)")
    task.add_argument("--batch-size", type=int, default=32, help="examples in a batch (default %(default)s)")
    task.add_argument("--learning-rate", type=float, help="at its peak (default 0.04 / width of the model)")
    task.add_argument("--max-length", type=int, help="tokens of a text (default 128, or what the model takes)")
    task.add_argument("--dropout", type=float, default=0.1, help="rate of dropout (default %(default)s)")
    task.add_argument("--from-scratch", action="store_true", help="random weights, to see what pretraining is worth")
    task.add_argument("--threads", type=int, help="of the processor (default all cores)")
    task.add_argument("--seed", type=int, default=0, help="of new weights and the order of examples (default 0)")
    task.add_argument("--device", default="auto", help="cpu, cuda, mps or auto (default)")


def add_questions(commands: Any) -> None:
    """Describe the commands that put a question to a checkpoint."""
    fill = commands.add_parser("fill-mask", help="guess what stands at each [MASK] of a text")
    fill.add_argument("checkpoint", type=Path)
    fill.add_argument("text", help='such as "the [MASK] of the city"')

    look = commands.add_parser("attention", help="write a page that shows what every head does with a sentence")
    look.add_argument("checkpoint", type=Path)
    look.add_argument("text", help="a sentence; with a [MASK], the page also shows the guess without each head")
    look.add_argument("pair", nargs="?", help="a second sentence, read together with the first")
    look.add_argument("--beside", help="another text, shown beside the first")
    look.add_argument(
        "--also", action="append", default=[], help="another text to choose in the page (may be repeated)"
    )
    look.add_argument("--out", type=Path, default=Path("attention.html"), help="the page (default %(default)s)")

    judge = commands.add_parser("evaluate", help="measure a checkpoint on a corpus's held-out documents")
    judge.add_argument("checkpoint", type=Path)
    judge.add_argument("--corpus", required=True, help="as for pretrain")

    info = commands.add_parser("info", help="show a checkpoint's sizes and where its parameters are")
    info.add_argument("checkpoint", type=Path)

    pieces = commands.add_parser("tokenize", help="show the word pieces of a text and their ids")
    pieces.add_argument("checkpoint", type=Path)
    pieces.add_argument("text")
