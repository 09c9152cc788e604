"""How fast a nano BERT comes near the exact optimum of the microworld, and what it then knows of each phenomenon.

The first table: wall time and KL from the optimum after two runs whose steps are meant to take about 30 and about 100
seconds (the second took 98 to 162 on machines alike by name), five seeds, median and spread; and, three seeds, after
a longer run for what two sentences say of each other. Such a relation is learned where nothing else gives the word
away, and that is rare at BERT's rate of masking: the longer run hides most of one sentence early on.
The second: for each kind of hidden word, how often the best possible guess, models of the two longer runs, an untrained
one and chance are right, three seeds. A guess is judged by its exact probability, not by the luck of the draw.

    python benchmarks/microworld.py --write microworld.md
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

import torch
from common import circumstances, spread, store, table
from torch import Tensor

from bertmini.config import IGNORED
from bertmini.data.batches import Batch
from bertmini.data.masking import Masked, Masking
from bertmini.data.pairs import Pair
from bertmini.data.pretraining import PretrainingStream, lay_out
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.microworld import Corruption, Floor, World, WorldPair, split_generator
from bertmini.model.pretraining import BertForPreTraining
from bertmini.runs.materials import EVALUATION_SEED
from bertmini.runs.pretrain import build_model, make_recipe
from bertmini.runs.settings import WORLD_SETTINGS, PretrainingSettings
from bertmini.runs.world import WorldEvaluation, WorldPairs, world_materials
from bertmini.training.loop import train
from bertmini.training.recipe import Recipe

TEST_BATCHES = 64  # of 256 pairs: rare surprises weigh much in a KL this small


class OneSentenceHidden(Masking):
    """Mask as BERT does, but score 80 % of one of the two sentences: what it said, the other has to tell."""

    def __init__(self, pieces: Sequence[str]) -> None:
        """Prepare for a vocabulary, see `Masking`."""
        super().__init__(pieces)
        self.heavy, self.sep_id = Masking(pieces, rate=0.8), pieces.index("[SEP]")

    def __call__(self, input_ids: Tensor, *, generator: torch.Generator) -> Masked:
        """Corrupt rows (B, S) of [CLS] A [SEP] B [SEP]: in half of them hide most of A, in the others of B."""
        usual = super().__call__(input_ids, generator=generator)
        heavy = self.heavy(input_ids, generator=generator)
        separators = input_ids == self.sep_id
        second = separators.cumsum(dim=1) > separators.long()  # behind the first [SEP]
        hidden = second == (torch.rand((len(input_ids), 1), generator=generator) < 0.5)
        return Masked(*(torch.where(hidden, *both) for both in zip(heavy, usual, strict=True)))


class Run(NamedTuple):
    """One trained model, how long that took, and how far it is from the optimum."""

    model: BertForPreTraining
    seconds: float
    kl: float
    standard_error: float


def train_once(settings: PretrainingSettings, threads: int, *, hide_sentences: bool = False) -> Run:
    """Train as `pretrain` does, without checkpoints, and measure once at the end.

    With `hide_sentences` the early share of the batches is masked by `OneSentenceHidden`.
    """
    torch.set_num_threads(threads)
    materials = world_materials(settings)
    if hide_sentences:
        materials.stream.early_masking = OneSentenceHidden(materials.tokenizer.pieces)
    model = build_model(settings, len(materials.tokenizer), materials.tokenizer.pad_id)
    begin = time.perf_counter()
    train(model, materials.stream, bare_recipe(settings), device="cpu", progress=False)
    seconds = time.perf_counter() - begin
    return Run(model, seconds, *distance(model, materials.tokenizer))


def bare_recipe(settings: PretrainingSettings) -> Recipe:
    """Make the recipe of `pretrain`, without evaluations and checkpoints on the way."""
    return replace(make_recipe(settings), evaluate_every=None, checkpoint_every=None)


def distance(model: BertForPreTraining, tokenizer: WordPieceTokenizer) -> tuple[float, float]:
    """Measure a model's KL from the optimum, in nats, and its standard error, on pairs that it has not seen."""
    stream = PretrainingStream(
        WorldPairs(World.default()), tokenizer, Masking(tokenizer.pieces), batch_size=256, row_length=64, packed=False,
        seed=EVALUATION_SEED,
    )  # fmt: skip
    evaluation = WorldEvaluation(
        World.default(), list(islice(stream, TEST_BATCHES)), torch.ones(model.config.vocab_size)
    )
    with torch.inference_mode():
        figures = evaluation(model)
    return figures["kl"], figures["kl_error"]


class Phenomenon(NamedTuple):
    """Which pieces of true pairs are asked about: in which sentence, in which slots, and in which pairs.

    With `groups`, words of one group are one answer: was, is and seems all say that there is one boat. The slots
    `hidden` would give the answer away and are blanks, too.
    """

    sentence: str
    slots: tuple[str, ...]
    asked: Callable[[WorldPair], bool] = lambda pair: True  # noqa: ARG005
    groups: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()


