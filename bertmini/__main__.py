"""The command line: `python -m bertmini COMMAND`. It wires the rooms together and prints; nothing is computed here.

A user's mistake ends with exit code 2 and one line that says what to do.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from bertmini.commands.attention import explore_checkpoint
from bertmini.commands.evaluation import Evaluation
from bertmini.commands.fill_mask import Guess, fill_mask
from bertmini.commands.finetune import Finetuned, Wishes, finetune
from bertmini.commands.inspection import count_parameters
from bertmini.commands.pretrain import Run, filled_examples, open_evaluation, pretrain, save_curve
from bertmini.commands.settings import settle
from bertmini.commands.world import WorldEvaluation
from bertmini.config import PRESETS
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.metrics import class_report, macro_f1
from bertmini.model.heads import BertForMaskedLM, BertForPreTraining
from bertmini.model.hub import read_config
from bertmini.training.optim import OPTIMIZERS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    asked = make_parser().parse_args(arguments)
    try:
        asked.run(asked)
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"bertmini {asked.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        print(f"\nbertmini {asked.command}: {stop}", file=sys.stderr)
        return 130
    return 0


def make_parser() -> argparse.ArgumentParser:
    """Describe the commands; what an option leaves open is decided by the corpus, see `choose_settings`."""
    parser = argparse.ArgumentParser(prog="python -m bertmini", description="Build, train and question a small BERT.")
    commands = parser.add_subparsers(dest="command", required=True)

    new = commands.add_parser("pretrain", help="pretrain a BERT from nothing, here and now")
    new.set_defaults(run=run_pretrain)
    new.add_argument("--corpus", help="microworld (default), library-docs, hub:OWNER/NAME, or a file or folder of text")
    new.add_argument("--out", type=Path, default=Path("runs/first"), help="folder for the result (default %(default)s)")
    new.add_argument("--resume", action="store_true", help="go on with the run in --out, if there is one")
    new.add_argument("--preset", help=f"size of the model: {', '.join(PRESETS)} (default nano or tiny)")
    new.add_argument("--steps", type=int, help="updates of the weights (default a minute's or a few minutes' worth)")
    new.add_argument("--batch-size", type=int, help="sentence pairs in a batch")
    new.add_argument("--learning-rate", type=float, help="at its peak")
    new.add_argument("--optimizer", choices=OPTIMIZERS, help="(default muon in the microworld, else adamw)")
    new.add_argument("--warmup", type=float, help="share of the steps in which the learning rate rises")
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

    add_finetune(commands)

    fill = commands.add_parser("fill-mask", help="guess what stands at each [MASK] of a text")
    fill.set_defaults(run=run_fill_mask)
    fill.add_argument("checkpoint", type=Path)
    fill.add_argument("text", help='such as "the [MASK] of the city"')

    look = commands.add_parser("attention", help="write a page that shows what every head does with a sentence")
    look.set_defaults(run=run_attention)
    look.add_argument("checkpoint", type=Path)
    look.add_argument("text", help="a sentence; with a [MASK], the page also shows the guess without each head")
    look.add_argument("pair", nargs="?", help="a second sentence, read together with the first")
    look.add_argument("--beside", help="another text, shown beside the first")
    look.add_argument("--out", type=Path, default=Path("attention.html"), help="the page (default %(default)s)")

    judge = commands.add_parser("evaluate", help="measure a checkpoint on a corpus's held-out documents")
    judge.set_defaults(run=run_evaluate)
    judge.add_argument("checkpoint", type=Path)
    judge.add_argument("--corpus", required=True, help="as for pretrain")

    info = commands.add_parser("info", help="show a checkpoint's sizes and where its parameters are")
    info.set_defaults(run=run_info)
    info.add_argument("checkpoint", type=Path)

    pieces = commands.add_parser("tokenize", help="show the word pieces of a text and their ids")
    pieces.set_defaults(run=run_tokenize)
    pieces.add_argument("checkpoint", type=Path)
    pieces.add_argument("text")
    return parser


def add_finetune(commands: Any) -> None:
    """Describe `finetune`, which has a command of its own for each task."""
    tune = commands.add_parser("finetune", help="teach a pretrained BERT a task, from examples in a file")
    tasks = tune.add_subparsers(dest="task", required=True)
    task = tasks.add_parser("classification", help="one class for each text, or pair of texts")
    task.set_defaults(run=run_finetune)
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


SETTING_NAMES = (
    "corpus", "preset", "steps", "batch_size", "learning_rate", "optimizer", "warmup", "early_share", "max_length",
    "vocab_size", "dropout", "whole_words", "precision", "threads", "seed",
)  # fmt: skip


def run_pretrain(asked: argparse.Namespace) -> None:
    """Pretrain, then show what was learned."""
    wanted: dict[str, Any] = {name: getattr(asked, name) for name in SETTING_NAMES}
    settings = settle(asked.out, wanted, resume=asked.resume)
    print(f"Pretraining a {settings.preset} BERT on {settings.corpus}, {settings.steps} steps, into {asked.out}")
    run = pretrain(
        settings,
        asked.out,
        device=asked.device,
        resume=asked.resume,
    )
    print_run(run, asked.out)


def print_run(run: Run, folder: Path) -> None:
    """Print what a finished run can do, and draw how it got there."""
    if run.materials.note:
        print(f"Note: {run.materials.note}")
    print_evaluation(run.materials.evaluation, run.history.rows[-1])
    print("\nFilled in, in sentences that it has never seen:")
    for text, hidden, guesses in filled_examples(run):
        print(f"  {text}\n    {spell(guesses)}   (it was: {hidden})")
    print(f"\nLoss curve: {save_curve(run, folder)}")
    print(f'Try it:     python -m bertmini fill-mask {folder} "a sentence with a [MASK] in it."')
    print("Read on:    make lab   (or: .venv/bin/jupyter lab chapters)")


def print_evaluation(evaluation: Evaluation, figures: dict[str, float]) -> None:
    """Print held-out figures, each beside what can be had without a model and, in the microworld, the best possible."""
    best = evaluation.floor if isinstance(evaluation, WorldEvaluation) else {}
    unigram, commonest = evaluation.baselines
    rows = [
        ("masked-LM loss, nats", "held_out_mlm_loss", "{:.3f}", f"unigram {unigram:.3f}"),
        ("hidden pieces guessed", "masked_accuracy", "{:.1%}", f"commonest {commonest:.1%}"),
        ("next sentence or not", "next_sentence_accuracy", "{:.1%}", "coin 50.0%"),
    ]
    print(f"Text that it has not seen, {evaluation.scored:,} hidden pieces:")
    for title, name, form, without in rows:
        possible = f", best possible {form.format(best[name])}" if best else ""
        print(f"  {title:24s}{form.format(figures[name]):>8s}   ({without}{possible})")
    if best:
        distance = f"{figures['kl']:.4f} ± {figures['kl_error']:.4f}"
        print(f"  {'distance from the best':24s}{distance:>17s} nats (KL divergence, one standard error)")


def spell(guesses: list[Guess]) -> str:
    """Write guesses on a line."""
    return ", ".join(f"{guess.piece} {guess.probability:.0%}" for guess in guesses)


WISH_NAMES = (
    "checkpoint", "train", "eval", "text_column", "pair_column", "label_column", "epochs", "batch_size",
    "learning_rate", "max_length", "dropout", "patience", "seed", "from_scratch",
)  # fmt: skip


def run_finetune(asked: argparse.Namespace) -> None:
    """Fine-tune, then show how well each class is told."""
    wishes: dict[str, Any] = {name: getattr(asked, name) for name in WISH_NAMES}
    start = "random weights, shaped like" if asked.from_scratch else "the weights of"
    print(f"Training a classifier from {start} {asked.checkpoint}, on {asked.train}, into {asked.out}")
    print_classifier(finetune(Wishes(**wishes), asked.out, device=asked.device, threads=asked.threads), asked.out)


def print_classifier(result: Finetuned, folder: Path) -> None:
    """Print how each epoch did and what the best one takes for what."""
    for note in result.notes:
        print(f"Note: {note}")
    print(f"Judged on {result.wishes.eval}, {int(result.matrix.sum()):,} examples:")
    print("  epoch  loss, nats  accuracy")
    for epoch in result.epochs:
        remark = "  before training" if epoch.number == 0 else "  best, kept" if epoch == result.best else ""
        print(f"  {epoch.number:5d}  {epoch.loss:10.3f}  {epoch.accuracy:8.1%}{remark}")
    report = class_report(result.matrix, result.model.config.labels)
    width = max(5, *(len(scores.label) for scores in report))
    print(f"\n  {'class':{width}s}  precision  recall     F1  examples")
    for scores in report:
        print(
            f"  {scores.label:{width}s}  {scores.precision:9.1%}  {scores.recall:6.1%}  {scores.f1:5.1%}  "
            f"{scores.support:8,}"
        )
    commonest = max(scores.support for scores in report) / int(result.matrix.sum())
    print(f"  accuracy {result.best.accuracy:.1%} (always the commonest class: {commonest:.1%}), ", end="")
    print(f"mean F1 {macro_f1(report):.1%}, calibration error {result.calibration_error:.1%}")
    print(f"\nConfusion matrix: {folder / 'confusion.png'}")
    print("The best epoch was chosen by these figures; for fair ones, measure on texts that chose nothing.")


def run_fill_mask(asked: argparse.Namespace) -> None:
    """Print the five best pieces for each blank."""
    model = BertForMaskedLM.from_pretrained(asked.checkpoint)
    for number, guesses in enumerate(
        fill_mask(model, WordPieceTokenizer.from_pretrained(asked.checkpoint), asked.text), 1
    ):
        print(f"[MASK] {number}")
        for guess in guesses:
            print(f"  {guess.probability:6.1%}  {guess.piece}")


def run_attention(asked: argparse.Namespace) -> None:
    """Write the page and say where it is."""
    explore_checkpoint(asked.checkpoint, asked.text, asked.pair, beside=asked.beside).save(asked.out)
    print(f"Open {asked.out} in a browser: it needs no network.")


def run_evaluate(asked: argparse.Namespace) -> None:
    """Print a checkpoint's figures on the held-out part of a corpus."""
    model = BertForPreTraining.from_pretrained(asked.checkpoint)
    tokenizer = WordPieceTokenizer.from_pretrained(asked.checkpoint)
    length = min(128, model.config.max_position_embeddings)
    evaluation, note = open_evaluation(asked.corpus, tokenizer, length)
    with torch.inference_mode():
        print_evaluation(evaluation, evaluation(model))
    if note:
        print(f"Note: {note}")


def run_info(asked: argparse.Namespace) -> None:
    """Print sizes, and parameters by part."""
    config = read_config(asked.checkpoint)
    print(
        f"{config.num_hidden_layers} layers, {config.hidden_size} wide, {config.num_attention_heads} heads, "
        f"feed-forward {config.intermediate_size}, {config.vocab_size} pieces, "
        f"at most {config.max_position_embeddings} tokens"
    )
    counts = count_parameters(asked.checkpoint)
    for part, count in counts.items():
        print(f"  {part:24s}{count:>14,}{count / sum(counts.values()):8.1%}")
    print(f"  {'all':24s}{sum(counts.values()):>14,}")


def run_tokenize(asked: argparse.Namespace) -> None:
    """Print a text's pieces, one a line."""
    encoding = WordPieceTokenizer.from_pretrained(asked.checkpoint).encode(asked.text)
    for piece, number, (begin, end) in zip(encoding.tokens, encoding.ids, encoding.offsets, strict=True):
        print(f"{number:8d}  {piece:20s}  {asked.text[begin:end]}")


if __name__ == "__main__":
    sys.exit(main())
