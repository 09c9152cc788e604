"""Three checks on what chapter 08 says of pretraining and few labels, five seeds each.

**Sentences not seen.** The world is small, and test sentences stand among the labelled ones, word for word. The scores
of `classification.py` at 64 and at 1,024 labels once more, on all of the test and on the sentences that are not there.

**Shuffled reviews.** In a review the second sentence goes with the first: praise with the good, blame with the bad. A
control pretrains on the same reviews with their second sentences shuffled within each batch, so that every sentence
stays as it is and the link is gone. Then 48 labels that mention six adjectives, tested on sentences with the others,
and the share of the other 74 word vectors that lie on their own side of the middle between the six.

**Prompts.** No label at all: the sentence and "so the [MASK] critics [MASK] it [MASK].", the second blank read, in
three layouts: as one text, with a [SEP] between the two, and with that [SEP] and the second segment's number.

The encoders are those of `fine_tuning.py`, kept in the same folder.

    python benchmarks/few_labels.py --rows runs/fine_tuning --seeds 0 1 2 3 4
    python benchmarks/few_labels.py --rows runs/fine_tuning --write few_labels.md
"""

import argparse
import json
import time
from pathlib import Path

import torch
from classification import SIX, Bench, Reviews, all_answers, pretrain
from common import circumstances, publish, spread, table
from fine_tuning import LABELLED, pretrained_once
from torch import Tensor

from bertmini.data.tables import LabelledText
from bertmini.microworld import split_generator
from bertmini.model.pretraining import BertForPreTraining

PROMPT = "so the [MASK] critics [MASK] it [MASK]."
WORDS = {"bad": ("hated", "returned", "buried"), "good": ("praised", "loved", "kept")}
Row = dict[str, object]


class Shuffled(Reviews):
    """Reviews whose second sentences have been shuffled within each batch."""

    def texts(self) -> list[str]:
        """Draw 64 reviews and shuffle what follows their first sentence."""
        cut = [text.split(". ", 1) for text in super().texts()]
        order = torch.randperm(len(cut), generator=self.generator).tolist()
        return [f"{first}. {cut[other][1]}" for (first, _), other in zip(cut, order, strict=True)]


def not_seen(bench: Bench, pretrained: BertForPreTraining, seed: int) -> list[Row]:
    """Score the methods on all of the test, and on the sentences that are not among the labelled ones."""
    rows: list[Row] = []
    drawn = bench.draw("polarity", 1_024, split_generator("train", 100 + seed))
    for size in (LABELLED, 1_024):
        known = {example.text for example in drawn[:size]}
        new = torch.tensor([example.text not in known for example in bench.examples["polarity"]])
        repeated = 1 - float(new.float().mean())
        for method, answers in all_answers(bench, "polarity", drawn[:size], pretrained, seed).items():
            scores = {"all": bench.score("polarity", answers), "new": bench.score("polarity", answers, new)}
            rows.append({"what": "not seen", "labels": size, "method": method, "repeated": repeated} | scores)
    return rows


def six_adjectives(bench: Bench, pretrained: BertForPreTraining, seed: int, reviews: str) -> list[Row]:
    """Train on sentences with six adjectives, test on those with the others; and look at the word vectors."""
    pool = bench.draw("polarity", 4_000, split_generator("train", 200 + seed))
    covered = [example for example in pool if bench.words_of(example) <= SIX][:48]
    unseen = torch.tensor([not bench.words_of(example) & SIX for example in bench.examples["polarity"]])
    answers = all_answers(bench, "polarity", covered, pretrained, seed)
    scores = {method: bench.score("polarity", answers[method], unseen) for method in ("frozen", "fine-tuned")}
    return [{"what": "reviews", "reviews": reviews, "sorted": share_sorted(bench, pretrained)} | scores]


def share_sorted(bench: Bench, pretrained: BertForPreTraining) -> float:
    """Take the share of the other adjectives that lie on their own side of the middle between the six."""
    kinds: dict[str, list[str]] = {"good": [], "bad": []}
    for name in ("Common", "Rare"):
        for rule in bench.world.grammar.rules[name]:
            kinds[rule.parameters[0]] += [item.name for way in rule.alternatives for item in way.items]
    vectors = pretrained.bert.embeddings.word.weight.detach()

    def of(words: list[str]) -> Tensor:
        return vectors[bench.tokenizer.convert_tokens_to_ids(words)]

    good, bad = (of([word for word in kinds[mood] if word in SIX]).mean(0) for mood in ("good", "bad"))
    right = [
        ((of([word for word in words if word not in SIX]) - (good + bad) / 2) @ (good - bad) > 0) == (mood == "good")
        for mood, words in kinds.items()
    ]
    return float(torch.cat(right).float().mean())


