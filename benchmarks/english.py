"""What the English model that ships with the book knows: held-out text, blanks, minimal pairs, prejudice.

    python benchmarks/english.py english --text FOLDER --probes FOLDER/probe_sentences.txt --write english.md

The texts are not part of the repository: FOLDER holds `valid-*.jsonl.xz` and `train-*.jsonl.xz`, see
`tools/english_text.py`. A file of probes has a sentence a line, a [MASK] in it and the expected word in brackets at the
end. Beside the model stand the frequencies of the pieces in the training text (*unigram*) and any checkpoint that
--beside names. A model gets a blank right if it gives the expected piece, case apart; words that are no single piece
cannot be got.
"""

import argparse
import json
import lzma
import math
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from statistics import median
from typing import NamedTuple

import torch
from common import circumstances, publish, table
from english_pairs import BAD, CHARACTERS, GOOD, GROUPS, HE_OR_SHE, OCCUPATIONS, minimal_pairs
from torch import Tensor

from bertmini import (
    BertForMaskedLM,
    ListCorpus,
    Masking,
    PretrainingStream,
    TextPairs,
    WordPieceTokenizer,
    fill_mask,
)
from bertmini.data.corpora.documents import record_document
from bertmini.data.corpora.text_files import Document
from bertmini.files import find_checkpoint
from bertmini.runs.held_out import Evaluation, count_pieces

OWN = Path(__file__).parent / "english_cloze.txt"
PROBE = re.compile(r"(?P<text>.*\[MASK\].*) \((?P<word>[^()]+)\)")
LONGEST = 128
SEED = 2_026


class Reader:
    """A checkpoint with its tokenizer; answers one blank at a time."""

    def __init__(self, checkpoint: str) -> None:
        """Load it, and say how long that took."""
        begin = time.perf_counter()
        self.model = BertForMaskedLM.from_pretrained(checkpoint)
        self.tokenizer = WordPieceTokenizer.from_pretrained(checkpoint)
        self.seconds_to_load = time.perf_counter() - begin
        self.name = Path(checkpoint).name

    @torch.inference_mode()
    def log_probabilities(self, text: str) -> Tensor:
        """Score every piece at the one blank of a text: (V,)."""
        ids = self.tokenizer.encode(text).ids
        place = torch.tensor([ids.index(self.tokenizer.mask_id)])
        return self.model(torch.tensor([ids]), places=place).logits[0].log_softmax(-1)

    def piece(self, word: str) -> int | None:
        """Find the id of a word that is one piece."""
        (*more, last) = self.tokenizer.encode_ids([word])[0]
        return None if more or last == self.tokenizer.unk_id else last


class Frequencies(Reader):
    """The same tokenizer, but every blank gets the frequencies of the training text."""

    def __init__(self, reader: Reader, counts: Tensor) -> None:
        """Take a reader's tokenizer, and how often each piece stands in the training text."""
        self.tokenizer, self.name = reader.tokenizer, "unigram"
        counts = counts.index_fill(0, torch.tensor(sorted(self.tokenizer.special_ids)), 0)
        self.scores = ((counts + 1) / (counts + 1).sum()).log()

    def log_probabilities(self, text: str) -> Tensor:  # noqa: ARG002
        """Give the frequencies, whatever the text."""
        return self.scores


# ---- speed ----


def report_speed(checkpoint: str, reader: Reader, rounds: int = 5) -> str:
    """Time loading, and our hundred blanks, filled one sentence after the other; the median of a few rounds."""
    size = (find_checkpoint(checkpoint) / "model.safetensors").stat().st_size
    blanks = read_blanks(OWN)
    seconds = []
    for _ in range(rounds):
        begin = time.perf_counter()
        for blank in blanks:
            fill_mask(reader.model, reader.tokenizer, blank.text)
        seconds.append(time.perf_counter() - begin)
    return (
        f"{size / 1e6:.1f} MB of weights, loaded with the tokenizer in {reader.seconds_to_load:.2f} s; "
        f"{len(blanks) / median(seconds):,.0f} sentences a second filled in, one at a time."
    )


# ---- held-out text ----


def documents_in(path: Path) -> Iterator[Document]:
    """Read a file's documents, split into sentences."""
    with lzma.open(path, "rt", encoding="utf-8") as file:
        yield from (record_document(json.loads(line)) for line in file)


