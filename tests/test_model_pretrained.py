import json
import math
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
import transformers
from hypothesis import example, given, settings
from hypothesis import strategies as st
from small_models import CONFIG, MASKS, a_batch, assert_within, hugging_face_config, shaken
from torch import Tensor

from bertmini.config import BertConfig
from bertmini.data.wordpiece import WordPieceTokenizer
from bertmini.model.encoder import BertModel
from bertmini.model.hub import MODULE_NAMES, to_ours, to_theirs
from bertmini.model.pretrained import Pretrained, checksum, read_config, read_tensors
from bertmini.model.pretraining import BertForMaskedLM, BertForPreTraining
from bertmini.model.tasks import BertForQuestionAnswering, BertForSequenceClassification, BertForTokenClassification

CLASSES = [
    BertModel,
    BertForPreTraining,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertForQuestionAnswering,
]
BATCH = a_batch(MASKS["right"])
SMALL = replace(CONFIG, num_hidden_layers=1)


def theirs_of(cls: type[Pretrained]) -> Any:
    """Hugging Face's class of the same name."""
    return getattr(transformers, cls.__name__)


def saved_by_them(cls: type[Pretrained], folder: Path, config: BertConfig = CONFIG) -> Any:
    """Save one of their models with random weights into a folder."""
    if cls is BertForQuestionAnswering:
        config = replace(config, labels=("begin", "end"))
    model = shaken(theirs_of(cls)(hugging_face_config(config)), seed=5).eval()
    model.save_pretrained(folder)
    return model


def rewrite(folder: Path, change: Callable[[dict[str, Tensor]], dict[str, Tensor]]) -> None:
    """Change the tensors of a checkpoint, and leave no checksum."""
    path = folder / "model.safetensors"
    tensors = change(safetensors.torch.load(path.read_bytes()))
    path.write_bytes(safetensors.torch.save({name: t.clone() for name, t in tensors.items()}))


def reconfigure(folder: Path, **changes: Any) -> None:
    """Change settings in config.json."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def logits(output: Any) -> Tensor:
    """Return what a model's output holds first after the loss."""
    tensors = [
        tensor for tensor in (output.to_tuple() if hasattr(output, "to_tuple") else output) if tensor is not None
    ]
    assert isinstance(tensors[0], Tensor)
    return tensors[0]


def assert_same(model: Pretrained, other: Any) -> None:
    """Compare predictions on a padded batch."""
    assert_within(1e-5, logits(model.eval()(**BATCH)), logits(other(**BATCH)))


def assert_loads_or_explains(folder: Path, weights: dict[str, Tensor]) -> bool:
    """Load a damaged checkpoint: the weights are as they were, or a ValueError says what is wrong."""
    try:
        found = BertForMaskedLM.from_pretrained(folder).state_dict()
    except ValueError:
        return False
    assert all(found[name].equal(weights[name]) for name in weights)
    return True


# ---- there and back ----


@pytest.mark.parametrize("cls", CLASSES)
def test_transformers_loads_what_we_save(cls: type[Pretrained], tmp_path: Path) -> None:
    model = shaken(cls(CONFIG))
    model.save_pretrained(tmp_path)
    other, report = theirs_of(cls).from_pretrained(tmp_path, output_loading_info=True)
    assert {name: list(found) for name, found in report.items()} == {name: [] for name in report}
    assert {"missing_keys", "unexpected_keys", "mismatched_keys"} <= report.keys()
    assert_same(model, other)
    auto = transformers.AutoConfig.from_pretrained(tmp_path)
    assert auto.architectures == [cls.__name__]
    assert tuple(auto.id2label.values()) == model.config.labels
    assert auto.label2id == {label: index for index, label in auto.id2label.items()}


@pytest.mark.parametrize("cls", CLASSES)
def test_we_load_what_transformers_saves(cls: type[Pretrained], tmp_path: Path) -> None:
    other = saved_by_them(cls, tmp_path)
    model = cls.from_pretrained(tmp_path)
    assert not model.training
    assert_same(model, other)
    if cls is not BertForQuestionAnswering:
        assert model.config == CONFIG