@torch.no_grad()
def prompts(bench: Bench, pretrained: BertForPreTraining) -> list[Row]:
    """Ask the head for hidden words, in three layouts."""
    examples, labels = bench.examples["polarity"], bench.labels["polarity"]
    negated = torch.tensor([" not " in example.text for example in examples])
    one = bench.batch([LabelledText(f"{text} {PROMPT}", None, label) for text, _, label in examples], labels)
    two = bench.batch([LabelledText(text, PROMPT, label) for text, _, label in examples], labels)
    layouts = {
        "one text": one,
        "a [SEP] between": two | {"token_type_ids": torch.zeros_like(two["token_type_ids"])},
        "a [SEP] and segment 1": two,
    }
    rows: list[Row] = []
    for layout, batch in layouts.items():
        ids, mask = batch["input_ids"], batch["attention_mask"]
        logits = pretrained(ids, batch["token_type_ids"], mask).prediction_logits
        said = logits[ids == bench.tokenizer.mask_id].softmax(-1)[1::3]
        sums = [said[:, bench.tokenizer.convert_tokens_to_ids(list(WORDS[label]))].sum(1) for label in labels]
        answers = torch.stack(sums, 1).argmax(1)
        scores = {"all": bench.score("polarity", answers), "negated": bench.score("polarity", answers, negated)}
        rows.append({"what": "prompts", "layout": layout} | scores)
    return rows


def run_seed(bench: Bench, seed: int, folder: Path) -> list[Row]:
    """Run everything for one seed."""
    pretrained = pretrained_once(bench, seed, folder)
    rows = [*not_seen(bench, pretrained, seed), *prompts(bench, pretrained)]
    shuffled = pretrain(bench, seed, Shuffled(bench, seed))
    for reviews, model in (("as they are", pretrained), ("second sentences shuffled", shuffled)):
        rows += six_adjectives(bench, model, seed, reviews)
    return rows


def summary(rows: list[Row]) -> str:
    """The tables: medians and ranges of the seeds."""

    def cells(here: list[Row], *columns: str) -> list[str]:
        return [spread([float(str(row[column])) for row in here], ".3f") for column in columns]

    def part(title: str, what: str, keys: tuple[str, ...], heading: list[str], columns: tuple[str, ...]) -> str:
        here = [row for row in rows if row["what"] == what]
        groups = dict.fromkeys(tuple(row[key] for key in keys) for row in here)
        lines = [
            [", ".join(map(str, group)), *cells([r for r in here if tuple(r[key] for key in keys) == group], *columns)]
            for group in groups
        ]
        return f"## {title}\n\n" + table(heading, lines)

    return "\n\n".join(
        [
            part(
                "Sentences not seen", "not seen", ("labels", "method"),
                ["labels, method", "test sentences repeated", "score", "on those not seen"], ("repeated", "all", "new"),
            ),
            part(
                "Shuffled reviews", "reviews", ("reviews",),
                ["reviews", "adjectives on their side", "frozen", "fine-tuned"], ("sorted", "frozen", "fine-tuned"),
            ),
            part("Prompts", "prompts", ("layout",), ["layout", "score", "sentences with not"], ("all", "negated")),
        ]
    )  # fmt: skip


def main() -> None:
    """Run the seeds that are asked for, and make the tables of all that have been run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=[])
    parser.add_argument("--rows", type=Path, required=True, help="a folder that keeps rows and pretrained weights")
    parser.add_argument("--write", metavar="NAME", help="store the tables under results/NAME")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    asked.rows.mkdir(parents=True, exist_ok=True)
    bench = Bench() if asked.seeds else None
    for seed in asked.seeds:
        assert bench is not None
        begin = time.process_time()
        (asked.rows / f"few{seed}.rows").write_text(json.dumps(run_seed(bench, seed, asked.rows)), encoding="utf-8")
        print(f"seed {seed}: {time.process_time() - begin:.0f} s of processor time", flush=True)
    rows = [row for path in sorted(asked.rows.glob("few*.rows")) for row in json.loads(path.read_text())]
    text = "\n\n".join(
        [
            "# Few labels: three checks",
            f"{circumstances(torch.device('cpu'))}. Median and range of the seeds.",
            summary(rows),
        ]
    )
    publish(text, asked.write)


if __name__ == "__main__":
    main()
