"""Draw an examination paper and its answer key from a seed that only the teacher knows.

    python -m tools.exam --seed "a sentence nobody guesses" --chapters 03 05 --out exam/

The questions' texts are public, their numbers and answers are not: both follow from the seed. Two pages are written,
`paper.html` and `key.html`, to be opened or printed from any browser. Anyone who has the seed has the key, so it should be
long, and another one for each group.
"""

import argparse
import hashlib
import random
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from markdown_it import MarkdownIt

from tools.exam import (
    answers,
    explaining,
    matching,
    pretraining,
    tagging,
    using_and_seeing,
    words_in_context,
    writing,
)
from tools.exam.question import Maker, Question

BANK: dict[str, tuple[Maker, ...]] = {
    "00": (words_in_context.cost_of_guesses, words_in_context.floor_of_a_blank),
    "01": (words_in_context.one_row_for_two_senses, words_in_context.one_side_and_both),
    "02": (words_in_context.longest_pieces, words_in_context.count_or_score),
    "03": (words_in_context.attention_by_hand, words_in_context.shapes_of_attention),
    "04": (words_in_context.parameters_of_an_encoder, words_in_context.layer_norm_by_hand),
    "05": (pretraining.fates_of_words, pretraining.word_seen_through_a_channel),
    "06": (pretraining.next_or_not, pretraining.ranking_and_threshold),
    "07": (
        pretraining.accumulated_loss,
        pretraining.budget_of_a_run,
        pretraining.warmed_up_rate,
        pretraining.perplexity,
    ),
    "08": (using_and_seeing.confusion, using_and_seeing.calibration, using_and_seeing.ceiling),
    "09": (tagging.entities_by_hand, tagging.best_legal_tags),
    "10": (answers.best_span, answers.windows, answers.reader_in_a_library),
    "11": (matching.pick_the_partner, matching.ranks_with_ties, matching.find_and_read),
    "12": (writing.blanks_at_once, writing.two_rows_no_joint, writing.rouge_by_hand),
    "13": (using_and_seeing.head_and_baseline, using_and_seeing.weights_and_values),
    "14": (explaining.third_word, explaining.drawn_anew),
}
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 11pt/1.45 Georgia, serif; max-width: 44em; margin: 2em auto; padding: 0 1em; }}
h1 {{ font-size: 1.4em; }} h2 {{ font-size: 1.05em; margin-top: 1.8em; }}
table {{ border-collapse: collapse; }} td, th {{ border: 1px solid #999; padding: 0.2em 0.7em; text-align: left; }}
section {{ break-inside: avoid; }} .room {{ height: 9em; }}
@media screen and (prefers-color-scheme: dark) {{ body {{ background: #181818; color: #eee; }} }}
</style>
{body}
</html>
"""


def draw_paper(seed: str, chapters: Sequence[str]) -> list[Question]:
    """The questions of some chapters, in order, with numbers of their own.

    Raises `ValueError` for a chapter that has none, or that is named twice, and for an empty seed.
    """
    if not seed:
        raise ValueError("the seed is empty; a sentence that nobody guesses makes a good one")
    for number in chapters:
        if number not in BANK:
            raise ValueError(f"there are no questions on chapter {number!r}; choose from {', '.join(BANK)}")
        if chapters.count(number) > 1:
            raise ValueError(f"chapter {number!r} is named twice")
    # Each question draws from a generator of its own: another choice of chapters leaves its numbers as they are.
    return [make(random.Random(f"{seed} {number} {make.__name__}")) for number in chapters for make in BANK[number]]


def mark_of(seed: str) -> str:
    """A few letters that are on the paper and on its key, so that they find each other, and do not tell the seed."""
    return hashlib.sha256(seed.encode()).hexdigest()[:6]


def page(title: str, parts: Iterable[str], *, room: bool) -> str:
    """One page of HTML from Markdown, with room for answers or without it."""
    markdown = MarkdownIt("commonmark").enable("table")
    blank = '<div class="room"></div>' if room else ""
    body = "\n".join(f"<section>{markdown.render(part)}{blank}</section>" for part in parts)
    return PAGE.format(title=title, body=f"<h1>{title}</h1>\n{body}")


def write_exam(seed: str, chapters: Sequence[str], folder: Path) -> list[Path]:
    """Write paper and key into a folder. Raises `ValueError` as `draw_paper` does."""
    questions = draw_paper(seed, chapters)
    whole = sum(question.points for question in questions)
    title = f"Chapters {', '.join(chapters)}: {whole} points, paper {mark_of(seed)}"
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, room in (("paper", True), ("key", False)):
        parts = [
            f"## {number}. {question.title} ({question.points} points)\n\n{question.asked}"
            + ("" if room else f"\n\n**Answer.** {question.answer}")
            for number, question in enumerate(questions, start=1)
        ]
        path = folder / f"{name}.html"
        path.write_text(page(title if room else f"Key. {title}", parts, room=room), encoding="utf-8", newline="\n")
        written.append(path)
    return written


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.exam", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", required=True, help="any text; keep it to yourself")
    parser.add_argument("--chapters", nargs="+", default=list(BANK), metavar="NN", help=f"some of {' '.join(BANK)}")
    parser.add_argument("--out", type=Path, default=Path("exam"), help="folder for paper.html and key.html")
    asked = parser.parse_args(arguments)
    try:
        written = write_exam(asked.seed, asked.chapters, asked.out)
    except ValueError as error:
        print(f"tools.exam: {error}", file=sys.stderr)
        return 2
    print("\n".join(map(str, written)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