@pytest.mark.parametrize("cls", CLASSES)
def test_saved_and_loaded_is_the_same_to_the_bit(cls: type[Pretrained], tmp_path: Path) -> None:
    model = shaken(cls(replace(CONFIG, hidden_act="relu", pad_token_id=3, hidden_dropout_prob=0.25)))
    model.save_pretrained(tmp_path / "a" / "b")
    again = cls.from_pretrained(tmp_path / "a" / "b")
    assert again.config == model.config
    assert_within(0.0, list(again.state_dict().values()), list(model.state_dict().values()))
    again.save_pretrained(tmp_path / "c")
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "a" / "b" / name).read_bytes() == (tmp_path / "c" / name).read_bytes()


def test_the_files_themselves(tmp_path: Path) -> None:
    model = BertForMaskedLM(SMALL)
    model.save_pretrained(tmp_path)
    with safetensors.safe_open(tmp_path / "model.safetensors", "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no dict)
        # Older transformers load nothing without the format.
        assert file.metadata() == {"format": "pt", "sha256": checksum(tensors)}
    text = (tmp_path / "config.json").read_text()
    values = json.loads(text)
    assert text == json.dumps(values, indent=2, sort_keys=True) + "\n"
    assert (values["architectures"], values["model_type"]) == (["BertForMaskedLM"], "bert")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]


def test_the_checksum_is_of_names_types_shapes_and_bytes() -> None:
    tensors = {"a": torch.arange(6.0).view(2, 3), "b": torch.ones(4)}
    first = checksum(tensors)
    assert first == checksum(dict(reversed(tensors.items())))
    changed = [
        tensors | {"a": torch.arange(6.0).view(3, 2)},
        tensors | {"a": torch.arange(6.0).view(2, 3).view(torch.int32)},
        tensors | {"a": torch.arange(1.0, 7.0).view(2, 3)},
        {"a": tensors["a"], "c": tensors["b"]},
    ]
    assert len({first, *map(checksum, changed)}) == 5
    assert len(first) == 64


@pytest.mark.parametrize("cls", [BertModel, BertForMaskedLM])
def test_a_pretrained_model_feeds_other_classes(cls: type[Pretrained], tmp_path: Path) -> None:
    # Theirs read our pretraining checkpoint as they read their own: they report the same names, missing or left over.
    model = shaken(BertForPreTraining(CONFIG))
    model.save_pretrained(tmp_path / "ours")
    saved_by_them(BertForPreTraining, tmp_path / "theirs")
    other, report = theirs_of(cls).from_pretrained(tmp_path / "ours", output_loading_info=True)
    _, expected = theirs_of(cls).from_pretrained(tmp_path / "theirs", output_loading_info=True)
    assert report == expected
    assert not report["missing_keys"]
    assert_same(cls.from_pretrained(tmp_path / "ours"), other)


def test_the_tokenizer_beside_the_model_is_loaded_by_transformers(tmp_path: Path) -> None:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "lob", "##ster", "##s"]
    ours = WordPieceTokenizer.from_vocab(pieces)
    BertForMaskedLM(replace(SMALL, vocab_size=len(ours))).save_pretrained(tmp_path)
    ours.save_pretrained(tmp_path)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert theirs("The lobsters", "the [MASK]")["input_ids"] == ours.encode("The lobsters", "the [MASK]").ids
    assert theirs.mask_token_id == 4


# ---- names ----


def test_every_name_goes_there_and_back() -> None:
    for cls in CLASSES:
        ours = cls(CONFIG).state_dict()
        assert [to_ours(to_theirs(name)) for name in ours] == list(ours)
        known = set(theirs_of(cls)(hugging_face_config()).state_dict())
        assert {to_theirs(name) for name in ours} <= known
    assert len(set(MODULE_NAMES.values())) == len(MODULE_NAMES)
    assert to_theirs("bert.layers.13.attention_norm.bias") == "bert.encoder.layer.13.attention.output.LayerNorm.bias"
    assert to_ours("encoder.layer.10.output.LayerNorm.gamma") == "layers.10.output_norm.weight"
    assert to_ours("cls.predictions.bias") == "mlm.bias"


@pytest.mark.parametrize(
    "name", ["encoder.layer.0.attention.self.relative.weight", "roberta.pooler.dense.bias", "weight", "layer.0.1.a", ""]
)
def test_a_foreign_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}.*belongs to no part of a BERT"):
        to_ours(name)


