from dataclasses import replace
from pathlib import Path

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import BATCH, CONFIG, DROPPING, LENGTH, MASKS, a_batch, assert_within, hugging_face_config, shaken
from torch import Tensor, nn
from torch.testing import assert_close

from bertmini.model.attention import Rows
from bertmini.model.encoder import BertEmbeddings, BertModel, EncoderLayer


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[BertModel, transformers.BertModel]:
    """Our encoder and theirs with the same weights."""
    folder = tmp_path_factory.mktemp("encoder")
    ours = shaken(BertModel(CONFIG)).eval()
    ours.save_pretrained(folder)
    return ours, transformers.BertModel.from_pretrained(folder, attn_implementation="eager")


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_every_state_and_weight_is_hugging_faces(pair: tuple[BertModel, transformers.BertModel], mask: Tensor) -> None:
    ours, theirs = pair
    batch = a_batch(mask)
    expected = theirs(**batch, output_attentions=True, output_hidden_states=True)
    explicit = ours(**batch, output_attentions=True, output_hidden_states=True)
    assert len(explicit.hidden_states) == CONFIG.num_hidden_layers + 1
    assert len(explicit.attentions) == CONFIG.num_hidden_layers
    assert_within(1e-5, explicit.hidden_states, expected.hidden_states)
    assert_within(1e-5, explicit.attentions, expected.attentions)
    fused = ours(**batch)
    assert fused.hidden_states is None
    assert fused.attentions is None
    for output in (explicit, fused):
        assert_within(1e-5, output.last_hidden_state, expected.last_hidden_state)
        assert_within(1e-5, output.pooler_output, expected.pooler_output)


def test_what_is_left_out_has_hugging_faces_defaults(pair: tuple[BertModel, transformers.BertModel]) -> None:
    ours, theirs = pair
    ids = a_batch(MASKS["no padding"])["input_ids"]
    assert_within(1e-5, ours(ids).last_hidden_state, theirs(ids).last_hidden_state)
    same = ours(ids, torch.zeros_like(ids), torch.ones_like(ids))
    assert_within(1e-6, ours(ids).last_hidden_state, same.last_hidden_state)


@pytest.mark.parametrize("activation", ["gelu", "gelu_new", "relu"])
@pytest.mark.parametrize("eps", [1e-12, 0.3])
def test_activations_and_eps_are_hugging_faces(tmp_path: Path, activation: str, eps: float) -> None:
    config = replace(CONFIG, hidden_act=activation, layer_norm_eps=eps, num_hidden_layers=2)
    ours = shaken(BertModel(config), scale=0.5).eval()
    ours.save_pretrained(tmp_path)
    theirs = transformers.BertModel.from_pretrained(tmp_path)
    batch = a_batch(MASKS["right"])
    assert_within(1e-5, ours(**batch).last_hidden_state, theirs(**batch).last_hidden_state)


def test_one_layer_by_hand() -> None:
    # With all maps zero, a layer is two LayerNorms, the identity on a vector of mean 0 and variance 1.
    layer = EncoderLayer(CONFIG).eval()
    with torch.no_grad():
        for module in layer.modules():
            if isinstance(module, nn.Linear):
                module.weight.zero_()
                module.bias.zero_()
    hidden = torch.tensor([1.0, -1.0] * 10).expand(BATCH, LENGTH, 20)
    assert_close(layer(hidden, Rows())[0], hidden)
    assert layer(hidden, Rows())[1] is None
    with torch.no_grad():
        layer.output.bias.copy_(torch.tensor([3.0] + [0.0] * 19))
    summed = hidden[0, 0] + layer.output.bias
    assert_close(layer(hidden, Rows())[0][0, 0], (summed - summed.mean()) / summed.std(unbiased=False))


