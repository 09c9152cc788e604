r"""What the command line prints: results as lines of text, and every line through one door.

The door, `say`, shows what a terminal would obey: escape sequences, carriage returns and the marks that turn the
direction of writing stand there as `\x1b` and the like, so that a crafted vocabulary or class name can neither clear a
screen nor hide a line. `prepare_streams` has letters spelled out that the terminal or the file cannot hold.
"""

import contextlib
import io
import re
import sys
from collections.abc import Sequence

from bertmini.metrics import class_report, macro_f1
from bertmini.runs.answer import FinetunedReader, Found
from bertmini.runs.classify import Finetuned
from bertmini.runs.fill_mask import Guess
from bertmini.runs.held_out import Evaluation
from bertmini.runs.match import FinetunedMatcher
from bertmini.runs.pretrain import Filled, Run
from bertmini.runs.tag import FinetunedTagger

AROUND = 40  # characters shown before and after an answer
# Control characters, line and paragraph ends, half surrogate pairs, and the marks that turn the direction of writing.
_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def prepare_streams() -> None:
    """Let output and errors spell out (`\\u65e5`) what their encoding lacks, such as cp1252 in a file on Windows."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def visible(text: str) -> str:
    r"""The text on one line, with escapes for what a terminal would obey instead of showing.

    >>> visible("a\x1b[2Jb\n")
    'a\\x1b[2Jb\\n'
    """
    return _OBEYED.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), text)


def say(line: str = "", *, error: bool = False) -> None:
    """Print one line; an error goes to the errors, and if nobody reads them, that is no error of its own.

    Raises `BrokenPipeError` where nobody reads the output any more, `OSError` where it does not arrive otherwise.
    """
    try:
        print(visible(line), file=sys.stderr if error else sys.stdout)
    except OSError as problem:
        if error:
            return
        if isinstance(problem, BrokenPipeError):
            raise
        raise OSError(f"the output was not written: {problem}") from problem


def announce(line: str) -> None:
    """Print what is about to be done; it is done whether anybody reads this or not."""
    with contextlib.suppress(BrokenPipeError):
        say(line)


def print_run(run: Run, filled: list[Filled]) -> None:
    """Print what a finished run can do."""
    if run.materials.note:
        say(f"Note: {run.materials.note}")
    print_evaluation(run.materials.evaluation, run.history.rows[-1])
    say()
    say("Filled in, in sentences that it has never seen:")
    for text, hidden, guesses in filled:
        say(f"  {text}")
        say(f"    {spell_guesses(guesses)}   (it was: {hidden})")


def print_evaluation(evaluation: Evaluation, figures: dict[str, float]) -> None:
    """Print held-out figures, each beside what can be had without a model and, in the microworld, the best possible."""
    best = evaluation.floor
    unigram, commonest = evaluation.baselines
    rows = [
        ("masked-LM loss, nats", "held_out_mlm_loss", "{:.3f}", f"unigram {unigram:.3f}"),
        ("hidden pieces guessed", "masked_accuracy", "{:.1%}", f"commonest {commonest:.1%}"),
        ("next sentence or not", "next_sentence_accuracy", "{:.1%}", "coin 50.0%"),
    ]
    say(f"Text that it has not seen, {evaluation.scored:,} hidden pieces:")
    for title, name, form, without in rows:
        if name not in figures:  # without pairs there is no next sentence
            continue
        possible = f", best possible {form.format(best[name])}" if best else ""
        say(f"  {title:24s}{form.format(figures[name]):>8s}   ({without}{possible})")
    if best:
        distance = f"{figures['kl']:.4f} ± {figures['kl_error']:.4f}"
        say(f"  {'distance from the best':24s}{distance:>17s} nats (KL divergence, one standard error)")


def spell_guesses(guesses: list[Guess]) -> str:
    """Write guesses on a line."""
    return ", ".join(f"{guess.piece} {guess.probability:.0%}" for guess in guesses)


def print_finetuned(result: Finetuned | FinetunedTagger | FinetunedReader | FinetunedMatcher) -> None:
    """Print how a fine-tuning went, as its task has it."""
    if isinstance(result, Finetuned):
        print_classifier(result)
    elif isinstance(result, FinetunedTagger):
        print_tagger(result)
    elif isinstance(result, FinetunedReader):
        print_reader(result)
    else:
        print_matcher(result)


def print_classifier(result: Finetuned) -> None:
    """Print how each epoch did and what the best one takes for what."""
    for note in result.notes:
        say(f"Note: {note}")
    say(f"Judged on {result.settings.eval}, {int(result.matrix.sum()):,} examples:")
    say("  epoch  loss, nats  accuracy")
    for epoch in result.epochs:
        remark = "  before training" if epoch.number == 0 else "  best, kept" if epoch == result.best else ""
        say(f"  {epoch.number:5d}  {epoch.loss:10.3f}  {epoch.accuracy:8.1%}{remark}")
    report = class_report(result.matrix, result.model.config.labels)
    width = max(5, *(len(visible(scores.label)) for scores in report))
    say()
    say(f"  {'class':{width}s}  precision  recall     F1  examples")
    for scores in report:
        say(
            f"  {visible(scores.label):{width}s}  {scores.precision:9.1%}  {scores.recall:6.1%}  {scores.f1:5.1%}  "
            f"{scores.support:8,}"
        )
    commonest = max(scores.support for scores in report) / int(result.matrix.sum())
    say(
        f"  accuracy {result.best.accuracy:.1%} (always the commonest class: {commonest:.1%}), "
        f"mean F1 {macro_f1(report):.1%}, calibration error {result.calibration_error:.1%}"
    )


def print_tagger(result: FinetunedTagger) -> None:
    """Print how each epoch did and which entities the best one finds."""
    for note in result.notes:
        say(f"Note: {note}")
    words = int(result.matrix.sum())
    say(f"Judged on {result.settings.eval}, {words:,} words:")
    say("  epoch  loss, nats  words right  entity F1")
    for epoch in result.epochs:
        remark = "  before training" if epoch.number == 0 else "  best, kept" if epoch == result.best else ""
        say(f"  {epoch.number:5d}  {epoch.loss:10.3f}  {epoch.accuracy:11.1%}  {epoch.f1:9.1%}{remark}")
    width = max(8, *(len(visible(scores.label)) for scores in result.scores))
    say()
    say(f"  {'entities':{width}s}  precision  recall     F1  there are")
    for scores in result.scores:
        say(
            f"  {visible(scores.label):{width}s}  {scores.precision:9.1%}  {scores.recall:6.1%}  {scores.f1:5.1%}  "
            f"{scores.support:9,}"
        )
    outside = int(result.matrix[0].sum()) / words
    say(f"  words right {result.best.accuracy:.1%} (always O: {outside:.1%}, and not one entity)")


def print_reader(result: FinetunedReader) -> None:
    """Print how each epoch did and how well the best one answers, with and without an answer in the passage."""
    for note in result.notes:
        say(f"Note: {note}")
    without, having = result.matrix.sum(1).tolist()
    say(f"Judged on {result.settings.eval}, {without + having:,} questions:")
    say("  epoch  loss, nats  exact match     F1")
    for epoch in result.epochs:
        remark = "  before training" if epoch.number == 0 else "  best, kept" if epoch == result.best else ""
        say(f"  {epoch.number:5d}  {epoch.loss:10.3f}  {epoch.exact:11.1%}  {epoch.f1:5.1%}{remark}")
    scores = result.scores
    say()
    say(f"  {having:,} with an answer: exact match {scores.has_exact:.1%}, F1 {scores.has_f1:.1%}")
    say(f"  {without:,} without: {scores.no_exact:.1%} left open (always: {without / (without + having):.1%} right)")
    say(f"  answers if the best span scores {result.threshold:.2f} more than the null answer")


def print_matcher(result: FinetunedMatcher) -> None:
    """Print how each epoch did, beside what counting common words reaches."""
    for note in result.notes:
        say(f"Note: {note}")
    say(f"Judged on {result.settings.eval}:")
    say(f"  epoch  loss  {result.judged_by}")
    for epoch in result.epochs:
        remark = "  before training" if epoch.number == 0 else "  best, kept" if epoch == result.best else ""
        say(f"  {epoch.number:5d}  {epoch.loss:.3f}  {epoch.score:.3f}{remark}")
    say(f"  common words alone: {result.common_words:.3f}")


def print_answers(found: Sequence[Found], passages: Sequence[str]) -> None:
    """Print the best answer of each passage that was read, with what stands around it."""
    if not any(one.convincing for one in found):
        say(f"No answer in {len(passages):,} passages. The nearest:")
    for one in found:
        begin, end = one.answer.characters
        passage = passages[one.passage]
        before, after = passage[max(0, begin - AROUND) : begin], passage[end : end + AROUND]
        say(f"{one.margin:8.2f}  {before}[{one.answer.text}]{after}")