def old(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Spell LayerNorm's weights as the checkpoints of 2018 do."""
    spelling = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    for new, name in spelling.items():
        tensors = {key.replace(new, name): tensor for key, tensor in tensors.items()}
    return tensors


def bare(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix("bert."): tensor for name, tensor in tensors.items()}


def prefixed(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name if name.startswith("bert.") else f"bert.{name}": tensor for name, tensor in tensors.items()}


def redundant(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return tensors | {
        "bert.embeddings.position_ids": torch.arange(17)[None],
        "cls.predictions.decoder.weight": tensors["bert.embeddings.word_embeddings.weight"],
        "cls.predictions.decoder.bias": tensors["cls.predictions.bias"],
    }


@pytest.mark.parametrize("change", [old, bare, redundant, lambda t: old(bare(redundant(t)))])
def test_old_spellings_are_understood(change: Callable[..., dict[str, Tensor]], tmp_path: Path) -> None:
    other = saved_by_them(BertForPreTraining, tmp_path)
    rewrite(tmp_path, change)
    assert_same(BertForPreTraining.from_pretrained(tmp_path), other)


def test_a_bare_encoder_takes_and_gives_the_prefix(tmp_path: Path) -> None:
    other = saved_by_them(BertModel, tmp_path)
    rewrite(tmp_path, prefixed)
    assert_same(BertModel.from_pretrained(tmp_path), other)
    classifier = BertForSequenceClassification.from_pretrained(tmp_path, new_head=True)
    assert_same(classifier.bert, other)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_other_precisions_become_float32(dtype: torch.dtype, tmp_path: Path) -> None:
    model = shaken(BertForMaskedLM(CONFIG))
    expected = {name: tensor.to(dtype).float() for name, tensor in model.state_dict().items()}
    model.to(dtype).save_pretrained(tmp_path)
    again = BertForMaskedLM.from_pretrained(tmp_path).state_dict()
    assert {tensor.dtype for tensor in again.values()} == {torch.float32}
    assert_within(0.0, list(again.values()), list(expected.values()))
    rewrite(tmp_path, lambda tensors: tensors)  # without the checksum, as others save
    assert_within(0.0, list(BertForMaskedLM.from_pretrained(tmp_path).state_dict().values()), list(expected.values()))


# ---- heads ----


def test_a_new_head_starts_from_random_numbers_and_the_body_from_the_checkpoint(tmp_path: Path) -> None:
    trained = shaken(BertForPreTraining(CONFIG))
    trained.save_pretrained(tmp_path)
    model = BertForSequenceClassification.from_pretrained(tmp_path, new_head=True, labels=("yes", "no", "maybe"))
    assert model.config.labels == ("yes", "no", "maybe")
    assert model.classifier.weight.shape == (3, 20)
    assert model.classifier.weight.std().item() == pytest.approx(0.02, rel=0.5)
    for name, tensor in trained.bert.state_dict().items():
        assert model.bert.state_dict()[name].equal(tensor)


def test_a_new_head_keeps_the_pooler_of_the_checkpoint_or_starts_one(tmp_path: Path) -> None:
    trained = shaken(BertForMaskedLM(CONFIG))
    trained.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"no 'bert.pooler.dense.weight'.*; new_head=True starts it from random"):
        BertForPreTraining.from_pretrained(tmp_path)
    model = BertForPreTraining.from_pretrained(tmp_path, new_head=True)
    pooler = model.state_dict()["bert.pooler.dense.weight"]
    assert pooler.std().item() == pytest.approx(0.02, rel=0.2)
    assert model.mlm.transform.weight.std().item() == pytest.approx(0.02, rel=0.2)  # the head as a whole is new
    assert model.bert.embeddings.word.weight.equal(trained.bert.embeddings.word.weight)


def test_a_new_head_may_have_another_size_than_the_old_one(tmp_path: Path) -> None:
    shaken(BertForTokenClassification(CONFIG)).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"'classifier.weight' has shape \(6, 20\).*asks for \(2, 20\).*new_head=True"):
        BertForTokenClassification.from_pretrained(tmp_path, labels=("in", "out"))
    model = BertForTokenClassification.from_pretrained(tmp_path, labels=("in", "out"), new_head=True)
    assert model.classifier.weight.shape == (2, 20)


