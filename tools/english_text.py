"""Lay the text out that the English model is pretrained on: one .jsonl file of shuffled documents.

The folder holds `train-*.jsonl.xz`, a document a line, with its paragraphs in `text`, an empty line between two.

    python tools/english_text.py FOLDER english.jsonl --twice train-gov

Left out are paragraphs with square brackets (an editor's remarks) and those of which a tenth is digits (accounts and
tables). Files named after `--twice` are read twice as often as the others.
"""

import argparse
import json
import lzma
import random
from collections.abc import Iterator
from pathlib import Path


def wanted(paragraph: str) -> bool:
    """Say whether a paragraph is running text."""
    digits = sum(char.isdigit() for char in paragraph)
    return bool(paragraph.strip()) and "[" not in paragraph and 10 * digits < len(paragraph)


def read_documents(path: Path) -> Iterator[str]:
    """Read the documents of one file, without the paragraphs that are not wanted."""
    with lzma.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            paragraphs = filter(wanted, json.loads(line)["text"].split("\n\n"))
            if text := "\n\n".join(paragraphs):
                yield text


def main() -> None:
    """Read, shuffle, write, and say how much it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--twice", nargs="*", default=[], metavar="NAME", help="files to read twice, without .jsonl.xz")
    parser.add_argument("--seed", type=int, default=0, help="of the order (default 0)")
    asked = parser.parse_args()
    documents = []
    for path in sorted(asked.folder.glob("train-*.jsonl.xz")):
        found = list(read_documents(path))
        times = 2 if path.name.removesuffix(".jsonl.xz") in asked.twice else 1
        documents += times * found
        print(f"{path.name}: {len(found):,} documents, {sum(len(text.split()) for text in found):,} words, {times} x")
    random.Random(asked.seed).shuffle(documents)
    with asked.out.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in documents)


if __name__ == "__main__":
    main()