NUMBER = ("was is seems", "were are seem")
TOPIC = ("wet adrift", "asleep muddy", "late missing")
MOOD = ("praised loved kept", "hated returned buried")


def phenomena_of(world: World) -> dict[str, Phenomenon]:
    """Name them all."""
    side = tuple(" ".join(adjectives(world, mood)) for mood in ("good", "bad"))
    return {
        "work known from its object (right context)": Phenomenon("Act", ("work",)),
        "her or his, of the person named in the same sentence": Phenomenon("Opening", ("Own",)),
        "pronoun of the person named in the sentence before": Phenomenon("Act", ("pronoun",), only_the_name_tells),
        "the same where her and his are blanks": Phenomenon("Act", ("pronoun",), named_before, hidden=("Own",)),
        "discourse marker": Phenomenon("Act", ("Marker",)),
        "number of the verb, no attractor": Phenomenon("Scene", ("Be",), lambda pair: nouns(pair) == 1, NUMBER),
        "number of the verb, one attractor": Phenomenon("Scene", ("Be",), lambda pair: nouns(pair) == 2, NUMBER),
        "number of the verb, two attractors": Phenomenon("Scene", ("Be",), lambda pair: nouns(pair) == 3, NUMBER),
        "topic of the state": Phenomenon("Scene", ("State",), groups=TOPIC),
        "side of the adjective, from the verdict": Phenomenon(
            "Claim", ("Common", "Rare"), lambda pair: not negated(pair), side
        ),
        "side of the adjective behind a not, from the verdict (XOR)": Phenomenon(
            "Claim", ("Common", "Rare"), negated, side
        ),
        "verdict, of which all that tells is blank": Phenomenon(
            "Verdict", ("Did",), lambda pair: not negated(pair), MOOD, ("Mind", "Way")
        ),
        "the same after a not (XOR)": Phenomenon("Verdict", ("Did",), negated, MOOD, ("Mind", "Way")),
    }


def adjectives(world: World, mood: str) -> list[str]:
    """List the words that praise or blame."""
    rules = [rule for name in ("Common", "Rare") for rule in world.grammar.rules[name] if mood in rule.parameters]
    return [item.name for rule in rules for alternative in rule.alternatives for item in alternative.items]


def slot(pair: WorldPair, side: int, place: int) -> str:
    """Name the slot of a piece."""
    return pair.labels[side][place].slot.split("[")[0]


def only_the_name_tells(pair: WorldPair) -> bool:
    """Say whether a name comes before, and no her or his gives the pronoun away."""
    slots = [slot(pair, side, place) for side in (0, 1) for place in range(len(pair.pieces[side]))]
    return named_before(pair) and "Own" not in slots


def named_before(pair: WorldPair) -> bool:
    """Say whether the first sentence names a person."""
    return "Opening" in pair.places[0]


def nouns(pair: WorldPair) -> int:
    """Count the nouns of the scene, the subject and its attractors."""
    side = int("Scene" in pair.places[1])
    return sum(slot(pair, side, place) == "Noun" for place in range(len(pair.pieces[side])))


def negated(pair: WorldPair) -> bool:
    """Say whether the first sentence has a not."""
    return "not" in pair.pieces[0]


Case = tuple[WorldPair, int, int]  # a pair, which of its sentences, and the place there


def cases_of(phenomenon: Phenomenon, drawn: list[WorldPair]) -> list[Case]:
    """Find the pieces that are asked about."""
    return [
        (pair, side, place)
        for pair in drawn
        for side in (0, 1)
        if phenomenon.sentence in pair.places[side]
        if phenomenon.asked(pair)
        for place in range(len(pair.pieces[side]))
        if slot(pair, side, place) in phenomenon.slots
    ]


def blank(cases: list[Case], hidden: tuple[str, ...], tokenizer: WordPieceTokenizer) -> tuple[Batch, Tensor]:
    """Lay the pairs out with the piece hidden that is asked about, and the slots that would give it away.

    Returns the batch and, for each of its labels in reading order, whether it is asked about.
    """
    ids = tokenizer.vocab
    texts = [[[ids[piece] for piece in pieces] for pieces in pair.pieces] for pair, _, _ in cases]
    batch = lay_out([[Pair(first, second, 0)] for first, second in texts], tokenizer)
    asked, chosen = (torch.zeros_like(batch["input_ids"], dtype=torch.bool) for _ in range(2))
    for row, (pair, *asked_for) in enumerate(cases):
        for side, begin in ((0, 1), (1, len(pair.pieces[0]) + 2)):
            for place in range(len(pair.pieces[side])):
                asked[row, begin + place] = [side, place] == asked_for
                chosen[row, begin + place] = [side, place] == asked_for or slot(pair, side, place) in hidden
    labels = batch["input_ids"].masked_fill(~chosen, IGNORED)
    visible = batch["input_ids"].masked_fill(chosen, tokenizer.mask_id)
    return batch | {"input_ids": visible, "labels": labels}, asked[chosen]