@pytest.mark.parametrize(
    ("saved", "loaded", "name"),
    [
        (BertForTokenClassification, BertForMaskedLM, "cls.predictions.bias"),
        (BertModel, BertForQuestionAnswering, "qa_outputs.weight"),
        (BertForMaskedLM, BertForTokenClassification, "classifier.weight"),
    ],
)
def test_a_missing_head_is_named(saved: type[Pretrained], loaded: type[Pretrained], name: str, tmp_path: Path) -> None:
    saved(SMALL).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=f"no '{name}': its model had no such layer; new_head=True"):
        loaded.from_pretrained(tmp_path)


def test_a_missing_body_has_no_such_cure(tmp_path: Path) -> None:
    BertForMaskedLM(SMALL).save_pretrained(tmp_path)
    rewrite(tmp_path, lambda tensors: {n: t for n, t in tensors.items() if "word_embeddings" not in n})
    for new_head in (False, True):
        with pytest.raises(ValueError, match=r"no 'bert.embeddings.word_embeddings.weight': its .* such layer$"):
            BertForMaskedLM.from_pretrained(tmp_path, new_head=new_head)


# ---- what is refused ----


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_act": "swish"}, r"config.json: hidden_act 'swish' is unknown; choose one of gelu, gelu_new, relu"),
        (
            {"position_embedding_type": "relative_key"},
            "position_embedding_type is 'relative_key'; this BERT only knows",
        ),
        ({"is_decoder": True}, "is_decoder is True; this BERT only knows False"),
        ({"add_cross_attention": True}, "add_cross_attention is True"),
        ({"tie_word_embeddings": False}, "tie_word_embeddings is False"),
        ({"model_type": "roberta"}, "model_type is 'roberta'; this BERT only knows 'bert'"),
        ({"hidden_size": "20"}, "hidden_size is '20'; it must be a whole number"),
        ({"hidden_size": 21}, "config.json: hidden_size 21 is not a multiple of num_attention_heads 4"),
        ({"intermediate_size": 36}, r"'bert.encoder.layer.0.intermediate.dense.weight' has shape \(37, 20\), but.*36"),
        ({"vocab_size": 98}, r"embeddings.word_embeddings.weight' has shape \(99, 20\).*not of the same model$"),
        (
            {"num_hidden_layers": 2},
            "no 'bert.encoder.layer.1.attention.self.query.weight': its .* such layer$",
        ),
        ({"pad_token_id": -1}, "pad_token_id -1 is outside"),
        ({"problem_type": "multi_label_classification"}, "problem_type is .multi_label_classification."),
        ({"problem_type": "regression"}, "problem_type is .regression.; this BERT only knows .single_label"),
        ({"id2label": {"first": "yes"}}, "config.json: invalid literal"),
        ({"id2label": ["yes", "no"]}, "config.json: "),
    ],
)
def test_another_config_is_refused(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    BertForMaskedLM(SMALL).save_pretrained(tmp_path)
    reconfigure(tmp_path, **change)
    with pytest.raises(ValueError, match=message):
        BertForMaskedLM.from_pretrained(tmp_path)


def test_settings_that_change_nothing_are_passed_over(tmp_path: Path) -> None:
    model = shaken(BertForMaskedLM(SMALL))
    model.save_pretrained(tmp_path)
    reconfigure(tmp_path, use_cache=True, position_embedding_type="absolute", is_decoder=False, new_in_2027=[3])
    assert_same(BertForMaskedLM.from_pretrained(tmp_path), model.eval())


def test_a_config_of_2018_is_enough(tmp_path: Path) -> None:
    values = asdict(CONFIG)
    for name in ("labels", "layer_norm_eps", "pad_token_id"):
        del values[name]
    (tmp_path / "config.json").write_text(json.dumps(values))
    assert read_config(tmp_path) == replace(CONFIG, labels=("LABEL_0", "LABEL_1"))
    assert read_config(tmp_path, labels=("a", "b", "c")).labels == ("a", "b", "c")


def test_what_other_programs_write_into_a_config_is_passed_over(tmp_path: Path) -> None:
    values = asdict(CONFIG) | {"labels": ["not ours"], "gradient_checkpointing": False}
    (tmp_path / "config.json").write_text(json.dumps(values | {"id2label": {"0": "bad", "1": "good"}}))
    assert read_config(tmp_path).labels == ("bad", "good")


def test_labels_are_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    labels = tuple(f"class {number}" for number in range(11))
    BertForTokenClassification(replace(SMALL, labels=labels)).save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["label2id"]["class 10"] == 10
    assert read_config(tmp_path).labels == labels  # 10 after 9, not after 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "config.json is not JSON"),
        (b'{"vocab_size": 99,', "config.json is not JSON"),
        (b"\xff\xfe{}", "config.json is not JSON"),
        (b"[1, 2]", "config.json holds a list: expected a JSON object"),
        (b"{}", "does not name hidden_size, num_attention_heads, num_hidden_layers, vocab_size; it is not a BERT's"),
    ],
)
def test_a_config_that_is_none(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_config(tmp_path)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere is not a checkpoint: it has no config.json"):
        BertModel.from_pretrained(tmp_path / "nowhere")
    BertModel(SMALL).save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ValueError, match=r"model.safetensors does not exist$"):
        BertModel.from_pretrained(tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"never read")
    with pytest.raises(ValueError, match=r"only pytorch_model.bin, a pickle.*runs whatever code.*again as safetensors"):
        BertModel.from_pretrained(tmp_path)


