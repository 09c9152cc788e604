"""Which explanation finds the cause, where the cause is known? And is attention one? Chapter 14's tables, five seeds.

The world and its twin of `bertmini.microworld.planted`: of two wishes in a line a pronoun decides which one the answer
depends on, and everything that a word does to the answer is an exact difference of posteriors. Models with one layer
and with two learn each. Words are hidden at random in half of the lines that they learn from, so that a line with a
[MASK] in it is nothing new to them.

Each score is graded on held-out lines whose two wishes differ, over the twelve words. *Order*: of all pairs of words
whose true effects differ, the share that it puts in the right order. *Cause first*: its highest word is the wish that
decides. *Before decoy*: the wish that decides is above the other one. *Deleted*: the mean probability of the guess
while its best words are masked one by one, up to six (low is good). *Inserted*: the same while they are put back into a
line of masks (high is good).

    python benchmarks/explanations.py --write explanations.md
    python benchmarks/explanations.py --adversaries adversaries.md    # of the chapter's model of one layer, paid less
    python benchmarks/explanations.py --models planted.safetensors    # seed 0 of the world, for chapter 14; float16
"""

import argparse
import statistics
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from common import RESULTS, circumstances, spread, store, table
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from bertmini import PRESETS, BertForMaskedLM, Recipe, World, train
from bertmini.inside import (
    attention_norms,
    flow,
    gradient_x_input,
    integrated_gradients,
    log_probability,
    replace_embeddings,
    resample_tokens,
    rollout,
    told_attention,
)
from bertmini.microworld import split_generator
from bertmini.microworld.planted import (
    ASKED,
    planted_batches,
    planted_cause,
    planted_effects,
    planted_lines,
    planted_optimum,
    planted_world,
    undecided,
)