def test_embeddings_by_hand() -> None:
    embeddings = BertEmbeddings(replace(CONFIG, hidden_size=2, num_attention_heads=1)).eval()
    with torch.no_grad():
        embeddings.word.weight.copy_(torch.stack([torch.arange(99.0), torch.zeros(99)], dim=1))
        embeddings.position.weight.copy_(torch.stack([torch.zeros(17), 10 * torch.arange(17.0)], dim=1))
        embeddings.token_type.weight.copy_(torch.tensor([[0.0, 0.0], [100.0, 0.0]]))
    ids, types, positions = torch.tensor([[7, 30, 5]]), torch.tensor([[0, 0, 1]]), torch.tensor([[0, 4, 1]])
    # Sums (7, 0), (30, 40), (105, 10): two numbers normalise to +1 and -1.
    assert_close(embeddings(ids, types, positions), torch.tensor([[[1.0, -1.0], [-1.0, 1.0], [1.0, -1.0]]]))


def test_weights_start_as_the_released_code_starts_them() -> None:
    config = replace(CONFIG, hidden_size=120, num_hidden_layers=1, initializer_range=0.05)
    model = BertModel(config)
    for name, parameter in model.named_parameters():
        if name.endswith("norm.weight"):
            assert bool((parameter == 1).all()), name
        elif name.endswith("bias"):
            assert parameter.count_nonzero() == 0, name
        else:
            expected = pytest.approx(0.05, rel=4 / (2 * parameter.numel()) ** 0.5)
            assert parameter.std().item() == expected, name
    torch.manual_seed(5)
    first = BertModel(CONFIG).state_dict()
    torch.manual_seed(5)
    assert_within(0.0, list(first.values()), list(BertModel(CONFIG).state_dict().values()))


@pytest.mark.parametrize("loose", [True, False])
def test_places_are_rows_of_the_whole(loose: bool) -> None:
    model = shaken(BertModel(CONFIG)).eval().double()
    model.loose = loose
    batch = a_batch(MASKS["right"])
    whole = model(**batch)
    places = torch.tensor([1, 3, 2, 7, 10, 20, 5])  # in any order; 20 is padding
    read = model(**batch, places=places)
    assert_within(1e-14, read.last_hidden_state, whole.last_hidden_state.flatten(0, 1)[places])
    assert_within(1e-14, read.pooler_output, whole.pooler_output)


def test_without_a_pooler_nothing_is_pooled() -> None:
    model = BertModel(CONFIG, add_pooling_layer=False).eval()
    batch = a_batch(MASKS["right"])
    assert model(**batch).pooler_output is None
    places = torch.tensor([3, 8])
    read = model(**batch, places=places)
    assert read.pooler_output is None
    assert_within(1e-6, read.last_hidden_state, model(**batch).last_hidden_state.flatten(0, 1)[places])
    assert not any(name.startswith("pooler") for name in model.state_dict())


@given(seed=st.integers(0, 2**32), cut=st.integers(1, LENGTH))
@settings(max_examples=20)
def test_padding_changes_nothing_and_is_read_by_nobody(seed: int, cut: int) -> None:
    model = shaken(BertModel(CONFIG)).eval()
    mask = torch.zeros(BATCH, LENGTH, dtype=torch.long)
    mask[:, :cut] = 1
    batch = a_batch(mask, seed)
    short = {name: tensor[:, :cut] for name, tensor in batch.items()}
    assert_within(2e-6, model(**batch).last_hidden_state[:, :cut], model(**short).last_hidden_state)
    noisy = batch | {"input_ids": torch.where(mask > 0, batch["input_ids"], 55)}
    assert_within(0.0, model(**noisy).last_hidden_state[:, :cut], model(**batch).last_hidden_state[:, :cut])


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int32, torch.float32])
def test_a_mask_of_any_kind_will_do(dtype: torch.dtype) -> None:
    model = shaken(BertModel(CONFIG)).eval()
    batch = a_batch(MASKS["holes"])
    other = batch | {"attention_mask": batch["attention_mask"].to(dtype)}
    assert_within(0.0, model(**other).last_hidden_state, model(**batch).last_hidden_state)