def groups_of(phenomenon: Phenomenon, tokenizer: WordPieceTokenizer) -> Tensor:
    """Say which answer each piece gives: (V, answers), every piece its own answer where there are no groups."""
    if not phenomenon.groups:
        return torch.eye(len(tokenizer), dtype=torch.float64)
    belongs = [[piece in group.split() for group in phenomenon.groups] for piece in tokenizer.pieces]
    return torch.tensor(belongs, dtype=torch.float64)


def accuracies(world: World, models: list[BertForPreTraining]) -> dict[str, list[float]]:
    """For each phenomenon, how often the best possible guess, then each model's, is right, and the number of cases."""
    tokenizer = WordPieceTokenizer.from_vocab(world.vocabulary())
    floor = Floor.pairs(world, corruption=Corruption(rate=0.0))
    drawn = [pair for pair in world.sample_pairs(24_000, generator=split_generator("test")) if pair.label == 0]
    found: dict[str, list[float]] = {}
    for name, phenomenon in phenomena_of(world).items():
        cases = cases_of(phenomenon, drawn)[:400]
        batch, asked = blank(cases, phenomenon.hidden, tokenizer)
        answer = groups_of(phenomenon, tokenizer)
        exact = floor.words(batch).probabilities[asked] @ answer
        row = [float(exact.max(1).values.mean())]
        for model in models:
            with torch.inference_mode():
                logits: Tensor = model.eval()(**batch).prediction_logits[asked]
            guess = (logits.double().softmax(1) @ answer).argmax(1, keepdim=True)
            row.append(float(exact.gather(1, guess).mean()))
        found[name] = [*row, float(exact.mean(0).max()), len(cases)]
    return found


class Goal(NamedTuple):
    """How to train, and with how many seeds."""

    name: str
    settings: PretrainingSettings
    seeds: int
    hide_sentences: bool = False


def distances(goals: list[Goal], threads: int) -> tuple[str, dict[str, list[BertForPreTraining]]]:
    """Train for each goal with several seeds: a table, and the models of each."""
    rows, models = [], {}
    for name, settings, seeds, hide_sentences in goals:
        runs = [
            train_once(replace(settings, seed=seed), threads, hide_sentences=hide_sentences) for seed in range(seeds)
        ]
        models[name] = [run.model for run in runs]
        seconds, kls = ([getattr(run, field) for run in runs] for field in ("seconds", "kl"))
        rows.append(
            [
                name,
                f"{settings.steps} x {settings.batch_size}",
                spread(seconds, ".0f"),
                spread(kls, ".4f"),
                f"{max(run.standard_error for run in runs):.4f}",
            ]
        )
        print(rows[-1], flush=True)
    heading = ["goal", "steps x pairs", "seconds, median (range)", "KL in nats, median (range)", "standard error"]
    return table(heading, rows), models


def phenomena(world: World, trained: dict[str, list[BertForPreTraining]]) -> str:
    """Make the table of phenomena: three seeds of each goal, median and range."""
    models = [model for several in trained.values() for model in several[:3]]
    untrained = build_model(WORLD_SETTINGS, len(world.vocabulary()), 0)
    rows, each = [], len(models) // len(trained)
    for name, (best, before, *after, commonest, cases) in accuracies(world, [untrained, *models]).items():
        middles = [spread(after[i : i + each], ".1%") for i in range(0, len(after), each)]
        rows.append([name, f"{best:.1%}", *middles, f"{before:.1%}", f"{commonest:.1%}", f"{cases:.0f}"])
    heading = ["hidden word", "best possible", *trained, "untrained", "always the commonest", "cases"]
    return table(heading, rows)


def main() -> None:
    """Print both tables, and store them if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--short", type=int, default=800, help="steps for the first goal")
    parser.add_argument("--long", type=int, default=4_400, help="steps for the second goal")
    parser.add_argument("--longest", type=int, default=10_000, help="steps for all relations")
    parser.add_argument("--write", metavar="NAME", help="store the tables under results/NAME")
    asked = parser.parse_args()
    world = World.default()
    patient = replace(WORLD_SETTINGS, steps=asked.longest, learning_rate=5e-3)
    goals = [
        Goal("30 seconds", replace(WORLD_SETTINGS, steps=asked.short), asked.seeds),
        Goal("100 seconds", replace(WORLD_SETTINGS, steps=asked.long), asked.seeds),
        Goal("all relations", patient, min(asked.seeds, 3), hide_sentences=True),
    ]
    found, models = distances(goals, asked.threads)
    torch.set_num_threads(asked.threads)
    parts = [
        "# A nano BERT in the microworld",
        circumstances(torch.device("cpu")),
        found,
        f"The recipe of `pretrain`, but for the last goal: there the learning rate is {patient.learning_rate:g} "
        f"instead of {WORLD_SETTINGS.learning_rate:g}, and in the first {patient.early_share:.0%} of the steps the "
        "masking is BERT's own, but of one of the two sentences, either of them, 80 % of the words are scored.",
        phenomena(world, {f"after {goal.settings.steps:,} steps": models[goal.name] for goal in goals[1:]}),
    ]
    print("\n\n".join(parts))
    if asked.write:
        store(asked.write, "\n\n".join(parts))


if __name__ == "__main__":
    main()