STEPS, LEARNING_RATE, HEADS, TEXTS, SEEDS = 700, 2e-3, 16, 6_000, 5
GRADED, DELETED = 24, 6
SPREAD, LITTLE = 1.0, 0.1  # how much of the Jensen-Shannon divergence between attentions an adversary is paid
WORDS = torch.tensor([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
MASK = 4


# ------------------------------------------------------------------ models


def new_model(world: World, layers: int, seed: int) -> BertForMaskedLM:
    """A nano BERT with some layers, random weights and no dropout."""
    torch.manual_seed(seed)
    sizes = {"num_hidden_layers": layers, "num_attention_heads": HEADS, "vocab_size": len(world.vocabulary())}
    return BertForMaskedLM(replace(PRESETS["nano"], hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, **sizes))


def batches(world: World, seed: int) -> Any:
    """The stream that a seed learns from."""
    ids, answers = planted_lines(world, TEXTS, generator=split_generator("train", seed))
    return planted_batches(ids, answers, MASK, generator=torch.Generator().manual_seed(seed))


def learn(world: World, layers: int, seed: int) -> BertForMaskedLM:
    """Train one model."""
    model = new_model(world, layers, seed)
    train(model, batches(world, seed), Recipe(STEPS, LEARNING_RATE), device="cpu", progress=False)
    return model.eval()


def predictions(model: BertForMaskedLM, ids: Tensor) -> Tensor:
    """The probability of every piece at the place that is asked for: (N, V)."""
    with torch.no_grad():
        return model(ids, output_attentions=True).logits[:, ASKED].double().softmax(-1)


def distance(best: Tensor, found: Tensor) -> float:
    """Mean KL in nats."""
    return float((torch.special.xlogy(best, best) - torch.special.xlogy(best, found)).sum(1).mean())


def explanation(model: BertForMaskedLM, ids: Tensor) -> Tensor:
    """What is shown as the explanation: the last layer's weights from the blank, mean over heads, (N, S)."""
    return model(ids, output_attentions=True).attentions[-1][:, :, ASKED].mean(1)


# ------------------------------------------------------------------ scores and grades


def all_scores(model: BertForMaskedLM, ids: Tensor, others: Tensor, usual: Tensor, random: Any) -> dict[str, Any]:
    """Every method's score of each token of one line (1, S); what speaks for and what speaks against count alike."""
    inputs = {"input_ids": ids}
    with torch.no_grad():
        output = model(ids, output_attentions=True)
    guess = log_probability(ASKED, int(output.logits[0, ASKED].argmax()))
    names = [""] * ids.shape[1]
    stack = [layer.detach() for layer in output.attentions]
    masked = ids.masked_fill(ids >= 5, MASK)
    return {
        "random": random.random(ids.shape[1]),
        "position only": usual.numpy(),
        "attention, last layer": stack[-1][0, :, ASKED].mean(0).numpy(),
        "attention, mean of layers": torch.stack(stack)[:, 0, :, ASKED].mean((0, 1)).numpy(),
        "rollout": rollout(stack, names)[-1][ASKED],
        "flow": flow(stack, names, ASKED),
        "norms, last layer": attention_norms(model, inputs).layers[-1, ASKED],
        "gradient x input": abs(gradient_x_input(model, inputs, guess)),
        "integrated gradients": abs(integrated_gradients(model, inputs, guess, masked, steps=32).parts),
        "one embedding zero": abs(replace_embeddings(model, inputs, guess, torch.zeros(64))),
        "one word masked": abs(resample_tokens(model, inputs, guess, torch.full_like(ids, MASK))),
        "one word from 8 other lines": abs(resample_tokens(model, inputs, guess, others)),
    }


def order(score: Any, truth: Any) -> float:
    """The share of pairs with different truths that the score puts in the right order; a tie is half right."""
    first, second = np.triu_indices(len(truth), 1)
    real, claimed = np.sign(np.round(truth[first] - truth[second], 6)), np.sign(score[first] - score[second])
    asked = real != 0
    return float(((real * claimed)[asked] + 1).mean() / 2)


def curves(model: BertForMaskedLM, ids: Tensor, score: Any) -> tuple[float, float]:
    """Mean probability of the guess while the best words are masked, and while they are put back."""
    best = WORDS[torch.from_numpy(np.argsort(-score[WORDS.numpy()], kind="stable").copy())][:DELETED]
    taken = ids.repeat(DELETED + 1, 1)
    given = ids.masked_fill(ids >= 5, MASK).repeat(DELETED + 1, 1)
    for number, place in enumerate(best.tolist()):
        taken[number + 1 :, place] = MASK
        given[number + 1 :, place] = ids[0, place]
    guess = int(predictions(model, ids).argmax())
    return tuple(float(predictions(model, rows)[:, guess].mean()) for rows in (taken, given))  # type: ignore[return-value]


def grade(model: BertForMaskedLM, world: World, ids: Tensor, *, twin: bool, seed: int) -> dict[str, list[float]]:
    """Five grades of every method, means over lines."""
    truth = planted_effects(world, ids, planted_optimum(world))
    usual = planted_effects(
        world, undecided(planted_lines(world, 300, generator=split_generator("train"))[0]), planted_optimum(world)
    ).mean(0)
    others = planted_lines(world, 8, generator=split_generator("validation", seed))[0]
    own = planted_effects(world, ids, lambda lines: predictions(model, lines))
    cause, decoy = planted_cause(world, ids, twin=twin)
    random = np.random.default_rng(seed)
    grades: dict[str, list[list[float]]] = {}
    for i, line in enumerate(ids):
        found = all_scores(model, line[None], others, usual, random)
        found["every possible word, the model"] = own[i].abs().numpy()
        found["every possible word, the world"] = truth[i].numpy()
        for name, score in found.items():
            words, right = score[WORDS.numpy()], truth[i][WORDS].numpy()
            top = float(WORDS[int(np.argmax(words))] == cause[i])
            gap = np.sign(round(float(score[cause[i]] - score[decoy[i]]), 9))
            grades.setdefault(name, []).append(
                [order(words, right), top, (gap + 1) / 2, *curves(model, line[None], score)]
            )
    return {name: np.mean(rows, 0).tolist() for name, rows in grades.items()}


# ------------------------------------------------------------------ is attention an explanation?


def divergence(first: Tensor, second: Tensor) -> Tensor:
    """Jensen and Shannon's divergence of rows, (N,), in nats: from 0 to ln 2."""
    middle = (first + second) / 2
    parts = [torch.special.xlogy(one, one) - torch.special.xlogy(one, middle) for one in (first, second)]
    return (parts[0] + parts[1]).sum(-1) / 2


def learn_adversary(
    base: BertForMaskedLM, world: World, layers: int, seed: int, spread: float = SPREAD
) -> BertForMaskedLM:
    """A model trained from nothing to predict what `base` does and to attend elsewhere."""
    model = new_model(world, layers, seed + 100)
    search = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(search, lambda step: min(step / 60 + 0.01, 1 - step / STEPS))
    for _, batch in zip(range(STEPS), batches(world, seed), strict=False):
        ids = batch["input_ids"]
        with torch.no_grad():
            theirs = base(ids, output_attentions=True)
        output = model(ids, output_attentions=True)
        same = F.kl_div(
            *(out.logits[:, ASKED].log_softmax(-1) for out in (output, theirs)), log_target=True, reduction="batchmean"
        )
        apart = divergence(*(out.attentions[-1][:, :, ASKED].mean(1) for out in (output, theirs))).mean()
        search.zero_grad()
        (same - spread * apart).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        search.step()
        schedule.step()
    return model.eval()


def learn_uniform(world: World, layers: int, seed: int) -> BertForMaskedLM:
    """A model that never had other weights than even ones."""
    model = new_model(world, layers, seed)
    with told_attention(model, lambda _, weights: torch.full_like(weights, 1 / weights.shape[-1])):
        train(model, batches(world, seed), Recipe(STEPS, LEARNING_RATE), device="cpu", progress=False)
    return model.eval()


def guide(weights: Tensor, ids: Tensor, answers: Tensor, held: tuple[Tensor, Tensor, Tensor], seed: int) -> float:
    """What frozen weights are worth to somebody else: a bag of words weighted by them, two layers on top (accuracy).

    The bag knows no positions: only the weights can say which of the two wishes counts.
    """
    torch.manual_seed(seed)
    words, top = nn.Embedding(30, 32), nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 30))
    search = torch.optim.Adam([*words.parameters(), *top.parameters()], lr=1e-2)
    for _ in range(200):
        rows = torch.randint(len(ids), (128,))
        search.zero_grad()
        F.cross_entropy(top((weights[rows][:, None] @ words(ids[rows]))[:, 0]), answers[rows]).backward()
        search.step()
    with torch.no_grad():
        guess = top((held[0][:, None] @ words(held[1]))[:, 0]).argmax(1)
    return float((guess == held[2]).double().mean())


