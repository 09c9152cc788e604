"""Sentences per second without training: embeddings and fill-mask, ours beside Hugging Face's.

512 sentences of 20 to 128 tokens, 32 at a time: in their given order, each batch padded to its longest, and bucketed
- sorted by length first, which both sides may do. An embedding is the mean of a sentence's last states; fill-mask
scores one [MASK] in each.

    python benchmarks/inference.py --write inference.md
"""

import argparse
from collections.abc import Callable

import torch
from common import circumstances, interleave, make_config, make_examples, make_peer, make_tokenizer, store, table
from torch import Tensor

from bertmini.data.batches import Batch
from bertmini.data.pretraining import lay_out, length
from bertmini.model.pretraining import BertForPreTraining

SENTENCES, BATCH_SIZE = 512, 32


def make_batches(*, bucketed: bool) -> list[Batch]:
    """Lay sentences out in batches, the middle token of each being [MASK]."""
    tokenizer = make_tokenizer()
    pairs = make_examples(SENTENCES, seed=0)
    if bucketed:
        pairs = sorted(pairs, key=length)
    batches = []
    for begin in range(0, SENTENCES, BATCH_SIZE):
        batch = lay_out([[pair] for pair in pairs[begin : begin + BATCH_SIZE]], tokenizer)
        del batch["next_sentence_label"]
        lengths = batch["attention_mask"].sum(1)
        batch["input_ids"][torch.arange(len(lengths)), lengths // 4] = tokenizer.mask_id
        batches.append(batch)
    return batches


def mean_state(hidden: Tensor, mask: Tensor) -> Tensor:
    """Average the states of real tokens: (B, S, E) to (B, E)."""
    return (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)


def systems(size: str, batches: dict[str, list[Batch]], *, bf16: bool) -> dict[str, Callable[[int], None]]:
    """Build both models with the same sizes and say what each does with all sentences."""
    config = make_config(size, 0.0)
    ours, peer = BertForPreTraining(config).eval(), make_peer(config).eval()
    mask_id = make_tokenizer().mask_id

    def run(work: Callable[[Batch], Tensor], layout: str) -> Callable[[int], None]:
        def all_sentences(_: int) -> None:
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                for batch in batches[layout]:
                    work(batch)

        return all_sentences

    def embed_ours(batch: Batch) -> Tensor:
        mask = batch["attention_mask"]
        places = mask.flatten().nonzero().squeeze(1)  # every token, no padding
        states = ours.bert(**batch, places=places).last_hidden_state.float()
        sums = states.new_zeros(len(mask), states.shape[-1]).index_add_(0, places // mask.shape[1], states)
        return sums / mask.sum(1, keepdim=True)

    def fill_ours(batch: Batch) -> Tensor:
        places = (batch["input_ids"] == mask_id).flatten().nonzero().squeeze(1)
        return ours(**batch, places=places).prediction_logits.argmax(-1)

    def fill_theirs(batch: Batch) -> Tensor:
        return peer(**batch).prediction_logits[batch["input_ids"] == mask_id].argmax(-1)

    tasks = {
        "embeddings, transformers": lambda b: mean_state(peer.bert(**b).last_hidden_state, b["attention_mask"]),
        "embeddings, bertmini": embed_ours,
        "fill-mask, transformers": fill_theirs,
        "fill-mask, bertmini": fill_ours,
    }
    return {f"{name}, {layout}": run(work, layout) for name, work in tasks.items() for layout in batches}


def main() -> None:
    """Print the tables, and store them if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=["2x128", "4x256", "4x512"])
    parser.add_argument("--precisions", nargs="+", default=["bf16", "float32"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", metavar="NAME", help="store the tables under results/NAME")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    batches = {"padded": make_batches(bucketed=False), "bucketed": make_batches(bucketed=True)}
    parts = ["# Inference beside Hugging Face", circumstances(torch.device("cpu"))]
    print("\n\n".join(parts))
    for precision in asked.precisions:
        for size in asked.sizes:
            made = systems(size, batches, bf16=precision == "bf16")
            seconds = interleave(made, asked.rounds, torch.device("cpu"), warmup=1)
            rows = []
            for name, value in seconds.items():
                task, _, layout = name.split(", ")
                padded, same = (seconds[f"{task}, transformers, {other}"] for other in ("padded", layout))
                rows.append([name, f"{SENTENCES / value:,.0f}", f"{padded / value:.2f}", f"{same / value:.2f}"])
            heading = ["system", "sentences/s", "ratio to transformers, padded", "to transformers in the same layout"]
            parts += [f"## {size}, {precision}", table(heading, rows)]
            print("\n" + "\n\n".join(parts[-2:]), flush=True)
    if asked.write:
        store(asked.write, "\n\n".join(parts))


if __name__ == "__main__":
    main()
