"""The command line: `python -m bertmini COMMAND`. It wires the rooms together and prints; nothing is computed here.

A user's mistake ends with exit code 2 and one line that says what to do.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from bertmini.cli import SETTING_NAMES, WISH_NAMES, make_parser
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.metrics import class_report, macro_f1
from bertmini.model.heads import BertForMaskedLM, BertForPreTraining
from bertmini.model.hub import read_config
from bertmini.runs.evaluation import Evaluation
from bertmini.runs.explore import explore_checkpoint
from bertmini.runs.fill_mask import Guess, fill_mask
from bertmini.runs.finetune import Finetuned, Wishes, finetune
from bertmini.runs.inspection import count_parameters
from bertmini.runs.pretrain import Run, filled_examples, open_evaluation, pretrain, save_curve
from bertmini.runs.settings import settle
from bertmini.runs.world import WorldEvaluation


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    asked = make_parser().parse_args(arguments)
    try:
        COMMANDS[asked.command](asked)
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"bertmini {asked.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        print(f"\nbertmini {asked.command}: {stop}", file=sys.stderr)
        return 130
    return 0


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
    print("Read on:    make lab   (or: .venv/bin/jupyter lab --preferred-dir=chapters)")


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
    page = explore_checkpoint(asked.checkpoint, asked.text, asked.pair, beside=asked.beside, also=asked.also)
    page.save(asked.out)
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


COMMANDS = {
    "pretrain": run_pretrain,
    "finetune": run_finetune,
    "fill-mask": run_fill_mask,
    "attention": run_attention,
    "evaluate": run_evaluate,
    "info": run_info,
    "tokenize": run_tokenize,
}

if __name__ == "__main__":
    sys.exit(main())