def debate(base: BertForMaskedLM, world: World, layers: int, seed: int, *, twin: bool) -> dict[str, float]:
    """Jain and Wallace's and Wiegreffe and Pinter's experiments with one model."""
    ids, _ = planted_lines(world, 800, generator=split_generator("test", 1))
    ids = undecided(ids)
    best = planted_optimum(world)(ids)
    wanted = best.argmax(1)
    rows = torch.arange(len(ids))
    cause, decoy = planted_cause(world, ids, twin=twin)
    uniform = lambda _, weights: torch.full_like(weights, 1 / weights.shape[-1])  # noqa: E731
    generator = torch.Generator().manual_seed(seed)
    permuted = lambda _, weights: weights[..., torch.randperm(16, generator=generator)]  # noqa: E731
    adversary, even = learn_adversary(base, world, layers, seed), learn_uniform(world, layers, seed)
    right = lambda model: float((predictions(model, ids).argmax(1) == wanted).double().mean())  # noqa: E731
    found = {"as it is": right(base)}
    for name, change in (("uniform, told", uniform), ("permuted, told", permuted)):
        with told_attention(base, change):
            found[name] = right(base)
    with told_attention(even, uniform):
        found["uniform, trained"] = right(even)
    found["adversary"] = right(adversary)
    found["adversary, KL from the model"] = distance(predictions(base, ids), predictions(adversary, ids))
    with torch.no_grad():
        mine, theirs = explanation(base, ids), explanation(adversary, ids)
        found["adversary, attention apart"] = float(divergence(mine, theirs).mean())
        for name, weights in (("model", mine), ("adversary", theirs)):
            found[f"{name}, cause above decoy"] = float((weights[rows, cause] > weights[rows, decoy]).double().mean())
        texts, answers = planted_lines(world, 3_000, generator=split_generator("train", 50))
        for name, model in (("model", base), ("adversary", adversary), ("even", None)):
            weights, held = (
                torch.full(lines.shape, 1 / 16) if model is None else explanation(model, lines)
                for lines in (texts, ids)
            )
            with torch.enable_grad():
                found[f"{name} as a guide"] = guide(weights, texts, answers, (held, ids, wanted), seed)
    return found


# ------------------------------------------------------------------ the tables


GRADES = ("order", "cause first", "before decoy", "deleted", "inserted")


