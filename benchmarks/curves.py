"""300 steps of ours and of Hugging Face's, from the same initial weights, on the same data, without dropout.

If both compute the same loss and the same gradients, the curves lie on each other, up to rounding, which training
amplifies. In float64 only the loss itself is rounded to float32, by ours; in float32 the last row says how far Hugging
Face's own model is from itself on another number of threads.

    python benchmarks/curves.py --write curves.md
"""

import argparse
import tempfile

import torch
import transformers
from common import circumstances, make_batches, make_config, make_examples, make_tokenizer, store, table
from torch import Tensor, nn

from bertmini.data.batches import Batch
from bertmini.model.pretraining import BertForPreTraining
from bertmini.training.optim import make_optimizer, set_learning_rate

LEARNING_RATE = 1e-4  # BERT's own (Devlin et al., 2019, appendix A.2)
ROUNDED = "Our loss is a float32 number in any case, exact to about 1e-6."


def losses(model: nn.Module, batches: list[Batch], steps: int) -> Tensor:
    """Train and return the loss at every step: (steps,)."""
    optimizer = make_optimizer(model.train())
    set_learning_rate(optimizer, LEARNING_RATE)
    curve = []
    for step in range(steps):
        loss = model(**batches[step % len(batches)]).loss
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        curve.append(loss.item())
    return torch.tensor(curve, dtype=torch.float64)


def curves(folder: str, batches: dict[str, list[Batch]], asked: argparse.Namespace, dtype: torch.dtype) -> str:
    """Train all from the weights in the folder, and lay out how far each curve is from Hugging Face's."""

    def theirs(threads: int) -> Tensor:
        torch.set_num_threads(threads)
        model = transformers.BertForPreTraining.from_pretrained(folder).to(dtype)
        curve = losses(model, batches["padded"], asked.steps)
        torch.set_num_threads(asked.threads)
        return curve

    def ours(layout: str, *, loose: bool) -> Tensor:
        model = BertForPreTraining.from_pretrained(folder).to(dtype)
        model.bert.loose = loose
        return losses(model, batches[layout], asked.steps)

    reference = theirs(asked.threads)
    others = {
        "ours, plain": ours("padded", loose=False),
        "ours, fast": ours("padded", loose=True),
        "ours, fast and packed": ours("packed", loose=True),
    }
    if dtype == torch.float32:
        others["transformers, other threads"] = theirs(3 - asked.threads)
    rows = [["transformers", f"{reference[0]:.4f}", f"{reference[-1]:.4f}", ""]]
    rows += [
        [name, f"{curve[0]:.4f}", f"{curve[-1]:.4f}", f"{float((curve - reference).abs().max()):.1e}"]
        for name, curve in others.items()
    ]
    return table(["system", "first loss", f"loss at step {asked.steps}", "largest distance at any step"], rows)


def main() -> None:
    """Train in float64 and in float32, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--threads", type=int, default=1, choices=(1, 2))
    parser.add_argument("--write", metavar="NAME", help="store the tables under results/NAME")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    torch.manual_seed(0)

    tokenizer = make_tokenizer()
    made = [make_batches(make_examples(8, seed=seed), tokenizer, seed=seed) for seed in range(20)]
    batches = {"padded": [both[0] for both in made], "packed": [both[1] for both in made]}
    size, rate = "2x128", f"AdamW at a learning rate of {LEARNING_RATE:g}"
    parts = [
        "# The same curve as Hugging Face's",
        circumstances(torch.device("cpu")),
        f"{size}, no dropout, {rate}. {ROUNDED}",
    ]
    with tempfile.TemporaryDirectory() as folder:
        BertForPreTraining(make_config(size, 0.0)).save_pretrained(folder)
        for dtype in (torch.float64, torch.float32):
            parts += [f"## {str(dtype).removeprefix('torch.')}", curves(folder, batches, asked, dtype)]
            print("\n\n".join(parts[-2:]), flush=True)
    if asked.write:
        store(asked.write, "\n\n".join(parts))


if __name__ == "__main__":
    main()