def test_foreign_tensors_are_refused(tmp_path: Path) -> None:
    BertForMaskedLM(SMALL).save_pretrained(tmp_path)
    rewrite(tmp_path, lambda tensors: tensors | {"bert.encoder.layer.0.lora_A.weight": torch.zeros(3)})
    with pytest.raises(ValueError, match=r"lora_A.weight' belongs to no part of a BERT: is this checkpoint of another"):
        BertForMaskedLM.from_pretrained(tmp_path)
    BertForMaskedLM(SMALL).save_pretrained(tmp_path)
    rewrite(tmp_path, lambda tensors: tensors | {"bert.encoder.layer.1.output.dense.weight": torch.zeros(3)})
    with pytest.raises(ValueError, match=r"no place for 1 of the checkpoint's tensors, first 'layers.1.output.weight'"):
        BertForMaskedLM.from_pretrained(tmp_path)
    BertForMaskedLM(SMALL).save_pretrained(tmp_path)
    rewrite(tmp_path, lambda tensors: tensors | {"cls.predictions.bias": torch.zeros(99, dtype=torch.int8)})
    with pytest.raises(ValueError, match=r"'cls.predictions.bias' holds torch.int8, no weights"):
        BertForMaskedLM.from_pretrained(tmp_path)


# ---- damage ----


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes, bytes, dict[str, Tensor]]:
    """A small checkpoint: its folder, its two files and its weights."""
    folder = tmp_path_factory.mktemp("healthy")
    model = shaken(BertForMaskedLM(replace(SMALL, hidden_size=4, intermediate_size=7)))
    model.save_pretrained(folder)
    files = (folder / "model.safetensors").read_bytes(), (folder / "config.json").read_bytes()
    return folder, *files, model.state_dict()


Healthy = tuple[Path, bytes, bytes, dict[str, Tensor]]


@pytest.mark.parametrize("share", [0, 1e-3, 0.1, 0.5, 0.999])
def test_a_truncated_weight_file_is_damaged(healthy: Healthy, share: float, tmp_path: Path) -> None:
    _, weights, config, _ = healthy
    (tmp_path / "config.json").write_bytes(config)
    (tmp_path / "model.safetensors").write_bytes(weights[: math.ceil(share * len(weights))])
    with pytest.raises(ValueError, match=r"model.safetensors is damaged .*; take another copy of it"):
        BertForMaskedLM.from_pretrained(tmp_path)


