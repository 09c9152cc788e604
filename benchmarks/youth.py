"""A model that remembers its youth: a run like chapter 00's, kept every 200 steps, for chapter 13 to look into.

A training run does not end in the same weights on another processor: rounding differences grow by a factor of ten
every forty steps or so, even in float64, until the runs have nothing in common (`arithmetic.py`). A chapter that speaks
of single heads needs stored weights. They are float16, 2.6 MB, without the random ones of the beginning.

    python benchmarks/youth.py --write youth.safetensors    # elsewhere: other heads, and chapter 13 must be reread
"""

import argparse

import torch
from common import RESULTS
from safetensors.torch import save_file
from torch import Tensor, nn

from bertmini import WordPieceTokenizer, World, train
from bertmini.runs.materials import make_stream
from bertmini.runs.pretrain import build_model, make_recipe
from bertmini.runs.settings import choose_settings
from bertmini.runs.world import WorldPairs

PLAIN = {"optimizer": "adamw", "warmup": 0.1, "schedule": "linear", "early_share": 0.0}


def grow_up(every: int) -> dict[str, Tensor]:
    """Train much as chapter 00 does; every copy's weights, named "step/parameter"."""
    torch.set_num_threads(1)
    world = World.default()
    tokenizer = WordPieceTokenizer.from_vocab(world.vocabulary())
    settings = choose_settings({"steps": 2_000, "batch_size": 64, "learning_rate": 3e-3} | PLAIN)
    model = build_model(settings, len(tokenizer), tokenizer.pad_id)
    kept: dict[str, Tensor] = {}
    measured = 0

    def keep(model: nn.Module) -> dict[str, float]:
        """Copy the weights; the loop asks at every twentieth of the run, and first of all before it."""
        nonlocal measured
        step = measured * settings.steps // 20
        if step and step % every == 0:
            kept.update({f"{step}/{name}": weight.half() for name, weight in model.state_dict().items()})
        measured += 1
        return {}

    train(
        model, make_stream(WorldPairs(world), tokenizer, settings), make_recipe(settings), evaluate=keep, device="cpu"
    )
    return kept


def main() -> None:
    """Train, say what was kept, and store it if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=200)
    parser.add_argument("--write", metavar="NAME", help="store the weights under results/NAME")
    asked = parser.parse_args()
    kept = grow_up(asked.every)
    print("steps kept:", *dict.fromkeys(name.split("/")[0] for name in kept))
    if asked.write:
        save_file(kept, RESULTS / asked.write)


if __name__ == "__main__":
    main()
