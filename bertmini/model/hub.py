"""Hugging Face's names of a BERT's tensors, beside ours: one table, read both ways.

No other module knows Hugging Face's names. Old checkpoints spell LayerNorm's weights `gamma` and `beta`, omit the
prefix `bert.`, or carry the constant `position_ids`: all are understood. Taught in chapter 20.
"""

import re

# Ours on the left, Hugging Face's on the right; N is the layer's number.
MODULE_NAMES = {
    "embeddings.word": "embeddings.word_embeddings",
    "embeddings.position": "embeddings.position_embeddings",
    "embeddings.token_type": "embeddings.token_type_embeddings",
    "embeddings.layer_norm": "embeddings.LayerNorm",
    "layers.N.attention.query": "encoder.layer.N.attention.self.query",
    "layers.N.attention.key": "encoder.layer.N.attention.self.key",
    "layers.N.attention.value": "encoder.layer.N.attention.self.value",
    "layers.N.attention.output": "encoder.layer.N.attention.output.dense",
    "layers.N.attention_norm": "encoder.layer.N.attention.output.LayerNorm",
    "layers.N.intermediate": "encoder.layer.N.intermediate.dense",
    "layers.N.output": "encoder.layer.N.output.dense",
    "layers.N.output_norm": "encoder.layer.N.output.LayerNorm",
    "pooler.dense": "pooler.dense",
    "mlm": "cls.predictions",
    "mlm.transform": "cls.predictions.transform.dense",
    "mlm.layer_norm": "cls.predictions.transform.LayerNorm",
    "mlm.decoder": "cls.predictions.decoder",
    "nsp": "cls.seq_relationship",
    "classifier": "classifier",
    "qa_outputs": "qa_outputs",
}
OUR_NAMES = {theirs: ours for ours, theirs in MODULE_NAMES.items()}
HEADS = ("mlm", "nsp", "classifier", "qa_outputs")
OLD_LEAVES = {"gamma": "weight", "beta": "bias"}
# Tensors that are tied, by our names: the second is no parameter of ours, and must equal the first.
TWINS = {"mlm.decoder.weight": "embeddings.word.weight", "mlm.decoder.bias": "mlm.bias"}
CONSTANT = re.compile(r"embeddings\.position_ids$")  # 0, 1, 2, ...


def to_theirs(name: str) -> str:
    """Translate one of our names: `layers.3.output.weight` to `encoder.layer.3.output.dense.weight`."""
    return _translate(name, MODULE_NAMES)


def to_ours(name: str) -> str:
    """Translate one of Hugging Face's tensor names, also the old spellings of LayerNorm's weights."""
    module, _, leaf = name.rpartition(".")
    return _translate(f"{module}.{OLD_LEAVES.get(leaf, leaf)}", OUR_NAMES)


def _translate(name: str, table: dict[str, str]) -> str:
    prefix = "bert." if name.startswith("bert.") else ""
    module, _, leaf = name.removeprefix(prefix).rpartition(".")
    number = re.search(r"\.(\d+)\.", module)
    pattern = re.sub(r"\.\d+\.", ".N.", module)
    if pattern not in table:
        raise ValueError(f"tensor {name!r} belongs to no part of a BERT: is this checkpoint of another architecture?")
    return f"{prefix}{table[pattern].replace('.N.', f'.{number[1]}.' if number else '.N.')}.{leaf}"
