"""How many pieces the same text takes in two languages, and how much of it is [UNK]: XQuAD in English and Chinese.

XQuAD holds the same paragraphs and questions in many languages. The first half of its articles is for learning
vocabularies, from both languages in unequal shares of lines; the second half is measured, with these and with the
English vocabulary that ships with the book. DATA is a folder with xquad.en.json and xquad.zh.json.

    python benchmarks/pieces.py DATA --write pieces.md
"""

import argparse
import json
from pathlib import Path

import torch
from common import circumstances, store, table

from bertmini import WordPieceTokenizer
from bertmini.data.vocabulary import fold_words

LANGUAGES = ("en", "zh")
SHARES = (0.5, 0.95, 0.99)  # of English
VOCABULARY = 8_192


def read(folder: Path, language: str) -> tuple[list[str], list[str]]:
    """Paragraphs and questions, of the first and of the second half of the articles."""
    articles = json.loads((folder / f"xquad.{language}.json").read_text(encoding="utf-8"))["data"]
    halves = []
    for part in (articles[: len(articles) // 2], articles[len(articles) // 2 :]):
        paragraphs = [paragraph for article in part for paragraph in article["paragraphs"]]
        questions = [asked["question"] for paragraph in paragraphs for asked in paragraph["qas"]]
        halves.append([paragraph["context"] for paragraph in paragraphs] + questions)
    return halves[0], halves[1]


def measure(tokenizer: WordPieceTokenizer, texts: list[str]) -> tuple[int, float]:
    """How many pieces all texts take, and which share of them is [UNK]."""
    ids = [number for row in tokenizer.encode_ids(texts) for number in row]
    return len(ids), sum(number == tokenizer.unk_id for number in ids) / len(ids)


def main() -> None:
    """Print the table, and store it if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with xquad.en.json and xquad.zh.json")
    parser.add_argument("--write", metavar="NAME", help="store the table under results/NAME")
    asked = parser.parse_args()
    learn, tested = zip(*(read(asked.data, language) for language in LANGUAGES), strict=True)
    tokenizers = {"English, ships with the book": WordPieceTokenizer.from_pretrained("english")}
    for share in SHARES:
        count = min(map(len, learn))
        mixed = learn[0][: round(share * count)] + learn[1][: round((1 - share) * count)]
        name = f"learned here, {share:.0%} English"
        tokenizers[name] = WordPieceTokenizer.train(mixed, VOCABULARY, min_frequency=1, exact=False)
    rows = []
    for name, tokenizer in tokenizers.items():
        english, chinese = (measure(tokenizer, texts) for texts in tested)
        row = [f"{english[0]:,}", f"{chinese[0]:,}", f"{chinese[0] / english[0]:.2f}"]
        rows.append([name, str(len(tokenizer)), *row, f"{english[1]:.1%}", f"{chinese[1]:.1%}"])
    heading = ["vocabulary", "pieces", "English", "Chinese", "Chinese / English", "[UNK] English", "[UNK] Chinese"]
    words = fold_words(tested[0])[0].total()
    notes = (
        f"{len(tested[0])} paragraphs and questions in each language, of which no vocabulary has seen any. The English "
        f"ones have {words:,} words and punctuation marks."
    )
    report = "\n\n".join(
        ["# The same text in two languages", circumstances(torch.device("cpu")), notes, table(heading, rows)]
    )
    print(report)
    if asked.write:
        store(asked.write, report)


if __name__ == "__main__":
    main()
