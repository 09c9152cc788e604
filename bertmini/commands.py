"""What each command does: take what was asked for, let `bertmini.runs` work, print the result.

`bertmini.cli` describes the options.
"""

import argparse
from dataclasses import fields
from typing import Any

from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.model.pretraining import BertForMaskedLM
from bertmini.printing import (
    announce,
    print_answers,
    print_evaluation,
    print_finetuned,
    print_run,
    say,
)
from bertmini.runs.answer import answer_from, read_passages
from bertmini.runs.evaluate import evaluate
from bertmini.runs.explain import explain_checkpoint
from bertmini.runs.explore import explore_checkpoint
from bertmini.runs.fill_mask import fill_mask
from bertmini.runs.finetune import TASKS, finetune, model_is_safe, save_report
from bertmini.runs.info import info
from bertmini.runs.match import search_texts
from bertmini.runs.opened import open_tokenizer
from bertmini.runs.pretrain import filled_examples, pretrain, save_curve
from bertmini.runs.settings import (
    PretrainingSettings,
    TuningSettings,
    choose_settings,
    read_settings,
)

SHOWN = 100  # characters of a text that was found


def asked_for(asked: argparse.Namespace, kind: type[PretrainingSettings | TuningSettings]) -> dict[str, Any]:
    """Pick the settings of one kind that were asked for."""
    values = {field.name: getattr(asked, field.name) for field in fields(kind)}
    return {name: value for name, value in values.items() if value is not None}


def run_pretrain(asked: argparse.Namespace) -> None:
    """Pretrain, then show what was learned."""
    begun = read_settings(asked.out) if asked.resume else None
    settings = choose_settings(asked_for(asked, PretrainingSettings), begun)
    announce(f"Pretraining a {settings.preset} BERT on {settings.corpus}, {settings.steps} steps, into {asked.out}")
    run = pretrain(settings, asked.out, device=asked.device, resume=asked.resume)
    with model_is_safe(asked.out):
        save_curve(run, asked.out / "loss.png")
        print_run(run, filled_examples(run))
    say()
    say(f"Loss curve: {asked.out / 'loss.png'}")
    say(f'Try it:     python -m bertmini fill-mask {asked.out} "a sentence with a [MASK] in it."')
    say("Read on:    make lab   (or: .venv/bin/jupyter lab --preferred-dir=chapters)")


def run_finetune(asked: argparse.Namespace) -> None:
    """Fine-tune, then show how well each class, or each kind of entity, is told."""
    task = next(task for task in TASKS if task.name == asked.task)
    settings: Any = task.settings(**asked_for(asked, task.settings))
    start = "random weights, shaped like" if settings.from_scratch else "the weights of"
    announce(f"Training a {task.noun} from {start} {asked.checkpoint}, on {asked.train}, into {asked.out}")
    result = finetune(settings, asked.out, device=asked.device)
    picture = asked.out / f"{task.shown.split()[0].lower()}.png"
    with model_is_safe(asked.out):
        save_report(result, picture)
        print_finetuned(result)
    say()
    say(f"{task.shown}: {picture}")
    say("The best epoch was chosen by these figures; for fair ones, measure on texts that chose nothing.")


def run_fill_mask(asked: argparse.Namespace) -> None:
    """Print the five best pieces for each blank."""
    model = BertForMaskedLM.from_pretrained(asked.checkpoint)
    tokenizer = open_tokenizer(asked.checkpoint, model.config)
    for number, guesses in enumerate(fill_mask(model, tokenizer, asked.text), 1):
        say(f"[MASK] {number}")
        for guess in guesses:
            say(f"  {guess.probability:6.1%}  {guess.piece}")


def run_answer(asked: argparse.Namespace) -> None:
    """Print the best answer in each passage that was read, or that there is none."""
    passages = read_passages(asked.path)
    print_answers(answer_from(asked.checkpoint, asked.question, passages), passages)


def run_search(asked: argparse.Namespace) -> None:
    """Print the texts that are nearest to the query."""
    texts = read_passages(asked.path)
    hits, taught = search_texts(asked.checkpoint, texts, asked.query)
    for hit in hits:
        say(f"{hit.cosine:6.2f}  {texts[hit.text][:SHOWN]}")
    if not taught:
        say("Note: this checkpoint has not been taught to match texts (finetune matching); its order says little.")


def run_attention(asked: argparse.Namespace) -> None:
    """Write the page and say where it is."""
    page = explore_checkpoint(asked.checkpoint, asked.text, asked.pair, beside=asked.beside, also=asked.also)
    page.save(asked.out)
    say(f"Open {asked.out} in a browser: it needs no network.")


def run_explain(asked: argparse.Namespace) -> None:
    """Write the page and say where it is."""
    page = explain_checkpoint(asked.checkpoint, asked.text)
    page.save(asked.out)
    say(f"{page.name}: open {asked.out} in a browser; it needs no network.")


def run_evaluate(asked: argparse.Namespace) -> None:
    """Print a checkpoint's figures on the held-out part of a corpus."""
    evaluation, figures, note = evaluate(asked.checkpoint, asked.corpus)
    print_evaluation(evaluation, figures)
    if note:
        say(f"Note: {note}")


def run_info(asked: argparse.Namespace) -> None:
    """Print sizes, and parameters by part."""
    config, counts = info(asked.checkpoint)
    say(
        f"{config.num_hidden_layers} layers, {config.hidden_size} wide, {config.num_attention_heads} heads, "
        f"feed-forward {config.intermediate_size}, {config.vocab_size} pieces, "
        f"at most {config.max_position_embeddings} tokens"
    )
    for part, count in counts.items():
        say(f"  {part:24s}{count:>14,}{count / sum(counts.values()):8.1%}")
    say(f"  {'all':24s}{sum(counts.values()):>14,}")


def run_tokenize(asked: argparse.Namespace) -> None:
    """Print a text's pieces, one a line."""
    encoding = WordPieceTokenizer.from_pretrained(asked.checkpoint).encode(asked.text)
    for piece, number, (begin, end) in zip(encoding.tokens, encoding.ids, encoding.offsets, strict=True):
        say(f"{number:8d}  {piece:20s}  {asked.text[begin:end]}")
