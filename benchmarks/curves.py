"""300 steps of ours and of Hugging Face's, from the same initial weights, on the same data, without dropout.

If both compute the same loss and the same gradients, the curves lie on each other. Prints the largest distance, and
what it is without the fast path.

    python benchmarks/curves.py --write curves.md
"""

import argparse
import tempfile

import torch
import transformers
from common import circumstances, make_batches, make_config, make_examples, make_tokenizer, store, table
from torch import nn

from bertmini.data.pretraining import Batch
from bertmini.model.fast import Tricks
from bertmini.model.heads import BertForPreTraining
from bertmini.training import make_optimizer, set_learning_rate


def losses(model: nn.Module, batches: list[Batch], steps: int) -> torch.Tensor:
    """Train in float32 and return the loss at every step: (steps,)."""
    optimizer = make_optimizer(model.train())
    set_learning_rate(optimizer, 1e-3)
    curve = []
    for step in range(steps):
        loss = model(**batches[step % len(batches)]).loss
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        curve.append(float(loss))
    return torch.tensor(curve)


def main() -> None:
    """Train three times and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", metavar="NAME", help="store the table under results/NAME")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    torch.manual_seed(0)

    tokenizer = make_tokenizer()
    made = [make_batches(make_examples(16, seed=seed), tokenizer, seed=seed) for seed in range(20)]
    padded, packed = [both[0] for both in made], [both[1] for both in made]
    with tempfile.TemporaryDirectory() as folder:
        BertForPreTraining(make_config("2x128", 0.0)).save_pretrained(folder)
        reference = losses(transformers.BertForPreTraining.from_pretrained(folder), padded, asked.steps)
        plain = BertForPreTraining.from_pretrained(folder)
        plain.bert.tricks = Tricks(enabled=False)
        curves = {
            "ours, plain": losses(plain, padded, asked.steps),
            "ours, fast": losses(BertForPreTraining.from_pretrained(folder), padded, asked.steps),
            "ours, fast and packed": losses(BertForPreTraining.from_pretrained(folder), packed, asked.steps),
        }
    rows = [["transformers", f"{reference[0]:.4f}", f"{reference[-1]:.4f}", ""]]
    rows += [
        [name, f"{curve[0]:.4f}", f"{curve[-1]:.4f}", f"{float((curve - reference).abs().max()):.1e}"]
        for name, curve in curves.items()
    ]
    heading = ["system", "first loss", f"loss at step {asked.steps}", "largest distance at any step"]
    text = "\n\n".join(["# The same curve as Hugging Face's", circumstances(torch.device("cpu")), table(heading, rows)])
    print(text)
    if asked.write:
        store(asked.write, text)


if __name__ == "__main__":
    main()