def main() -> None:
    """Print the tables, and store them if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", metavar="NAME", help="store the tables under results/NAME")
    parser.add_argument("--models", metavar="NAME", help="store the chapter's two models under results/NAME, no more")
    parser.add_argument(
        "--adversaries", metavar="NAME", help="store a table of adversaries that are paid less, no more"
    )
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.adversaries:
        store(asked.adversaries, paid_less())
        return
    if asked.models:
        weights = {
            f"{layers}/{name}": weight.half()
            for layers in (1, 2)
            for name, weight in learn(planted_world(), layers, 0).state_dict().items()
        }
        save_file(weights, RESULTS / asked.models)
        return
    report = ["# Which explanation finds the cause", circumstances(torch.device("cpu")), NOTES]
    models: dict[tuple[int, bool], list[BertForMaskedLM]] = {}
    for layers in (1, 2):
        for twin in (False, True):
            world = planted_world(twin=twin)
            ids = undecided(planted_lines(world, 3 * GRADED, generator=split_generator("test"))[0])[:GRADED]
            grades: dict[str, list[list[float]]] = {}
            far = []
            for seed in range(SEEDS):
                model = learn(world, layers, seed)
                models.setdefault((layers, twin), []).append(model)
                far.append(distance(planted_optimum(world)(ids), predictions(model, ids)))
                for name, row in grade(model, world, ids, twin=twin, seed=seed).items():
                    grades.setdefault(name, []).append(row)
                print(layers, twin, seed, f"KL {far[-1]:.4f}", flush=True)
            title = f"## {'The twin world' if twin else 'The world'}, {layers} layer{'s' * (layers > 1)}"
            rows = [
                [name, *(spread(column, ".2f") for column in zip(*by_seed, strict=True))]
                for name, by_seed in grades.items()
            ]
            report += [
                title,
                f"KL from the best possible, by seed: {' '.join(f'{each:.3f}' for each in far)} nats.",
                table(["score", *GRADES], rows),
            ]
            print("\n\n".join(report[-3:]), flush=True)
    report += debates(models)
    print("\n\n".join(report[-4:]))
    if asked.write:
        store(asked.write, "\n\n".join(report))


def debates(models: dict[tuple[int, bool], list[BertForMaskedLM]]) -> list[str]:
    """The debate's table, and how far attentions are apart between seeds and between the world and its twin."""
    world = planted_world()
    ids = undecided(planted_lines(world, 400, generator=split_generator("test", 1))[0])
    columns, apart = {}, []
    for layers in (1, 2):
        own, twins = models[layers, False], models[layers, True]
        columns[layers] = [debate(model, world, layers, seed, twin=False) for seed, model in enumerate(own)]
        print(layers, columns[layers][-1], flush=True)
        with torch.no_grad():
            seen, theirs = ([explanation(model, ids) for model in some] for some in (own, twins))
        between = [float(divergence(seen[i], seen[j]).mean()) for i in range(len(seen)) for j in range(i)]
        across = [float(divergence(one, other).mean()) for one in seen for other in theirs]
        agree = statistics.mean(
            float((predictions(one, ids).argmax(1) == predictions(other, ids).argmax(1)).double().mean())
            for one in own
            for other in twins
        )
        apart.append([str(layers), spread(between or [0.0], ".2f"), spread(across, ".2f"), f"{agree:.2f}"])
    rows = [
        [name, *(spread([run[name] for run in columns[layers]], ".2f") for layers in (1, 2))] for name in columns[1][0]
    ]
    return [
        "## Is attention an explanation?",
        table(["", "1 layer", "2 layers"], rows),
        "## How far the last layer's attention is apart (Jensen-Shannon, nats; at most 0.69)",
        table(["layers", "two seeds", "the world and its twin", "same guess as the twin"], apart),
    ]


def paid_less() -> str:
    """The table of adversaries of the stored model of one layer that are paid little for attending elsewhere."""
    world, weights = planted_world(), load_file(RESULTS / "planted.safetensors")
    ids = undecided(planted_lines(world, 400, generator=split_generator("test", 1))[0])
    wanted = planted_optimum(world)(ids).argmax(1)
    base = new_model(world, 1, 0)
    base.load_state_dict({name: weights[f"1/{name}"].float() for name in base.state_dict()})
    base.eval()
    runs: dict[str, list[float]] = {}
    for seed in range(SEEDS):
        model = learn_adversary(base, world, 1, seed, LITTLE)
        with torch.no_grad():
            apart = divergence(explanation(base, ids), explanation(model, ids))
        found = {"right": (predictions(model, ids).argmax(1) == wanted).double(), "attention apart": apart}
        for name, values in found.items():
            runs.setdefault(name, []).append(float(values.mean()))
        print(seed, {name: round(values[-1], 3) for name, values in runs.items()}, flush=True)
    title = f"# Adversaries of the chapter's model of one layer, paid {LITTLE} of the divergence, {SEEDS} seeds"
    rows = [[name, spread(values, ".2f")] for name, values in runs.items()]
    return "\n\n".join([title, circumstances(torch.device("cpu")), table(["", "1 layer"], rows)])


NOTES = (
    f"{STEPS} steps of 64 lines, learning rate {LEARNING_RATE}, nano preset with {HEADS} heads, {SEEDS} seeds; medians "
    f"and ranges over seeds of means over {GRADED} lines. Guides: accuracy of a bag of words under frozen weights. "
    "Accuracies: the share of lines whose two wishes differ in which the first choice is the best possible one."
)


if __name__ == "__main__":
    main()