@given(share=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
@example(share=0.0, flip=1)
@settings(max_examples=150)
def test_a_flipped_byte_anywhere_is_noticed(healthy: Healthy, share: float, flip: int) -> None:
    folder, weights, config, state = healthy
    place = int(share * len(weights))
    (folder / "config.json").write_bytes(config)
    damaged = bytearray(weights)
    damaged[place] ^= flip
    (folder / "model.safetensors").write_bytes(damaged)
    header = 8 + int.from_bytes(weights[:8], "little")
    assert not assert_loads_or_explains(folder, state) or place < header


def test_a_flipped_byte_in_the_header_is_noticed_or_harmless(healthy: Healthy) -> None:
    folder, weights, config, state = healthy
    (folder / "config.json").write_bytes(config)
    header = 8 + int.from_bytes(weights[:8], "little")
    harmless = 0
    for place in range(0, header, 5):
        damaged = bytearray(weights)
        damaged[place] ^= 1
        (folder / "model.safetensors").write_bytes(damaged)
        harmless += assert_loads_or_explains(folder, state)
    assert harmless < 10  # spaces, and the names of the metadata


def test_another_type_for_the_same_bytes_is_noticed(healthy: Healthy) -> None:
    folder, weights, config, _ = healthy
    (folder / "config.json").write_bytes(config)
    for other in (b'"I32"', b'"U32"'):
        (folder / "model.safetensors").write_bytes(weights.replace(b'"F32"', other, 1))
        with pytest.raises(ValueError, match="damaged"):
            read_tensors(folder)


@given(share=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255), cut=st.booleans())
@settings(max_examples=200)
def test_a_damaged_config_loads_or_explains(healthy: Healthy, share: float, flip: int, cut: bool) -> None:
    folder, weights, config, state = healthy
    place = int(share * len(config))
    damaged = bytearray(config)
    damaged[place] ^= flip
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "config.json").write_bytes(config[:place] if cut else damaged)
    loaded = assert_loads_or_explains(folder, state)
    assert not (loaded and cut) or place >= len(config) - 1  # only the last line break can be spared


# ---- files of other kinds ----


def shard(model: Any, folder: Path) -> None:
    """Let transformers save a model in several files with an index."""
    model.save_pretrained(folder, max_shard_size="20KB")
    assert len(list(folder.glob("model-*.safetensors"))) > 2


def test_a_checkpoint_in_several_files(tmp_path: Path) -> None:
    other = saved_by_them(BertForPreTraining, tmp_path / "whole")
    shard(other, tmp_path / "parts")
    model = BertForPreTraining.from_pretrained(tmp_path / "parts")
    whole = BertForPreTraining.from_pretrained(tmp_path / "whole").state_dict()
    assert all(tensor.equal(whole[name]) for name, tensor in model.state_dict().items())
    assert_same(model, other)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ("{}", "model.safetensors.index.json names no files in its weight_map"),
        ('{"weight_map": {"a": 1}}', "names no files"),
        ('{"weight_map": {"a": "../a.safetensors"}}', "names '../a.safetensors', which is not a file beside it"),
        ('{"weight_map": {"a": "b.safetensors"}}', "b.safetensors does not exist, though model.safetensors.index.json"),
        ("{", "model.safetensors.index.json is not JSON"),
    ],
)
def test_a_wrong_index_is_named(index: str, message: str, tmp_path: Path) -> None:
    BertModel(SMALL).save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    (tmp_path / "model.safetensors.index.json").write_text(index)
    with pytest.raises(ValueError, match=message):
        BertModel.from_pretrained(tmp_path)


def test_a_lost_part_is_named(tmp_path: Path) -> None:
    shard(saved_by_them(BertForMaskedLM, tmp_path / "whole"), tmp_path)
    lost = sorted(tmp_path.glob("model-*.safetensors"))[1]
    lost.unlink()
    with pytest.raises(ValueError, match=f"{lost.name} does not exist, though"):
        BertForMaskedLM.from_pretrained(tmp_path)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_read_into_float32(dtype: torch.dtype, tmp_path: Path) -> None:
    other = saved_by_them(BertForMaskedLM, tmp_path).to(dtype)
    other.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["dtype"] == str(dtype).removeprefix("torch.")
    model = BertForMaskedLM.from_pretrained(tmp_path)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert_same(model, other.float())


# ---- tied tensors ----


def decoder(folder: Path, **tensors: Tensor | str) -> None:
    """Put a decoder's weight or bias into a checkpoint: a tensor, or the name of the one to move there."""

    def change(found: dict[str, Tensor]) -> dict[str, Tensor]:
        for name, tensor in tensors.items():
            found[f"cls.predictions.decoder.{name}"] = found.pop(tensor) if isinstance(tensor, str) else tensor
        return found

    rewrite(folder, change)