def count_training(folder: Path, tokenizer: WordPieceTokenizer, documents: int = 400) -> Tensor:
    """Count pieces in the first documents of each training file."""
    found = chain.from_iterable(islice(documents_in(path), documents) for path in sorted(folder.glob("train-*")))
    return count_pieces(tokenizer.encode_ids([line for document in found for line in document]), len(tokenizer))


def report_text(reader: Reader, folder: Path, counts: Tensor) -> str:
    """Mask 15 % of each held-out file, all of it, and guess."""
    rows = []
    for path in sorted(folder.glob("valid-*.jsonl.xz")):
        documents = list(documents_in(path))
        longest = min(LONGEST, reader.model.config.max_position_embeddings)
        source = TextPairs(ListCorpus(documents), reader.tokenizer, max_length=longest, single=True, chunk_chars=10**9)
        masking = Masking(reader.tokenizer.pieces)
        stream = PretrainingStream(source, reader.tokenizer, masking, batch_size=32, row_length=longest, seed=SEED)
        texts = len(source.pairs(None, torch.Generator().manual_seed(SEED))[0])
        evaluation = Evaluation(list(islice(stream, texts // 32)), counts)
        begin = time.perf_counter()
        with torch.inference_mode():
            figures = evaluation(reader.model)
        seconds = time.perf_counter() - begin
        tokens = sum(int((batch["attention_mask"] > 0).sum()) for batch in evaluation.batches)
        loss, accuracy = figures["held_out_mlm_loss"], figures["masked_accuracy"]
        base = evaluation.baselines
        rows.append(
            [path.name.split(".")[0].removeprefix("valid-"), f"{evaluation.scored:,}", f"{loss:.3f}",
             f"{math.exp(loss):.1f}", f"{accuracy:.1%}", f"{base.unigram_loss:.3f}", f"{base.commonest_accuracy:.1%}",
             f"{tokens / seconds:,.0f}"]
        )  # fmt: skip
    heading = ["source", "hidden pieces", "loss, nats", "perplexity", "accuracy", "unigram loss", "commonest piece",
               "tokens/s"]  # fmt: skip
    return "## Held-out text\n\n" + table(heading, rows)


# ---- blanks ----


class Blank(NamedTuple):
    """A sentence with a blank and the expected word."""

    text: str
    word: str


def read_blanks(path: Path) -> list[Blank]:
    """Read a file of probes; lines that begin with # are headings."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    found = [PROBE.fullmatch(line) for line in lines]
    if None in found:
        raise ValueError(f"{path}: {lines[found.index(None)]!r} is no sentence with a [MASK] and a word in brackets")
    return [Blank(match["text"], match["word"]) for match in found if match]


def rank(reader: Reader, blank: Blank) -> int | None:
    """Say how many pieces are at least as probable as the expected one; None where it is no piece."""
    piece = reader.piece(blank.word)
    scores = reader.log_probabilities(blank.text)
    return None if piece is None else int((scores >= scores[piece]).sum())


def report_blanks(readers: Sequence[Reader], blanks: Sequence[Blank], title: str, *, listed: bool = False) -> str:
    """Count how often the expected word comes first and among the first five; list the first reader's guesses."""
    rows, lines = [], []
    for reader in readers:
        ranks = [rank(reader, blank) for blank in blanks]
        hits = [sum(place is not None and place <= most for place in ranks) for most in (1, 5)]
        rows.append([reader.name, *(f"{hit} of {len(ranks)}" for hit in hits), str(ranks.count(None))])
    first = readers[0]
    for blank in blanks:
        best = first.log_probabilities(blank.text).topk(5).indices.tolist()
        guesses = " ".join(first.tokenizer.convert_ids_to_tokens(best))
        lines.append(f"    {blank.text} ({blank.word}): {guesses}")
    counts = table(["model", "top 1", "top 5", "not one piece"], rows)
    return "\n\n".join([f"## {title}", counts, *(["\n".join(lines)] if listed else [])])


# ---- minimal pairs ----


def wilson(hits: int, trials: int) -> str:
    """Spell a share and its 95 % interval (Wilson 1927); a dash where nothing was tried."""
    if trials == 0:
        return "-"
    share, z = hits / trials, 1.96
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2))
    return f"{share:.1%} ({middle - half:.0%} to {middle + half:.0%})"


def report_pairs(readers: Sequence[Reader]) -> str:
    """Compare the probabilities of the fitting and of the other word, where each of them is a single piece."""
    right: list[defaultdict[str, list[bool]]] = [defaultdict(list) for _ in readers]
    for (group, text, fits, other), (results, reader) in (
        (pair, one) for pair in minimal_pairs() for one in zip(right, readers, strict=True)
    ):
        places = [reader.piece(fits), reader.piece(other)]
        if None not in places:
            scores = reader.log_probabilities(text)[places]
            results[group].append(bool(scores[0] > scores[1]))
    every = {group: [some[group] for some in right] for group in right[0]}
    every["all"] = [[hit for hits in some.values() for hit in hits] for some in right]
    rows = []
    for group, hits in every.items():
        tried = len(hits[0])
        of_fewer = [f" of {len(some)}" if 0 < len(some) != tried else "" for some in hits]
        shares = [wilson(sum(some), len(some)) + fewer for some, fewer in zip(hits, of_fewer, strict=True)]
        rows.append([group, str(tried), *shares])
    legend = (
        "The word that fits is more probable than the other; 95 % intervals. A pair counts where both words are single "
        "pieces: *of 36* says that fewer did for this model, a dash that none did."
    )
    return f"## Minimal pairs\n\n{legend}\n\n" + table(["what", "pairs", *(reader.name for reader in readers)], rows)


# ---- prejudice ----


def share_of(reader: Reader, texts: Sequence[str], some: Sequence[str], others: Sequence[str]) -> float:
    """Compute the mean share of `some` words' probability in that of both lists, over texts."""
    sides = [[piece for word in words if (piece := reader.piece(word)) is not None] for words in (some, others)]
    shares = []
    for text in texts:
        one, other = (float(reader.log_probabilities(text)[side].logsumexp(-1)) for side in sides)
        shares.append(1 / (1 + math.exp(other - one)))
    return sum(shares) / len(shares)


def report_prejudice(reader: Reader) -> str:
    """Measure which pronoun follows an occupation, and how friendly the adjectives are that follow a group's name."""
    he = {
        job: share_of(reader, [text.format(job) for text in HE_OR_SHE], ["he"], ["she"])
        for job in ["person", *OCCUPATIONS]
    }
    good = {
        group: share_of(reader, [text.format(group).replace(" .", ".") for text in CHARACTERS], GOOD, BAD)
        for group in GROUPS
    }
    listed = [", ".join(f"{name} {share:.0%}" for name, share in sorted(some.items(), key=lambda x: -x[1]))
              for some in (he, good)]  # fmt: skip
    return (
        f"## Prejudice\n\n*He* as a share of *he* and *she*, mean of {len(HE_OR_SHE)} sentences:\n{listed[0]}.\n\n"
        f"Ten friendly adjectives as a share of these and ten unfriendly ones, mean of {len(CHARACTERS)} sentences\n"
        f"(a man, a woman, the people of a town): {listed[1]}."
    )


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", nargs="?", default="english")
    parser.add_argument("--text", type=Path, help="folder of train-*.jsonl.xz and valid-*.jsonl.xz")
    parser.add_argument("--probes", type=Path, help="another file of sentences with blanks")
    parser.add_argument("--beside", nargs="*", default=[], help="checkpoints that fill the same blanks")
    parser.add_argument("--write", metavar="NAME", help="store the report under results/NAME")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    heading = f"# The English model: {Path(asked.checkpoint).name}\n\n{circumstances(torch.device('cpu'))}"
    publish("\n\n".join([heading, *report_knowledge(asked)]), asked.write)


def report_knowledge(asked: argparse.Namespace) -> list[str]:
    """Report on everything for which there are files."""
    reader = Reader(asked.checkpoint)
    parts = [report_speed(asked.checkpoint, reader)]
    readers = [reader]
    if asked.text is not None:
        counts = count_training(asked.text, reader.tokenizer)
        parts.append(report_text(reader, asked.text, counts))
        readers.append(Frequencies(reader, counts))
    readers += map(Reader, asked.beside)
    if asked.probes is not None:
        blanks = read_blanks(asked.probes)
        parts.append(report_blanks(readers, blanks[:40], "The first 40 probes given"))
        parts.append(report_blanks(readers, blanks[40:], "The other probes given, which ask for facts"))
    parts.append(report_blanks(readers, read_blanks(OWN), "A hundred blanks of our own", listed=True))
    return [*parts, report_pairs(readers), report_prejudice(reader)]


if __name__ == "__main__":
    main()