def test_dropout_acts_in_training_at_every_place() -> None:
    model = shaken(BertModel(replace(CONFIG, num_hidden_layers=1)))
    batch = a_batch(MASKS["no padding"])
    expected = model.eval()(**batch).last_hidden_state
    model.train()
    assert_within(0.0, model(**batch).last_hidden_state, expected)
    for owner in (model.embeddings.dropout, model.layers[0].dropout):
        assert isinstance(owner, nn.Dropout)
        owner.p = 0.4
        assert not model(**batch).last_hidden_state.equal(expected)
        owner.p = 0.0
    dropping = BertModel(DROPPING)
    rates = [module.p for module in dropping.modules() if isinstance(module, nn.Dropout)]
    assert rates == [0.1] + [0.2, 0.1] * CONFIG.num_hidden_layers  # embeddings; weights and sub-layers of each layer
    assert isinstance(model.layers[0], EncoderLayer)


def test_a_sub_layer_drops_its_own_update_only() -> None:
    # With all that is added dropped, the residual stream alone is left: two norms, whatever the maps are.
    layer = shaken(EncoderLayer(CONFIG))
    layer.dropout.register_forward_hook(lambda _, __, update: 0 * update)
    hidden = torch.randn(BATCH, LENGTH, 20)
    assert_close(layer(hidden, Rows())[0], layer.output_norm(layer.attention_norm(hidden)))


def test_inputs_stay_as_they_were() -> None:
    batch = a_batch(MASKS["right"])
    kept = {name: tensor.clone() for name, tensor in batch.items()}
    BertModel(CONFIG)(**batch, places=torch.tensor([1]))
    assert all(kept[name].equal(batch[name]) for name in batch)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"input_ids": torch.full((3, 7), 99)},
            r"input_ids run from 99 to 99 \(vocab_size 99; is this",
        ),
        ({"input_ids": torch.tensor([[5, -100, 7]])}, "input_ids run from -100 to 7"),
        ({"token_type_ids": torch.full((3, 7), 2)}, r"token_type_ids from 2 to 2 \(type_vocab_size 2\)"),
        ({"input_ids": torch.ones(3, 18, dtype=torch.long)}, r"positions up to 17 \(max_position_embeddings 17; cut"),
        ({"input_ids": torch.ones(7, dtype=torch.long)}, r"input_ids have shape \(7,\); expected \(batch, sequence\)"),
        ({"input_ids": torch.ones(3, 0, dtype=torch.long)}, r"input_ids have shape \(3, 0\)"),
        ({"attention_mask": torch.ones(3, 6)}, r"attention_mask has shape \(3, 6\), input_ids \(3, 7\)"),
        ({"attention_mask": torch.ones(3, 1, 1, 7)}, r"attention_mask has shape \(3, 1, 1, 7\)"),
        ({"token_type_ids": torch.zeros(7, dtype=torch.long)}, r"token_type_ids has shape \(7,\), input_ids \(3, 7\)"),
    ],
)
@pytest.mark.parametrize("fast", [True, False])
def test_wrong_inputs_are_named(change: dict[str, Tensor], message: str, fast: bool) -> None:
    batch = {"input_ids": torch.ones(3, 7, dtype=torch.long)} | change
    with pytest.raises(ValueError, match=message):
        BertModel(CONFIG)(**batch, places=torch.tensor([0]) if fast else None)


def test_the_longest_sequence_fits() -> None:
    output = BertModel(CONFIG).eval()(torch.full((1, 17), 98))
    assert output.last_hidden_state.shape == (1, 17, 20)


def test_the_oracle_has_our_sizes() -> None:
    theirs = transformers.BertModel(hugging_face_config())
    assert sum(p.numel() for p in theirs.parameters()) == sum(p.numel() for p in BertModel(CONFIG).parameters())