@pytest.mark.parametrize("name", ["weight", "bias"])
def test_a_decoder_that_is_not_tied_is_refused(name: str, tmp_path: Path) -> None:
    model = shaken(BertForPreTraining(SMALL))
    model.save_pretrained(tmp_path)
    tied = {"weight": model.bert.embeddings.word.weight, "bias": model.mlm.bias}[name].detach()
    decoder(tmp_path, **{name: tied.clone()})
    assert BertForMaskedLM.from_pretrained(tmp_path).mlm.bias.equal(model.mlm.bias)
    decoder(tmp_path, **{name: tied + 1})
    with pytest.raises(ValueError, match=rf"'cls.predictions.decoder.{name}' differs from .*is tied.*save it again"):
        BertForMaskedLM.from_pretrained(tmp_path)
    assert BertModel.from_pretrained(tmp_path).layers[0].output.bias.equal(model.bert.layers[0].output.bias)


def test_tied_tensors_under_their_second_names_alone(tmp_path: Path) -> None:
    model = shaken(BertForMaskedLM(SMALL))
    model.save_pretrained(tmp_path)
    decoder(tmp_path, weight="bert.embeddings.word_embeddings.weight", bias="cls.predictions.bias")
    again = BertForMaskedLM.from_pretrained(tmp_path)
    assert again.mlm.bias.equal(model.mlm.bias)
    assert again.bert.embeddings.word.weight.equal(model.bert.embeddings.word.weight)


def test_positions_that_do_not_count_are_refused(tmp_path: Path) -> None:
    BertModel(SMALL).save_pretrained(tmp_path)
    rewrite(tmp_path, lambda found: found | {"embeddings.position_ids": torch.arange(17)[None]})
    BertModel.from_pretrained(tmp_path)
    rewrite(tmp_path, lambda found: found | {"embeddings.position_ids": torch.arange(17).flip(0)[None]})
    with pytest.raises(ValueError, match=r"'embeddings.position_ids' does not count from 0"):
        BertModel.from_pretrained(tmp_path)


# ---- what is asked otherwise ----


@pytest.mark.parametrize(
    ("change", "labels"),
    [
        ({"id2label": None, "label2id": None, "num_labels": 3}, ("LABEL_0", "LABEL_1", "LABEL_2")),
        ({"id2label": {"0": 7, "1": "yes", "2": 3.5}}, ("7", "yes", "3.5")),
        ({"id2label": {"0": "yes", "1": "yes", "2": "no"}}, ("yes", "yes", "no")),
        ({"pad_token_id": None}, ("a", "b", "c")),
    ],
)
def test_unusual_but_valid_settings(change: dict[str, Any], labels: tuple[str, ...], tmp_path: Path) -> None:
    model = shaken(BertForSequenceClassification(replace(SMALL, labels=("a", "b", "c")))).eval()
    model.save_pretrained(tmp_path)
    reconfigure(tmp_path, **change)
    again = BertForSequenceClassification.from_pretrained(tmp_path)
    assert again.config == replace(model.config, labels=labels)
    assert_same(again, transformers.BertForSequenceClassification.from_pretrained(tmp_path))


def test_overrides_and_new_weights(tmp_path: Path) -> None:
    shaken(BertForMaskedLM(SMALL)).save_pretrained(tmp_path)
    model = BertForSequenceClassification.from_pretrained(
        tmp_path, new_head=True, labels=("no", "yes", "maybe"), hidden_dropout_prob=0.25
    )
    assert model.config == replace(SMALL, labels=("no", "yes", "maybe"), hidden_dropout_prob=0.25)
    assert (model.dropout.p, model.classifier.out_features) == (0.25, 3)
    new = ("bert.pooler.dense.weight", "bert.pooler.dense.bias", "classifier.weight", "classifier.bias")
    assert model.new_weights == new
    assert BertForMaskedLM.from_pretrained(tmp_path).new_weights == ()
    with pytest.raises(ValueError, match="'dropout' is no setting of a BERT: expected some of attention_probs_dropout"):
        BertForMaskedLM.from_pretrained(tmp_path, dropout=0.1)
    with pytest.raises(ValueError, match=r"hidden_dropout_prob is 1.5; a dropout rate"):
        BertForMaskedLM.from_pretrained(tmp_path, hidden_dropout_prob=1.5)
