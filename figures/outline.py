"""The book's outline, in the one place where code can read it: the map is drawn from it, and tests compare with it.

The numbers are fixed. A chapter's file is `chapters/<name>.ipynb`, its exercises `exercises/<name>/<name>.ipynb`.
"""

from pathlib import Path
from typing import NamedTuple

NOTEBOOKS = Path(__file__).parents[1] / "chapters"


class Chapter(NamedTuple):
    """A chapter: its file's name, a title short enough for the map, and the question that it answers."""

    name: str
    title: str
    question: str

    @property
    def number(self) -> str:
        """The two digits by which the package refers to the chapter."""
        return self.name[:2]


OUTLINE: dict[str, tuple[Chapter, ...]] = {
    "I Words in context": (
        Chapter("00_start_here", "Start here", "Can I train a BERT in a minute, and how good can it possibly get?"),
        Chapter(
            "01_words_in_context",
            "Words in context",
            "Why is one vector per word not enough, and why must both sides be read at once?",
        ),
        Chapter("02_wordpiece", "WordPiece", "How does text become pieces, and what does that cost other languages?"),
        Chapter("03_attention", "Attention", "What does one token take from the others?"),
        Chapter("04_encoder", "The encoder", "What else is in a BERT, and is ours the same as theirs?"),
    ),
    "II Pretraining": (
        Chapter(
            "05_masking",
            "Masking",
            "What can be learned from a blanked-out word, and how well can anyone guess it?",
        ),
        Chapter("06_next_sentence", "Next sentence", "What does next-sentence prediction teach: topic or order?"),
        Chapter(
            "07_pretraining",
            "Pretraining",
            "How do I pretrain on one GPU or a laptop, stop, resume, and know when to stop?",
        ),
    ),
    "III Fine-tuning": (
        Chapter("08_classification", "Classification", "What does pretraining buy when labels are few?"),
        Chapter("09_tagging", "Tagging", "Who and where: one label per token, through word pieces"),
        Chapter(
            "10_question_answering",
            "Question answering",
            "Where is the answer, is there one, and what if the text is too long?",
        ),
        Chapter("11_matching", "Matching", "Do two sentences belong together, and how do I search many?"),
        Chapter("12_writing", "Writing", "Summaries, generation, translation: what can an encoder alone not do?"),
    ),
    "IV Looking inside": (
        Chapter("13_seeing_attention", "Seeing attention", "What are the heads looking at?"),
        Chapter(
            "14_is_it_an_explanation",
            "Is it an explanation?",
            "Does attention explain the prediction? Ablation, gradients, rollout, probes with controls",
        ),
    ),
    "V Better BERTs": (
        Chapter("15_faster", "Faster", "Where does the time go, and how near the hardware's limit are we?"),
        Chapter(
            "16_recipes",
            "Recipes",
            "RoBERTa, ALBERT, ELECTRA, whole words, masking rates: which changes matter here, at equal compute?",
        ),
        Chapter("17_smaller", "Smaller", "Distil, prune, quantise: what is lost for what is saved?"),
        Chapter("18_wider", "Wider", "Other languages, domains, few labels, pictures, privacy"),
        Chapter("19_many_gpus", "Many GPUs", "The same run on many devices, and the proof that it is the same"),
        Chapter(
            "20_real_checkpoints",
            "Real checkpoints",
            "Hugging Face's checkpoints and data sets in, ours out",
        ),
    ),
    "VI Coda": (
        Chapter("21_what_explanations_get_wrong", "What explanations get wrong", "Forty popular claims, run"),
        Chapter(
            "22_questions_and_answers",
            "Questions and answers",
            "How do I choose learning rate, batch, length, size? The FAQs, each with a cell",
        ),
    ),
}

CHAPTERS: tuple[Chapter, ...] = tuple(chapter for part in OUTLINE.values() for chapter in part)


def written() -> list[Chapter]:
    """The chapters that are there to be read."""
    return [chapter for chapter in CHAPTERS if (NOTEBOOKS / f"{chapter.name}.ipynb").is_file()]
